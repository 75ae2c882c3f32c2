"""The calendar: 36 vintages cut into chunks that stand alone, and applicants who come back."""

from __future__ import annotations

import numpy as np
import pytest

from feature_repo.portfolios.consumer_loans_vintage_simulator import CHUNK, DRIFT_FROM, MONTHS, applicants, live, newcomers, plan, shift


@pytest.mark.parametrize("rows", [1_000, 1_001, 59_999, 1_000_000, 10_000_000])
def test_a_plan_has_every_row_once_in_36_vintages_and_no_chunk_beyond_the_limit(rows):
    chunks = list(plan(rows).values())

    assert sum(chunk.size for chunk in chunks) == rows
    assert [chunk.first for chunk in chunks] == np.cumsum([0, *(chunk.size for chunk in chunks[:-1])]).tolist()
    assert {chunk.month for chunk in chunks} == set(range(MONTHS))
    assert max(chunk.size for chunk in chunks) <= CHUNK


def test_a_chunk_stands_alone_and_needs_none_before_it():
    chunks = plan(2_000)

    first, second = live(chunks[20, 0], chunks, 5), live(chunks[20, 0], chunks, 5)

    assert np.array_equal(first.pd, second.pd)
    assert np.array_equal(first.people.number, second.people.number)


def test_who_comes_back_was_there_before_and_nobody_applies_twice_in_one_vintage():
    chunks = plan(36_000)
    numbers = {month: applicants(np.random.default_rng(0), chunk, chunks, 5).number for (month, _), chunk in chunks.items()}

    for month, here in numbers.items():
        earlier = {number for before in range(month) for number in numbers[before].tolist()}
        fresh = set(newcomers(chunks[month, 0], 5).number.tolist())
        assert len(set(here.tolist())) == len(here)
        assert set(here.tolist()) - fresh <= earlier


def test_no_applicant_comes_back_more_than_once():
    chunks = plan(200_000)
    everyone = np.concatenate([applicants(np.random.default_rng(0), chunk, chunks, 5).number for chunk in chunks.values()])

    _, times = np.unique(everyone, return_counts=True)

    assert times.max() == 2
    assert np.mean(times == 2) == pytest.approx(0.05, abs=0.01)


def test_applications_of_a_vintage_fall_into_its_month_in_order_over_its_chunks():
    chunks = plan(800_000)
    days = np.concatenate([live(chunks[1, index], chunks, 5).day for index in range(3)])

    assert (np.diff(days) >= np.timedelta64(0)).all()
    assert (days[0], days[-1]) == (np.datetime64("2021-02-01"), np.datetime64("2021-02-28"))


def test_drift_is_in_force_from_its_month_on():
    assert shift(DRIFT_FROM - 1) == {}
    assert shift(DRIFT_FROM)
