"""One application decided alone is decided as among many, bit for bit; a saved scorer decides as the one that was saved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_repo.errors import ReleaseError
from feature_repo.portfolios import load as load_portfolio
from governance.release import seal, verify
from serving.scoring import decision
from serving.scoring.batch import arrays
from serving.scoring.parts import ACTIONS
from training.candidates import load_candidate


@pytest.fixture(scope="module")
def scorer(mill, mill_model):
    return decision.load(verify(mill_model.release), mill)


@pytest.fixture(scope="module", params=["trees", "scorecard"])
def each_kernel(request, mill_model, scorer):
    import dataclasses

    candidate, _ = load_candidate(mill_model.train, request.param)
    return dataclasses.replace(scorer, kernel=candidate.kernel, calibrator=candidate.calibrator)


def value_of(column):
    if column.is_level:
        return st.sampled_from([*column.level_names, "never seen", None])
    number = st.one_of(st.floats(column.low, column.high, width=64), st.sampled_from([column.low, column.high, 0.0, *column.special]))
    return st.one_of(number, st.none())


def applications(portfolio):
    return st.lists(st.fixed_dictionaries({column.name: value_of(column) for column in portfolio.raw_inputs}), min_size=1, max_size=12)


def as_arrays(portfolio, rows):
    return {column.name: np.array([row[column.name] for row in rows], dtype=object if column.is_level else np.float64)
            for column in portfolio.raw_inputs}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_row_equals_many_rows_bit_for_bit(mill, each_kernel, data):
    rows = data.draw(applications(mill))
    at = each_kernel.assess(as_arrays(mill, rows))

    alone = [each_kernel.decide(row) for row in rows]

    assert [one.pd for one in alone] == at.pd.tolist()
    assert [one.margin for one in alone] == at.margin.tolist()
    assert [one.score for one in alone] == at.score.tolist()
    assert [one.outcome for one in alone] == [ACTIONS[severity].value for severity in at.severity]
    assert [one.band for one in alone] == [each_kernel.policy.bands[band].name for band in at.band]
    assert [one.reasons for one in alone] == [each_kernel.explain(at, i) if severity else () for i, severity in enumerate(at.severity)]
    assert [one.degraded for one in alone] == at.doubtful.tolist()
    assert [one.outside for one in alone] == [tuple(name for name, beyond in at.outside.items() if beyond[i]) for i in range(len(rows))]
    assert [one.values for one in alone] == [{name: plain(column[i]) for name, column in at.columns.items()} for i in range(len(rows))]
    assert all(type(value) in {float, str, type(None)} for one in alone for value in one.values.values())


def plain(value):
    return value if isinstance(value, str) or value is None or np.isfinite(value) else None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_approval_has_no_reasons_and_everything_else_has_one_to_four(mill, each_kernel, data):
    for row in data.draw(applications(mill)):
        decided = each_kernel.decide(row)

        assert (len(decided.reasons) == 0) == (decided.outcome == "approve")
        assert len(decided.reasons) <= 4


def test_a_broken_rule_decides_whatever_the_pd_and_is_the_first_reason(mill, mill_model, scorer):
    for position, rule in enumerate(mill.rules):
        at = scorer.assess(arrays(mill, mill_model.frame))
        broken = np.flatnonzero(at.broken[position])

        assert len(broken)
        assert (at.severity[broken] >= ACTIONS.index(rule.action)).all()
        assert all(any(reason.code == rule.code for reason in scorer.explain(at, int(i))[: len(mill.rules)]) for i in broken)


def test_a_missing_value_breaks_no_rule(mill, scorer):
    at = scorer.assess({column.name: np.array([None if column.is_level else np.nan], dtype=object if column.is_level else float)
                        for column in mill.raw_inputs})

    assert not np.any(at.broken)
    assert np.isfinite(at.pd).all()


def test_a_value_that_could_not_be_confirmed_is_at_least_a_referral_and_said_so(mill, mill_model, scorer):
    at = scorer.assess(arrays(mill, mill_model.frame))
    best = mill_model.frame.iloc[int(at.pd.argmin())]
    values = {column.name: best[column.name] for column in mill.raw_inputs}
    stale = mill.stored[0].name

    decided = scorer.decide(values, (stale,))

    assert scorer.decide(values).outcome == "approve"
    assert (decided.outcome, decided.degraded, decided.pd) == ("refer", True, scorer.decide(values).pd)
    assert [reason.code for reason in decided.reasons] == ["not_current"]


def test_a_thin_file_declined_on_its_pd_is_told_its_factors(mill, mill_model, scorer):
    at = scorer.assess(arrays(mill, mill_model.frame))
    worst = mill_model.frame.iloc[int(np.flatnonzero((at.severity == 2) & ~np.any(at.broken, axis=0))[0])]
    stored = tuple(column.name for column in mill.stored)

    decided = scorer.decide({column.name: worst[column.name] for column in mill.raw_inputs}, stored)

    assert (decided.outcome, decided.degraded) == ("decline", True)
    assert decided.reasons[0].code in {column.name for column in mill.inputs}
    assert [reason.code for reason in decided.reasons].count("not_current") <= 1


@pytest.mark.parametrize("place", [0, 2])
def test_a_stored_value_that_is_missing_and_must_not_be_refers_without_being_told(mill, mill_model, scorer, place):
    at = scorer.assess(arrays(mill, mill_model.frame))
    best = mill_model.frame.iloc[int(np.where(at.severity == 0, at.pd, 1).argmin())]
    name = mill.stored[place].name
    values = {column.name: best[column.name] for column in mill.raw_inputs}

    decided = scorer.decide({**values, name: None})

    assert scorer.decide(values).degraded is False
    assert (decided.degraded, decided.outcome == "approve", decided.reasons[-1].code) == (True, False, "not_current")
    assert decided == scorer.decide({**values, name: None}, (name,))


def test_a_nullable_value_that_is_missing_is_an_answer(harbour):
    missing = {column.name: np.array([None if column.is_level else np.nan], dtype=object if column.is_level else float)
               for column in harbour.stored}
    there = {column.name: np.array(["x" if column.is_level else 1.0], dtype=object if column.is_level else float)
             for column in (*harbour.requests, *harbour.stored)}

    for column in harbour.stored:
        assert decision.in_doubt(harbour, {**there, column.name: missing[column.name]}).tolist() == [not column.nullable]


def test_a_decision_keeps_every_input_derived_ones_too(mill, mill_model, scorer):
    values = scorer.decide({column.name: mill_model.frame.iloc[5][column.name] for column in mill.raw_inputs}).values

    assert list(values) == [column.name for column in mill.inputs]
    assert all(values[column.name] == pytest.approx(mill_model.frame.iloc[5][column.name], nan_ok=True) for column in mill.derived_columns
               if values[column.name] is not None)


def test_a_saved_scorer_decides_as_the_one_that_was_saved(mill, mill_model, scorer, tmp_path):
    decision.save(scorer, tmp_path)
    loaded = decision.load(seal(tmp_path, mill, model="trees", validation={}, lineage={}), mill)
    values = arrays(mill, mill_model.frame.head(200))

    assert loaded.assess(values).pd.tobytes() == scorer.assess(values).pd.tobytes()
    assert [loaded.explain(loaded.assess(values), i) for i in range(50)] == [scorer.explain(scorer.assess(values), i) for i in range(50)]


def test_a_release_of_another_portfolio_or_of_an_unknown_model_is_refused(mill, scorer, tmp_path):
    decision.save(scorer, tmp_path)
    release = seal(tmp_path, mill, model="oracle", validation={}, lineage={})

    with pytest.raises(ReleaseError, match="oracle"):
        decision.load(release, mill)
    with pytest.raises(ReleaseError, match=mill.name):
        decision.load(release, load_portfolio("card_default"))


def test_a_level_never_seen_scores_like_a_missing_one(mill, mill_model, scorer):
    column = next(column for column in mill.raw_inputs if column.is_level)
    values = {one.name: mill_model.frame.iloc[7][one.name] for one in mill.raw_inputs}

    assert scorer.decide({**values, column.name: "never seen"}).pd == scorer.decide({**values, column.name: None}).pd
