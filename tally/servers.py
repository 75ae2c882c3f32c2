"""Which servers there are: their commands, ports and environments, in one place."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from feature_repo.errors import ServiceError
from tally.processes import Server

DASHBOARD = "dashboard"


def port(variable: str, default: int) -> int:
    """The port a variable names. Raises ServiceError where it is not a port."""
    said = os.environ.get(variable) or str(default)
    if not said.isdecimal() or not 0 < int(said) < 2**16:
        raise ServiceError(f"{variable} is not a port; it takes a number from 1 to 65535")
    return int(said)


def mlflow(home: Path) -> Server:
    """The MLflow UI over the embedded store that `dvc repro` writes."""
    store = home / "mlflow"
    number = port("TALLY_MLFLOW_PORT", 5000)
    command = (sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(number), "--workers", "1",
               "--backend-store-uri", f"sqlite:///{store / 'mlflow.db'}", "--default-artifact-root", (store / "artifacts").as_uri())
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # its jobs are eight processes nobody uses
    return Server("mlflow", command, number, "TALLY_MLFLOW_PORT", "/health", environment=quiet)


def scoring(home: Path, portfolio: str, *, interface: str, business_time: str | None) -> Server:
    """The scoring service of one portfolio. It follows its champion by itself; another interface or business time needs a new process."""
    number = port("TALLY_PORT", 3000)
    command = (sys.executable, "-m", "bentoml", "serve", "serving.service:CreditScoring", "--host", "127.0.0.1", "--port", str(number))
    environment = {"TALLY_PORTFOLIO": portfolio, "TALLY_HOME": str(home), "BENTOML_HOME": str(home / portfolio / "bentoml"),
                   "BENTOML_DO_NOT_TRACK": "True", **({"TALLY_BUSINESS_TIME": business_time} if business_time else {})}
    purpose = f"{portfolio} {interface} {business_time}"
    return Server("scoring", command, number, "TALLY_PORT", "/readyz", purpose=purpose, environment=environment)


def watch(home: Path, portfolio: str) -> Server:
    """The watch over the alias: no port, it shows that it turns by a file it writes again and again."""
    environment = {"TALLY_PORTFOLIO": portfolio, "TALLY_HOME": str(home)}
    return Server("watch", (sys.executable, "-m", "tally", "watch"), 0, "", str(home / portfolio / "watch.prom"), purpose=portfolio,
                  environment=environment)


def desk(home: Path, portfolio: str) -> Server:
    """The record's own API. It is started by `tally desk` alone: it needs a desk's key."""
    environment = {"TALLY_PORTFOLIO": portfolio, "TALLY_HOME": str(home)}
    return Server("desk", (sys.executable, "-m", "tally.desk.server"), port("TALLY_RECORD_PORT", 3100), "TALLY_RECORD_PORT", "/livez",
                  purpose=portfolio, environment=environment)


def reports(folder: Path) -> Server:
    """The reports as static pages."""
    number = port("TALLY_REPORTS_PORT", 8000)
    command = (sys.executable, "-m", "http.server", str(number), "--bind", "127.0.0.1", "--directory", str(folder))
    return Server("reports", command, number, "TALLY_REPORTS_PORT", "/")


def dashboard(folder: Path, shows: str) -> Server:
    """Evidently's interface over a workspace. shows: another where it would show something else, which it learns when it starts."""
    number = port("TALLY_DASHBOARD_PORT", 8001)
    command = (sys.executable, "-m", "tally.dashboard", str(folder), str(number))
    return Server(DASHBOARD, command, number, "TALLY_DASHBOARD_PORT", "/api/version", purpose=shows, environment={"DO_NOT_TRACK": "1"})


def everything(home: Path, portfolio: str, folder: Path) -> tuple[Server, ...]:
    """All that the demonstration starts; what for is not settled yet."""
    return (mlflow(home), scoring(home, portfolio, interface="", business_time=None), watch(home, portfolio), reports(folder))
