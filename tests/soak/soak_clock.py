"""Clocks of two workers that jump an hour ahead and back every 20 ms over the end of a month, while both append.

TALLY_SOAK_SECONDS is how long for each store, 20 where it is not set.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from jumping_clock import Found, write
from postgres_server import Server
from results import Result, judged

SECONDS = 20.0


def run(tell: Callable[[str], None]) -> list[Result]:
    seconds = float(os.environ.get("TALLY_SOAK_SECONDS", SECONDS))
    tell(f"SQLite, then PostgreSQL, for {seconds:g} s each")
    return [line("SQLite", in_folder(seconds)), line("PostgreSQL", on_server(seconds))]


def in_folder(seconds: float, address: str = "") -> Found:
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        portfolio = Path(folder) / "card_default"
        portfolio.mkdir()
        return write(portfolio, seconds, address)


def on_server(seconds: float) -> Found:
    kept = Path(tempfile.mkdtemp(prefix="tally-postgres-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, kept)
        server = Server(kept)
        stack.callback(server.end)
        return in_folder(seconds, server.make())


def line(store: str, found: Found) -> Result:
    figure = f"{len(found.broken)} breaks of the order, {', '.join(found.broken[:3]) or 'the record verifies'}"
    return judged("clock", f"{store}: {found.entries:,} entries, {found.backwards:,} with a time before that of the one before", figure,
                  "0, the record verifies", met=not found.broken and found.backwards > 0)
