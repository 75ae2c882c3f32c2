"""Requests at a rate that does not wait for the answers, as many callers together make them, over raw sockets of the loopback.

A latency counts from the moment a request was due, not from when a connection was free for it. Holds its own cost small: 100 lines of
protocol instead of a client library, or on two cores the load would measure itself.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

import uvloop

TICK = 0.001
CONNECTIONS = 256  # at most; what is due beyond it waits, and its wait counts


@dataclass(frozen=True)
class Answer:
    """What became of one request. due: seconds from the beginning; took: from when it was due; status 0: the connection broke."""

    number: int
    due: float
    took: float
    status: int
    retry_after: str
    body: bytes


@dataclass
class Load:
    """A rate held for some seconds, and all its answers. unsent: those for which no connection was free while it lasted."""

    rate: float
    seconds: float
    answers: list[Answer] = field(default_factory=list)
    unsent: int = 0

    @property
    def statuses(self) -> Counter[int]:
        return Counter(one.status for one in self.answers)

    @property
    def goodput(self) -> float:
        """Useful answers a second."""
        return self.statuses[200] / self.seconds

    def took(self, status: int = 200) -> list[float]:
        return sorted(one.took for one in self.answers if one.status == status)

    def p99(self, status: int = 200) -> float:
        took = self.took(status)
        return quantiles(took, n=100)[-1] if len(took) > 1 else float("inf")


class Connection(asyncio.Protocol):
    """One connection kept open, one request at a time."""

    def __init__(self, free: Callable[[Connection], None]) -> None:
        self._free = free
        self._raw = b""
        self._need = 0
        self._done: Callable[[int, str, bytes], None] | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._free(self)

    def send(self, raw: bytes, done: Callable[[int, str, bytes], None]) -> None:
        self._done = done
        self.transport.write(raw)

    def data_received(self, data: bytes) -> None:
        self._raw += data
        end = self._raw.find(b"\r\n\r\n")
        if end < 0:
            return
        if not self._need:
            head = self._raw[:end].lower()
            at = head.find(b"content-length: ")
            self._need = end + 4 + int(head[at + 16:].split(b"\r\n", 1)[0])
        if len(self._raw) >= self._need:
            self._answered(end)

    def connection_lost(self, _: object) -> None:
        self.transport.abort()
        if done := self._done:
            self._done = None
            done(0, "", b"")

    def _answered(self, end: int) -> None:
        head, body, done = self._raw[:end].lower(), self._raw[end + 4:], self._done
        self._raw, self._need, self._done = b"", 0, None
        at = head.find(b"retry-after: ")
        if b"connection: close" in head:
            self.transport.close()
        else:
            self._free(self)
        if done:
            done(int(head[9:12]), head[at + 13:].split(b"\r\n", 1)[0].decode() if at >= 0 else "", body)


def post(document: object, port: int, key: str = "", path: str = "/v1/decisions") -> bytes:
    """The bytes of a POST."""
    body = json.dumps(document).encode()
    named = f"Idempotency-Key: {key}\r\n" if key else ""
    return (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n{named}"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


class Callers:
    """Everybody who calls one service."""

    def __init__(self, port: int, request: Callable[[int], bytes]) -> None:
        self._port, self._request = port, request
        self._free: deque[Connection] = deque()
        self._opened = 0
        self._waiting: deque[tuple[float, int]] = deque()
        self._opening: set[asyncio.Task[Any]] = set()
        self._number = 0

    async def hold(self, rate: float, seconds: float, ended: asyncio.Event | None = None) -> Load:
        """Ask at this rate for so long, or until that is set, then wait for what was sent and is not answered."""
        load = Load(rate, seconds)
        began = time.perf_counter()
        sent = 0
        while (now := time.perf_counter() - began) < seconds and not (ended and ended.is_set()):
            while sent < now * rate:
                self._waiting.append((began + sent / rate, self._number))
                sent, self._number = sent + 1, self._number + 1
            self._send(load, began)
            await asyncio.sleep(TICK)
        load.seconds, load.unsent = min(now, seconds), len(self._waiting)
        self._waiting.clear()
        while len(load.answers) < sent - load.unsent:  # noqa: ASYNC110 - the same tick
            await asyncio.sleep(TICK)
        return load

    async def together(self, clients: int, seconds: float) -> Load:
        """So many clients, each asking again when it has its answer."""
        load, began, loop = Load(0, seconds), time.perf_counter(), asyncio.get_running_loop()
        left, ended = clients, asyncio.Event()

        def ask(connection: Connection) -> None:
            nonlocal left
            due = time.perf_counter()
            if due - began < seconds:
                self._number += 1
                connection.send(self._request(self._number), self._into(load, began, due, self._number))
                return
            connection.transport.close()
            left -= 1
            if not left:
                ended.set()

        for _ in range(clients):
            await loop.create_connection(lambda: Connection(ask), "127.0.0.1", self._port)
        async with asyncio.timeout(seconds + 60):
            await ended.wait()
        return load

    def _into(self, load: Load, began: float, due: float, number: int) -> Callable[[int, str, bytes], None]:
        def answered(status: int, retry: str, body: bytes) -> None:
            load.answers.append(Answer(number, due - began, time.perf_counter() - due, status, retry, body))

        return answered

    def _send(self, load: Load, began: float) -> None:
        while self._waiting:
            while self._free and self._free[0].transport.is_closing():
                self._free.popleft()
                self._opened -= 1
            if not self._free:
                self._open(min(len(self._waiting), CONNECTIONS - self._opened))
                return
            due, number = self._waiting.popleft()
            self._free.popleft().send(self._request(number), self._into(load, began, due, number))

    def _open(self, more: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(more):
            self._opened += 1
            opening = loop.create_task(loop.create_connection(lambda: Connection(self._free.append), "127.0.0.1", self._port))
            self._opening.add(opening)
            opening.add_done_callback(self._opening.discard)


def probers(port: int, paths: tuple[str, ...]) -> Callers:
    """Those who ask probes, in turn."""
    return Callers(port, lambda number: f"GET {paths[number % len(paths)]} HTTP/1.1\r\nHost: probe\r\n\r\n".encode())


def run(main: Any) -> Any:
    """Run it on the quicker loop, without collections: each goes through all answers kept, and would be measured as a wait for one."""
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main)
    finally:
        gc.enable()
