"""The journal of a month's file (SQLite's WAL), moved into the file beside those who write, who would stand still for it otherwise.

Responsible for when, and for nothing that makes an entry durable: it is in the journal and on the disk before its commit returns. Where
this falls behind, whoever writes moves what is left (`months.PAGES`), and so the journal does not grow without end.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread

EVERY = 64  # commits


class Journal:
    """What one process moves. For the thread that writes."""

    def __init__(self) -> None:
        self._commits = 0
        self._moving: Thread | None = None

    def committed(self, path: Path) -> None:
        """One more commit is in the journal of this month."""
        self._commits += 1
        if self._commits >= EVERY and not (self._moving and self._moving.is_alive()):
            self._commits, self._moving = 0, Thread(target=move, args=(path,), name="journal", daemon=True)
            self._moving.start()

    def close(self) -> None:
        """Wait until nothing is being moved."""
        if self._moving:
            self._moving.join()


def move(path: Path) -> None:
    """Move what is committed by now; who writes does not wait for it, and what fails is tried again later. Makes no file."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as database:
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA wal_checkpoint(PASSIVE)")
