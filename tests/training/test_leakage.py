"""Inputs that know the outcome and tables that were cut off are found, whatever the direction and however the values hide it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME
from training import leakage

SIZE = 4_000
LEAST = 50


@pytest.fixture
def ingest(harbour, tmp_path):
    """Tables as ingest writes them: every skipper surveyed and billed just before each application; nothing tells the outcome."""
    rng = np.random.default_rng(7)
    boats, *views = harbour.tables
    time = pd.Series(pd.date_range("2020-01-01", "2022-12-31", periods=SIZE, tz="UTC").as_unit("us"))
    ids = {APPLICATION_ID: [f"a{i}" for i in range(SIZE)], APPLICANT_ID: [f"s{i % 900}" for i in range(SIZE)]}
    keys = pd.DataFrame({**ids, EVENT_TIME: time})
    size, flag = harbour.requests
    keys.assign(**{size.name: rng.uniform(1, 900, SIZE), flag.name: rng.choice(flag.level_names, SIZE),
                   BAD: (rng.uniform(size=SIZE) < 0.2).astype(float)}).to_parquet(tmp_path / f"{boats.name}.parquet")
    for table in views:
        values = {column.name: rng.choice(column.level_names, SIZE) if column.is_level else rng.uniform(size=SIZE)
                  for column in table.stored}
        known = keys[[APPLICANT_ID]].assign(**{EVENT_TIME: time - pd.Timedelta(days=3), **values})
        save(known, tmp_path / f"{table.name}.parquet")
    return tmp_path


def save(frame, path):
    """As ingest does, with times in microseconds."""
    (frame.assign(**{EVENT_TIME: frame[EVENT_TIME].dt.as_unit("us")}) if EVENT_TIME in frame else frame).to_parquet(path)


def rewrite(path, change):
    save(change(pd.read_parquet(path)), path)


def measure(harbour, ingest, sample=SIZE):
    return leakage.measure(harbour, ingest, sample=sample, least=LEAST, seed=7)


def test_inputs_that_know_nothing_rank_nothing_and_whole_tables_cover_all(harbour, ingest):
    seen = measure(harbour, ingest)

    assert set(seen.aucs) == {column.name for column in harbour.raw_inputs}
    assert max(seen.aucs.values()) < 0.55
    assert set(seen.one_sided.values()) == {""}
    assert seen.coverage == {table.name: 1.0 for table in harbour.views}
    assert seen.labelled == SIZE


@pytest.mark.parametrize("sign", [1, -1])
def test_a_request_that_copies_the_outcome_is_found(harbour, ingest, sign):
    name = harbour.requests[0].name
    rewrite(ingest / f"{harbour.applications.name}.parquet", lambda frame: frame.assign(**{name: 100.0 + sign * frame[BAD]}))

    assert measure(harbour, ingest).aucs[name] == 1.0


def test_a_level_and_a_value_that_is_only_there_for_the_bad_are_found(harbour, ingest):
    number, level = (column.name for column in harbour.requests)
    rewrite(ingest / f"{harbour.applications.name}.parquet", lambda frame: frame.assign(**{
        number: frame[number].where(frame[BAD] == 1), level: np.where(frame[BAD] == 1, "x", None)}))

    seen = measure(harbour, ingest)
    bads = round(SIZE * 0.2)
    assert seen.aucs[number] > 0.99
    assert seen.aucs[level] == 1.0
    assert seen.one_sided[number] == seen.one_sided[level] != ""
    assert int(seen.one_sided[number].split()[2]) == pytest.approx(bads, rel=0.1)


def test_a_value_there_for_few_of_the_bad_alone_is_found_though_it_ranks_hardly_anything(harbour, ingest):
    name = harbour.requests[0].name

    def few(frame):
        return frame.assign(**{name: frame[name].where((frame[BAD] == 1) & ((frame[BAD] == 1).cumsum() <= LEAST))})

    rewrite(ingest / f"{harbour.applications.name}.parquet", few)
    seen = measure(harbour, ingest)

    assert seen.aucs[name] < 0.6
    assert seen.one_sided == {column.name: f"filled in {LEAST} rows, all of them bad" if column.name == name else ""
                              for column in harbour.raw_inputs}


def test_a_stored_value_that_copies_the_outcome_is_found_through_the_join_and_not_when_it_came_later(harbour, ingest):
    table = harbour.views[0]
    name = table.stored[0].name
    bad = pd.read_parquet(ingest / f"{harbour.applications.name}.parquet")[BAD]
    path = ingest / f"{table.name}.parquet"

    rewrite(path, lambda frame: frame.assign(**{name: bad}))
    assert measure(harbour, ingest).aucs[name] > 0.99

    rewrite(path, lambda frame: frame.assign(**{EVENT_TIME: frame[EVENT_TIME] + pd.Timedelta(days=6)}))
    assert measure(harbour, ingest).aucs.get(name, 0.5) < 0.6


def test_a_stored_table_cut_off_in_its_middle_loses_coverage(harbour, ingest):
    table = harbour.views[0]
    rewrite(ingest / f"{table.name}.parquet", lambda frame: frame.sort_values(EVENT_TIME).head(SIZE // 2))
    seen = measure(harbour, ingest)

    assert seen.coverage[table.name] < 0.1
    assert seen.without[table.name] == (pytest.approx(SIZE / 2, rel=0.05), SIZE)
    assert seen.coverage[harbour.views[1].name] == 1.0


def test_a_sample_is_even_over_time_and_says_its_size(harbour, ingest):
    seen = measure(harbour, ingest, sample=500)

    assert seen.labelled == 500
    assert seen.without == {table.name: (0, 500) for table in harbour.views}


@pytest.mark.parametrize("outcome", [0.0, np.nan, "text"])
def test_outcomes_that_cannot_tell_are_not_measured(harbour, ingest, outcome):
    rewrite(ingest / f"{harbour.applications.name}.parquet", lambda frame: frame.assign(**{BAD: outcome}))

    seen = measure(harbour, ingest)
    assert (seen.aucs, seen.one_sided) == ({}, {})


def test_columns_that_are_missing_or_of_another_type_are_left_to_the_rules_that_say_so(harbour, ingest):
    boats, first, second = harbour.tables
    rewrite(ingest / f"{boats.name}.parquet", lambda frame: frame.assign(**{harbour.requests[0].name: "text"}))
    rewrite(ingest / f"{first.name}.parquet", lambda frame: frame.drop(columns=EVENT_TIME))
    rewrite(ingest / f"{second.name}.parquet", lambda frame: frame.drop(columns=second.stored[0].name))

    seen = measure(harbour, ingest)
    assert set(seen.aucs) == {harbour.requests[1].name, *(column.name for column in second.stored[1:])}
    assert seen.coverage == {first.name: 0.0, second.name: 1.0}


@pytest.mark.parametrize("name", [APPLICANT_ID, EVENT_TIME, BAD])
def test_applications_without_a_key_a_time_or_an_outcome_break_nothing_here(harbour, ingest, name):
    rewrite(ingest / f"{harbour.applications.name}.parquet", lambda frame: frame.drop(columns=name))

    seen = measure(harbour, ingest)
    assert (seen.aucs == {}) == (name == BAD)
    assert (seen.coverage == {}) == (name != BAD)
