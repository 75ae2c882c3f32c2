"""Container files name what exists: built elsewhere, so here their syntax and every path in them is checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
INSTRUCTIONS = {"FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD", "ENTRYPOINT"}


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", dockerfile.read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


@pytest.mark.parametrize("dockerfile", sorted(INFRA.glob("*.Dockerfile")), ids=lambda path: path.name)
def test_a_dockerfile_is_well_formed_runs_as_a_user_and_copies_what_exists(dockerfile):
    steps = instructions(dockerfile)
    copied = [source for word, rest in steps if word == "COPY" for source in rest.split()[:-1]]

    assert {word for word, _ in steps} <= INSTRUCTIONS
    assert steps[0][0] == "FROM"
    assert ("USER", "tally") in steps
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_the_compose_file_builds_from_files_that_exist():
    services = YAML(typ="safe").load((INFRA / "compose.yaml").read_text())["services"]

    for service in services.values():
        assert (INFRA / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_serving_image_installs_nothing_that_makes_or_watches_a_model():
    locked = set(re.findall(r"^([a-z0-9-]+)==", (INFRA / "serving.lock").read_text(), flags=re.MULTILINE))

    assert locked.isdisjoint({"mlflow", "dvc", "evidently", "great-expectations", "feast", "xgboost", "scikit-learn", "optbinning"})


def test_all_locks_agree_and_name_no_index():
    locked = {path: dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), flags=re.MULTILINE))
              for path in (ROOT / "requirements.lock", INFRA / "serving.lock", ROOT / "tests" / "performance" / "peers.lock")}
    everything, serving, peers = locked.values()

    assert {name: version for name, version in serving.items() if everything.get(name) != version} == {}
    assert {name: version for name, version in peers.items() if everything.get(name, version) != version} == {}
    assert not any("://" in path.read_text() for path in locked)
