"""What people and schedules do with a checkout, one function a verb. Each is harmless to repeat."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pandas as pd

from feature_repo.errors import DataError, ReleaseError, ServiceError
from governance import release
from governance.release import Release
from tally import processes, repair, servers
from tally.checkout import Checkout, here

SWAPPED_WITHIN = 30


def pipeline(*targets: str) -> None:
    """`dvc repro`, its output shown as it comes. Raises DataError where a stage failed; the stage has said why.

    What a killed run left in DVC's way is put right first.
    """
    for line in repair.before_a_run():
        sys.stderr.write(f"{line}\n")
    if subprocess.run([sys.executable, "-m", "dvc", "repro", *targets], check=False).returncode:
        raise DataError("the pipeline stopped at the stage above; mend what its line says and run again (docs/troubleshooting.md)")


def publish(checkout: Checkout | None = None) -> str:
    """Bring the online store up to date, SQLite or the Redis that TALLY_FEATURES names; tables that are there already stay."""
    checkout = checkout or here()
    views, address = checkout.data("featurize", "views"), os.environ.get("TALLY_FEATURES", "")
    stamp, state = checkout.online / "published.sha256", _digest(views)
    if stamp.is_file() and stamp.read_text() == state and _there(checkout, views, address):
        return "online store: up to date"
    from feature_repo import store

    stamp.unlink(missing_ok=True)
    written = store.publish(checkout.portfolio, views, checkout.online, address)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(state)
    return "online store: " + (", ".join(f"{count:,} applicants in {view}" for view, count in written.items()) or "no stored columns")


def place(checkout: Checkout | None = None) -> Release:
    """Place what the record says serves, proved, and point the service to it. Raises ServiceError where that did not work."""
    from tally import watching

    checkout = checkout or here()
    return watching.place(checkout)


def serve(checkout: Checkout | None = None) -> str:
    """Start the scoring service and the watch it follows; the address once it serves the release that was placed.

    What is placed already needs no registry: a service is started again while MLflow is down.
    """
    checkout = checkout or here()
    placed = _placed(checkout) or place(checkout)
    server = servers.scoring(checkout.home, checkout.portfolio.name, interface=placed.manifest.interface_hash,
                             business_time=business_time(checkout))
    address = processes.ensure(server, checkout.run)
    _await_release(address, checkout.run / f"{server.name}.log")
    processes.ensure(servers.watch(checkout.home, checkout.portfolio.name), checkout.run)
    return address


def serve_mlflow(checkout: Checkout | None = None) -> str:
    """The MLflow UI; its address once it answers."""
    from training import tracking

    checkout = checkout or here()
    tracking.make_store()
    return processes.ensure(servers.mlflow(checkout.home), checkout.run)


def monitor() -> str:
    """Bring the reports and their summary up to date, serve them, and start the dashboard; both addresses."""
    pipeline("drift", "performance", "fairness", "summary")
    return f"reports    {serve_reports()}\ndashboard  {serve_dashboard()}"


def serve_reports(checkout: Checkout | None = None) -> str:
    """The reports as pages, with an index of what there is, issued in the record; the address once it answers."""
    from tally import issuing

    checkout = checkout or here()
    issuing.issue(checkout)
    index(checkout)
    return processes.ensure(servers.reports(checkout.reports), checkout.run)


def serve_dashboard(checkout: Checkout | None = None) -> str:
    """What the reports say along time, in Evidently's interface; the address once it answers."""
    from monitoring import workspace
    from tally import dashboard

    checkout = checkout or here()
    folder = dashboard.put(checkout)
    address = processes.ensure(servers.dashboard(folder, workspace.digest(folder)), checkout.run)
    index(checkout)
    return address


def stop() -> str:
    """End the servers this checkout started, and nothing else."""
    run = here().run
    stopped = [name for name in processes.running(run) if processes.stop(run, name)]
    return f"stopped: {', '.join(stopped)}" if stopped else "nothing was running"


def index(checkout: Checkout) -> None:
    """Write the index of the reports, which links to the dashboard where it runs now."""
    from tally import pages

    pages.write_index(checkout.reports, processes.address(checkout.run, servers.DASHBOARD))


def business_time(checkout: Checkout) -> str | None:
    """The moment a service on simulated data lives in: its last application. None where the clock on the wall is right."""
    if not checkout.portfolio.simulator:
        return None
    decided = pd.read_parquet(checkout.data("baseline", "window.parquet"), columns=["decided_at"])["decided_at"]
    return str(decided.max().isoformat())


def _placed(checkout: Checkout) -> Release | None:
    """The release the pointer names, where it is whole; whether it may serve is each worker's to judge."""
    from tally import placing

    try:
        return release.verify(checkout.services / "releases" / placing.pointed(checkout))
    except (ReleaseError, OSError):
        return None


def _await_release(address: str, log: Path) -> None:
    """Wait until the service serves what is placed. Raises ServiceError with the reason it gives."""
    why = ""
    for _ in range(SWAPPED_WITHIN):
        answer = httpx.get(f"{address}/readyz", timeout=5)
        if answer.is_success:
            return
        why = "; ".join(fault["detail"] for fault in answer.json().get("errors", ()))
        time.sleep(1)
    raise ServiceError(f"the service at {address} is not ready after {SWAPPED_WITHIN} s: {why}; its log is {log}")


def _there(checkout: Checkout, views: Path, address: str) -> bool:
    """Whether the store itself says that it has all of the views: it may have been moved, or emptied."""
    from feature_repo.publishing import complete
    from feature_repo.writers import writer

    with writer(checkout.online / "online.db", address) as online:
        return complete(checkout.portfolio, views, online)


def _digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of a folder's files."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*")):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
