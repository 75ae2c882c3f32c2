"""Guarantees of a run: the right owner and deadline, nothing twice, nothing lost, nothing that is silenced, and all of it said."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import msgspec
import pytest
from exits import receiver
from prometheus_client.utils import floatToGoString

from feature_repo.errors import MachineError, ParamsError
from feature_repo.params import read
from governance.limits import Verdict
from monitoring.alerts.alert import Finding, Kind, Severity
from monitoring.alerts.delivery import Desk
from monitoring.alerts.journal import FILE
from monitoring.alerts.params import AlertRule, AlertsParams, Silence
from monitoring.alerts.rules import raised
from monitoring.alerts.webhook import Webhook

TODAY = date(2026, 11, 27)
NEWEST = "2026-10"
RULES = (AlertRule(Verdict.ALERT, Severity.PAGE, "compliance", 3, Kind.FAIRNESS),
         AlertRule(Verdict.ALERT, Severity.TICKET, "model owner", 10))
SILENCE = Silence(date(2026, 12, 31), "a known break in recording", "olga", kind=Kind.DRIFT)


def finding(subject: str, kind: Kind = Kind.DRIFT, verdict: Verdict = Verdict.ALERT, window: str = "2026-10", since: str = "") -> Finding:
    return Finding(portfolio="loans", window=window, kind=kind, subject=subject, verdict=verdict, sentence=f"{subject} moved", figure=0.3,
                   since=since)


@pytest.fixture
def desk(tmp_path):
    def make(*addresses: str, silences: tuple[Silence, ...] = ()) -> Desk:
        ways = [Webhook(address, "s", pauses=(0.0,), name=f"webhook{place}") for place, address in enumerate(addresses)]
        return Desk("loans", AlertsParams(3, RULES, silences), ways, tmp_path / "state", tmp_path / "reports")

    return make


def subjects(server) -> list[str]:
    return [json.loads(body)["subject"] for _, body in server.taken]


def metrics(desk: Desk) -> str:
    return (desk.reports / "alerts.prom").read_text()


def test_the_first_rule_that_fits_names_owner_severity_and_deadline_and_what_none_fits_is_nobody_s():
    found = raised([finding("a", Kind.FAIRNESS), finding("b"), finding("c", verdict=Verdict.WATCH), finding("b")],
                   AlertsParams(3, RULES, ()), TODAY)

    assert [(one.alert.subject, one.alert.owner, one.alert.severity, one.alert.deadline) for one in found] == [
        ("a", "compliance", "page", date(2026, 11, 30)), ("b", "model owner", "ticket", date(2026, 12, 7))]


def test_an_alert_is_delivered_once_for_its_window_and_again_where_it_grows_or_comes_back(desk):
    with receiver() as server:
        for found in ([finding("a")], [finding("a")], [finding("a", window="2026-11")], []):
            desk(server.url).deliver(found, NEWEST, TODAY)
    assert [json.loads(body)["window"] for _, body in server.taken] == ["2026-10", "2026-11"]


def test_an_exit_that_fails_keeps_its_alerts_for_the_next_run_and_holds_up_no_other(desk, free_port):
    with receiver() as well, receiver(500, 500, 200) as ill:
        first = desk(ill.url, well.url).deliver([finding("a"), finding("b")], NEWEST, TODAY)
        owed = metrics(desk())
        second = desk(ill.url, well.url).deliver([], NEWEST, TODAY)
    assert [(one.delivered, one.owed) for one in first.sent] == [(0, 2), (2, 0)]
    assert "webhook0: 0 delivered, 2 wait for the next run: the webhook answered 500, 2 times" in first.sentences
    assert 'undelivered{exit="webhook0",portfolio="loans"} 2.0' in owed
    assert [(one.delivered, one.owed) for one in second.sent] == [(2, 0), (0, 0)]
    assert (subjects(well), subjects(ill)[2:]) == (["a", "b"], ["a", "b"])


def test_an_alert_that_is_refused_holds_up_none_after_it(desk):
    with receiver(400, 200) as server:
        said = desk(server.url).deliver([finding("a"), finding("b")], NEWEST, TODAY)
    assert subjects(server) == ["a", "b"]
    assert (said.sent[0].delivered, said.sent[0].owed) == (1, 1)


def test_what_is_silenced_is_sent_to_nobody_until_its_day_is_over_and_is_still_shown(desk):
    with receiver() as server:
        said = desk(server.url, silences=(SILENCE,)).deliver([finding("a"), finding("b", Kind.FAIRNESS)], NEWEST, TODAY)
        shown = metrics(desk())
        desk(server.url, silences=(SILENCE,)).deliver([finding("a")], NEWEST, date(2027, 1, 1))
    assert subjects(server) == ["b", "a"]
    assert "- drift of a until 2026-12-31, by olga: a known break in recording" in said.sentences
    assert [line.split("silenced=")[1] for line in shown.splitlines() if line.startswith("tally_monitoring_alert{")] == [
        '"true",subject="a",verdict="alert",window="2026-10"} 1.0', '"false",subject="b",verdict="alert",window="2026-10"} 1.0']


def test_what_is_owed_and_silenced_afterwards_waits_until_the_silence_is_over(desk):
    with receiver() as server:
        desk("http://127.0.0.1:1").deliver([finding("a"), finding("b", Kind.FAIRNESS)], NEWEST, TODAY)
        quiet = desk(server.url, silences=(SILENCE,)).deliver([], NEWEST, TODAY)
        assert subjects(server) == ["b"]
        assert [(one.delivered, one.owed) for one in quiet.sent] == [(1, 0)]
        desk(server.url, silences=(SILENCE,)).deliver([], NEWEST, date(2027, 1, 1))
    assert subjects(server) == ["b", "a"]


def test_a_silence_holds_on_its_last_day_and_for_its_kind_subject_and_portfolio_alone():
    other = Finding(portfolio="cards", window="2026-10", kind=Kind.DRIFT, subject="a", verdict=Verdict.ALERT, sentence="")
    silence = Silence(date(2026, 12, 31), "r", "p", portfolio="loans", kind=Kind.DRIFT, subject="a")
    params = AlertsParams(3, RULES, (silence,))

    def quiet(found: Finding, day: date) -> bool:
        return raised([found], params, day)[0].silence is not None

    assert quiet(finding("a"), date(2026, 12, 31))
    assert not quiet(finding("a"), date(2027, 1, 1))
    assert not any(quiet(found, TODAY) for found in (finding("b"), finding("a", Kind.PERFORMANCE), other))


def test_another_run_does_not_put_off_a_deadline(desk):
    first, later = (desk().deliver([finding("a")], NEWEST, day) for day in (TODAY, date(2026, 12, 24)))

    assert first.raised[0].alert.deadline == later.raised[0].alert.deadline == date(2026, 12, 7)
    over = datetime(2026, 12, 8, tzinfo=UTC).timestamp()
    assert f'deadline_seconds{{owner="model owner",portfolio="loans"}} {floatToGoString(over)}' in metrics(desk())


def test_a_breach_that_goes_on_day_after_day_is_told_once_and_keeps_its_first_deadline(desk):
    with receiver() as server:
        for day in range(3):
            began, today = "2026-11-27" if day else "", date(2026, 11, 28 + day)
            found = [finding("a", window=f"2026-11-{27 + past}", since=began if past else "") for past in range(day + 1)]
            said = desk(server.url).deliver(found, f"2026-11-{27 + day}", today)
        assert said.raised[-1].alert.deadline == date(2026, 12, 8)
        assert said.sentences[0] == "alerts that stand: 1"
        over = datetime(2026, 12, 9, tzinfo=UTC).timestamp()
        assert f'deadline_seconds{{owner="model owner",portfolio="loans"}} {floatToGoString(over)}' in metrics(desk())
        late = desk(server.url).deliver([finding("a", window="2026-12-09", since="2026-11-27")], "2026-12-09", date(2026, 12, 10))
        assert "- drift of a: due from model owner by 2026-12-08, which is over" in late.sentences
        desk(server.url).deliver([finding("a", window="2026-12-20")], "2026-12-20", date(2026, 12, 21))  # it has come back
    assert [json.loads(body)["window"] for _, body in server.taken] == ["2026-11-27", "2026-12-20"]


def test_a_breach_whose_earlier_window_is_flagged_afterwards_is_told_once_and_keeps_its_deadline(desk):
    """Late outcomes flag October when November was told already."""
    with receiver() as server:
        desk(server.url).deliver([finding("a", window="2026-11")], "2026-11", TODAY)
        both = [finding("a", window="2026-10"), finding("a", window="2026-11", since="2026-10")]
        said = desk(server.url).deliver(both, "2026-11", date(2026, 12, 24))
    assert [json.loads(body)["window"] for _, body in server.taken] == ["2026-11"]
    assert {one.alert.deadline for one in said.raised} == {date(2026, 12, 7)}


def test_an_alert_that_no_exit_takes_is_said(desk):
    said = desk().deliver([finding("a")], NEWEST, TODAY)

    assert said.sentences == ["alerts that stand: 1", "- drift of a: no exit is set for its owner model owner"]


def test_what_was_raised_while_no_exit_was_set_is_delivered_once_one_is(desk):
    desk().deliver([finding("a")], NEWEST, TODAY)
    with receiver() as server:
        desk(server.url).deliver([finding("a")], NEWEST, TODAY)
    assert subjects(server) == ["a"]


def test_a_journal_that_cannot_be_kept_stops_the_run_before_anything_is_sent(desk):
    with receiver() as server:
        ready = desk(server.url)
        ready.state.mkdir()
        (ready.state / FILE).write_bytes(b"no database" * 100)
        with pytest.raises(MachineError, match="journal of alerts"):
            ready.deliver([finding("a")], NEWEST, TODAY)
    assert server.taken == []


@pytest.mark.parametrize(("wrong", "said"), [
    ({"silences": [{"until": "2026-12-31", "reason": "r", "person": "p"}]}, "a kind or a subject"),
    ({"silences": [{"kind": "drift", "reason": "r", "person": "p"}]}, "until"),
    ({"silences": [{"kind": "drift", "until": "2026-12-31", "reason": " ", "person": "p"}]}, "reason"),
    ({"rules": [{"verdict": "ok", "severity": "page", "owner": "o", "days": 1}]}, "told to nobody"),
    ({"rules": [{"verdict": "alert", "severity": "loud", "owner": "o", "days": 1}]}, "severity")])
def test_a_rule_or_silence_that_says_too_little_is_refused(tmp_path, wrong, said):
    path = tmp_path / "params.yaml"
    path.write_bytes(msgspec.yaml.encode({"alerts": {"windows": 1, "rules": [], "silences": [], **wrong}}))

    with pytest.raises(ParamsError, match=said):
        read("alerts", AlertsParams, path)


def test_the_rules_of_the_project_are_read():
    assert {rule.verdict for rule in read("alerts", AlertsParams).rules} == {Verdict.ALERT, Verdict.WATCH}
