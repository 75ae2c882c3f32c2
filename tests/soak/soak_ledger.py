"""A ledger that cannot be written for a while: locked by another, its server lost, its disk full, its files not allowed to grow.

Each fault lasts TALLY_SOAK_SECONDS, 20 where it is not set, under a steady 100 decisions a second.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from conftest import scorecard_release
from faulty_ledger import (
    RATE,
    REFUSED,
    Fault,
    Ran,
    copy_events,
    disk_full,
    examine,
    files_full,
    lock_held,
    server_gone,
    small_disk,
    through,
)
from postgres_server import Server
from results import Result, judged
from served import furnished, serve

from serving.settings import Settings

SECONDS, WELL, RECOVERY = 20.0, 10.0, 5.0
SET = Settings(portfolio="any")
LATE = 0.5  # seconds beyond the deadline, for the way there and back


def run(tell: Callable[[str], None]) -> list[Result]:
    seconds = float(os.environ.get("TALLY_SOAK_SECONDS", SECONDS))
    found: list[Result] = []
    for name, ran in faults().items():
        tell(f"{name} for {seconds:g} s")
        with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
            found += ran(name, Path(folder), seconds)
    return found


def faults() -> dict[str, Callable[[str, Path, float], list[Result]]]:
    return {
        "the lock of the ledger held by another": lambda *given: embedded(lock_held, *given),
        "PostgreSQL lost": lost,
        "the disk of the ledger full": full,
        "files that may not grow": lambda *given: embedded(files_full, *given),
    }


def embedded(fault: Fault, name: str, folder: Path, seconds: float) -> list[Result]:
    home = furnished(folder, "card_default", scorecard_release)
    with serve(home) as service:
        ran = through(service, fault, seconds, after=WELL)
        return lines(name, ran, service.folder)


def full(name: str, folder: Path, seconds: float) -> list[Result]:
    home = furnished(folder, "card_default", scorecard_release)
    with small_disk(home / "card_default" / "ledger") as own:
        if not own:
            return [judged("ledger", name, "no file system could be mounted", "one to fill", met=False)]
        with serve(home) as service:
            return lines(name, through(service, disk_full, seconds, after=WELL), service.folder)


def lost(name: str, folder: Path, seconds: float) -> list[Result]:
    home, kept = furnished(folder, "card_default", scorecard_release), Path(tempfile.mkdtemp(prefix="tally-postgres-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, kept)
        server = Server(kept)
        stack.callback(server.end)
        address = server.make()
        copy_events(home / "card_default", address)
        with serve(home, TALLY_LEDGER=address) as service:
            return lines(name, through(service, server_gone(server), seconds, after=WELL), service.folder, address)


def lines(name: str, ran: Ran, folder: Path, address: str = "") -> list[Result]:
    found, workload = examine(folder, ran, address), f"{name}, {ran.healed - ran.hurt:.0f} s, {RATE:g} requests a second"
    refused = [one for one in ran.during if one.status != 200]
    other = {one.status for one in ran.load.answers} - {200, *REFUSED}
    untold = sum(not one.retry_after for one in refused if one.status)
    longest = max((one.took for one in ran.during), default=0.0)
    again = sum(one.status == 200 for one in ran.again.answers)
    return [
        judged("ledger", workload, f"{len(refused)} of {len(ran.during)} refused, {untold} without Retry-After, {len(other)} other answers",
               "503 or 429 with Retry-After", met=not other and not untold),
        judged("ledger", workload, f"{found.unlogged} answers not in the record, {found.duplicates} keys decided twice, "
               f"{found.broken or 'the record verifies'}", "0, 0, the record verifies",
               met=not (found.unlogged or found.duplicates or found.broken)),
        judged("ledger", workload, f"at most {ran.longest_queue} waited, none longer than {longest:.2f} s",
               f"{SET.in_flight} places, {SET.deadline + LATE:g} s",
               met=ran.longest_queue <= SET.in_flight and longest <= SET.deadline + LATE),
        judged("ledger", workload, f"answers again {ran.recovery:.2f} s after it was well", f"{RECOVERY:g} s",
               met=ran.recovery <= RECOVERY),
        judged("ledger", workload, f"{again} of {len(ran.again.answers)} that were refused are decided when asked again with their key",
               "for comparison", met=True),
    ]
