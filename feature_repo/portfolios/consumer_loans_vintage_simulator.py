"""The calendar of the simulated consumer loans: vintages, applicants who come back, planted drift, who was booked and who defaulted.

Responsible for one chunk of one vintage at a time, from the seed alone: nothing is kept between chunks, so memory does not grow with
the number of rows. Writes nothing; planted faults of the files are not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feature_repo.derive import derive
from feature_repo.portfolios import consumer_loans_population_simulator as population
from feature_repo.portfolios import consumer_loans_truth_simulator as truth
from feature_repo.portfolios.consumer_loans import PORTFOLIO

Array = NDArray[Any]
Chunks = dict[tuple[int, int], "Chunk"]

FIRST_MONTH, MONTHS = np.datetime64("2021-01"), 36
CHUNK = 10_000
PEOPLE, APPLYING = 0, 1

# Month distance -> share of a vintage that applied so long ago; longer than the files of one application reach back.
RETURNING = {9: 0.037, 14: 0.037}

# In standard deviations of a column's normal score, from this month on; total_debt from the month-end file before it.
DRIFT_FROM = np.datetime64("2023-07")
DRIFT = {"loan_amount": 0.75, "total_debt": 0.90, "sales_channel": 0.85}

STORED = {"bureau": population.BUREAU, "accounts": population.ACCOUNTS}
LACKING = {"bureau": "thin_file", "accounts": "no_account"}


@dataclass(frozen=True)
class Chunk:
    """Part of one vintage. first: number of its first person and application; start: its place in the vintage of `vintage` rows."""

    month: int
    index: int
    first: int
    size: int
    start: int
    vintage: int

    @property
    def calendar(self) -> np.datetime64:
        return FIRST_MONTH + self.month

    def stream(self, seed: int, purpose: int) -> np.random.Generator:
        """The chunk's own random numbers for one purpose."""
        return np.random.default_rng([seed, self.month, self.index, purpose])


@dataclass(frozen=True)
class Vintage:
    """One chunk, lived through: who applied when, the contract's columns as they truly were, what followed. All of shape (n,)."""

    chunk: Chunk
    people: population.People
    day: Array
    columns: dict[str, Array]
    pd: Array
    score: Array
    accepted: Array
    defaults: Array

    def lacks_file(self, table: str) -> Array:
        return self.people.lacks(LACKING[table])


def plan(rows: int) -> Chunks:
    """(month, index) -> chunk; vintages differ by the season only, chunks are no longer than `CHUNK`."""
    season = 1 + 0.06 * np.sin(2 * np.pi * np.arange(MONTHS) / 12)
    ends = [0, *np.round(np.cumsum(season) / season.sum() * rows).astype(int).tolist()]
    return {
        (month, index): Chunk(month, index, ends[month] + start, min(CHUNK, ends[month + 1] - ends[month] - start), start,
                              ends[month + 1] - ends[month])
        for month in range(MONTHS)
        for index, start in enumerate(range(0, ends[month + 1] - ends[month], CHUNK))
    }


def live(chunk: Chunk, chunks: Chunks, seed: int) -> Vintage:
    """Everything about one chunk but its files."""
    rng = chunk.stream(seed, APPLYING)
    people = applicants(rng, chunk, chunks, seed)
    columns = derive(PORTFOLIO, _columns(people, shift(chunk.calendar)))
    pd = 1 / (1 + np.exp(-truth.true_log_odds(columns, np.full(chunk.size, chunk.month))))
    score = truth.incumbent_score(rng, columns)
    return Vintage(chunk, people, _days(rng, chunk), columns, pd, score, score >= truth.INCUMBENT_CUT_OFF, rng.random(chunk.size) < pd)


def shift(month: np.datetime64) -> dict[str, float]:
    """The planted drift in force in a month."""
    return DRIFT if month >= DRIFT_FROM else {}


def applicants(rng: np.random.Generator, chunk: Chunk, chunks: Chunks, seed: int) -> population.People:
    """New people, some replaced by applicants of earlier vintages, who are drawn again from their own vintage's stream."""
    groups = []
    for order, (months, share) in enumerate(RETURNING.items()):
        source = chunks.get((chunk.month - months, chunk.index))
        if source is not None:
            n = round(share * min(source.size, chunk.size))
            who = source.size - 1 - order * (source.size // 4) - np.arange(n)
            groups.append(population.later(rng, newcomers(source, seed).take(who), years=months // 12))
    returning = sum(len(group.number) for group in groups)
    groups.append(newcomers(chunk, seed).take(np.arange(returning, chunk.size)))
    return population.join(groups).take(rng.permutation(chunk.size))


def newcomers(chunk: Chunk, seed: int) -> population.People:
    """The people a chunk would bring if nobody came back."""
    return population.draw(chunk.stream(seed, PEOPLE), chunk.first, chunk.size)


def _columns(people: population.People, moved: dict[str, float]) -> dict[str, Array]:
    columns = population.said(people, moved)
    for table, names in STORED.items():
        newest = population.known(people, names, population.newest(people, names), moved)
        columns |= {name: np.where(people.lacks(LACKING[table]), np.nan, values) for name, values in newest.items()}
    return columns


def _days(rng: np.random.Generator, chunk: Chunk) -> Array:
    """Application days, in order over the chunks of a vintage."""
    first = chunk.calendar.astype("M8[D]")
    days = int(((chunk.calendar + 1).astype("M8[D]") - first).astype(int))
    place = (chunk.start + np.arange(chunk.size) + rng.random(chunk.size)) / chunk.vintage
    return np.asarray(first + np.minimum(np.floor(place * days), days - 1).astype(int))
