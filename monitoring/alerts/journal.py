"""What was raised, which exit owes it to whom, and what was delivered: a SQLite file beside the service's other state.

Responsible for delivering nothing twice and losing nothing: an alert is owed before it is sent and paid after it was taken, both flushed to
disk. A run that is killed between the two sends again, under the same id. A breach that goes on over several windows is one alert, that of
the first one. One run at a time. Holds no person.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from feature_repo.errors import MachineError
from monitoring.alerts.alert import Alert

FILE = "alerts.db"
TABLES = """
CREATE TABLE IF NOT EXISTS alerts (id TEXT PRIMARY KEY, raised_at TEXT NOT NULL, alert TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS deliveries (id TEXT NOT NULL REFERENCES alerts, exit TEXT NOT NULL, delivered_at TEXT,
                                       PRIMARY KEY (id, exit)) STRICT;
"""
BREACH = """
SELECT alert FROM alerts WHERE json_extract(alert, '$.portfolio') = ? AND json_extract(alert, '$.release_id') = ?
AND json_extract(alert, '$.kind') = ? AND json_extract(alert, '$.subject') = ? AND json_extract(alert, '$.verdict') = ?
AND length(json_extract(alert, '$.window')) = ? AND json_extract(alert, '$.window') BETWEEN ? AND ? ORDER BY raised_at, rowid LIMIT 1
"""  # names of windows of one grain are as long as each other, and in the order of time


class Journal:
    """The alerts of a portfolio."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def owe(self, alerts: Iterable[Alert], exits: Callable[[Alert], Iterable[str]]) -> None:
        """Its exits owe an alert from now on, unless they did before."""
        now = _now()
        with self._connection as connection:
            for alert in alerts:
                connection.execute("INSERT OR IGNORE INTO alerts VALUES (?, ?, ?)", (alert.id, now, msgspec.json.encode(alert).decode()))
                connection.executemany("INSERT OR IGNORE INTO deliveries VALUES (?, ?, NULL)", [(alert.id, name) for name in exits(alert)])

    def first(self, alert: Alert, newest: str) -> Alert:
        """The alert by which its breach was first raised, itself where it is the first: neither another run nor another day puts it off.

        newest: the last window of the breach that is known, its own or a later one.
        """
        row = self._connection.execute(BREACH, (alert.portfolio, alert.release_id, alert.kind, alert.subject, alert.verdict,
                                                len(alert.window), alert.since or alert.window, newest)).fetchone()
        return msgspec.json.decode(row[0], type=Alert) if row else alert

    def owed(self, name: str) -> list[Alert]:
        """What an exit has not delivered yet, the oldest first."""
        rows = self._connection.execute("SELECT alert FROM deliveries JOIN alerts USING (id) WHERE exit = ? AND delivered_at IS NULL "
                                        "ORDER BY raised_at, alerts.rowid", (name,))
        return [msgspec.json.decode(row[0], type=Alert) for row in rows.fetchall()]

    def paid(self, alert: Alert, name: str) -> None:
        """An exit has delivered an alert."""
        with self._connection as connection:
            connection.execute("UPDATE deliveries SET delivered_at = ? WHERE id = ? AND exit = ?", (_now(), alert.id, name))


@contextmanager
def journal(folder: Path) -> Iterator[Journal]:
    """The journal in a folder, for one run at a time: another waits for it. Raises MachineError where it cannot be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{FILE}.lock").open("ab") as lock, closing(sqlite3.connect(folder / FILE)) as connection:
            fcntl.flock(lock, fcntl.LOCK_EX)
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(TABLES)
            yield Journal(connection)
    except (OSError, sqlite3.Error) as error:
        why = f"the journal of alerts cannot be kept ({type(error).__name__})"
        raise MachineError(f"{FILE}: {why}; nothing more was sent; see disk and rights") from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
