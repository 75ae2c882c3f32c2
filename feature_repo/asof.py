# ruff: noqa: S608 - names are quoted, and no value is part of a query
"""The as-of join: to every entity row, of each source, the newest row that is not younger.

Responsible for Feast's semantics in DuckDB: equal times count, the later created wins a tie, a time to live ends a row, an unknown entity
has no values, and each row comes back once and in order. No copy of the sources: keys and times find the rows, by search in a file
that is in order and by comparing in any other, then their values are read. Knows neither Feast nor a portfolio; writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from feature_repo import runs

PUSHED = 1 << 61  # the numbers of pushed rows lie beyond those of any file
SEVERAL = 2  # rows of an entity from which searching in order is quicker than comparing each with all of its history,
CROWDED = 16  # and from which even sorting the history is
ALWAYS = "'-infinity'::TIMESTAMPTZ"  # created, where nothing says when
PUSHED_AT = "pushed_at"
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Source:
    """One Parquet file of facts, and what was pushed since: a table of the file's columns and `pushed_at`.

    keys: the file's column and the entity rows' for each part of the key. features: the file's column and its name in the answer.
    created: the file's column that decides between rows of one time. ttl: nothing, or zero, for ever.
    known_by: the entity rows' moment after which what was created does not count, however early it was true; not before that asked for.
    """

    path: Path
    keys: tuple[tuple[str, str], ...]
    time: str
    features: tuple[tuple[str, str], ...]
    created: str | None = None
    ttl: timedelta | None = None
    pushed: pa.Table | None = None
    known_by: str | None = None


def join(entities: pa.Table, at: str, sources: Sequence[Source]) -> pa.Table:
    """`entities` with the features of every source as they were at the moment in its column `at`."""
    joined = entities
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for source in sources:
            connection.register("given", entities.select(sorted({at, source.known_by or at, *(asked for _, asked in source.keys)})))
            if source.pushed is not None:
                connection.register("pushed", source.pushed)
            found = _found(connection, source, at)
            for field in found.schema:
                joined = joined.append_column(field, found[field.name])
    return joined


def _found(connection: duckdb.DuckDBPyConnection, source: Source, at: str) -> pa.Table:
    """The source's features, a row per given row, in order."""
    keys = ", ".join(f"{_quoted(name)} AS {key}" for key, (_, name) in _numbered(source))
    known = f"greatest({_quoted(source.known_by or at)}::TIMESTAMPTZ, time) AS known"
    asked = f"SELECT {keys}, {_quoted(at)}::TIMESTAMPTZ AS time, {known}, row_number() OVER () AS place FROM given"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE asked AS {asked}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE found AS {_search(connection, source)}")
    features = ", ".join(f"{_quoted(column)} AS {_quoted(name)}" for column, name in source.features)
    picked = " UNION ALL ".join(f"SELECT place, {features} FROM {rows} JOIN found ON {number} = found.number"
                                for rows, number, _ in _origins(source))
    names = ", ".join(_quoted(name) for _, name in source.features)
    return connection.sql(f"SELECT {names} FROM asked LEFT JOIN ({picked}) USING (place) ORDER BY place").to_arrow_table()


def _search(connection: duckdb.DuckDBPyConnection, source: Source) -> str:
    """What finds the place of each entity row and the number of its fact."""
    mean, most = _crowd(connection, source)
    if source.known_by or (mean < SEVERAL and most <= CROWDED):
        return _by_comparing(source)
    if (numbers := _by_order(connection, source)) is not None:
        connection.register("by_order", numbers)
        return f"SELECT place, number FROM by_order WHERE number <> {runs.NOT_THERE}"
    return _by_comparing(source) if most <= CROWDED else _by_sorting(source)


def _by_order(connection: duckdb.DuckDBPyConnection, source: Source) -> pa.Table | None:
    """The numbers by place, where the file alone has the facts and is in order."""
    if len(source.keys) > 1 or source.pushed is not None:
        return None
    ((key, (name, _)),) = _numbered(source)
    asked = connection.sql(f"SELECT {key}, time, place FROM asked ORDER BY place").to_arrow_table()
    keys, at = (asked[column].combine_chunks() for column in (key, "time"))
    numbers = runs.find(source.path, (name, source.time, source.created), keys, at, source.ttl)
    return None if numbers is None else pa.table({"place": asked["place"], "number": numbers})


def _by_comparing(source: Source) -> str:
    """Every entity row against its own history in one stream: memory for the entity rows alone."""
    limits = ["facts.time <= asked.time", *_living(source), *(["facts.created <= asked.known"] if source.known_by else [])]
    newest = "max({'time': facts.time, 'created': created, 'number': number}).number AS number"
    same = " AND ".join([_same(source), *limits])
    return f"SELECT place, {newest} FROM ({_facts(source)}) AS facts JOIN asked ON {same} GROUP BY place"


def _by_sorting(source: Source) -> str:
    """DuckDB's own as-of join, for entity rows that share their history with many others; then the rows of the moment it found."""
    keys, same = ", ".join(f"asked.{key}" for key, _ in _numbered(source)), _same(source)
    living = " AND ".join(["true", *_living(source)])
    moments = (f"SELECT place, {keys}, facts.time FROM asked ASOF JOIN ({_facts(source)}) AS facts ON {same} AND facts.time <= asked.time "
               f"WHERE {living}")
    newest = "max({'created': created, 'number': number}).number AS number"
    at_once = f"{same} AND facts.time = asked.time"
    return f"SELECT place, {newest} FROM ({_facts(source)}) AS facts JOIN ({moments}) AS asked ON {at_once} GROUP BY place"


def _crowd(connection: duckdb.DuckDBPyConnection, source: Source) -> tuple[float, int]:
    """How many entity rows share a key, on average and at most."""
    keys = ", ".join(key for key, _ in _numbered(source))
    counted = f"SELECT count(*) AS rows FROM asked GROUP BY {keys}"
    ((mean, most),) = connection.sql(f"SELECT coalesce(avg(rows), 0), coalesce(max(rows), 0) FROM ({counted})").fetchall()
    return mean, most


def _facts(source: Source) -> str:
    """Key, time, creation and number of every fact."""
    keys = ", ".join(f"{_quoted(name)} AS {key}" for key, (name, _) in _numbered(source))
    time = f"{_quoted(source.time)}::TIMESTAMPTZ AS time"
    return " UNION ALL ".join(f"SELECT {keys}, {time}, {created} AS created, {number} AS number FROM {rows}"
                              for rows, number, created in _origins(source))


def _origins(source: Source) -> list[tuple[str, str, str]]:
    """What facts are read from; what numbers them there, and what says when they were created."""
    path = str(source.path).replace("'", "''")
    created = f"coalesce({_quoted(source.created)}::TIMESTAMPTZ, {ALWAYS})" if source.created else ALWAYS
    file = (f"read_parquet('{path}', file_row_number=true)", "file_row_number", created)
    pushed = (f"(SELECT *, {PUSHED} + row_number() OVER () AS pushed_number FROM pushed)", "pushed_number", PUSHED_AT)
    return [file] if source.pushed is None else [file, pushed]


def _same(source: Source) -> str:
    return " AND ".join(f"facts.{key} = asked.{key}" for key, _ in _numbered(source))


def _numbered(source: Source) -> list[tuple[str, tuple[str, str]]]:
    """Each part of the key under a name that no column has."""
    return [(f"key_{place}", names) for place, names in enumerate(source.keys)]


def _living(source: Source) -> list[str]:
    return [f"facts.time + INTERVAL '{source.ttl // MICROSECOND} microseconds' >= asked.time"] if source.ttl else []


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
