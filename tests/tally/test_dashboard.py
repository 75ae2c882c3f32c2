"""The dashboard of a checkout: a project of the pipeline's months, one of the record's windows, and nothing twice."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from feature_repo.errors import DataError
from governance.release import dump
from tally import dashboard

WINDOWS = [{"window": "2023-01", "since": "2023-01-01", "reports": [{"report": "drift", "release_id": "abc"}]},
           {"window": "2023-02", "since": "2023-02-01", "reports": [{"report": "decisions", "release_id": ""}]}]


@pytest.fixture
def checkout(tmp_path):
    """A checkout in which one window of the record was reported on, and one in which nobody decided."""
    reports = tmp_path / "reports" / "p"
    folder = reports / "monitoring" / "2023-01" / "abc"
    folder.mkdir(parents=True)
    (folder / "drift.json").write_bytes(dump({"release_id": "abcdef", "verdict": "alert"}))
    (reports / "verdict.json").write_bytes(dump({"windows": WINDOWS}))
    return SimpleNamespace(services=tmp_path / "var" / "p", reports=reports.parent, portfolio=SimpleNamespace(name="p"))


def named(folder):
    return {json.loads((path / "metadata.json").read_bytes())["name"]:
            [json.loads(run.read_bytes())["name"] for run in path.glob("snapshots/*")] for path in folder.iterdir()}


def test_windows_of_the_record_have_a_project_of_their_own(checkout):
    assert named(dashboard.put(checkout)) == {"p": [], "p: decisions of the record": ["2023-01"]}
    assert named(dashboard.put(checkout)) == {"p": [], "p: decisions of the record": ["2023-01"]}


def test_a_window_has_the_verdict_of_its_report(checkout):
    moment = next(dashboard.of_record(checkout.reports / "p"))
    assert (moment.release_id, moment.verdicts["drift"], moment.verdicts["fairness"]) == ("abcdef", "alert", "insufficient")


def test_a_list_of_windows_that_cannot_be_read_is_named(checkout):
    (checkout.reports / "p" / "verdict.json").write_text("{")
    with pytest.raises(DataError, match=r"verdict\.json cannot be read .* tally monitor"):
        dashboard.put(checkout)
