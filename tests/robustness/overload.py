"""A real service asked for more than it can do, step by step: what it could do at most, and what it still does at many times that."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psutil
from loading import Answer, Callers, Load, post, probers, run
from mortal import workers
from served import Service

PROBES = ("/livez", "/readyz", "/metrics")
REFUSED = 429
PROBED = 10.0  # times a second
WARM_UP = 1.0  # seconds of each step that are left out: the burst that is let in, and a queue that shows itself


@dataclass(frozen=True)
class Step:
    """A rate held for a while. processor: seconds of the workers' processor time in it; memory: their bytes at its end."""

    factor: float
    load: Load
    probes: list[Answer]
    processor: float
    memory: int

    @property
    def steady(self) -> Load:
        """Without the warm-up."""
        answers = [one for one in self.load.answers if one.due > WARM_UP]
        return Load(self.load.rate, self.load.seconds - WARM_UP, answers, self.load.unsent)


def port_of(service: Service) -> int:
    return int(service.url.rsplit(":", 1)[1])


def peak(service: Service, seconds: float, clients: int = 32) -> float:
    """Useful answers a second where clients wait for each other's: as many as keep the workers busy."""
    raw, port = post(service.request, port_of(service)), port_of(service)
    load: Load = run(Callers(port, lambda _: raw).together(clients, seconds))
    return load.goodput


def held(service: Service, rates: list[tuple[float, float]], seconds: float) -> list[Step]:
    """Hold each (factor, rate) for so long, with probes beside it."""
    raw, port = post(service.request, port_of(service)), port_of(service)
    own = [psutil.Process(each.pid) for each in workers(service)]

    async def steps() -> list[Step]:
        callers, found = Callers(port, lambda _: raw), []
        for factor, rate in rates:
            before = used(own)
            load, probes = await asyncio.gather(callers.hold(rate, seconds), probers(port, PROBES).hold(PROBED, seconds))
            found.append(Step(factor, load, probes.answers, used(own) - before, sum(each.memory_info().rss for each in own)))
        return found

    told: list[Step] = run(steps())
    return told


def cost(service: Service, status: int, seconds: float = 1.5, clients: int = 16) -> float:
    """Seconds of the workers' processor time for each answer, all of which have this status."""
    raw, port = post(service.request, port_of(service)), port_of(service)
    own = [psutil.Process(each.pid) for each in workers(service)]
    before = used(own)
    load: Load = run(Callers(port, lambda _: raw).together(clients, seconds))
    assert load.statuses.keys() == {status}, load.statuses
    return (used(own) - before) / load.statuses[status]


@contextmanager
def full(service: Service, places: int) -> Iterator[None]:
    """All places of its one worker are held, by callers whose body does not come."""
    raw, port = post(service.request, port_of(service)), port_of(service)
    with ExitStack() as held:
        for _ in range(places):
            held.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(raw[:-1])
        while httpx.post(f"{service.url}/v1/decisions", json=service.request).status_code != REFUSED:
            time.sleep(0.05)
        yield


def used(processes: list[Any]) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in processes)
