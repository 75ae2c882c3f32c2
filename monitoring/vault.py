"""The live vault: protected attributes of people who were decided on, apart from everything a model may see.

Responsible for `<home>/<portfolio>/vault/protected.db` (SQLite, for its owner alone): in no cache, in no remote and in no log. A row is
never changed, a correction is a later row, unless a person is forgotten. Refuses to be read in silence: who reads has it put into the
record, and only then gets the rows. Reading files of others is `monitoring.protected`.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from monitoring import window

FILE = "protected.db"
PATIENCE = 5.0  # seconds to wait for who else writes
TABLE = """CREATE TABLE IF NOT EXISTS protected (kind TEXT, key TEXT, attribute TEXT, came_us INTEGER, belongs TEXT,
PRIMARY KEY (kind, key, attribute, came_us)) WITHOUT ROWID"""
WANTED = "CREATE TEMP TABLE wanted (place INTEGER PRIMARY KEY, applicant TEXT, decision TEXT)"
FOUND = " UNION ALL ".join(  # what is known of the decision itself counts before what is known of its applicant
    f"""SELECT place, attribute, belongs, {rank} AS rank, came_us FROM wanted JOIN protected ON kind = '{kind}' AND key = {kind}
    WHERE came_us < ?1"""  # noqa: S608 - our own names
    for rank, kind in enumerate(("applicant", "decision")))
FORGOTTEN = "DELETE FROM protected WHERE kind = ? AND key = ?"
Note = Callable[[int], object]


class Belongs(NamedTuple):
    """To which groups somebody belongs: attribute -> group, or None where that is not known. kind: what the key is of."""

    kind: Literal["applicant", "decision"]
    key: str
    groups: dict[str, str | None]


def keep(folder: Path, rows: Iterable[Belongs], came_at: datetime) -> None:
    """Add rows, all or none, on the disk when this returns. Raises DataError."""
    came = _us(came_at)
    with _opened(folder) as connection, connection:
        connection.executemany("INSERT OR REPLACE INTO protected VALUES (?, ?, ?, ?, ?)", (
            (row.kind, row.key, attribute, came, group) for row in rows for attribute, group in row.groups.items()))


def read(folder: Path, frame: pd.DataFrame, portfolio: Portfolio, as_of: datetime, note: Note) -> pd.DataFrame:
    """application_id and a column per protected attribute, of the decisions of a window, as known at a moment.

    note: puts into the record how many decisions are read of; only when it has returned are they read.
    """
    names = [column.name for column in portfolio.protected]
    found: dict[int, dict[str, str | None]] = {}
    if (folder / FILE).is_file() and names and len(frame):
        with _opened(folder) as connection:
            connection.execute(WANTED)
            connection.executemany("INSERT INTO wanted VALUES (?, ?, ?)",
                                   zip(range(len(frame)), frame[APPLICANT_ID], frame[window.DECISION_ID], strict=True))
            note(connection.execute(f"SELECT count(DISTINCT place) FROM ({FOUND})", (_us(as_of),)).fetchone()[0])  # noqa: S608
            for place, attribute, group, *_ in connection.execute(f"{FOUND} ORDER BY place, rank, came_us", (_us(as_of),)):
                found.setdefault(place, {})[attribute] = group
    rows = {name: pd.Series([found.get(place, {}).get(name) for place in range(len(frame))], dtype=object) for name in names}
    return pd.DataFrame({APPLICATION_ID: frame[APPLICATION_ID].to_numpy(), **rows})


def forget(folder: Path, applicant_id: str | None, decisions: Sequence[str]) -> int:
    """Destroy what the vault knows of somebody, by applicant (unless None) and by decisions, its bytes too; how many rows that were."""
    if not (folder / FILE).is_file():
        return 0
    keys = [*([("applicant", applicant_id)] if applicant_id else []), *(("decision", name) for name in decisions)]
    with _opened(folder) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        with connection:
            gone = connection.executemany(FORGOTTEN, keys).rowcount
        if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise DataError(f"what was forgotten is still in the log beside {folder / FILE}, which somebody reads; do it again later")
    return gone


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    """The vault's file, made for its owner alone before anything is in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    try:
        (folder / FILE).touch(mode=0o600)
        with contextlib.closing(sqlite3.connect(folder / FILE, timeout=PATIENCE)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute(TABLE)
            yield connection
    except (sqlite3.Error, OSError) as error:
        raise DataError(f"the vault {folder / FILE} cannot be used ({error})") from None


def _us(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)
