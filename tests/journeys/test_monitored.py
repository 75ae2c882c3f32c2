"""From real decisions to reports as of a day: a service decides, a person overrides, outcomes come later, each day sees what it could."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import httpx
import pandas as pd
import pytest
from approved import keep_people
from arrived import WHO
from click.testing import CliRunner
from served import BAD, GOOD

from feature_repo.contract import APPLICANT_ID
from feature_repo.portfolios import load
from tally.__main__ import tally

ROOT = Path(__file__).parents[2]
PORTFOLIO = "card_default"
OUTCOME = load(PORTFOLIO).outcome
JANUARY = "2026-01-10T00:00:00+00:00"
EACH = 40


@pytest.fixture(scope="module")
def decided(make_home, start):
    """A home whose service decided on two people in January, and what it answered."""
    home = make_home()
    keep_people(home)
    with start(home, TALLY_BUSINESS_TIME=JANUARY) as service:
        asked = [{**service.request, APPLICANT_ID: person} for person in (GOOD, BAD) for _ in range(EACH)]
        answer = httpx.post(f"{service.url}/v1/decisions:batch", json={"decisions": asked}, timeout=60)
    return home, answer.raise_for_status().json()["decisions"]


@pytest.fixture
def run(decided, tmp_path, monkeypatch):
    home, _ = decided
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TALLY_LEDGER", raising=False)
    for name, value in {"TALLY_HOME": str(home), "TALLY_PORTFOLIO": PORTFOLIO}.items():
        monkeypatch.setenv(name, value)

    def command(*words, now, who=None):
        monkeypatch.setenv("TALLY_BUSINESS_TIME", now)
        monkeypatch.setenv("TALLY_ACTOR", who or WHO.get(words[0], "olga"))
        done = CliRunner().invoke(tally, [str(word) for word in words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return command


def report(window):
    (path,) = Path("reports", PORTFOLIO, "monitoring", window).rglob("decisions.json")
    return json.loads(path.read_bytes())


def matured(window):
    return report(window)["maturity"]["matured"]


def test_figures_change_with_the_day_as_outcomes_come_and_a_second_run_changes_nothing(decided, run, tmp_path):
    _, answers = decided
    declined = next(one["decision_id"] for one in answers if one["outcome"] == "decline")
    lender = tmp_path / "outcomes.csv"
    pd.DataFrame({"decision_id": [one["decision_id"] for one in answers], "outcome": [OUTCOME.good[0]] * EACH + [OUTCOME.bad[0]] * EACH,
                  "observed_at": "2026-03-01"}).to_csv(lender, index=False)
    run("override", declined, "--outcome", "approve", "--code", "documents", "--reason", "payslips seen", who="ulla",
        now="2026-01-20T00:00:00+00:00")
    run("outcomes", "import", lender, now="2026-03-05T00:00:00+00:00")
    cured = tmp_path / "cured.csv"
    later = {"decision_id": [answers[-1]["decision_id"]], "outcome": OUTCOME.good[:1], "observed_at": "2026-03-04"}
    pd.DataFrame(later).to_csv(cured, index=False)
    run("outcomes", "import", cured, now="2026-03-05T00:00:00+00:00")

    told = run("monitor", "--as-of", "2026-02-28", now="2026-04-01T00:00:00+00:00")
    assert "2 windows of a month" in told
    assert report("2026-01")["decisions"] == 2 * EACH
    assert [report("2026-01")["overrides"]["low_side"][name] for name in ("hits", "of")] == [1, EACH]
    assert matured("2026-01") == 0
    before = {path: path.read_bytes() for path in Path("reports").rglob("*.*") if path.is_file()}
    run("monitor", "--as-of", "2026-02-28", now="2026-04-01T00:00:00+00:00")
    assert {path: path.read_bytes() for path in Path("reports").rglob("*.*") if path.is_file()} == before

    run("monitor", "--as-of", "2026-03-31", now="2026-04-01T00:00:00+00:00")
    assert matured("2026-01") == 2 * EACH
    assert report("2026-01")["maturity"]["contradicted"] == 1
    assert "No decision of card_default from 2026-03-01 to 2026-03-31 is in the record." in report("2026-03")["found"]
    approved = {one["way"]: one for one in report("2026-01")["overrides"]["approved"]}
    assert approved["approved by the service"]["bad"] == 0
    assert (approved["approved though declined"]["matured"], approved["approved though declined"]["bad"]) == (1, 1)
    assert "decline became approve" in run("trace", declined, now="2026-04-01T00:00:00+00:00")
    assert "report monitoring/2026-01/" in run("history", now="2026-04-01T00:00:00+00:00")
    run("checkpoint", now="2026-04-01T00:00:00+00:00")
    assert "entries hold" in run("verify", now="2026-04-01T00:00:00+00:00")


def test_an_applicant_with_one_decision_is_enough_and_one_with_several_is_not(decided, run, tmp_path):
    lender = tmp_path / "outcomes.csv"
    pd.DataFrame({APPLICANT_ID: [GOOD], "outcome": [OUTCOME.good[0]], "observed_at": ["2026-03-01"]}).to_csv(lender, index=False)
    with pytest.raises(Exception, match="several decisions by then"):
        run("outcomes", "import", lender, now="2026-03-05T00:00:00+00:00")
