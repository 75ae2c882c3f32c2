"""Servers of others over the same booster, each doing the bare prediction: `mlflow models serve`, a BentoML method, FastAPI under uvicorn.

All run on the product's own locked packages, with as many workers as ours and one thread of XGBoost each, on the loopback.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
from scored import Scored

HERE = Path(__file__).resolve().parent
MLFLOW, BENTOML, FASTAPI = "mlflow models serve", "BentoML method", "FastAPI, uvicorn"
Rows = list[list[float | None]]


@dataclass(frozen=True)
class Peer:
    """A running server. path: where it scores; body: of a row; pd: the probability in its answer."""

    port: int
    path: str
    body: Callable[[list[float | None]], dict[str, Any]]
    pd: Callable[[Any], float]


@contextlib.contextmanager
def running(folder: Path, model: Scored, workers: int) -> Iterator[dict[str, Peer]]:
    """All three, until it is left."""
    folder.mkdir(parents=True)
    model.booster.save_model(folder / "model.ubj")
    save_for_mlflow(folder / "mlflow", model)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # mlflow starts uvicorn by name
    environment = {**os.environ, "PATH": path, "MODEL": str(folder / "model.ubj"), "PEER_WORKERS": str(workers), "OMP_NUM_THREADS": "1",
                   "BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true",
                   "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    columns = columns_of(model)
    with contextlib.ExitStack() as stack:
        ports = stack.enter_context(_free(3))

        def start(name: str, *command: str) -> None:
            stack.enter_context(_process([sys.executable, "-m", *command], environment, folder / f"{name}.log"))

        start("mlflow", "mlflow", "models", "serve", "-m", str(folder / "mlflow"), "--env-manager", "local", "--host", "127.0.0.1",
              "--port", str(ports[0]), "--workers", str(workers))
        start("bento", "bentoml", "serve", "bento_peer:Peer", "--working-dir", str(HERE), "--host", "127.0.0.1", "--port", str(ports[1]))
        start("fastapi", "uvicorn", "fastapi_peer:app", "--app-dir", str(HERE), "--host", "127.0.0.1", "--port", str(ports[2]), "--workers",
              str(workers), "--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools")
        peers = {MLFLOW: Peer(ports[0], "/invocations", lambda row: {"dataframe_split": {"columns": columns, "data": [row]}},
                              lambda said: said["predictions"][0]),
                 BENTOML: Peer(ports[1], "/score", lambda row: {"row": row}, float),
                 FASTAPI: Peer(ports[2], "/score", lambda row: {"row": row}, lambda said: said["pd"])}
        for peer in peers.values():
            _wait(peer, [0.0] * len(columns))
        yield peers


def rows(found: np.ndarray) -> Rows:
    """As JSON has them."""
    return [[None if np.isnan(value) else float(value) for value in row] for row in found]


def save_for_mlflow(folder: Path, model: Scored) -> None:
    """The booster as mlflow's own flavour keeps it, with a signature."""
    import mlflow
    from mlflow.models import infer_signature

    frame = pd.DataFrame(model.rows(100), columns=columns_of(model))
    signature = infer_signature(frame, model.booster.inplace_predict(frame.to_numpy()))
    mlflow.xgboost.save_model(model.booster, folder, model_format="ubj", pip_requirements=["xgboost"], signature=signature)


def columns_of(model: Scored) -> list[str]:
    """Names of finished model rows' columns."""
    return [f"f{place}" for place in range(len(model.scorer.portfolio.inputs))]


def _wait(peer: Peer, row: list[float | None]) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.TransportError):
            httpx.post(f"http://127.0.0.1:{peer.port}{peer.path}", json=peer.body(row), timeout=30).raise_for_status()
            return
        time.sleep(0.2)
    raise TimeoutError(f"nothing answers at {peer.path}")


@contextlib.contextmanager
def _process(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("ab") as said, subprocess.Popen(command, env=environment, stdout=said, stderr=said, cwd=HERE) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def _free(count: int) -> Iterator[list[int]]:
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        found = [int(probe.getsockname()[1]) for probe in probes]
    yield found


def answer(peer: Peer, row: list[float | None]) -> float:
    """The probability it gives a row."""
    found = httpx.post(f"http://127.0.0.1:{peer.port}{peer.path}", content=json.dumps(peer.body(row)), timeout=30,
                       headers={"Content-Type": "application/json"})
    found.raise_for_status()
    return peer.pd(found.json())
