"""The contract as Feast objects: one entity, one view per table with stored columns, one service named as the portfolio.

Responsible for names, types and descriptions in Feast, and for refusing what Feast would lose in silence. The one file that plain
Feast scans: `TALLY_PORTFOLIO=<name> feast -c feature_repo apply` finds the objects of that portfolio over the views in
`data/<name>/featurize/views` (`TALLY_VIEWS` says otherwise). They are made when a scanner lists this module (PEP 562), so an
import does nothing. Each view has a push source, `<table>_push`. Freshness is ours alone: ttl is 0 everywhere, because Feast applies one
offline and ignores it online.
"""

from __future__ import annotations

import os
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TypeAlias

from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource, ValueType
from feast.data_format import ParquetFormat
from feast.types import Float64, String

from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME, Stored, Table
from feature_repo.errors import FeatureError
from feature_repo.portfolio import Portfolio
from feature_repo.portfolios import load

FeastObject: TypeAlias = Entity | FeatureView | FeatureService
APPLICANT = Entity(name="applicant", join_keys=[APPLICANT_ID], value_type=ValueType.STRING)
LOST_BY_FEAST = "_y"


def objects(portfolio: Portfolio, views: Path) -> dict[str, FeastObject]:
    """Feast objects by name: the applicant, a view per table over `views/<table>.parquet`, and the service of them all.

    Empty for a portfolio without stored columns.
    """
    if not portfolio.views:
        return {}
    made = [_view(table, views.resolve() / f"{table.name}.parquet") for table in portfolio.views]
    service = FeatureService(name=portfolio.name, features=made, description=portfolio.title)
    return {APPLICANT.name: APPLICANT, **{f"{view.name}_view": view for view in made}, f"{portfolio.name}_service": service}


def _view(table: Table, path: Path) -> FeatureView:
    rows = FileSource(name=table.name, path=str(path), timestamp_field=EVENT_TIME, created_timestamp_column=CREATED_TIME,
                      file_format=ParquetFormat())
    source = PushSource(name=f"{table.name}_push", batch_source=rows)
    as_of = Field(name=table.as_of, dtype=Float64, description="When the row became true, seconds since 1970 (UTC)")
    key = Field(name=APPLICANT_ID, dtype=String)
    return FeatureView(name=table.name, entities=[APPLICANT], ttl=timedelta(0), source=source,
                       schema=[key, as_of, *map(_field, table.stored)], description=table.attribution)


def _field(column: Stored) -> Field:
    if column.name.endswith(LOST_BY_FEAST):
        raise FeatureError(f"stored column {column.name}: Feast's DuckDB join drops names that end in {LOST_BY_FEAST!r}; name it otherwise")
    return Field(name=column.name, dtype=String if column.is_level else Float64, description=column.reason, tags={"unit": column.unit})


@cache
def _declared() -> dict[str, FeastObject]:
    """The objects of the portfolio named in the environment, once: Feast knows them apart by identity."""
    name = os.environ.get("TALLY_PORTFOLIO")
    if not name:
        raise FeatureError("TALLY_PORTFOLIO is not set; say which portfolio's features Feast should see")
    default = Path(__file__).resolve().parents[1] / "data" / name / "featurize" / "views"
    return objects(load(name), Path(os.environ.get("TALLY_VIEWS", default)))


def __dir__() -> list[str]:
    return list(_declared())


def __getattr__(name: str) -> FeastObject:
    if name.startswith("__") or name not in _declared():
        raise AttributeError(name)
    return _declared()[name]
