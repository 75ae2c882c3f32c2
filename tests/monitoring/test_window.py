"""A window is read strictly, and only outcomes that are old enough count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import APPLICATION_ID, BAD
from feature_repo.errors import DataError
from feature_repo.portfolios import load
from feature_repo.sources import Undated
from monitoring import window


def rewrite(path, change):
    frame = pd.read_parquet(path)
    change(frame).to_parquet(path, index=False)
    return path


def test_a_window_is_read_in_order_of_time(watched, window_file):
    rewrite(window_file, lambda frame: frame.sample(frac=1, random_state=1))
    frame = window.read(window_file, watched.portfolio, watched.release, columns=("pd", BAD))
    assert len(frame) == len(watched.frame)
    assert frame[window.DECIDED_AT].is_monotonic_increasing
    assert list(frame.columns) == [*window.KEYS, "pd", BAD]


def test_only_decisions_of_the_release_are_read(watched, window_file):
    rewrite(window_file, lambda frame: frame.assign(release_id=np.where(frame.index < 100, frame["release_id"], "another")))
    assert len(window.read(window_file, watched.portfolio, watched.release, columns=("pd",))) == 100


@pytest.mark.parametrize(("change", "said"), [
    (lambda frame: frame.drop(columns="pd"), r"\['pd'\]"),
    (lambda frame: frame.assign(portfolio="other"), r"\['other'\]"),
    (lambda frame: frame.assign(release_id="another"), "no decision by release"),
    (lambda frame: pd.concat([frame, frame.tail(1)]), "once"),
    (lambda frame: frame.assign(decided_at=frame["decided_at"].where(frame.index > 0)), "have a time"),
], ids=["column missing", "foreign portfolio", "foreign release", "decision twice", "no time"])
def test_what_is_not_a_window_is_refused_in_one_line(watched, window_file, change, said):
    rewrite(window_file, change)
    with pytest.raises(DataError, match=said) as refused:
        window.read(window_file, watched.portfolio, watched.release, columns=("pd",))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("days", "rows"), [(400, 4_000), (2_000, 4_000), (12_000, 9_000), (1_000, 500)])
def test_spans_told_by_the_counts_of_months_are_those_of_the_decisions(watched, days, rows):
    times = pd.Timestamp("1990-01-01", tz="UTC") + pd.to_timedelta(np.sort(np.random.default_rng(days).integers(0, days, rows)), unit="D")
    frame = pd.DataFrame({window.DECIDED_AT: times})
    months = frame[window.DECIDED_AT].dt.strftime("%Y-%m")
    spans = window.vintages(months.value_counts().to_dict(), watched.portfolio)
    assert months.map(spans).tolist() == window.months(frame, watched.portfolio).tolist()


def test_an_outcome_counts_only_when_it_is_old_enough(watched):
    frame = watched.frame
    counts = window.matured(frame, watched.portfolio)
    age = frame[window.DECIDED_AT].max() - frame[window.DECIDED_AT]
    assert (counts == (frame[BAD].notna() & (age >= watched.portfolio.outcome.matures_after)).to_numpy()).all()
    assert 0 < counts.sum() < frame[BAD].notna().sum()


def test_the_contracts_observation_day_decides_where_there_is_one(watched):
    seen = datetime(2024, 1, 1, tzinfo=UTC)
    portfolio = replace(watched.portfolio, outcome=replace(watched.portfolio.outcome, observed_until=seen))
    counts = window.matured(watched.frame, portfolio)
    assert (watched.frame.loc[counts, window.DECIDED_AT] <= pd.Timestamp(seen) - portfolio.outcome.matures_after).all()
    assert counts.sum() > 0


def test_without_a_time_axis_there_is_one_slice_and_every_known_outcome_counts(watched):
    first = replace(watched.portfolio.tables[0], time=Undated())
    portfolio = replace(watched.portfolio, tables=(first, *watched.portfolio.tables[1:]))
    assert [month for month, _ in window.slices(watched.frame, portfolio)] == [window.ALL]
    assert (window.matured(watched.frame, portfolio) == watched.frame[BAD].notna()).all()


def test_months_cover_every_decision_once(watched):
    found = list(window.slices(watched.frame, watched.portfolio))
    assert [month for month, _ in found] == sorted({str(time)[:7] for time in watched.frame[window.DECIDED_AT]})
    assert sum(rows.stop - rows.start for _, rows in found) == len(watched.frame)


def test_the_vault_leaves_an_unknown_application_without_a_group(watched, vault):
    names = [column.name for column in watched.portfolio.protected]
    frame = watched.frame.drop(columns=names)
    frame = frame.assign(application_id=np.where(frame.index == 0, "nobody", frame[APPLICATION_ID]))
    joined = window.with_vault(frame, vault, watched.portfolio)
    assert len(joined) == len(frame)
    assert joined.loc[0, names].isna().all()
    assert (joined.loc[1:, names] == watched.frame.loc[1:, names]).all(axis=None)


def test_a_vault_that_holds_an_application_twice_is_refused(watched, vault):
    rewrite(vault / "protected.parquet", lambda frame: pd.concat([frame, frame.tail(1)]))
    with pytest.raises(DataError, match="twice"):
        window.with_vault(watched.frame[list(window.KEYS)], vault, watched.portfolio)


@pytest.mark.parametrize("name", ["card_default", "consumer_loans"])
def test_the_schema_holds_every_input_and_no_protected_attribute(name):
    portfolio = load(name)
    names = window.schema(portfolio).names
    assert {column.name for column in portfolio.inputs} <= set(names)
    assert not {column.name for column in portfolio.protected} & set(names)
    assert len(names) == len(set(names))
