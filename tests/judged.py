"""Fixtures and words of the tests of gates: a release that passes them all, and what can be done to it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from governance import gates
from governance.events import Actor, ReleaseCompared
from governance.gate_evidence import NOTHING_DECIDED
from governance.release import MANIFEST, digests, dump, verify

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


NAMES = ("data", "discrimination", "champion", "calibration", "monotonicity", "fairness-strict", "reasons", "fidelity", "stability",
         "parity", "people")


NO = False


SLOPE = ("parts", "test", "recalibration", "slope", "value")


WHOLE = ("parts", "test", "whole")


FEMALE = ("sex", "female")


EVIDENCE = {"discrimination": "measures.json", "calibration": "calibration.json", "monotonicity": "monotonicity.json",
            "fairness-strict": "fairness.json", "fidelity": "fidelity.json", "stability": "stability.json"}


HURDLES = {**EVIDENCE, "reasons": "reasons.json"}


@pytest.fixture(scope="module")
def original(make_release, tmp_path_factory):
    """A release that every gate lets through."""
    return make_release(tmp_path_factory.mktemp("made") / "release")


@pytest.fixture
def made(original, tmp_path):
    """A copy of it that a test may change."""
    return dataclasses.replace(original, path=Path(shutil.copytree(original.path, tmp_path / "release")))


def judge(release, compared=None, champion="", at=NOW, decided=NOTHING_DECIDED):
    return {finding.gate: finding for finding in gates.judge(release, compared, champion, at, decided)}


def failed(release, **case):
    return [name for name, finding in judge(release, **case).items() if not finding.passed]


def changed(release, name, change=None, validation=None):
    """The release with one file changed by a function, or without it, sealed again: another release, of the same shape."""
    path, manifest = release.path / name, release.manifest
    if change is None:
        path.unlink()
    else:
        said = json.loads(path.read_bytes())
        path.write_bytes(dump(change(said) or said))
    sealed = msgspec.structs.replace(manifest, files=digests(release.path),
                                     validation=manifest.validation if validation is None else validation)
    (release.path / MANIFEST).write_bytes(dump(sealed))
    return verify(release.path)


def put(*keys_and_value):
    """A change: what stands under the keys becomes the value."""
    *keys, last, value = keys_and_value

    def change(said):
        for key in keys:
            said = said[key]
        said[last] = value
    return change


def against(release, champion="c" * 64, **changes):
    found = {"part": "the test", "rows": 9000, "gini_difference": 0.0, "interval": (-0.015, 0.015), "confidence": 0.95, **changes}
    return ReleaseCompared(by=Actor("compare", "process"), at=NOW.isoformat(), challenger=release.id, champion=champion, **found)
