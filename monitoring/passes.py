"""What the drift report needs of a window, in two passes over its file and memory that does not grow with it.

The first counts columns by month and who came through the door; the second takes the sample that attribution explains, the same rows
that would be taken of a window in memory. Refuses what `monitoring.window.read` refuses. Judges nothing.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from feature_repo.portfolio import Portfolio
from governance.release import Release
from monitoring import counting, population, window
from monitoring.attribution import Sample, evenly
from monitoring.counting import Asked
from monitoring.ordered import Order, ordered
from monitoring.population import Door, Doors
from serving.scoring.bins import Bins
from serving.scoring.counts import Counts, merge


@dataclass(frozen=True)
class Looked:
    """A window by month, or by quarter or year as `window.months` tells it, oldest first."""

    months: dict[str, Counts]
    doors: tuple[Door, ...]
    samples: dict[str, Sample]

    @property
    def decisions(self) -> int:
        return sum(door.decisions for door in self.doors)


def look(path: Path, portfolio: Portfolio, release: Release, most: int) -> Looked:
    """Both passes. most: decisions of a month that are sampled. Raises DataError."""
    doors, order = Doors(portfolio), Order()
    asked = Asked(portfolio, release.read("bins.json", dict[str, Bins]), release.id, beside=(window.DECISION_ID, *population.MIXES))
    counted = counting.stream([path], asked, (doors.look, order.look))
    if not counted.rows:
        raise window.not_by(release, path)
    spans, months = by_vintage(counted.months, portfolio)
    sampled = Asked(portfolio, {}, release.id, beside=tuple(column.name for column in portfolio.inputs))
    with ordered(path, release.id, sampled.columns, already=order.holds) as file:
        samples = _samples(counting.parts([file], sampled), spans, {span: counts.rows for span, counts in months.items()}, most)
    return Looked(months, doors.found(spans), samples)


def by_vintage(months: Mapping[str, Counts], portfolio: Portfolio) -> tuple[dict[str, str], dict[str, Counts]]:
    """The span of each month, and what was counted by span, oldest first."""
    spans = window.vintages({month: counts.rows for month, counts in months.items()}, portfolio)
    found = dict.fromkeys((spans[month] for month in sorted(months)), Counts({}))
    for month, counts in months.items():
        found[spans[month]] = merge(found[spans[month]], counts)
    return spans, found


def _samples(parts: Iterable[tuple[str, pa.RecordBatch]], spans: Mapping[str, str], decisions: Mapping[str, int],
             most: int) -> dict[str, Sample]:
    """Of each span rows evenly spaced in the order of time and decision."""
    wanted = {span: evenly(rows, most) for span, rows in decisions.items()}
    seen, taken = collections.Counter[str](), collections.defaultdict[str, list[pa.RecordBatch]](list)
    for month, rows in parts:
        span, start = spans[month], seen[spans[month]]
        here = wanted[span][(wanted[span] >= start) & (wanted[span] < start + len(rows))] - start
        taken[span].append(rows.take(pa.array(here)))
        seen[span] += len(rows)
    return {span: Sample(rows, dict(_columns(taken[span]))) for span, rows in decisions.items()}


def _columns(some: list[pa.RecordBatch]) -> Iterator[tuple[str, object]]:
    whole = pa.Table.from_batches(some).unify_dictionaries().combine_chunks()
    for name in whole.column_names:
        if name not in window.KEYS:
            yield name, counting.plain(whole[name].chunk(0))
