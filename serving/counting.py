"""What this worker decides, counted while it decides: into the frozen bins of the release that decided, by the hour of business time.

Responsible for counts of every decision it recorded: they begin when the commit is done, whether anybody waited for it or not, and are
made by a thread, some at a time, that rests as long as it worked. Nothing of it is durable: a worker that is killed loses what it counted
in the last seconds, and the record has those. Refuses to grow and to be heard: what has no room, has no bins or cannot be read is left out,
counted (`tally_counts_left_out_total`) and said once, and nothing else is left out with it.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, Counter

from feature_repo.errors import ReleaseError
from feature_repo.portfolio import Portfolio
from governance.ledger.entries import Record
from governance.release import verify
from serving.hourly import Hourly, Said
from serving.scoring.bins import Bins

FOLDER, BINS = "counts", "bins.json"
MOST = 1 << 14  # decisions that may wait
TOGETHER = 64
LINGER, WRITE = 0.25, 5.0  # seconds until those that wait are counted, and until what was counted is written
log = logging.getLogger("tally.serving")


class Counting:
    """The counts of one worker. home: the portfolio's folder of services. registry: for a process whose metrics are in no shared folder."""

    def __init__(self, home: Path, portfolio: Portfolio, worker: str, registry: CollectorRegistry | None = None) -> None:
        self._home, self._portfolio, self._worker = home, portfolio, worker
        self._waiting: queue.SimpleQueue[Record | None] = queue.SimpleQueue()
        self._hours: dict[tuple[str, str], Hourly] = {}
        self._bins: dict[str, dict[str, Bins] | None] = {}
        self._reads = msgspec.json.Decoder(Said)
        self._said: set[str] = set()
        self._left_out = Counter("tally_counts_left_out", "Decisions recorded that live counts left out", registry=registry)
        self._begins = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="counting", daemon=True)

    def recorded(self, first: str, done: Future[tuple[Record, ...]]) -> None:
        """A commit is done. first: the id of its first decision; what was recorded before, under the same key, has another."""
        if done.cancelled() or done.exception() or done.result()[0].id != first:
            return
        with self._begins:  # two threads may see the first two commits at once
            if self._thread.ident is None:
                self._thread.start()
        for record in done.result():
            if self._waiting.qsize() < MOST:
                self._waiting.put(record)
            else:
                self._lacking(f"more than {MOST} decisions wait to be counted, and some are left out", 1)

    def close(self) -> None:
        """Count and write what waits; nothing is recorded any more."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()

    def _run(self) -> None:
        ended, due = False, time.monotonic() + WRITE
        while not ended:
            some, ended = self._next()
            for start in range(0, len(some), TOGETHER):
                began = time.perf_counter()
                self._count(some[start : start + TOGETHER])
                time.sleep(0 if ended else time.perf_counter() - began)
            if ended or time.monotonic() >= due:
                self._write()
                due = time.monotonic() + WRITE

    def _next(self) -> tuple[list[Record], bool]:
        """What waits, once something does or there is something to write; and whether the worker ends."""
        waiting: list[Record | None] = []
        with suppress(queue.Empty):
            waiting.append(self._waiting.get(timeout=WRITE if any(not hour.written for hour in self._hours.values()) else None))
            if waiting[0] is not None:
                time.sleep(LINGER)
            while True:
                waiting.append(self._waiting.get_nowait())
        return [record for record in waiting if record is not None], None in waiting

    def _count(self, some: Sequence[Record]) -> None:
        hours = defaultdict[tuple[str, str], list[Said]](list)
        for record in some:
            with self._leaving_out(1):
                said = self._reads.decode(record.body)
                hours[said.release_id, said.hour].append(said)
        for (release_id, hour), those in hours.items():
            with self._leaving_out(len(those)):
                if bins := self._bins_of(release_id):
                    self._add(self._hour(release_id, hour, bins), those)
                else:
                    self._lacking(f"release {release_id[:12]} has no {BINS} that can be read, and its decisions are left out", len(those))

    def _add(self, hour: Hourly, those: Sequence[Said]) -> None:
        """All at once; or, where one of them cannot be counted, each by itself."""
        try:
            hour.add(those)
        except Exception:  # noqa: BLE001 - which of them it is, and what, is found out now
            for one in those:
                with self._leaving_out(1):
                    hour.add([one])

    def _bins_of(self, release_id: str) -> dict[str, Bins] | None:
        """None where it was made before bins were frozen, or does not verify. Looked for once, as all of the release is hashed."""
        if release_id not in self._bins:
            self._bins[release_id] = None
            with suppress(ReleaseError, OSError, ValueError):
                self._bins[release_id] = verify(self._home / "releases" / release_id).read(BINS, dict[str, Bins])
        return self._bins[release_id]

    def _hour(self, release_id: str, hour: str, bins: dict[str, Bins]) -> Hourly:
        if (release_id, hour) not in self._hours:
            path = self._home / FOLDER / hour / f"{release_id}.{self._worker}.json"
            self._hours[release_id, hour] = Hourly(path, bins, self._portfolio)
        return self._hours[release_id, hour]

    def _write(self) -> None:
        """Write what is new, and let go of hours that are over."""
        newest = max((hour for _, hour in self._hours), default="")
        for (release_id, hour), counted in list(self._hours.items()):
            try:
                if not counted.written:
                    counted.write()
                elif hour != newest:
                    del self._hours[release_id, hour]
            except Exception as error:  # noqa: BLE001 - whatever it is, other hours and later decisions are counted
                self._lacking(f"they cannot be written ({type(error).__name__}); what was counted is kept for the next try")

    @contextmanager
    def _leaving_out(self, count: int) -> Iterator[None]:
        """Whatever fails inside, decisions know nothing of it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - as the sentence above says
            self._lacking(f"decisions are left out ({type(error).__name__})", count)

    def _lacking(self, why: str, left_out: int = 0) -> None:
        """Count what is left out, and say each thing once."""
        self._left_out.inc(left_out)
        if why not in self._said:
            self._said.add(why)
            log.error("live counts: %s; decisions go on, and the record has them", why)
