"""A service whose registry is gone for good: its address refuses, and the service is started again meanwhile.

TALLY_SOAK_SECONDS is how long it is asked, 60 where it is not set, half of that after a restart.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from conftest import scorecard_release
from loading import Callers, Load, post
from loading import run as do
from overload import port_of
from results import Result, judged
from served import Service, furnished, serve

SECONDS, RATE, START = 60.0, 100.0, 10.0
NOWHERE = "http://127.0.0.1:1"


def run(tell: Callable[[str], None]) -> list[Result]:
    seconds, starts, loads = float(os.environ.get("TALLY_SOAK_SECONDS", SECONDS)) / 2, [], []
    with tempfile.TemporaryDirectory(prefix="tally-soak-") as folder:
        home = furnished(Path(folder), "card_default", scorecard_release)
        for _ in range(2):
            began = time.monotonic()
            with serve(home, MLFLOW_TRACKING_URI=NOWHERE) as service:
                starts.append(first_answer(service, began))
                tell(f"first answer {starts[-1]:.1f} s after the start")
                loads.append(asked(service, seconds))
    answers = [one for load in loads for one in load.answers]
    failed = sum(one.status != 200 for one in answers)
    p99 = 1e3 * max(load.p99() for load in loads)
    workload, figure = f"{len(answers):,} requests, the registry's address refuses", f"{failed} failed, 99th percentile {p99:.1f} ms"
    return [judged("registry", workload, figure, "0 failed", met=not failed),
            judged("registry", "the service started again", f"first answer after {starts[-1]:.1f} s", f"{START:g} s",
                   met=starts[-1] <= START)]


def first_answer(service: Service, began: float) -> float:
    while not httpx.post(f"{service.url}/v1/decisions", json=service.request).is_success:
        time.sleep(0.05)
    return time.monotonic() - began


def asked(service: Service, seconds: float) -> Load:
    raw = post(service.request, port_of(service))
    load: Load = do(Callers(port_of(service), lambda _: raw).hold(RATE, seconds))
    return load
