"""A window is judged by the versions of its own days: switching pack or day switches the verdict, on the same counts."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import msgspec
import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import BAD, Action
from feature_repo.errors import ParamsError
from feature_repo.portfolios import load
from governance.limits import Ceiling, Floor, Verdict
from governance.packs import Ruling
from monitoring import fairness, group_counts, in_force, rulings, window
from monitoring.fairness import Development

PORTFOLIO = load("consumer_loans")
COLUMN = next(column for column in PORTFOLIO.protected if len(column.group_names) == 2)
OTHER = next(name for name in COLUMN.group_names if name != COLUMN.reference)


def decisions(first, last, *, share=0.3, rows=2_000):
    """Half of them of each group; of the reference group 60% are approved, of the other `share`. Other attributes make no difference."""
    group = np.where(np.arange(rows) % 2, COLUMN.reference, OTHER)
    hit = np.where(group == OTHER, share, 0.6) > (np.arange(rows) // 2 % 100) / 100
    times = pd.date_range(first, last, periods=rows, tz="UTC")
    frame = pd.DataFrame({window.DECIDED_AT: times, "pd": 0.1, "score": 600, "outcome": np.where(hit, Action.APPROVE, Action.DECLINE),
                          BAD: np.nan, window.PORTFOLIO: PORTFOLIO.name})
    others = {column.name: np.array(column.group_names)[np.arange(rows) // 200 % len(column.group_names)] for column in PORTFOLIO.protected}
    return frame.assign(**{**others, COLUMN.name: group})


def judged(frame, params):
    rules = in_force.read(params, PORTFOLIO)
    by, grouped = fairness.judges(frame, PORTFOLIO, rules), group_counts.grouped(frame, PORTFOLIO)
    (attribute,) = (one for one in fairness.assess(grouped, Development({}), by, params) if one.attribute == COLUMN.name)
    return attribute, {one.pack: one.ruling for one in rulings.assess(grouped, by.newest, params.as_of or in_force.newest(frame))}


@pytest.fixture
def of(fairness_params):
    return lambda *packs, as_of=None: msgspec.structs.replace(fairness_params, packs=packs, as_of=as_of)


@pytest.mark.parametrize(("pack", "day", "ruling"), [
    ("us_federal", "2026-07-20", Ruling.BLOCKS), ("us_federal", "2026-07-21", Ruling.REPORTS),
    ("eu_ai_act", "2027-12-01", Ruling.REPORTS), ("eu_ai_act", "2027-12-02", Ruling.BLOCKS),
    ("us_new_jersey", "2025-12-15", Ruling.BLOCKS), ("us_massachusetts", "2026-08-01", Ruling.BLOCKS),
    ("strict", "2026-08-01", Ruling.BLOCKS),
])
def test_pack_and_newest_day_decide_what_the_same_decisions_come_to(of, pack, day, ruling):
    attribute, found = judged(decisions("2025-01-01", f"{day}T12:00"), of(pack))
    assert found == {pack: ruling}
    assert attribute.verdict is Verdict.ALERT, "what is only reported is judged all the same"


def test_as_often_passes_under_every_pack_in_force(of):
    names = ("strict", "us_federal", "us_new_jersey", "us_massachusetts", "eu_ai_act")
    _, found = judged(decisions("2026-08-01", "2026-10-01", share=0.6), of(*names))
    assert set(found) == set(names)
    assert Ruling.BLOCKS not in found.values()


def test_a_said_day_takes_the_place_of_the_newest_decisions(of):
    frame = decisions("2025-01-01", "2026-08-01")
    newest, said = (judged(frame, of("us_federal", as_of=day))[1]["us_federal"] for day in (None, date(2026, 7, 20)))
    assert (newest, said) == (Ruling.REPORTS, Ruling.BLOCKS)


def test_a_month_is_judged_by_the_version_of_its_own_days(of):
    """Before its first version a pack says nothing of a month; adverse impact is an alert in every one it has a version of."""
    attribute, _ = judged(decisions("2025-10-01", "2026-02-27"), of("us_new_jersey"))
    verdicts = {one.month: one.verdict for one in attribute.months}
    assert {month: verdict is not None for month, verdict in verdicts.items()} == {
        "2025-10": False, "2025-11": False, "2025-12": True, "2026-01": True, "2026-02": True}


def test_a_day_no_version_covers_is_refused(of):
    with pytest.raises(ParamsError, match="us_new_jersey has no version for 2025"):
        judged(decisions("2025-11-01", "2025-12-01"), of("us_new_jersey"))


def test_an_unknown_pack_is_refused(of):
    with pytest.raises(ParamsError, match="no policy pack 'nowhere'"):
        in_force.read(of("nowhere"), PORTFOLIO)


def test_without_a_time_axis_a_pack_of_several_versions_wants_a_day(of):
    undated = SimpleNamespace(name="old", is_dated=False)
    with pytest.raises(ParamsError, match=r"old has no time axis, and what us_federal says depends on the day: say which in params\.yaml"):
        in_force.read(of("strict", "us_federal"), undated)
    assert in_force.read(of("strict"), undated).on(date(2000, 1, 1))
    (pack,) = in_force.read(of("us_federal", as_of=date(2026, 7, 21)), undated).on(date(2000, 1, 1))
    assert not pack.blocks


def test_of_several_limits_the_strictest_is_told(of):
    (strict,) = in_force.read(of("strict"), PORTFOLIO).on(date(2026, 1, 1))
    adverse, opportunity, *_ = strict.version.measures
    mild = msgspec.structs.replace(strict.version, measures=(msgspec.structs.replace(adverse, limits=Floor(0.8, 0.7)),
                                                             msgspec.structs.replace(opportunity, limits=Ceiling(0.2, 0.3))))
    both = (msgspec.structs.replace(strict, version=mild), strict)
    assert in_force.limits(both, "adverse_impact_ratio") == adverse.limits
    assert in_force.limits(both, "equal_opportunity_difference") == opportunity.limits
    assert in_force.limits(both, "calibration_by_group").alert == 0.25
    assert in_force.limits(both, "nothing") is None
