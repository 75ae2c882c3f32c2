"""The record: appends of decisions of 1.8 KB, each durable before it is acknowledged, by 1, 32 and 256 writers in two processes; proofs.

Held against one INSERT and one COMMIT a row, in SQLite (WAL, synchronous FULL) and in PostgreSQL (fsync, synchronous_commit on), with the
same writers in as many processes; contestants take turns. Verification of an export, an event by processor second, and proofs of
inclusion in a log of a million entries are held against our own promises. The gate: every acknowledged append is there, once, the ledger
verifies, every proof holds.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from appending import BODY, sqlite
from entries import Entry, Figures, compare
from ledgers import contents, key_of
from postgres_server import Server
from rounds import interleaved

from governance.ledger import entries as recorded
from governance.ledger.book import Book, moment, open_book
from governance.ledger.entries import DECISION
from governance.ledger.exported import export
from governance.ledger.inspection import inspect
from governance.ledger.proving import checkpoint_now, prove
from governance.ledger.verification import verify

WRITERS = {"1 writer": 1, "32 writers": 32, "256 writers": 256}
WORKLOADS = (*WRITERS, "verification", "inclusion")
ROUNDS, SECONDS = 3, 2.0
EVENTS, LOG, PROOFS = 150_000, 1_000_000, 300
FAST, QUICK = 200_000.0, 1.0
APPENDING = Path(__file__).with_name("appending.py")
RATE = "appends/s"
TOLD = {"ours": "ours", "ours in PostgreSQL": "ours"}


def run(workload: str) -> list[Entry]:
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder:
        if workload in WRITERS:
            return appends(workload, Path(folder))
        return verification(Path(folder)) if workload == "verification" else inclusion(Path(folder))


def appends(workload: str, folder: Path) -> list[Entry]:
    with server() as running:
        ledgers = {"ours": (folder / "embedded" / "ledger", ""), "ours in PostgreSQL": (folder / "shared" / "ledger", running.make())}
        places = {name: f"{path},{address}" for name, (path, address) in ledgers.items()}
        places |= {"sqlite": str(folder / "rows.db"), "postgresql": running.make()}
        sqlite(places["sqlite"])  # begun by one: two at once would not wait for each other
        rounds, acknowledged = count(), dict.fromkeys(places, 0)

        def contest(name: str) -> float:
            done = together(TOLD.get(name, name), places[name], f"{name[:8]}{next(rounds)}", WRITERS[workload])
            acknowledged[name] += done
            return done / SECONDS

        figures = interleaved({name: partial(contest, name) for name in places}, ROUNDS)
        gates = {name: whole(open_book(*ledgers[name]), ledgers[name][0], acknowledged[name]) for name in ledgers}
    goal = 20.0 if workload == "32 writers" else 1.0
    pairs = (("ours", "sqlite", "SQLite, a commit a row", goal), ("ours", "postgresql", "PostgreSQL, a commit a row", 1.0),
             ("ours in PostgreSQL", "postgresql", "PostgreSQL, a commit a row (ours in PostgreSQL too)", 1.0))
    return [compare("ledger", workload, Figures(figures[own], peer, figures[theirs], RATE, wanted), gate=gates[own])
            for own, theirs, peer, wanted in pairs]


def together(store: str, where: str, name: str, writers: int) -> int:
    """How many appends were acknowledged to writers in two processes (one, where there is one writer) that began at once."""
    shares = [writers - writers // 2, writers // 2][: 1 if writers == 1 else 2]
    started = [subprocess.Popen([sys.executable, str(APPENDING), store, where, f"{name}-{place}", str(share), str(SECONDS)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for place, share in enumerate(shares)]
    for process in started:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{store} did not begin")
    for process in started:
        if process.stdin:
            process.stdin.write("\n")
            process.stdin.flush()
    return sum(int(process.communicate()[0]) for process in started)


@contextmanager
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="tally-postgres-", ignore_cleanup_errors=True) as folder:
        running = Server(Path(folder), most=300)
        try:
            yield running
        finally:
            running.end()


def whole(book: Book, folder: Path, acknowledged: int) -> bool:
    """Whether exactly what was acknowledged is there, once, and proved."""
    key = key_of(book, folder)
    checkpoint_now(book, key)
    names = contents(book)
    found = verify(book, key.verifier)
    book.close()
    told = len(set(names)) == len(names) == acknowledged and all(one.size == one.covered for one in found)
    if not told:
        sys.stderr.write(f"{acknowledged} appends were acknowledged, {len(names)} are there\n")
    return told


def fill(book: Book, number: int, body: bytes) -> None:
    """A log of `number` entries, quickly."""
    while (size := book.size(f"{moment():%Y-%m}") if book.periods() else 0) < number:
        with book.turn(moment) as turn:
            last = min(turn.size + 20_000, number)
            at = recorded.stamp(datetime.now(UTC))
            turn.put([recorded.recorded(recorded.Entry(DECISION, f"d{seq:08}", body), turn.period, seq, at)
                      for seq in range(turn.size + 1, last + 1)])
        if size == book.size(f"{moment():%Y-%m}"):
            raise RuntimeError("the log does not grow")


def verification(folder: Path) -> list[Entry]:
    path = folder / "bench" / "ledger"
    book = open_book(path)
    key = key_of(book, path)
    fill(book, EVENTS, BODY)
    export(book, key, folder / "export")
    figures, sizes = [], set()
    for _ in range(ROUNDS):
        began = time.process_time()
        (found,) = inspect(folder / "export", key.verifier)
        figures.append(EVENTS / (time.process_time() - began))
        sizes.add(found.size)
    return [compare("ledger", "verification", Figures(figures, "goal", [FAST] * ROUNDS, "events/core/s"), gate=sizes == {EVENTS})]


def inclusion(folder: Path) -> list[Entry]:
    path = folder / "bench" / "ledger"
    book = open_book(path)
    key = key_of(book, path)
    fill(book, LOG, b"{}")
    checkpoint_now(book, key)
    chance = random.Random(1)  # noqa: S311 - which entries, alike in every run
    rounds, right = [], True
    for _ in range(ROUNDS):
        found = [book.find("id", f"d{chance.randrange(2, LOG):08}") for _ in range(PROOFS)]
        rounds.append(median(timed(lambda record=record: prove(book, record)) for record in found if record) * 1e3)
        right &= all(prove(book, record).holds(record, key.verifier) for record in found[:50] if record) and None not in found
    return [compare("ledger", "inclusion", Figures(rounds, "goal", [QUICK] * ROUNDS, "ms"), gate=right)]


def timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began
