"""A person decides otherwise than the service: signed, shown wherever a decision is, and without effect where it is forged or old."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime

import pytest
from approved import by, people, sign
from arrived import put_in_again
from decided import append
from recorded import write

from feature_repo.errors import PromotionError
from governance import events, overrides
from governance.ledger.writer import Ledger
from governance.observations import DecisionOverridden


@pytest.fixture
def home(make_arrived):
    return make_arrived()


def outcome_of(home, name):
    return home.book.find("id", name).content["outcome"]


def test_a_named_underwriter_overrides_and_trace_evidence_and_history_show_it(home, monkeypatch):
    name = next(each for each in home.names if outcome_of(home, each) == "decline")
    how = ("--outcome", "approve", "--code", "documents", "--reason", "payslips seen")
    with pytest.raises(PromotionError, match="olga does not have the role underwriter"):
        home.run("override", name, *how)
    monkeypatch.setenv("TALLY_ACTOR", "ulla")
    assert home.run("override", name, *how).startswith(f"decision {name}: decline overridden, approve by ulla")
    with pytest.raises(PromotionError, match="the service itself said decline"):
        home.run("override", name, "--outcome", "decline", "--code", "other", "--reason", "no")
    told = home.run("trace", name)
    assert "by ulla (own key), " in told
    assert 'decline became approve, documents: "payslips seen"' in told
    assert overrides.of(home.book.events(), people()).newest[name].outcome == "approve"
    assert "decision-overridden" in _archived(home, name)


def _archived(home, name):
    home.run("evidence", name, "--to", home.path / "e.zip")
    with zipfile.ZipFile(home.path / "e.zip") as archive:
        return b"".join(archive.read(each) for each in archive.namelist()).decode(errors="replace")


def test_a_forged_override_has_no_effect_and_is_shown_as_such(home):
    ledger = Ledger(home.book)
    said = {"at": "", "decision_id": home.names[0], "came_at": "2026-01-01T00:00:00+00:00", "was": "refer", "outcome": "approve",
            "code": "other", "reason": "so"}
    write(ledger, [events.entry(sign(DecisionOverridden(by=by("ulla"), **said), "olga"), "forged"),
                   events.entry(sign(DecisionOverridden(by=by("olga"), **said)), "no role")])
    ledger.close()
    found = overrides.of(home.book.events(), people())
    assert not found.newest
    assert len(found.ignored) == 2
    assert home.run("trace", home.names[0]).count("NO EFFECT") == 2


def test_of_several_overrides_the_newest_counts_as_of_a_moment(home, monkeypatch):
    name = next(each for each in home.names if outcome_of(home, each) == "refer")
    monkeypatch.setenv("TALLY_ACTOR", "ulla")
    home.run("override", name, "--outcome", "approve", "--code", "other", "--reason", "first")
    monkeypatch.setenv("TALLY_BUSINESS_TIME", "2026-09-01T00:00:00+00:00")
    home.run("override", name, "--outcome", "decline", "--code", "other", "--reason", "second")
    at = [overrides.of(home.book.events(), people(), datetime(2026, month, 2, tzinfo=UTC)).newest.get(name) for month in (6, 8, 10)]
    assert [found and found.outcome for found in at] == [None, "approve", "decline"]

    put_in_again(home, "decision-overridden")
    found = overrides.of(home.book.events(), people())
    assert found.newest[name].outcome == "decline"
    assert list(found.ignored.values()) == ["it is a copy of an earlier entry"]


def test_an_override_signed_long_before_it_was_recorded_has_no_effect(home):
    old = DecisionOverridden(by=by("ulla"), at="2026-01-01T00:00:00+00:00", decision_id=home.names[0], came_at="2026-01-01T00:00:00+00:00",
                             was="refer", outcome="approve", code="other", reason="so")
    append(home.book, [events.entry(sign(old), "kept back")])
    found = overrides.of(home.book.events(), people())
    assert not found.newest
    assert list(found.ignored.values()) == ["it was said too long before it was recorded"]
