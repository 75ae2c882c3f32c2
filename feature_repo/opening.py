"""Feast's store of one portfolio: opened by the settings plain Feast uses, with the contract's objects in it.

Responsible for absolute paths and for one project per portfolio, since a second portfolio in a project deletes the first one's tables.
Reads and writes no value.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from feast import FeatureService, FeatureStore, FeatureView, RepoConfig

from feature_repo.definitions import objects
from feature_repo.errors import FeatureError
from feature_repo.offline_store import OFFLINE
from feature_repo.portfolio import Portfolio
from feature_repo.pushed import JOURNAL

SETTINGS = Path(__file__).with_name("feature_store.yaml")
ONLINE = "online.db"
STORES = "feature_repo.online_stores"
REGISTRY = "registry.db"


def opened(portfolio: Portfolio, home: Path, address: str = "") -> FeatureStore:
    """The settings plain Feast uses, with this portfolio's project and absolute places. address: of Redis, instead of SQLite in `home`."""
    settings: dict[str, Any] = msgspec.yaml.decode(SETTINGS.read_bytes())
    places = {"project": portfolio.name, "registry": str(home.resolve() / REGISTRY),
              "offline_store": {**settings["offline_store"], "type": OFFLINE, "journal": str(home.resolve() / JOURNAL)},
              "online_store": {"type": f"{STORES}.TallyRedisOnlineStore", "address": address} if address else
                              {"type": f"{STORES}.TallySqliteOnlineStore", "path": str(home.resolve() / ONLINE)}}
    return FeatureStore(config=RepoConfig(**{**settings, **places}))


def declare(store: FeatureStore, portfolio: Portfolio, views: Path) -> None:
    """Make Feast know exactly what the contract declares: what is gone from it goes from the store."""
    declared = list(objects(portfolio, views).values())
    kept = {thing.name for thing in declared if isinstance(thing, FeatureView | FeatureService)}
    gone = [thing for thing in [*store.list_feature_services(), *store.list_feature_views()] if thing.name not in kept]
    store.apply(declared, objects_to_delete=gone, partial=False)


def require(portfolio: Portfolio, views: Path) -> None:
    gone = [f"{table.name}.parquet" for table in portfolio.views if not (views / f"{table.name}.parquet").is_file()]
    if gone:
        raise FeatureError(f"{views} lacks {gone}; run the featurize stage first")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what Feast prints, and what ibis warns of DuckDB's newer names."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"fetch_arrow_table\(\) is deprecated", category=DeprecationWarning)
        yield
