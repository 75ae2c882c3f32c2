"""Guarantees of the questions at the command line: one command each, readable or JSON, from the home alone, helpful refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from recorded import EACH, PORTFOLIO

from feature_repo.errors import LedgerError, ReleaseError, TallyError
from governance import release
from governance.ledger import checkpoint
from governance.ledger.book import open_book
from governance.ledger.proving import checkpoint_now
from tally import questions, replays
from tally.__main__ import tally
from tally.questions import NotRecordedError, Questions
from tally.replays import Span

IN_FEBRUARY, IN_MARCH = "2024-02-15T12:00Z", "2024-03-20T00:00Z"


@pytest.fixture
def ask(recorded, monkeypatch):
    """Runs a command over the recorded home, without a checkout; what it printed."""
    monkeypatch.setenv("TALLY_HOME", str(recorded.home))
    monkeypatch.setenv("TALLY_PORTFOLIO", PORTFOLIO)

    def run(*command: str, code: int = 0) -> str:
        done = CliRunner().invoke(tally, list(command))
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.stdout

    return run


def test_history_is_a_line_an_event_in_order(ask, recorded):
    lines = ask("history").splitlines()
    assert len(lines) == len(recorded.questions.events) - 2  # less the beginnings of two months
    assert lines == sorted(lines, key=lambda line: line[:23])
    assert "ada (own key)" in lines[1]
    assert json.loads(ask("history", PORTFOLIO, "--json"))[4]["kind"] == "release-promoted"


def test_what_was_in_production_is_told_with_everybody_behind_it(ask, recorded):
    told = ask("in-production", "--at", IN_FEBRUARY)
    for said in (recorded.a.id, "version 1", "since 2024-02-01", "worker-1", "worker-2", "olga", "anna", "better", "gini", "run-1", "aa11",
                 "40 checks"):
        assert said in told, said
    assert recorded.b.id in ask("in-production", "--at", IN_MARCH, PORTFOLIO)
    assert "Nothing was in production" in ask("in-production", "--at", "2024-01-31T23:59Z")
    assert json.loads(ask("in-production", "--at", IN_FEBRUARY, "--json"))["serving"]["promotion"]["release_id"] == recorded.a.id


def test_a_time_without_a_zone_is_utc_and_what_is_no_time_is_refused():
    assert questions.time("2024-02-15 12:00") == datetime(2024, 2, 15, 12, tzinfo=UTC)
    with pytest.raises(LedgerError, match="write it like"):
        questions.time("yesterday")


def test_a_decision_is_traced_to_its_run_commit_data_and_approvals_and_nothing_of_the_applicant_is_shown(ask, recorded):
    checkpoint_now(recorded.questions.book, checkpoint.open_key(recorded.home, recorded.questions.book.log))
    told = ask("trace", recorded.decided[recorded.b.id][7])
    for said in (recorded.b.id, "run-1", "c0ffee", "aa11", "passed, 40 checks", "approved by", "anna", "the record let this release serve",
                 "shown by", f"tallystick.local/{PORTFOLIO}/2024-03", "In other words"):
        assert said in told, said
    assert "person 7" not in told
    proof = json.loads(ask("trace", recorded.decided[recorded.b.id][7], "--json"))["proof"]
    assert proof["fault"] == ""


def test_before_a_checkpoint_covers_it_a_trace_says_that_it_proves_nothing_yet(make_recorded):
    fresh = make_recorded().questions
    decision = next(record for record in fresh.book.records({"decision"}))
    assert "tally checkpoint" in fresh.proof(decision).fault


def test_an_erased_decision_is_traced_as_far_as_it_can_be_and_not_replayed(make_recorded):
    made = make_recorded()
    decision = made.decided[made.a.id][3]
    open_book(made.home / PORTFOLIO / "ledger").erase("2024-02", [decision])
    found = made.questions.trace(decision)
    assert found.said is None
    assert found.then.serving.promotion.release_id == made.a.id
    with pytest.raises(LedgerError, match="erased"):
        replays.one(made.questions, decision)
    assert (replays.every(made.questions, Span()).total, replays.every(made.questions, Span()).erased) == (2 * EACH - 1, 1)


def test_one_decision_and_all_of_them_come_out_the_same_whatever_was_promoted_since(ask, recorded):
    assert "the same to the last bit" in ask("replay", recorded.decided[recorded.a.id][5])
    assert f"{2 * EACH} decisions replayed, all the same" in ask("replay", "--all")
    assert f"{EACH} decisions replayed" in ask("replay", "--all", "--from", "2024-03-01")
    assert f"{EACH} decisions replayed" in ask("replay", "--all", "--to", "2024-03-01")


def test_what_another_release_would_have_decided_is_counted_attributed_and_written(ask, recorded, tmp_path):
    told = ask("replay", "--release", "v2", "--to", "2024-03-01", "--csv", str(tmp_path / "swaps.csv"))
    found = json.loads(ask("replay", "--release", recorded.b.id[:10], "--to", "2024-03-01", "--json"))
    summary = found["summary"]
    assert f"{summary['changed']} of {EACH}" in told
    assert sum(summary["causes"].values()) == summary["changed"] > 0
    assert sum(row["count"] for row in summary["swaps"]) == EACH == len(found["decisions"])
    lines = (tmp_path / "swaps.csv").read_text().splitlines()
    assert len(lines) == EACH + 1
    assert lines[0].endswith("because")


def test_a_decision_that_comes_out_otherwise_is_named_with_its_fields_and_the_exit_code_is_1(make_recorded, monkeypatch):
    made = make_recorded()
    decided = made.decided[made.a.id][2]
    monkeypatch.setattr("governance.ledger.entries.Record.content", property(lambda record: altered(record, decided)))
    found = replays.every(made.questions, Span())
    assert [(one.decision_id, list(one.differences)) for one in found.differ] == [(decided, ["score", "outcome"])]
    monkeypatch.setenv("TALLY_HOME", str(made.home))
    done = CliRunner().invoke(tally, ["replay", "--all", "--portfolio", PORTFOLIO])
    assert done.exit_code == 1
    assert f"{decided}: score, outcome" in done.output
    assert CliRunner().invoke(tally, ["replay", decided, "--portfolio", PORTFOLIO]).exit_code == 1


def altered(record, decided: str) -> dict:
    import msgspec

    content = {**msgspec.json.decode(record.body), "recorded_at": record.recorded_at}
    return {**content, "score": 999, "outcome": "maybe"} if record.id == decided else content


@pytest.mark.parametrize(("command", "told"), [
    (["trace", "nobody"], "no decision nobody"), (["replay", "promotion-requested:request-1"], "no decision promotion-requested"),
    (["replay", "--release", "v9"], "registered are"), (["replay", "--all", "--from", "2030-01-01"], "left to replay in this span"),
    (["replay", "--release", "v2", "--from", "2030-01-01"], "left in this span"),
    (["history", "no_such_portfolio"], "nothing is recorded of"),
    (["reproduce", "v9"], "registered are"),
])
def test_what_cannot_be_answered_is_refused_with_what_to_do(ask, command, told):
    with pytest.raises(TallyError, match=told):
        ask(*command)


def test_one_of_three_ways_to_replay_is_named(ask):
    assert "name one of" in CliRunner().invoke(tally, ["replay"]).output
    assert "name one of" in CliRunner().invoke(tally, ["replay", "x", "--all"]).output


def test_a_release_of_another_interface_is_refused(make_recorded):
    made = make_recorded()
    manifest = made.b.path / "release.json"
    manifest.write_text(manifest.read_text().replace(made.b.manifest.interface_hash, "0" * 64))
    other = release.place(made.b.path, made.questions.releases)
    with pytest.raises(ReleaseError, match="another interface"):
        replays.instead(made.questions, other.id, Span())


def test_questions_need_neither_mlflow_nor_the_code_of_the_portfolio(recorded):
    asking = ("import sys; from pathlib import Path; from tally.questions import Questions, time; "
              f"asked = Questions(Path({str(recorded.home)!r}), {PORTFOLIO!r}); "
              f"list(asked.history()); asked.in_production(time({IN_FEBRUARY!r})); asked.trace({recorded.decided[recorded.a.id][0]!r}); "
              "print([name for name in sys.modules if name.split('.')[0] in ('mlflow', 'feast', 'bentoml', 'xgboost', 'model_signing')"
              " or name.startswith('feature_repo.portfolios.')])")
    assert subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_home_without_a_record_says_so(tmp_path):
    with pytest.raises(NotRecordedError, match="nothing is recorded"):
        list(Questions(tmp_path, PORTFOLIO).history())
