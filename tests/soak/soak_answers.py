"""A service of two workers, one of them killed at each of 20 random moments of 10,000 decisions, 16 asked for at once.

TALLY_SOAK_KILLS is the number of kills, 20 where it is not set. Every answer that a client got must be recorded as it was told, every
record answered or marked, no key decided twice, and the ledger whole.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from conftest import scorecard_release
from mortal import WORKERS, examine
from mortal import run as asked_and_killed
from results import Result, judged
from served import furnished, serve

SEED, KILLS, DECISIONS = 16, 20, 10_000


def run(tell: Callable[[str], None]) -> list[Result]:
    kills = int(os.environ.get("TALLY_SOAK_KILLS", KILLS))
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        home = furnished(Path(folder), "card_default", scorecard_release)
        with serve(home, TALLY_WORKERS=str(WORKERS)) as service:
            ran = asked_and_killed(service, DECISIONS, kills, SEED)
        found = examine(service.folder, ran)
    for each in found.wrong[:20]:
        tell(each)
    told = sum(each.answer is not None for each in ran.attempts)
    broken = len(ran.attempts) - told
    workload = f"{DECISIONS} decisions, {len(ran.killed)} workers killed"
    tell(f"{told} answers, {broken} requests without one; {found.unanswered} records not answered at once, {found.marked} marked")
    return [judged("answers", workload, len(found.wrong), 0, met=not found.wrong and len(ran.killed) == kills)]
