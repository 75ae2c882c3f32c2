"""The vault: protected attributes as group names, apart from everything a model may see. Joined for fairness only."""

from __future__ import annotations

import pyarrow as pa

from feature_repo.contract import APPLICATION_ID
from feature_repo.portfolio import Portfolio
from training import casts

FILE = "protected.parquet"


def protect(portfolio: Portfolio, raw: pa.Table, translated: pa.Table) -> pa.Table:
    """One row per application: its id and one text column per protected attribute that the raw table has."""
    ids = {name: translated[name] for name in (APPLICATION_ID,) if name in translated.column_names}
    groups = {column.name: casts.group(raw[column.raw], column, portfolio.applications.reader)
              for column in portfolio.protected if column.raw in raw.column_names}
    return pa.table({**ids, **groups})
