"""Small files, small functions, few arguments: a reader holds one in the head."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("feature_repo", "governance", "serving", "training", "monitoring", "tally")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
VAGUE = {"utils", "helpers", "common", "base", "manager", "misc"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_has_at_most_300_lines_and_a_function_40(path):
    source = path.read_text()
    long = {node.name: node.end_lineno - node.lineno + 1 for node in ast.walk(ast.parse(source)) if isinstance(node, FUNCTION)}

    assert len(source.splitlines()) <= 300
    assert {name: lines for name, lines in long.items() if lines > 40} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_says_what_it_is_for_and_its_name_says_something(path):
    tree = ast.parse(path.read_text())

    assert path.stem not in VAGUE
    assert not tree.body or ast.get_docstring(tree)


def test_the_median_file_stays_near_the_target():
    lines = sorted(len(path.read_text().splitlines()) for path in FILES if path.name != "__init__.py")

    assert lines[len(lines) // 2] <= 150
