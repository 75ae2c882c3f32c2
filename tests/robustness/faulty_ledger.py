"""A real service whose ledger is locked, gone or full for a while under steady load, and what must hold between its record and its callers.

Each request has a key of its own. Whatever was not answered is asked for again with its key when the ledger is well.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from loading import Answer, Callers, Load, post, probers, run
from mortal import whole, workers
from overload import PROBED, port_of
from postgres_server import Server
from served import Service

from governance.ledger.book import Book, open_book
from governance.ledger.entries import DECISION, Entry
from governance.ledger.months import locked
from governance.ledger.writer import Ledger
from serving.decisions import answer

MOUNT, UNMOUNT = "/bin/mount", "/bin/umount"
PAGE = 4096
MOST = 0.75
LONGEST_HEALING = 60.0  # seconds, of a server that begins again
RATE, AGAIN = 100.0, 200.0
PROBES = ("/livez", "/readyz")
REFUSED = {429, 503}
Fault = Callable[[Service], AbstractContextManager[None]]


@dataclass(frozen=True)
class Ran:
    """All that was answered. hurt, healed: seconds from the beginning."""

    load: Load
    again: Load
    probes: Load
    hurt: float
    healed: float

    @property
    def during(self) -> list[Answer]:
        """What was asked while the ledger could not be written."""
        return [one for one in self.load.answers if self.hurt < one.due < self.healed - 0.1]

    @property
    def recovery(self) -> float:
        """Seconds from the healing to the first half second of which most requests are answered."""
        answers = [one for one in self.load.answers if one.due >= self.healed]
        for begins in (one.due for one in answers):
            window = [one.status == 200 for one in answers if begins <= one.due < begins + 0.5]
            if begins + 0.5 <= self.load.seconds and sum(window) >= MOST * len(window):
                return begins - self.healed
        return float("inf")

    @property
    def longest_queue(self) -> int:
        """How many waited at once, at most, for longer than a refusal at once takes."""
        steps = sorted(step for one in self.load.answers if one.took > 0.5 for step in ((one.due, 1), (one.due + one.took, -1)))
        waiting = most = 0
        for _, step in steps:
            waiting += step
            most = max(most, waiting)
        return most


def through(service: Service, fault: Fault, seconds: float, *, before: float = 1.0, after: float = 5.0) -> Ran:
    """Ask at a steady rate before, during and after a fault; then ask again for what was not answered."""
    port, named = port_of(service), fault.__qualname__.rpartition(".")[2]

    def raw(number: int) -> bytes:
        return post(service.request, port, f"{named}-{number}")

    async def all_of_it() -> Ran:
        began, ended, most = time.perf_counter(), asyncio.Event(), before + seconds + after + LONGEST_HEALING
        asking = asyncio.gather(Callers(port, raw).hold(RATE, most, ended), probers(port, PROBES).hold(PROBED, most, ended))
        await asyncio.sleep(before)
        with ExitStack() as stack:
            hurt = time.perf_counter() - began
            await asyncio.to_thread(stack.enter_context, fault(service))
            await asyncio.sleep(seconds)
            await asyncio.to_thread(stack.close)
        healed = time.perf_counter() - began
        await asyncio.sleep(after)
        ended.set()
        load, probes = await asking
        missing = [one.number for one in load.answers if one.status != 200]
        again = Callers(port, lambda at: raw(missing[at % len(missing)]))
        return Ran(load, await again.hold(AGAIN, len(missing) / AGAIN), probes, hurt, healed)

    ran: Ran = run(all_of_it())
    return ran


@dataclass(frozen=True)
class Findings:
    """unlogged: answers that are not in the record as they were told; duplicates: keys decided twice; broken: what verification says."""

    unlogged: int
    duplicates: int
    broken: list[str]


def examine(folder: Path, ran: Ran, address: str = "") -> Findings:
    """Hold the record against what was told."""
    book = open_book(folder / "ledger", address)
    records = list(book.records({DECISION}))
    known = {answer(record) for record in records}
    told = [one.body for one in (*ran.load.answers, *ran.again.answers) if one.status == 200]
    keys = Counter(record.idempotency_key for record in records)
    broken = whole(folder, book)
    book.close()
    return Findings(sum(one not in known for one in told), sum(count > 1 for count in keys.values()), broken)


@contextmanager
def lock_held(service: Service) -> Iterator[None]:
    """Another process holds the ledger's lock and does not give it back."""
    with locked(service.folder / "ledger"):
        yield


def server_gone(server: Server) -> Fault:
    """The ledger's server is lost, as in a power cut of its machine, and begun again elsewhere."""
    @contextmanager
    def gone(_: Service) -> Iterator[None]:
        server.end()
        yield
        server.begin()

    return gone


@contextmanager
def files_full(service: Service) -> Iterator[None]:
    """The kernel refuses every byte of the workers beyond the first page of a file, as where a disk or a quota is used up."""
    own = [psutil.Process(each.pid) for each in workers(service)]
    before = [each.rlimit(psutil.RLIMIT_FSIZE) for each in own]
    for each, (_, hard) in zip(own, before, strict=True):
        each.rlimit(psutil.RLIMIT_FSIZE, (PAGE, hard))
    yield
    for each, limits in zip(own, before, strict=True):
        each.rlimit(psutil.RLIMIT_FSIZE, limits)


@contextmanager
def disk_full(service: Service) -> Iterator[None]:
    """The file system of the ledger has no byte left."""
    ballast = service.folder / "ledger" / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(2**20))
        except OSError:
            yield
    ballast.unlink()


@contextmanager
def small_disk(folder: Path, megabytes: int = 96) -> Iterator[bool]:
    """A file system of its own for what is in a folder, where we may mount one."""
    kept = folder.with_name(f"{folder.name}-kept")
    folder.rename(kept)
    folder.mkdir()
    mounted = not subprocess.run([MOUNT, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=False).returncode
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run([UNMOUNT, "--lazy", folder], check=True)


def copy_events(folder: Path, address: str) -> Book:
    """A ledger at this address with the events of the one in a service's folder."""
    book = open_book(folder / "ledger", address)
    ledger = Ledger(book)
    said = [Entry(record.kind, record.id, record.body) for record in open_book(folder / "ledger").events() if record.seq > 1]
    ledger.append(said).result(30)
    ledger.close()
    return book
