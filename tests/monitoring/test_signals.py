"""What stands beside columns and outcomes is told with its owner, and with what it costs where that can be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from feature_repo.params import read
from governance.limits import Verdict
from monitoring import signals, summary, window
from monitoring.alerts.alert import Kind, Severity
from monitoring.alerts.beside import UNKNOWN_YET, Apart, Attribution, Moved, Sign, Signs, Value
from monitoring.alerts.params import AlertRule, AlertsParams
from monitoring.concerns import WHOLE, Scope
from monitoring.params import LossParams, SummaryParams
from monitoring.signals import MOVED, SIGN, SKEW
from monitoring.summary import Compared, Decided, Drifted, Fared, Performed, Reports
from monitoring.summary_page import CHANGED, COSTS, DO, Told
from serving.scoring.bins import Bins

COSTLY = LossParams(0.45, 0.95)
OWN = (AlertRule(Verdict.ALERT, Severity.TICKET, "platform", 2, Kind.PARITY),
       AlertRule(Verdict.WATCH, Severity.NOTE, "collections", 5, Kind.EARLY))
TOLD, OK = Value(0.15, 0.12, 0.18), Sign(UNKNOWN_YET, Verdict.OK, Value(0.1, 0.08, 0.12), 0.1)
APART = Apart("balance", Verdict.ALERT, 300, 30, 0.1, 0.07, 0.14)


@pytest.fixture(scope="module")
def scope(watched):
    rules = (*OWN, *read("alerts", AlertsParams, Path(__file__).parents[2] / "params.yaml").rules)
    frame = watched.frame.sort_values("decided_at", ignore_index=True)
    return Scope(frame, watched.portfolio, watched.release.read("bins.json", dict[str, Bins]), COSTLY, rules)


def test_an_input_that_moved_the_score_costs_what_its_mix_does_in_the_months_it_is_flagged(scope):
    column, months = scope.portfolio.inputs[0].name, sorted(set(scope.months))
    cells = tuple(Moved(month, 0.3 if month == months[3] else 0.0, 0.2, 0.4, Verdict.ALERT if month == months[3] else Verdict.OK)
                  for month in months)
    (found,) = signals.moved([Attribution(column, cells, Verdict.ALERT), Attribution("still", cells[:1], Verdict.OK)], scope)
    assert (found.kind, found.part, found.months, found.owner) == (Kind.ATTRIBUTION, MOVED, months[3], "models")
    assert (months[3], found.effect, found.of_loss) == scope.of_mix(column, [months[3]], months)
    assert found.sure == f"log-odds of bad +0.30 (+0.20 to +0.40) in {months[3]}"


def test_among_the_costs_a_column_that_drifted_and_moved_the_score_is_told_once(scope):
    columns = [column.name for column in scope.portfolio.inputs[:2]]
    moves = [Attribution(name, (Moved(scope.months[0], 0.3, 0.2, 0.4, Verdict.ALERT),), Verdict.ALERT) for name in columns]
    reports = Reports(Drifted(Verdict.ALERT, attribution=(*moves, *moves)), Performed(), Fared(), Decided())
    told = Told(scope.portfolio, reports, summary.assess(reports, scope), COSTLY, SummaryParams(confidence=0.95, most=8), 0.05)
    _, *dear = told.answers()[COSTS]
    assert sorted(one.split(" (")[0].lower().replace(" ", "_") for one in dear) == sorted(columns)


def test_an_early_sign_costs_what_loans_without_outcomes_lose_beyond_their_pds(scope):
    young = ~window.old_enough(scope.frame, scope.portfolio, scope.portfolio.outcome.matures_after)
    (found,) = signals.early(Signs(Sign(UNKNOWN_YET, Verdict.WATCH, TOLD, 0.1), ()), scope)
    assert 0 < young.sum() < len(young)
    assert (found.kind, found.part, found.months, found.owner, found.days) == (Kind.EARLY, SIGN, WHOLE, "collections", 5)
    assert found.effect.value == pytest.approx(scope.losses[young].sum() * 0.5)
    assert found.of_loss == pytest.approx(0.5)


def test_a_vintage_that_an_early_sign_warns_of_is_told_alone_until_its_outcomes_are_known(scope):
    last, before = sorted(set(scope.months))[-1:-3:-1]
    known = Sign(before, Verdict.WATCH, TOLD, 0.1, bad_rate=Value(0.1, 0.1, 0.1))
    (found,) = signals.early(Signs(OK, (known, Sign(last, Verdict.WATCH, TOLD, 0.1))), scope)
    assert found.months == last
    assert found.effect.value == pytest.approx(scope.losses[scope.months == last].sum() * 0.5)
    assert list(signals.early(Signs(OK, (known,)), scope)) == list(signals.early(None, scope)) == []


def test_other_values_online_have_no_effect_that_could_be_told_and_so_come_first_with_whose_they_are(scope):
    early = Signs(Sign(UNKNOWN_YET, Verdict.WATCH, TOLD, 0.1))
    reports = Reports(Drifted(Verdict.OK), Performed(Verdict.WATCH, early=early), Fared(Verdict.OK), Decided(),
                      Compared(Verdict.ALERT, (), (APART, Apart("same", Verdict.OK))))
    found = summary.assess(reports, scope)
    assert [(one.part, one.effect is None) for one in found.concerns] == [(SKEW, True), (SIGN, False)]
    assert found.verdicts["parity"] is Verdict.ALERT
    said = Told(scope.portfolio, reports, found, COSTLY, SummaryParams(confidence=0.95, most=8), 0.05).answers()
    assert "Other values online than in the data: balance." in said[CHANGED]
    assert "Loans without outcomes: 15.0% (12.0% to 18.0%) will be bad by the early sign, PDs said 10.0%." in said[CHANGED]
    (act,) = said[DO]
    assert act.startswith("Balance: have the online store and the views agree;")
    assert act.endswith(" (platform, within 2 days).")
