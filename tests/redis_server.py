"""A Redis server of the test session's own, on a free loopback port, that ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which

import pytest
import redis

MISSING = "the tests of the online store need a Redis server: apt-get install redis-server"


class Server:
    """A running server. stop, go_on: it accepts connections and answers nobody meanwhile (SIGSTOP)."""

    def __init__(self, folder: Path, port: int, *more: str) -> None:
        self.folder, self.port, self._more = folder, port, more
        self.begin()

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)

    def begin(self) -> None:
        """Start it, and wait until it answers."""
        program = which("redis-server")
        if program is None:
            raise FileNotFoundError(MISSING)
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "", "--appendonly", "yes",
                   *self._more]
        self.process = subprocess.Popen(command, stdout=(self.folder / "log").open("ab"), stderr=subprocess.STDOUT)
        for _ in range(300):
            try:
                self.client.ping()
            except redis.exceptions.ConnectionError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"Redis did not begin: {(self.folder / 'log').read_text()[-500:]}")

    def stop(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self, by: int = signal.SIGTERM) -> None:
        """End it by its own process id, however it stands."""
        if self.process.poll() is None:
            self.go_on()
            os.kill(self.process.pid, by)
        self.process.wait(30)


@pytest.fixture(scope="session")
def redis_server(free_ports: Callable[[int], list[int]]) -> Iterator[Server]:
    """The session's server; a test that stops or kills one makes its own `Server`."""
    with tempfile.TemporaryDirectory(prefix="tally-redis-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), free_ports(1)[0])
        yield server
        server.end()
