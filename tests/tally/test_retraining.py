"""`tally retrain` before it trains anything: what it answers, what it waits for, and what it refuses. The rest is tests/journeys."""

from __future__ import annotations

import msgspec
import pytest
from approved import allow, keep_people

from feature_repo.errors import DataError
from feature_repo.portfolios import load
from governance import events
from governance.actor import Actor
from governance.ledger.book import open_book
from governance.observations import MonitoringBreached
from tally import retraining
from training import recorded

NAME = "card_default"


@pytest.fixture
def home(tmp_path, monkeypatch, make_release):
    """A home in which a release serves, a params.yaml, and a verdict.json that says its drift was in alert."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"TALLY_HOME": str(tmp_path), "TALLY_PORTFOLIO": NAME}.items():
        monkeypatch.setenv(name, value)
    for name in ("TALLY_LEDGER", "TALLY_SIGNERS", "TALLY_KEY", "TALLY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    release = make_release(tmp_path / "made")
    keep_people(tmp_path)
    params = {"reports": ["drift"], "windows": 1, "test_days": 90, "least_days": 30, "better_by": 0.0}
    (tmp_path / "params.yaml").write_bytes(msgspec.yaml.encode({"retrain": params}))
    made = [{"report": "drift", "release_id": release.id[:12], "verdict": "alert", "digest": "d"}]
    told = tmp_path / "reports" / NAME / "verdict.json"
    told.parent.mkdir(parents=True)
    told.write_bytes(msgspec.json.encode({"windows": [{"window": "2023-11", "since": "2023-11-01", "reports": made}]}))
    return tmp_path, release


def breached(home, release_id):
    event = MonitoringBreached(by=Actor("monitor", "process"), at="", window="2023-11", release_id=release_id, report="drift", digest="d")
    recorded.once(open_book(home / NAME / "ledger"), events.entry(event, f"2023-11:{release_id[:12]}:drift"))


def test_where_nothing_serves_there_is_nothing_to_replace(home):
    assert "No release of card_default serves" in retraining.retrain(None)


def test_a_breach_that_monitoring_did_not_record_is_refused(home):
    path, release = home
    allow(path, NAME, release.id)

    with pytest.raises(DataError, match="drift of 2023-11 is in alert, and the record does not"):
        retraining.retrain(None)


def test_a_window_that_is_not_among_the_newest_calls_for_nothing(home):
    path, release = home
    allow(path, NAME, release.id)
    told = path / "reports" / NAME / "verdict.json"
    said = msgspec.json.decode(told.read_bytes())
    told.write_bytes(msgspec.json.encode({"windows": [*said["windows"], {"window": "2023-12", "reports": []}]}))

    assert "Nothing to do" in retraining.retrain(None)


def test_a_portfolio_without_a_time_axis_is_told_that_nothing_of_it_is_newer(home):
    path, release = home
    allow(path, NAME, release.id)
    breached(path, release.id)

    assert not load(NAME).is_dated
    with pytest.raises(DataError, match="no part of it is newer"):
        retraining.retrain(None)
    (path / "reports" / NAME / "verdict.json").unlink()
    with pytest.raises(DataError, match="no window was judged yet"):
        retraining.retrain(None)
