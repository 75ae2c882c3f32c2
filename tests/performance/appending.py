"""One process of the bench of the ledger: so many writers append decisions for so long; it prints how many were acknowledged.

`python appending.py <store> <where> <name> <writers> <seconds>`; store: ours (a folder, or an address behind a comma), sqlite or
postgresql (one INSERT and one COMMIT a row). It says "ready", and begins when a line comes in. Every commit is on the disk when it returns.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, Entry
from governance.ledger.writer import Ledger, Stored

BODY = b'{"a":"' + bytes(range(48, 58)) * 180 + b'"}'
TABLE = "CREATE TABLE IF NOT EXISTS decisions (id TEXT PRIMARY KEY, body {} NOT NULL)"
Append = Callable[[str], object]


def ours(where: str, names: Iterator[str], writers: int, until: Callable[[], float]) -> int:
    """Writers that each ask for the next append when they hear of their last one, as a worker's requests do."""
    folder, _, address = where.partition(",")
    ledger = Ledger(open_book(Path(folder), address))
    ledger.probe().result()
    end, done, over, failed = until(), 0, threading.Semaphore(0), []

    def heard(answer: Future[Stored]) -> None:
        nonlocal done
        if error := answer.exception():
            failed.append(error)
            over.release()
        else:
            done += 1
            write()

    def write() -> None:
        if time.monotonic() < end:
            ledger.append([Entry(DECISION, next(names), BODY)]).add_done_callback(heard)
        else:
            over.release()

    for _ in range(writers):
        write()
    for _ in range(writers):
        over.acquire()
    ledger.close()
    if failed:
        raise failed[0]
    return done


def rows(connect: Callable[[], Append], names: Iterator[str], writers: int, until: Callable[[], float]) -> int:
    """A thread with a connection of its own for every writer."""
    appends = [connect() for _ in range(writers)]
    end, done = until(), [0] * writers

    def write(place: int) -> None:
        while time.monotonic() < end:
            with suppress(sqlite3.OperationalError):  # its busy handler gave up: not acknowledged, tried again
                appends[place](next(names))
                done[place] += 1

    threads = [threading.Thread(target=write, args=(place,)) for place in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done)


def sqlite(path: str) -> Append:
    database = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(TABLE.format("BLOB"))
    return lambda name: database.execute("INSERT INTO decisions VALUES (?, ?)", (name, BODY))


def postgresql(address: str) -> Append:
    database = psycopg.connect(address, autocommit=True)
    with suppress(psycopg.errors.UniqueViolation):  # two that make the same table at once
        database.execute(TABLE.format("BYTEA").encode())
    return lambda name: database.execute("INSERT INTO decisions VALUES (%s, %b)", (name, BODY))


def main(store: str, where: str, name: str, writers: str, seconds: str) -> None:
    numbers, held = count(), threading.Lock()

    def fresh() -> Iterator[str]:
        while True:
            yield f"{name}-{next(numbers)}"

    def until() -> float:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        return time.monotonic() + float(seconds)

    class Names:
        def __iter__(self) -> Iterator[str]:
            return self

        def __next__(self, names: Iterator[str] = fresh()) -> str:  # noqa: B008 - one for all threads
            with held:
                return next(names)

    peers = {"sqlite": sqlite, "postgresql": postgresql}
    done = (ours(where, Names(), int(writers), until) if store == "ours"
            else rows(lambda: peers[store](where), Names(), int(writers), until))
    sys.stdout.write(f"{done}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
