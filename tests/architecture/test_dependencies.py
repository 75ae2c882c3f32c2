"""A changed source file reruns exactly the stages whose import closure holds it: dvc.yaml says what the imports say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import closures

STAGES = closures.pipeline()["stages"]


@pytest.fixture(scope="module")
def imports():
    return closures.graph()


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_its_import_closure_and_on_nothing_else(name, imports):
    declared = [dependency for dependency in STAGES[name]["deps"] if closures.is_code(dependency)]

    assert sorted(declared) == closures.closure(imports, closures.module_of(STAGES[name])), f"{name}: run `make deps`"


@pytest.mark.parametrize("name", STAGES)
def test_every_path_of_a_command_is_a_dependency_or_an_output(name):
    stage = STAGES[name]
    known = [*stage["deps"], *closures.outputs(stage)]

    paths = stage["cmd"].split()[4:]

    assert [path for path in paths if not any(path == each or path.startswith(f"{each}/") for each in known)] == []
