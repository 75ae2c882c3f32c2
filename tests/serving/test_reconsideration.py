"""Guarantees of reconsidering: the other release's decisions exactly, the swap set adds up, each part that alone explains is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from borrowers import borrowers, brought

from feature_repo.contract import Outside
from feature_repo.errors import LedgerError
from feature_repo.portfolio import Portfolio
from governance import release
from serving.reconsideration import TOGETHER, attribution, reconsider, swaps
from serving.scoring import decision
from serving.scoring.decision import Scorer
from serving.scoring.parts import ACTIONS

ROWS = 400


@pytest.fixture(scope="module")
def trees(mill_model: Any, mill: Portfolio) -> Scorer:
    return decision.load(release.verify(mill_model.release), mill)


@pytest.fixture(scope="module")
def scorecard(tmp_path_factory: pytest.TempPathFactory, make_release: Callable[..., Any], mill: Portfolio) -> Scorer:
    with brought():
        return decision.load(make_release(tmp_path_factory.mktemp("made") / "release", "mill"), mill)


def recorded(scorer: Scorer, *, rows: int = ROWS) -> list[dict[str, Any]]:
    """Records of decisions on drawn borrowers, in every seventh of which a stored value was in doubt."""
    frame, found = borrowers(scorer.portfolio, rows, seed=3), []
    for number, row in enumerate(frame.to_dict("records")):
        values = {column.name: _plain(row[column.name]) for column in scorer.portfolio.raw_inputs}
        doubtful = (scorer.portfolio.raw_inputs[-1].name,) if number % 7 == 0 else ()
        made = msgspec.to_builtins(scorer.decide(values, doubtful))
        found.append({"decision_id": f"d{number}", "recorded_at": "2026-03-01T00:00:00.000000+00:00", "release_id": "r",
                      "doubtful": list(doubtful), **made})
    return found


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else None if value is None or np.isnan(value) else float(value)


def moved(scorer: Scorer, share: float) -> Scorer:
    """The release with other cut-offs."""
    cuts = {"approve_below": scorer.policy.approve_below * share, "decline_from": scorer.policy.decline_from * share}
    return replace(scorer, policy=msgspec.structs.replace(scorer.policy, **cuts))


def shifted(scorer: Scorer, log_odds: float) -> Scorer:
    """The release with other PDs."""
    intercept = scorer.calibrator.intercept + log_odds
    return replace(scorer, calibrator=msgspec.structs.replace(scorer.calibrator, method="platt", intercept=intercept))


@pytest.fixture(params=["trees", "scorecard"])
def scorer(request: pytest.FixtureRequest) -> Scorer:
    found: Scorer = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("others", [("trees", "scorecard"), ("scorecard", "trees")])
def test_many_at_once_are_decided_as_the_other_release_decides_each(others, request):
    one, other = map(request.getfixturevalue, others)
    contents = recorded(one)
    frame = reconsider(contents, one, other)
    for row, content in zip(frame.itertuples(), contents, strict=True):
        raw = {column.name: content["values"][column.name] for column in one.portfolio.raw_inputs}
        made = other.decide(raw, tuple(content["doubtful"]))
        assert (row.other_outcome, row.other_pd, row.other_score) == (made.outcome, made.pd, made.score)
        assert (row.outcome, row.pd, row.score) == (content["outcome"], content["pd"], content["score"])


def test_the_same_release_changes_nothing(scorer):
    frame = reconsider(recorded(scorer), scorer, scorer)
    assert set(frame["because"]) == {""}
    assert (frame["outcome"] == frame["other_outcome"]).all()
    assert attribution(frame) == {}


def test_another_cut_off_is_the_policys_and_other_pds_are_the_models(scorer):
    contents = recorded(scorer)
    assert set(attribution(reconsider(contents, scorer, moved(scorer, 0.8)))) == {"policy"}
    assert set(attribution(reconsider(contents, scorer, shifted(scorer, 0.4)))) == {"model"}


def test_other_numbers_for_levels_are_the_features(scorecard):
    turned = {column: dict(zip(levels, reversed(levels.values()), strict=True)) for column, levels in scorecard.encoding.items()}
    sharp = replace(scorecard, kernel=replace(scorecard.kernel, edges=scorecard.kernel.edges + 0.5))
    found = attribution(reconsider(recorded(sharp), sharp, replace(sharp, encoding=turned)))
    assert set(found) == {"features"}


def test_values_that_only_one_of_both_developments_had_are_the_supports(trees):
    name, seen = next((name, seen) for name, seen in trees.support.items() if seen.high is not None and seen.outside is Outside.REFER)
    narrow = {**trees.support, name: msgspec.structs.replace(seen, high=(seen.low + seen.high) / 2)}
    narrower = replace(trees, support=narrow)
    for one, other in ((trees, narrower), (narrower, trees)):
        assert set(attribution(reconsider(recorded(one), one, other))) == {"support"}


def test_parts_that_each_suffice_are_all_named_and_parts_that_only_suffice_together_are_told_so(trees):
    contents = recorded(trees, rows=1000)
    found = attribution(reconsider(contents, trees, shifted(moved(trees, 0.7), 0.4)))
    assert {"model+policy", "model", "policy", TOGETHER} >= set(found) >= {"model+policy", TOGETHER}


def test_every_changed_outcome_has_a_cause_and_the_swap_set_adds_up(trees, scorecard):
    contents = recorded(trees)
    frame = reconsider(contents, trees, scorecard)
    table = swaps(frame)
    same = table["outcome"] == table["other_outcome"]
    assert table["count"].sum() == len(contents)
    assert sum(attribution(frame).values()) == table.loc[~same, "count"].sum() > 0
    assert set(table["outcome"]) <= {action.value for action in ACTIONS}
    for row in table.itertuples():
        held = frame[(frame["outcome"] == row.outcome) & (frame["other_outcome"] == row.other_outcome)]
        assert row.pd_move == pytest.approx((held["other_pd"] - held["pd"]).mean())
        assert row.score_move == pytest.approx((held["other_score"] - held["score"]).mean())


def test_nothing_of_an_applicant_is_told(trees, scorecard):
    frame = reconsider(recorded(trees), trees, scorecard)
    assert list(frame) == ["decision_id", "recorded_at", "release_id", "outcome", "pd", "score", "other_outcome", "other_pd",
                           "other_score", "because"]


@pytest.mark.parametrize("change", [{"outcome": "approve"}, {"pd": 0.5}])
def test_records_that_do_not_come_out_as_recorded_are_refused(trees, scorecard, change):
    contents = recorded(trees)
    at = next(place for place, content in enumerate(contents) if content["outcome"] != "approve")
    contents[at] = {**contents[at], **change}
    with pytest.raises(LedgerError, match=f"1 decisions do not come out as recorded, the first is d{at}"):
        reconsider(contents, trees, scorecard)
