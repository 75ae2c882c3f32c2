"""Servers of this checkout: started once, found again, and ended by their own process id. Nothing else is ever signalled."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from feature_repo.errors import ServiceError

PATIENCE = 120.0
PAUSE = 0.2


@dataclass(frozen=True)
class Server:
    """How to start a server and how to know that it answers.

    variable: the environment variable that moves its port; purpose: what it was started for, a change restarts it. port 0: it has none,
    and health is not the path of an address but a file that it writes once it works.
    """

    name: str
    command: tuple[str, ...]
    port: int
    variable: str
    health: str
    purpose: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}" if self.port else ""


def ensure(server: Server, run: Path) -> str:
    """Start the server, or keep the one this checkout already runs for the same purpose. Returns its address once it answers.

    Raises ServiceError where the port belongs to somebody else or the server ends before it answers; its log is named.
    """
    launch(server, run)
    log = run / f"{server.name}.log"
    for _ in range(int(PATIENCE / PAUSE)):
        if _record(run, server.name) is None:
            raise ServiceError(f"{server.name} ended before it answered; its log is {log}")
        if _answers(server):
            return server.address
        time.sleep(PAUSE)
    raise ServiceError(f"{server.name} did not answer {server.address}{server.health} within {PATIENCE:.0f} s; its log is {log}")


def launch(server: Server, run: Path) -> None:
    """As `ensure`, without waiting for an answer: for a server that takes its time while other work goes on."""
    record = _record(run, server.name)
    if record and record["purpose"] == server.purpose and record["port"] == server.port:
        return
    if record:
        stop(run, server.name)
    free(server, run)
    if not server.port:
        Path(server.health).unlink(missing_ok=True)
    run.mkdir(parents=True, exist_ok=True)
    with (run / f"{server.name}.log").open("wb") as log:
        process = subprocess.Popen(server.command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                                   env={**os.environ, **server.environment})
    identity = {"pid": process.pid, "started": _started(psutil.Process(process.pid)), "port": server.port, "purpose": server.purpose}
    (run / f"{server.name}.json").write_text(json.dumps(identity))


def stop(run: Path, name: str) -> bool:
    """End the server of that name and its children; False where it was not running."""
    record = _record(run, name)
    if record:
        family = [psutil.Process(record["pid"]), *psutil.Process(record["pid"]).children(recursive=True)]
        family[0].terminate()
        _, alive = psutil.wait_procs(family, timeout=10)
        for process in alive:
            process.kill()
    (run / f"{name}.json").unlink(missing_ok=True)
    return record is not None


def running(run: Path) -> list[str]:
    """Names of the servers this checkout runs."""
    return sorted(path.stem for path in run.glob("*.json") if _record(run, path.stem))


def address(run: Path, name: str) -> str:
    """Where a server of this checkout listens; empty where it does not run, or has no port."""
    record = _record(run, name)
    return f"http://127.0.0.1:{record['port']}" if record and record["port"] else ""


def _record(run: Path, name: str) -> dict[str, Any] | None:
    """What was written when the server was started, if that very process still lives (ids are used again)."""
    path = run / f"{name}.json"
    if not path.is_file():
        return None
    try:
        record: dict[str, Any] = json.loads(path.read_text())
        process = psutil.Process(record["pid"])
        same = abs(_started(process) - record["started"]) < 1
        return record if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.NoSuchProcess, json.JSONDecodeError):  # written half when its writer was killed: nobody's
        return None


def _started(process: psutil.Process) -> float:
    """Seconds from the machine's start to the process's: unlike the time of day, no clock set forward or back changes it."""
    return float(process.create_time() - psutil.boot_time())


def free(server: Server, run: Path) -> None:
    """Raise ServiceError where somebody else listens on the server's port."""
    if server.port and _record(run, server.name) is None and _busy(server.port):
        raise ServiceError(f"port {server.port} is in use by another program; choose another: {server.variable}={server.port + 1}")


def _busy(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(server: Server) -> bool:
    if not server.port:
        return Path(server.health).is_file()
    try:
        return httpx.get(server.address + server.health, timeout=2).is_success
    except httpx.HTTPError:
        return False
