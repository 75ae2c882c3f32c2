"""Measures what a publish puts online: of everybody's newest row the missing values, the quantiles and when it became true.

Responsible for figures of the very rows that were written, and for leaving out a quantile beyond which few people lie. Judges nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from feature_repo.contract import Stored
from feature_repo.portfolio import Portfolio
from feature_repo.publishing import TIME
from feature_repo.statistics import FILE, OfColumn, OfView, Quantiles, Statistics
from feature_repo.writers import SECOND

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
LEAST = 10  # fewest people beyond a quantile that is told


def write(portfolio: Portfolio, newest: Mapping[str, pa.Table], home: Path) -> None:
    """Write `home/statistics.json`. newest: everybody's newest row, by view. Call it after a publish; a reader never sees half a file."""
    measured = measure(portfolio, newest)
    home.mkdir(parents=True, exist_ok=True)
    fresh = home / f".{FILE}.{os.getpid()}"
    fresh.write_bytes(msgspec.json.encode(measured, order="deterministic"))
    os.replace(fresh, home / FILE)  # noqa: PTH105 - over one that is there


def measure(portfolio: Portfolio, newest: Mapping[str, pa.Table]) -> Statistics:
    """Of every stored column and every view."""
    columns: dict[str, OfColumn] = {}
    for table in portfolio.views:
        columns |= {column.name: _column(newest[table.name], column) for column in table.stored}
    return Statistics(columns, {name: _view(rows) for name, rows in newest.items()})


def _view(rows: pa.Table) -> OfView:
    return OfView(rows.num_rows, _quantiles(rows[TIME].to_numpy() / SECOND))


def _column(rows: pa.Table, column: Stored) -> OfColumn:
    values = rows[column.name].to_numpy()
    there = np.array([value is not None for value in values], dtype=bool) if column.is_level else ~np.isnan(values)
    return OfColumn(round(1 - float(there.mean()), 6) if len(there) else 0.0, {} if column.is_level else _quantiles(values[there]))


def _quantiles(values: np.ndarray[Any, Any]) -> Quantiles:
    told = [share for share in SHARES if len(values) * min(share, 1 - share) >= LEAST]
    return {f"{share:g}": float(value) for share, value in zip(told, np.quantile(values, told), strict=True)} if told else {}
