"""A PostgreSQL server of the test session's own, on a socket nobody else knows, with commits that reach the disk."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

INSTALLED = Path("/usr/lib/postgresql")
MISSING = "the ledger's tests need a PostgreSQL server: apt-get install postgresql"
USER = "tally"


def program(name: str) -> str:
    """Where a program of the server is: Debian keeps them off the PATH."""
    found = sorted(INSTALLED.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    chosen = str(found[-1]) if found else shutil.which(name)
    if chosen is None:
        raise FileNotFoundError(MISSING)
    return chosen


def unprivileged() -> str | None:
    """Who runs the server, which refuses to be root; None: whoever we are."""
    if os.geteuid() != 0:
        return None
    return next(name for name in ("postgres", "nobody") if name in {user.pw_name for user in pwd.getpwall()})


class Server:
    """A running server, and databases on it."""

    def __init__(self, folder: Path, most: int = 60) -> None:
        self.folder = folder
        self.most = most
        self.user = unprivileged()
        self.numbers = itertools.count()
        if self.user:
            shutil.chown(folder, self.user)
        self._run("initdb", "-D", str(folder / "data"), "-U", USER, "--auth=trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self.process = self.begin()

    def begin(self) -> subprocess.Popen[bytes]:
        """Start it, and wait until it answers."""
        log = (self.folder / "log").open("ab")
        command = [program("postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder), "-h", "",
                   "-c", f"max_connections={self.most}"]
        self.process = subprocess.Popen(command, stdout=log, stderr=log, user=self.user, cwd="/")
        for _ in range(300):
            try:
                psycopg.connect(self.address("postgres")).close()
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return self.process
        raise AssertionError((self.folder / "log").read_text())

    def end(self) -> None:
        """Stop it at once, as a power cut of its machine would look to who is connected."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)

    def address(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def make(self, template: str = "template1") -> str:
        """The address of a new database."""
        name = f"t{next(self.numbers)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return self.address(name)

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run([program(name), *arguments], user=self.user, cwd="/", check=True, capture_output=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The session's server."""
    folder = Path(tempfile.mkdtemp(prefix="tally-postgres-"))
    server = Server(folder)
    yield server
    server.end()
    shutil.rmtree(folder)
