"""Gates after a whole run: what would hold up a promotion is said, and the run goes on."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from governance import gates
from governance.release import verify
from training import fidelity


@pytest.fixture(scope="module")
def page(small_project):
    return json.loads((small_project.path / "reports" / "consumer_loans" / "gates.json").read_bytes())


@pytest.fixture(scope="module")
def said(page):
    return {finding["gate"]: finding for finding in page["findings"]}


def test_what_the_model_can_show_it_shows(said):
    shown = ("data", "discrimination", "champion", "monotonicity", "reasons", "fidelity", "people")
    assert [name for name in shown if not said[name]["passed"]] == []


def test_the_page_says_what_judging_the_release_says(small_project, page, said):
    release = verify(small_project.data("evaluate", "release"))
    serves = page["champion"]["release_id"] if page["champion"] else ""  # another test of this process may have promoted it
    again = {finding.gate: (finding.passed, finding.found) for finding in gates.judge(release, None, serves, datetime.now(UTC))}
    if page["champion"]:  # and it may have decided since
        del again["parity"]

    assert again == {name: (finding["passed"], finding["found"]) for name, finding in said.items() if name in again}
    assert (small_project.path / "reports" / "consumer_loans" / "gates.html").stat().st_size < 100_000


def test_the_evidence_of_reasons_holds_counts_and_texts_and_nobody(small_project):
    carried = verify(small_project.data("evaluate", "release")).read("fidelity.json", fidelity.Fidelity)

    assert carried.applications == 500
    assert sum(each.cases for each in carried.reasons) == carried.cases > 500


def test_a_report_stops_no_run_and_is_made_again_every_day(small_project):
    done = small_project.run("dvc", "repro", "-s", "gates")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "gates let release" in done.stdout
