"""Stored features as they are known now, in Feast's online tables.

Responsible for publishing the latest values, with Feast's registry telling of it. Judges no value and no age; reads nothing online (the
service does, without Feast).
"""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from feast import FeatureStore

from feature_repo import summaries
from feature_repo.contract import EVENT_TIME
from feature_repo.opening import ONLINE, declare, opened, quiet, require
from feature_repo.portfolio import Portfolio
from feature_repo.publishing import catch_up, fill
from feature_repo.writers import writer


def publish(portfolio: Portfolio, views: Path, home: Path, address: str = "") -> dict[str, int]:
    """Write each applicant's latest values into `home/online.db`, or into Redis at an address; applicants by view.

    Feast's registry is in `home`. Harmless to repeat: equal data leave equal values, newer ones that were pushed stay. Readers are never
    blocked or refused. A killed publish goes on where it stopped. Values of applicants no longer in the data stay.
    """
    if not portfolio.views:
        return {}
    require(portfolio, views)
    home.mkdir(parents=True, exist_ok=True)
    with quiet(), writer(home / ONLINE, address, durable=False) as online:
        store = opened(portfolio, home, address)
        declare(store, portfolio, views)
        written = fill(portfolio, views, online)
        catch_up(portfolio, home, online)
        for table in portfolio.views:
            _record(store, table.name, views / f"{table.name}.parquet")
    summaries.write(portfolio, written, home)
    return {name: rows.num_rows for name, rows in written.items()}


def _record(store: FeatureStore, view: str, path: Path) -> None:
    """Tell Feast's registry how far the view is materialised. Its own command marks a view as unreadable meanwhile; this does not."""
    bounds = pc.min_max(pq.read_table(path, columns=[EVENT_TIME])[EVENT_TIME]).as_py()
    if bounds["min"] is not None:
        store.registry.apply_materialization(store.get_feature_view(view), store.project, bounds["min"], bounds["max"])
