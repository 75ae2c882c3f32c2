"""Every stage on a params.yaml that is not what it expects: one line that names section and key, before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from milling import NAME, STAGES
from test_odd_input import assert_one_clear_line

PARAMS = Path("params.yaml")
READS_NOTHING = {"search"}  # until trials are asked for
READER = {"gates": "evaluate"}  # which freezes them into the release, where alone the gates are read from
GONE = "gone"


def change(section, value):
    params = yaml.safe_load(PARAMS.read_text())
    params[section] = value
    PARAMS.write_text(yaml.safe_dump({name: part for name, part in params.items() if part != GONE}))


FAULTS = {
    "an unknown key": lambda stage: change(stage, {**yaml.safe_load(PARAMS.read_text())[stage], "surprise": 1}),
    "another type": lambda stage: change(stage, [1, 2]),
    "no such section": lambda stage: change(stage, GONE),
    "no file": lambda _: PARAMS.unlink(),
    "torn": lambda stage: PARAMS.write_text(f"{stage}: {{a: ["),
    "another document": lambda _: PARAMS.write_text("- a list\n"),
    "not text": lambda _: PARAMS.write_bytes(b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_params(run, there, stage):
    good = PARAMS.read_bytes()
    for fault, spoil in FAULTS.items():
        PARAMS.write_bytes(good)
        spoil(stage)
        reader = READER.get(stage, stage)
        found = run(reader, reader)
        assert found.code == 1, fault
        assert_one_clear_line(found)
        assert found.said.startswith("ParamsError: params.yaml"), (fault, found.said)
        assert any(section in found.said for section in (stage, reader)) or fault == "no file"  # a torn file stops at the first it reads


@pytest.mark.parametrize("stage", STAGES)
def test_a_portfolio_that_is_not_there(run, there, stage, monkeypatch):
    monkeypatch.setitem(STAGES, stage, [*STAGES[stage][:3], "windmill", *STAGES[stage][4:]])

    found = run(stage, stage)
    assert_one_clear_line(found)
    assert "no portfolio 'windmill'" in found.said
    assert NAME in found.said


@pytest.mark.parametrize("stage", [name for name in STAGES if name not in READS_NOTHING])
def test_an_input_that_is_not_there(run, there, stage):
    for folder in there.iterdir():
        shutil.rmtree(folder)
    shutil.rmtree(Path("data", "raw"))

    assert_one_clear_line(run(stage, stage))
