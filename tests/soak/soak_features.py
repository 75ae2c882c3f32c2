"""A Redis that is refused, silent, slow (200 ms +- 100 ms, in slices) and killed while it is written to, under a real service.

Each fault lasts TALLY_SOAK_SECONDS, 30 where it is not set, under steady load, while generations of vectors are published. A request may
take the patience of a read and 50 ms more, whatever the store does; what is right is told from the record afterwards.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

from conftest import scorecard_release
from faulty_store import FAULTS, HEALTHY, World, recorded, world
from results import Result, judged

from serving.online.reads import THREADS
from serving.settings import Settings

SECONDS, WELL, RATE = 30.0, 5.0, 100.0
LATE, RECOVERY = 0.05, 2.0


def run(tell: Callable[[str], None]) -> list[Result]:
    seconds = float(os.environ.get("TALLY_SOAK_SECONDS", SECONDS))
    with tempfile.TemporaryDirectory(prefix="tally-soak-", ignore_cleanup_errors=True) as folder:
        with world(Path(folder), free(), scorecard_release, RATE) as found:
            found.watch(HEALTHY, WELL)
            for name in FAULTS:
                tell(f"Redis {name} for {seconds:g} s")
                found.hurt(name, seconds, WELL)
        return [*(line for name in FAULTS for line in lines(found, name, seconds)), *whole(found)]


def lines(found: World, name: str, seconds: float) -> list[Result]:
    limit = Settings(portfolio="any").features_patience + LATE
    took = sorted(one.took for one in found.answers if one.phase == name)
    slowest, recovery = max(took), found.recovery(name)
    workload = f"{name}, {seconds:g} s"
    degraded = sum(one.degraded for one in found.answers if one.phase == name)
    return [
        judged("features", workload, f"{len(took):,} requests, {degraded:,} degraded; median {1e3 * took[len(took) // 2]:.1f} ms, 99th "
               f"percentile {1e3 * quantiles(took, n=100)[-1]:.1f} ms, longest {1e3 * slowest:.1f} ms", f"{1e3 * limit:g} ms",
               met=slowest <= limit),
        judged("features", workload, f"read again {recovery:.2f} s after it was well", f"{RECOVERY:g} s", met=recovery <= RECOVERY),
    ]


def whole(found: World) -> list[Result]:
    told, failed = recorded(found.service.folder), sum(one.status != 200 for one in found.answers)
    healthy, most = found.threads[HEALTHY], max(found.threads.values())
    workload = f"{len(found.answers):,} requests, {told.generations:,} generations of vectors"
    return [
        judged("features", workload, f"{len(told.wrong)} wrong or mixed of {told.read:,} read", 0, met=not told.wrong),
        judged("features", workload, f"{failed} failed, {told.unreachable:,} decided without the store", "0 failed", met=not failed),
        judged("features", workload, f"longest while well {1e3 * found.slowest(HEALTHY):.1f} ms", "for comparison", met=True),
        judged("features", workload, f"{most} threads at most, {healthy} while well", healthy + THREADS, met=most <= healthy + THREADS),
    ]


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
