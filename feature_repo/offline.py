"""Stored features as they were known at each application's moment.

Responsible for the point-in-time join through Feast, and for every application coming back once and in order. Judges no value and no age.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from feature_repo.contract import APPLICANT_ID, EVENT_TIME
from feature_repo.errors import FeatureError
from feature_repo.opening import declare, opened, quiet, require
from feature_repo.portfolio import Portfolio

ROW = "row"


def history(portfolio: Portfolio, applications: pd.DataFrame, views: Path) -> pd.DataFrame:
    """`applications` with every stored column and each view's as_of, as known at `event_timestamp`; NaN or None where nothing was.

    applications: at least `applicant_id` and a zoned `event_timestamp`. views: the folder of `<table>.parquet`. A row of a view counts
    from its own time on, however old it is. Raises FeatureError unless every application comes back once and in order.
    """
    if not portfolio.views:
        return applications
    require(portfolio, views)
    keys = applications[[APPLICANT_ID, EVENT_TIME]].reset_index(drop=True).assign(**{ROW: np.arange(len(applications))})
    if keys.isna().to_numpy().any() or keys.empty:
        without = int(keys.isna().any(axis=1).sum())
        raise FeatureError(f"{len(keys)} applications, {without} without {APPLICANT_ID} or {EVENT_TIME}; at least one, each with both")
    with tempfile.TemporaryDirectory() as home, quiet():
        store = opened(portfolio, Path(home))
        declare(store, portfolio, views)
        found = store.get_historical_features(keys, store.get_feature_service(portfolio.name)).to_df()
    found = found.sort_values(ROW, ignore_index=True)
    if not found[ROW].equals(keys[ROW]):
        raise FeatureError(f"{len(keys)} applications went into the join and {len(found)} rows came back; each must come back once")
    return applications.assign(**{name: found[name].to_numpy() for name in _columns(portfolio)})


def _columns(portfolio: Portfolio) -> list[str]:
    return [name for table in portfolio.views for name in (table.as_of, *(column.name for column in table.stored))]
