"""From ingested tables to inputs: types, keys, ages and order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, CREATED_TIME, EVENT_TIME, NO_TIME
from feature_repo.derive import derive
from feature_repo.errors import DataError
from feature_repo.portfolios import load
from training.assembly import applications, assemble, save, view

PEOPLE = [f"p{i}" for i in range(50)]


@pytest.fixture
def tables(harbour, invent):
    return invent(harbour, PEOPLE)


def first(tables, portfolio) -> pd.DataFrame:
    return tables[portfolio.applications.name]


def joined(portfolio, tables, age: pd.Timedelta) -> pd.DataFrame:
    """Applications as the join gives them back, every stored value of that age."""
    frame = applications(portfolio, first(tables, portfolio))
    moments = (frame[EVENT_TIME] - age).astype("datetime64[us, UTC]").astype("int64") / 1_000_000
    stored = {column.name: column.level_names[0] if column.is_level else 2.0 for column in portfolio.stored}
    return frame.assign(**stored, **{table.as_of: moments for table in portfolio.views})


def test_applications_hold_their_keys_time_requests_and_outcome_in_order_of_time(harbour, tables):
    frame = applications(harbour, first(tables, harbour))

    assert list(frame) == [APPLICATION_ID, APPLICANT_ID, EVENT_TIME, *(column.name for column in harbour.requests), BAD]
    assert frame[[EVENT_TIME, APPLICATION_ID]].apply(tuple, axis=1).is_monotonic_increasing


def test_a_view_holds_key_time_age_and_stored_columns_in_order_of_applicant_and_time(harbour, tables):
    for table in harbour.views:
        frame = view(harbour, table, tables[table.name])

        assert list(frame) == [APPLICANT_ID, EVENT_TIME, CREATED_TIME, table.as_of, *(column.name for column in table.stored)]
        assert frame[[APPLICANT_ID, EVENT_TIME]].apply(tuple, axis=1).is_monotonic_increasing
        assert frame[table.as_of].tolist() == [time.timestamp() for time in frame[EVENT_TIME]]


def test_inputs_stand_in_order_of_time_and_application_however_the_join_returns_them(harbour, tables):
    rows = joined(harbour, tables, pd.Timedelta(0))

    ordered, shuffled = assemble(harbour, rows), assemble(harbour, rows.sample(frac=1, random_state=5))

    assert ordered[[EVENT_TIME, APPLICATION_ID]].apply(tuple, axis=1).is_monotonic_increasing
    pd.testing.assert_frame_equal(shuffled, ordered)


def test_the_order_of_rows_does_not_matter(harbour, tables, tmp_path):
    for name, make in [("boats", lambda raw: applications(harbour, raw)), *(
            (table.name, lambda raw, table=table: view(harbour, table, raw)) for table in harbour.views)]:
        raw = tables[harbour.applications.name if name == "boats" else name]
        save(make(raw), tmp_path / "one.parquet")
        save(make(raw.sample(frac=1, random_state=5)), tmp_path / "two.parquet")

        assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_a_row_repeated_word_for_word_counts_once_and_a_contradiction_is_refused(harbour, tables):
    table = harbour.views[0]
    raw = tables[table.name].fillna({table.stored[0].name: 0.5})

    assert view(harbour, table, pd.concat([raw, raw])).equals(view(harbour, table, raw))
    with pytest.raises(DataError, match=f"{table.name}: {len(raw)} rows"):
        view(harbour, table, pd.concat([raw, raw.assign(**{table.stored[0].name: -0.5})]))


def test_an_application_given_twice_is_refused_without_naming_anyone(harbour, tables):
    raw = first(tables, harbour)
    with pytest.raises(DataError, match=f"50 rows repeat an {APPLICATION_ID}") as refusal:
        applications(harbour, pd.concat([raw, raw]))

    assert not any(person in str(refusal.value) for person in PEOPLE)


@pytest.mark.parametrize("key", [APPLICATION_ID, APPLICANT_ID, EVENT_TIME])
def test_a_row_without_its_key_or_time_is_refused(key, harbour, tables):
    raw = first(tables, harbour).copy()
    raw.loc[3, key] = None
    with pytest.raises(DataError, match=f"1 rows lack one of .*{key}"):
        applications(harbour, raw)


def test_what_validate_let_pass_is_no_value(harbour, tables):
    table = harbour.views[0]
    number, level, *_ = table.stored
    raw = tables[table.name].astype({number.name: object})
    raw.loc[0, number.name] = "abc"
    frame = view(harbour, table, raw.drop(columns=level.name))

    assert frame[number.name].dtype == np.float64
    assert frame[number.name].isna().sum() == tables[table.name].loc[1:, number.name].isna().sum() + 1
    assert frame[level.name].tolist() == [None] * len(frame)


def test_without_a_time_axis_every_moment_is_the_same(invent):
    undated = load("card_default")
    raw = invent(undated, ["1", "2"])[undated.applications.name].drop(columns=EVENT_TIME)

    assert set(applications(undated, raw)[EVENT_TIME]) == {pd.Timestamp(NO_TIME)}
    assert set(view(undated, undated.views[0], raw)[undated.views[0].as_of]) == {NO_TIME.timestamp()}


def test_inputs_come_in_the_models_order_with_derived_columns_of_the_one_implementation(harbour, tables):
    frame = assemble(harbour, joined(harbour, tables, pd.Timedelta(0)))
    values = {column.name: frame[column.name].to_numpy() for column in harbour.raw_inputs}

    assert list(frame) == [APPLICATION_ID, APPLICANT_ID, EVENT_TIME, *(column.name for column in harbour.inputs), BAD]
    for column in harbour.derived_columns:
        np.testing.assert_array_equal(frame[column.name], derive(harbour, values)[column.name])


@pytest.mark.parametrize(("late", "used"), [(pd.Timedelta(0), True), (pd.Timedelta(1, "s"), False)])
def test_a_value_is_used_until_its_limit_and_missing_after_it(late, used, harbour, tables):
    for _, column, limit in harbour.ageing:
        age = pd.Timedelta(min(limit, 1e9), "s") + late
        frame = assemble(harbour, joined(harbour, tables, age))

        assert frame[column.name].notna().all() == (used or column.fresh_for is None)
        assert frame[column.name].isna().all() != (used or column.fresh_for is None)


def test_what_was_derived_from_an_old_value_is_missing_too(harbour, tables):
    frame = assemble(harbour, joined(harbour, tables, pd.Timedelta(3_000, "D")))

    assert frame[[column.name for column in harbour.derived_columns]].isna().all(axis=None)


def test_a_portfolio_without_stored_columns_assembles(harbour, tables):
    bare = replace(harbour, tables=harbour.tables[:1])
    frame = assemble(bare, applications(bare, first(tables, harbour)))

    assert list(frame) == [APPLICATION_ID, APPLICANT_ID, EVENT_TIME, *(column.name for column in harbour.requests), BAD]


def test_a_file_holds_values_and_nothing_of_the_program_that_wrote_it(harbour, tables, tmp_path):
    frame = applications(harbour, first(tables, harbour))
    save(frame, tmp_path / "a.parquet")

    assert pq.read_schema(tmp_path / "a.parquet").metadata is None
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), frame)


def test_a_column_without_any_value_keeps_its_type_on_disk(harbour, tables, tmp_path):
    table = harbour.views[0]
    save(view(harbour, table, tables[table.name].assign(**{column.name: None for column in table.stored})), tmp_path / "v.parquet")
    frame = pd.read_parquet(tmp_path / "v.parquet")

    assert all(frame[column.name].dtype == (object if column.is_level else np.float64) for column in table.stored)
