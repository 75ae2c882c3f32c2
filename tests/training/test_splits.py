"""Parts are disjoint, hold only known outcomes, and no applicant is in two of them; a dated test lies wholly after development."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.errors import DataError
from feature_repo.portfolios import load
from training.params import SplitParams
from training.splits import PART, PARTS, PERIOD, align, cut, early_fold, part_of

PARAMS = SplitParams(develop_until=None, seed=7, calibration_share=0.2, calibration_rows=2, calibration_bad=1, test_share=0.3)
UNDATED = load("card_default")


@pytest.fixture(scope="module", params=["dated", "undated"])
def portfolio(request, mill):
    return mill if request.param == "dated" else UNDATED


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.tuples(st.integers(0, 10**6), st.integers(300, 900), st.floats(0, 0.6), st.integers(150, 900)))
def test_parts_are_disjoint_in_applications_and_in_applicants(portfolio, borrow, drawn):
    seed, rows, unknown, people = drawn
    frame = borrow(portfolio, rows, seed=seed, unknown=unknown)
    frame[APPLICANT_ID] = np.random.default_rng(seed).integers(0, people, rows).astype(str)

    try:
        parts = cut(portfolio, frame, PARAMS)
    except DataError:  # few people who apply often leave a part without outcomes
        reject()

    assert parts[APPLICATION_ID].tolist() == frame[APPLICATION_ID].tolist()
    assert frame.loc[parts[PART].notna(), BAD].notna().all()
    assert {"development", "test"} <= set(parts[PART].dropna()) <= set(PARTS)  # too few for a calibration part go to development
    assert parts[PART].groupby(frame[APPLICANT_ID]).nunique().max() == 1


def test_a_dated_test_lies_after_development_and_calibration_is_its_end(mill, borrow):
    frame, time = borrow(mill, 3000), mill.applications.time
    parts = cut(mill, frame, PARAMS)
    moments = {part: frame.loc[parts[PART] == part, EVENT_TIME] for part in PARTS}

    assert moments["development"].max() < moments["calibration"].min()
    assert moments["calibration"].max().date() <= time.develop_until < time.out_of_time_from <= moments["test"].min().date()
    assert ((frame[EVENT_TIME].dt.date <= time.develop_until) == (parts[PERIOD] == "development")).all()
    assert len(moments["calibration"]) / (len(moments["calibration"]) + len(moments["development"])) == pytest.approx(0.2, abs=0.03)


def test_development_may_end_on_another_day_than_the_contract_says_and_the_test_begins_later_with_it(mill, borrow):
    frame, time = borrow(mill, 3000), mill.applications.time
    until = time.develop_until + timedelta(days=60)
    parts = cut(mill, frame, msgspec.structs.replace(PARAMS, develop_until=until))
    moments = {part: frame.loc[parts[PART] == part, EVENT_TIME].dt.date for part in PARTS}

    assert time.develop_until < moments["calibration"].max() <= until < moments["test"].min()
    assert ((frame[EVENT_TIME].dt.date <= until) == (parts[PERIOD] == "development")).all()


def test_an_undated_portfolio_is_not_cut_on_a_day(borrow):
    with pytest.raises(DataError, match="no time axis"):
        cut(UNDATED, borrow(UNDATED, 300), msgspec.structs.replace(PARAMS, develop_until=pd.Timestamp("2024-01-01").date()))


def test_applications_between_development_and_test_have_no_part(mill, borrow):
    time = dataclasses.replace(mill.applications.time, out_of_time_from=pd.Timestamp("2024-10-01").date())
    apart = dataclasses.replace(mill, tables=(dataclasses.replace(mill.applications, time=time), *mill.tables[1:]))
    frame = borrow(mill, 3000)
    parts = cut(apart, frame, PARAMS)
    between = (frame[EVENT_TIME] >= "2024-07-01") & (frame[EVENT_TIME] < "2024-10-01")

    assert between.any()
    assert parts.loc[between, PART].isna().all()
    assert (parts.loc[between, PERIOD] == "after").all()


def test_someone_who_applies_again_stays_in_the_part_of_their_first_outcome(mill, borrow):
    frame = borrow(mill, 2000, unknown=0)
    frame.loc[[0, 1999], APPLICANT_ID] = "again"
    parts = cut(mill, frame, PARAMS)

    assert parts.loc[0, PART] == "development"
    assert parts.loc[1999, PART] is None


def test_an_unknown_first_outcome_keeps_nobody_out(mill, borrow):
    frame = borrow(mill, 2000, unknown=0)
    frame.loc[[0, 1999], APPLICANT_ID] = "again"
    frame.loc[0, BAD] = np.nan

    assert cut(mill, frame, PARAMS).loc[1999, PART] == "test"


def test_an_undated_draw_is_stratified_has_its_shares_and_follows_the_seed(borrow):
    frame = borrow(UNDATED, 6000, unknown=0)
    parts = cut(UNDATED, frame, PARAMS)
    rates, shares = frame[BAD].groupby(parts[PART]).mean(), parts[PART].value_counts(normalize=True)

    assert rates.max() - rates.min() < 0.01
    assert [shares[part] for part in PARTS] == pytest.approx([0.56, 0.14, 0.3], abs=0.02)
    assert (parts[PERIOD] == "after").equals(parts[PART] == "test")
    assert cut(UNDATED, frame, PARAMS).equals(parts)
    assert not cut(UNDATED, frame, msgspec.structs.replace(PARAMS, seed=8)).equals(parts)


def test_an_undated_draw_does_not_depend_on_the_order_of_rows(borrow):
    frame = borrow(UNDATED, 1000)
    shuffled = frame.sample(frac=1, random_state=1)

    one, other = (cut(UNDATED, each, PARAMS).set_index(APPLICATION_ID) for each in (frame, shuffled))

    assert other.loc[one.index].equals(one)


@pytest.mark.parametrize("bad", [0.0, 1.0])
def test_one_class_only_is_a_message_with_the_part_and_its_counts(portfolio, borrow, bad):
    frame = borrow(portfolio, 500)
    frame[BAD] = bad

    with pytest.raises(DataError, match=r"the development part has \d+ known outcomes, \d+ bad and \d+ good"):
        cut(portfolio, frame, PARAMS)


@pytest.mark.parametrize(("rows", "bads"), [(100_000, 1), (2, 100_000)])
def test_too_small_a_calibration_part_is_development(portfolio, borrow, rows, bads):
    frame = borrow(portfolio, 900, unknown=0.2)
    taken, whole = (cut(portfolio, frame, params)[PART] for params in
                    (PARAMS, msgspec.structs.replace(PARAMS, calibration_rows=rows, calibration_bad=bads)))

    assert set(whole.dropna()) == {"development", "test"}
    assert (whole == "test").equals(taken == "test")
    assert (whole == "development").sum() == taken.isin(["development", "calibration"]).sum()


def test_the_test_ends_on_its_last_day_and_what_is_later_is_watched(mill, borrow):
    frame, last = borrow(mill, 3000), pd.Timestamp("2024-09-30")
    time = dataclasses.replace(mill.applications.time, out_of_time_until=last.date())
    ending = dataclasses.replace(mill, tables=(dataclasses.replace(mill.applications, time=time), *mill.tables[1:]))
    parts = cut(ending, frame, PARAMS)
    later = frame[EVENT_TIME] >= "2024-10-01"

    assert frame.loc[parts[PART] == "test", EVENT_TIME].max().date() == last.date()
    assert parts.loc[later, PART].isna().all()
    assert (parts.loc[later, PERIOD] == "after").all()


@pytest.mark.parametrize("outcome", [0.0, 1.0, np.nan])
def test_a_test_of_one_kind_or_none_is_a_message(mill, borrow, outcome):
    frame = borrow(mill, 900, unknown=0)
    frame.loc[frame[EVENT_TIME].dt.date >= mill.applications.time.out_of_time_from, BAD] = outcome

    with pytest.raises(DataError, match=r"the test part has \d+ known outcomes.*move the cuts"):
        cut(mill, frame, PARAMS)


def test_no_outcomes_and_no_rows_are_a_message(portfolio, borrow):
    for rows in (0, 20):
        with pytest.raises(DataError, match="known outcomes"):
            cut(portfolio, borrow(portfolio, rows, unknown=1.0), PARAMS)


def test_the_early_fold_is_the_end_of_a_dated_development_and_a_draw_of_an_undated_one(mill, borrow):
    frame = borrow(mill, 1000, unknown=0)
    late, drawn = (early_fold(frame, 0.2, 7, dated=dated) for dated in (True, False))

    assert frame.loc[~late, EVENT_TIME].max() < frame.loc[late, EVENT_TIME].min()
    assert drawn.mean() == pytest.approx(0.2, abs=0.01)
    assert frame.loc[drawn, BAD].mean() == pytest.approx(frame[BAD].mean(), abs=0.01)
    assert early_fold(frame.assign(**{EVENT_TIME: frame[EVENT_TIME][0]}), 0.2, 7, dated=True).mean() == pytest.approx(0.2, abs=0.01)


def test_parts_of_other_applications_are_refused(mill, borrow):
    frame = borrow(mill, 600)
    parts = cut(mill, frame, PARAMS)

    assert part_of(frame, parts, "test").index.equals(parts.index[parts[PART] == "test"])
    with pytest.raises(DataError, match="run the split stage again"):
        align(frame.iloc[::-1], parts)
