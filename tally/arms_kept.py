"""What `tally arms` compares, kept on disk while the record is read: shadows by decision, pairs of the two, applicants of a split.

Responsible for memory that does not grow with the record, and for figures that are exactly those of all pairs. The database is SQLite's
own temporary file, which has no name and is gone with the command; it holds ids of decisions and hashes of applicants, and no name.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import numpy as np

APPROVE = "approve"
SCHEMA = """
CREATE TABLE shadow (decision_id TEXT PRIMARY KEY, release_id TEXT, outcome TEXT, pd REAL) WITHOUT ROWID;
CREATE TABLE pair (place INTEGER PRIMARY KEY, release_id TEXT, shadow TEXT, before TEXT, after TEXT, moved REAL);
CREATE TABLE drawn (place INTEGER PRIMARY KEY, experiment TEXT, who BLOB, arm TEXT, release_id TEXT, approved INTEGER,
                    UNIQUE (experiment, who));
"""
OF_PAIR = "FROM pair WHERE release_id = ? AND shadow = ?"
OF_ARM = "FROM drawn WHERE experiment = ? AND arm = ?"


class Decided(msgspec.Struct, frozen=True):
    """A decision, as far as it is compared."""

    decision_id: str
    applicant_id: str
    release_id: str
    outcome: str
    pd: float
    arm: str = ""
    experiment: str = ""


class Shadowed(msgspec.Struct, frozen=True):
    """What the shadow said of one. beside: the release that decided."""

    decision_id: str
    release_id: str
    beside: str
    outcome: str
    pd: float


class Beside(NamedTuple):
    """A release that decided, and the shadow beside it."""

    release_id: str
    shadow: str


class Kept:
    """Filled while the record is read, shadows before decisions; asked once it is."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def shadow(self, said: Shadowed) -> None:
        self._database.execute("INSERT OR REPLACE INTO shadow VALUES (?, ?, ?, ?)",
                               (said.decision_id, said.release_id, said.outcome, said.pd))

    def decision(self, decided: Decided) -> None:
        """Pair it with its shadow, and count its applicant where it is the first decision of theirs in a split."""
        taken = "DELETE FROM shadow WHERE decision_id = ? RETURNING release_id, outcome, pd"
        for shadow, after, pd_ in self._all(taken, decided.decision_id):
            self._database.execute("INSERT INTO pair (release_id, shadow, before, after, moved) VALUES (?, ?, ?, ?, ?)",
                                   (decided.release_id, shadow, decided.outcome, after, pd_ - decided.pd))
        if decided.experiment:
            who = blake2b(decided.applicant_id.encode(), digest_size=16).digest()
            self._database.execute("INSERT OR IGNORE INTO drawn (experiment, who, arm, release_id, approved) VALUES (?, ?, ?, ?, ?)",
                                   (decided.experiment, who, decided.arm, decided.release_id, decided.outcome == APPROVE))

    @property
    def alone(self) -> int:
        """Shadows whose decision was not read."""
        return int(self._all("SELECT count(*) FROM shadow")[0][0])

    def pairs(self) -> list[Beside]:
        """In the order in which they first came."""
        self._database.execute("CREATE INDEX IF NOT EXISTS by_move ON pair (release_id, shadow, moved)")
        return [Beside(*row) for row in self._all("SELECT release_id, shadow FROM pair GROUP BY 1, 2 ORDER BY min(place)")]

    def moves(self, of: Beside) -> dict[tuple[str, str], int]:
        """(decided, shadow) -> decisions."""
        rows = self._all(f"SELECT before, after, count(*) {OF_PAIR} GROUP BY 1, 2 ORDER BY 1, 2", *of)
        return {(before, after): count for before, after, count in rows}

    def pd_difference(self, of: Beside, quantiles: dict[str, float]) -> dict[str, float]:
        """The shadow's PD less the decision's: mean, the quantiles by name, and the largest either way."""
        moved = (value for (value,) in self._database.execute(f"SELECT moved {OF_PAIR}", of))
        [(size, low, high)] = self._all(f"SELECT count(*), min(moved), max(moved) {OF_PAIR}", *of)
        return {"mean": math.fsum(moved) / size, **{name: self._quantile(of, size, share) for name, share in quantiles.items()},
                "largest": max(abs(low), abs(high))}

    def _quantile(self, of: Beside, size: int, share: float) -> float:
        """Between the two that are nearest, as numpy has it."""
        at = share * (size - 1)
        near = self._all(f"SELECT moved {OF_PAIR} ORDER BY moved LIMIT 2 OFFSET ?", *of, int(at))
        return float(np.quantile([value for (value,) in near], at - int(at) if len(near) > 1 else 0))

    def experiments(self) -> list[str]:
        """In the order in which they first came."""
        return [name for (name,) in self._all("SELECT experiment FROM drawn GROUP BY 1 ORDER BY min(place)")]

    def arm(self, experiment: str, arm: str) -> tuple[tuple[str, ...], int, int]:
        """The releases that decided in it, how many applicants were approved, and how many there are."""
        releases = tuple(name for (name,) in self._all(f"SELECT release_id {OF_ARM} GROUP BY 1 ORDER BY min(place)", experiment, arm))
        [(approved, of)] = self._all(f"SELECT coalesce(sum(approved), 0), count(*) {OF_ARM}", experiment, arm)
        return releases, approved, of

    def _all(self, query: str, *values: Any) -> list[Any]:
        return self._database.execute(query, values).fetchall()


@contextmanager
def kept() -> Iterator[Kept]:
    """Nothing kept yet, and nothing left afterwards."""
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {SCHEMA} BEGIN;")
        yield Kept(database)
