"""What is published of stored features, as gauges: missing shares, quantiles, and how old everybody's newest rows are by now.

Responsible for following the file that a publish leaves, whichever worker is asked: all of them tell the same. Without a file, or with
one that cannot be read, it tells nothing, and no request fails for that. Labels are the contract's columns and views.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from feature_repo.errors import FeatureError
from feature_repo.statistics import Statistics, read

Stamp = tuple[int, int] | None


class Published(Collector):
    """A collector over one file. Read again where it changed. at: the moment a service on simulated data lives in."""

    def __init__(self, path: Path, at: datetime | None = None) -> None:
        self._path, self._at = path, at
        self._stamp: Stamp = None
        self._known = Statistics({}, {})

    def collect(self) -> Iterator[GaugeMetricFamily]:
        known, now = self._look(), (self._at or datetime.now(UTC)).timestamp()
        missing = GaugeMetricFamily("tally_feature_missing_share", "Applicants without a value, of those published", labels=["column"])
        quantile = GaugeMetricFamily("tally_feature_quantile", "Quantiles of a stored number", labels=["column", "quantile"])
        age = GaugeMetricFamily("tally_feature_age_seconds", "Age of applicants' newest rows", labels=["view", "quantile"])
        for name, column in known.columns.items():
            missing.add_metric([name], column.missing)
            for share, value in column.quantiles.items():
                quantile.add_metric([name, share], value)
        for name, view in known.views.items():
            for share, moment in view.as_of.items():
                age.add_metric([name, f"{1 - float(share):g}"], now - moment)  # the older, the smaller its moment
        yield from (missing, quantile, age)

    def _look(self) -> Statistics:
        if (stamp := _stamp_of(self._path)) != self._stamp:
            try:
                self._known, self._stamp = read(self._path), stamp
            except FeatureError:
                self._known, self._stamp = Statistics({}, {}), None
        return self._known


def _stamp_of(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
