"""From verdict to action: drift, a challenger that learnt from the drifted months, better on the same later rows, a request, no promotion.

A year passes between the champion and its challenger: the simulated bureau's record stops telling anything, circumstances tell more.
"""

from __future__ import annotations

import json
from types import SimpleNamespace

import pandas as pd
import pytest
from decided import append, scored
from projects import copy_of_its_results

from feature_repo.contract import EVENT_TIME
from feature_repo.portfolios import load
from governance.current import Current
from governance.events import CHALLENGER, CHAMPION, ReleaseCompared, every
from governance.ledger.book import open_book
from governance.observations import ChallengerTrained, MonitoringBreached
from governance.release import verify
from governance.standing import PEOPLE
from monitoring import scored as windows
from monitoring.alerts.alert import Kind
from serving.scoring import decision

NOW = {"TALLY_BUSINESS_TIME": "2025-01-05T06:00:00+00:00"}
DRIFTED = ("2023-11", "2023-12")
YEAR_PASSES = {  # the same applications to September 2022, as the simulator draws month by month
    "consumer_loans.py": ("observed_until=datetime(2024, 7, 1, tzinfo=UTC)", "observed_until=datetime(2025, 1, 3, tzinfo=UTC)"),
    "consumer_loans_vintage_simulator.py": ('np.datetime64("2023-07")', 'np.datetime64("2022-10")'),
    "consumer_loans_truth_simulator.py": (
        "INTERCEPT + macro(month) + parts",
        "INTERCEPT + macro(month) + parts + (np.asarray(month) >= 21) * (0.6 + 2 * circumstances(columns) - bureau_record(columns))"),
}


def did(project, *command):
    done = project.run(*command, **NOW)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def a_year_passes(project):
    for name, (before, after) in YEAR_PASSES.items():
        path = project.path / "feature_repo" / "portfolios" / name
        assert path.read_text().count(before) == 1
        path.write_text(path.read_text().replace(before, after))
    project.change("drift", minimum=250)  # decisions of a month, at 12,000 applications
    project.change("alternatives", budget=0)  # of fairer models; another test's, and six fits
    did(project, "git", "add", "-A")
    did(project, "git", "commit", "-qm", "A year later")
    project.repro("assemble")


def decide(project, book):
    """Let the champion decide the drifted months, as its service would have."""
    release, portfolio = verify(project.data("evaluate", "release")), load(project.portfolio)
    frame = pd.read_parquet(project.data("assemble", "applications.parquet"))
    frame = frame[frame[EVENT_TIME].dt.strftime("%Y-%m").isin(DRIFTED)]
    append(book, scored(windows.decisions(frame, decision.load(release, portfolio), release), portfolio, release))
    return release.id


@pytest.fixture(scope="module")
def story(small_project, tmp_path_factory):
    """What monitoring and the first `tally retrain` said, and what was in the record then."""
    project = copy_of_its_results(small_project, tmp_path_factory.mktemp("retrained") / "project")
    for name, value in (("user.name", "test"), ("user.email", "test@localhost")):
        did(project, "git", "config", name, value)
    project.repro("register")
    did(project, "tally", "promote", "--demo")
    book = open_book(project.path / "var" / project.portfolio / "ledger")
    a_year_passes(project)
    champion = decide(project, book)
    did(project, "tally", "monitor", "--as-of", "2023-12-31")
    before = did(project, "git", "status", "--porcelain")
    told = did(project, "tally", "retrain")
    return SimpleNamespace(project=project, book=book, champion=champion, told=told, before=before)


def said(story, kind):
    return [event for _, event in every(story.book.events()) if isinstance(event, kind)]


def standing(story):
    return Current(story.book, story.project.path / "var" / "signers.yaml").look()


def test_each_drifted_month_is_a_breach_in_the_verdict_and_in_the_record(story):
    verdict = json.loads((story.project.path / "reports" / story.project.portfolio / "verdict.json").read_bytes())
    flagged = {(one["window"], made["report"]) for one in verdict["windows"] for made in one["reports"]
               if made["verdict"] == "alert" and made["report"] in [*Kind]}  # a summary says again what they say

    assert {(window, "drift") for window in DRIFTED} <= flagged
    assert {(one.window, one.report) for one in said(story, MonitoringBreached)} == flagged
    assert {one.release_id for one in said(story, MonitoringBreached)} == {story.champion}


def test_the_challenger_learnt_from_drifted_months_and_is_better_out_of_time_than_the_champion_on_the_same_rows(story):
    (made,) = said(story, ChallengerTrained)
    (found,) = [one for one in said(story, ReleaseCompared) if one.challenger == made.challenger]

    assert made.develop_until == "2023-10-02"
    assert f"monitoring-breached:{DRIFTED[0]}:{story.champion[:12]}:drift" in made.breaches
    assert (made.champion, found.champion, found.part) == (story.champion, story.champion, "the test")
    assert found.interval[0] > 0
    assert made.better


def test_a_request_by_nobody_in_particular_is_open_and_nothing_is_promoted(story):
    (made,), known = said(story, ChallengerTrained), standing(story)
    request = known.requests[made.request_id]

    assert (request.release_id, request.by.name, request.open, request.lacking) == (made.challenger, "unknown", True, PEOPLE)
    assert "champion" in {gate.gate for gate in request.gates if gate.passed}
    assert all(window in request.by.reason for window in DRIFTED)
    assert known.serving(CHAMPION).promotion.release_id == story.champion
    assert known.serving(CHALLENGER) is None
    assert f"Request {made.request_id} is open" in story.told


def test_the_working_tree_is_as_it_was_and_the_experiment_is_there_to_apply(story):
    (made,) = said(story, ChallengerTrained)

    assert did(story.project, "git", "status", "--porcelain") == story.before
    assert made.experiment in did(story.project, "dvc", "exp", "list")
    assert story.project.params["split"]["develop_until"] is None


RESUMED = """
from datetime import date
from feature_repo.params import read
from governance.current import Current
from monitoring.retraining import Breach, RetrainParams
from tally import retraining
from tally.checkout import here
checkout = here()
serves = Current(checkout.book, checkout.signers).look().serving().promotion
breach = Breach("2023-11", serves.release_id, "drift")
case = retraining.Case(checkout, read("retrain", RetrainParams), serves, (breach,), date(2023, 10, 2))
print(retraining._answered(case, checkout.book))
"""


def test_a_run_that_was_cut_off_after_training_goes_on_with_the_same_challenger_and_request(story):
    before = len(list(story.book.events()))
    resumed = did(story.project, "python", "-c", RESUMED)

    assert [line for line in story.told.splitlines() if line.startswith("Request")] == [
        line for line in resumed.splitlines() if line.startswith("Request")]
    assert len(list(story.book.events())) == before


def test_a_second_run_does_nothing(story):
    before = len(list(story.book.events()))

    assert "Nothing to do" in did(story.project, "tally", "retrain")
    assert len(list(story.book.events())) == before
