"""One contestant of the bench `asof`, in a process of its own: prints the seconds its join took and the most memory it ever had (KiB).

Usage: joining.py CONTESTANT FOLDER ROWS ANSWER. FOLDER holds the views and the entity rows, of which the first ROWS are asked for; the
answer is written to ANSWER, ordered by row. What is imported before is not counted as time, and is as memory.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

VIEWS = ("one", "two", "three")
KEY, AT, ROW, ENTITIES = "applicant_id", "event_timestamp", "row", "entities.parquet"
FEATURES = {view: (f"{view}_as_of", *(f"{view}_{place}" for place in range(6))) for view in VIEWS}
READING = "keys and times"
STORES = {"ours": "feature_repo.offline_store.TallyOfflineStore", "feast duckdb": "duckdb", "feast dask": "dask"}


def store_of(folder: Path, home: Path, kind: str) -> object:
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
    from feast.types import Float64

    who = Entity(name="applicant", join_keys=[KEY], value_type=ValueType.STRING)
    views = [FeatureView(name=view, entities=[who], ttl=timedelta(0), schema=[Field(name=name, dtype=Float64) for name in FEATURES[view]],
                         source=FileSource(name=view, path=str(folder / f"{view}.parquet"), timestamp_field=AT)) for view in VIEWS]
    store = FeatureStore(config=RepoConfig(project="bench", provider="local", registry=str(home / "registry.db"), online_store=None,
                                           offline_store={"type": STORES[kind]}, entity_key_serialization_version=3))
    store.apply([who, *views])
    return store


def feast(folder: Path, rows: int, kind: str) -> Callable[[], pa.Table]:
    store = store_of(folder, Path(tempfile.mkdtemp(dir=folder)), kind)
    asked = pq.read_table(folder / ENTITIES).slice(0, rows).to_pandas()
    references = [f"{view}:{name}" for view in VIEWS for name in FEATURES[view]]
    return lambda: store.get_historical_features(asked, references).to_arrow()  # type: ignore[attr-defined]


def by_hand(folder: Path, rows: int, _: str) -> Callable[[], pa.Table]:
    """What somebody would write in DuckDB."""
    entities = pq.read_table(folder / ENTITIES).slice(0, rows)
    columns = ", ".join(f"{view}.{name}" for view in VIEWS for name in FEATURES[view])
    joins = " ".join(f"ASOF LEFT JOIN read_parquet('{folder}/{view}.parquet') AS {view} ON {view}.{KEY} = asked.{KEY} AND "
                     f"{view}.{AT} <= asked.{AT}" for view in VIEWS)

    def join() -> pa.Table:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("asked", entities)
            return connection.sql(f"SELECT asked.*, {columns} FROM asked {joins}").to_arrow_table()  # noqa: S608
    return join


def reading(folder: Path, rows: int, _: str) -> Callable[[], pa.Table]:
    """No join at all: what has to be read of each view before anybody knows which rows count. Bounds every contestant."""
    entities = pq.read_table(folder / ENTITIES).slice(0, rows)
    nothing = {name: pa.nulls(rows, pa.float64()) for view in VIEWS for name in FEATURES[view]}

    def read() -> pa.Table:
        for view in VIEWS:
            pq.read_table(folder / f"{view}.parquet", columns=[KEY, AT])
        return pa.table({ROW: entities[ROW], **nothing})
    return read


def main(kind: str, folder: Path, rows: int, answer: Path) -> None:
    warnings.simplefilter("ignore")
    join = OTHERS.get(kind, feast)(folder, rows, kind)
    began = time.perf_counter()
    found = join()
    seconds = time.perf_counter() - began
    peak = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    names = [ROW, *(name for view in VIEWS for name in FEATURES[view])]
    pq.write_table(found.select(names).sort_by(ROW), answer)
    print(seconds, peak)


OTHERS = {"by hand": by_hand, READING: reading}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
