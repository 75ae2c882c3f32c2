"""What people and schedules do with a checkout, one function a verb. Each is harmless to repeat."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pandas as pd

from feature_repo.errors import DataError, ServiceError
from governance import release
from governance.release import Release
from serving import champion
from serving.scoring import decision
from tally import processes, repair, servers
from tally.checkout import Checkout, here

if TYPE_CHECKING:
    from training.tracking import Card

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
    """Bring the online store up to date; unchanged tables are not written again."""
    checkout = checkout or here()
    views = checkout.data("featurize", "views")
    stamp, state = checkout.online / "published.sha256", _digest(views)
    if stamp.is_file() and stamp.read_text() == state and (checkout.online / "online.db").is_file():
        return "online store: up to date"
    from feature_repo import store

    stamp.unlink(missing_ok=True)
    written = store.publish(checkout.portfolio, views, checkout.online)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(state)
    return "online store: " + (", ".join(f"{count:,} applicants in {view}" for view, count in written.items()) or "no stored columns")


def promote(version: str | None = None) -> str:
    """Let `champion` name a version and point the service to its release, once that has shown that it scores here.

    A version that does not verify, needs another interface or answers otherwise than when it was made changes nothing.
    """
    from training import tracking

    checkout = here()
    card = tracking.card(checkout.portfolio.name, version=version, alias=tracking.CHALLENGER)
    placed = _fetch(checkout, card)
    tracking.let_champion_be(card)
    release.point(checkout.pointer, placed, model_version=card.version)
    return f"champion of {card.model}: version {card.version}, release {card.release_id[:12]}"


def place(checkout: Checkout | None = None) -> Release:
    """Fetch the champion's release, prove it, and point the service to it."""
    from training import tracking

    checkout = checkout or here()
    card = tracking.card(checkout.portfolio.name)
    placed = _fetch(checkout, card)
    release.point(checkout.pointer, placed, model_version=card.version)
    return placed


def serve(checkout: Checkout | None = None) -> str:
    """Place the champion and start the scoring service, which follows the pointer; the address once it serves that release.

    Where MLflow does not answer, the release placed last is served.
    """
    checkout = checkout or here()
    try:
        placed = place(checkout)
    except ServiceError:
        if not checkout.pointer.is_file():
            raise
        placed = champion.load(checkout.services, checkout.portfolio).release
    server = servers.scoring(checkout.home, checkout.portfolio.name, interface=placed.manifest.interface_hash,
                             business_time=business_time(checkout))
    address = processes.ensure(server, checkout.run)
    _await_release(address, placed, checkout.run / f"{server.name}.log")
    return address


def serve_mlflow(checkout: Checkout | None = None) -> str:
    """The MLflow UI; its address once it answers."""
    from training import tracking

    checkout = checkout or here()
    tracking.make_store()
    return processes.ensure(servers.mlflow(checkout.home), checkout.run)


def monitor() -> str:
    """Bring the three reports up to date and serve them."""
    pipeline("drift", "performance", "fairness")
    return serve_reports()


def serve_reports(checkout: Checkout | None = None) -> str:
    """The reports as pages, with an index of what there is; the address once it answers."""
    from tally import pages

    checkout = checkout or here()
    pages.write_index(checkout.reports)
    return processes.ensure(servers.reports(checkout.reports), checkout.run)


def stop() -> str:
    """End the servers this checkout started, and nothing else."""
    run = here().run
    stopped = [name for name in processes.running(run) if processes.stop(run, name)]
    return f"stopped: {', '.join(stopped)}" if stopped else "nothing was running"


def business_time(checkout: Checkout) -> str | None:
    """The moment a service on simulated data lives in: its last application. None where the clock on the wall is right."""
    if not checkout.portfolio.simulator:
        return None
    decided = pd.read_parquet(checkout.data("baseline", "window.parquet"), columns=["decided_at"])["decided_at"]
    return str(decided.max().isoformat())


def _fetch(checkout: Checkout, card: Card) -> Release:
    """Download, place and prove a version's release: verified, of this interface, its golden questions answered alike."""
    from training import tracking

    releases = checkout.services / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=releases, prefix=".fetched-") as folder:
        placed = release.place(tracking.fetch(card, Path(folder)), releases, card.release_id)
    champion.prove(placed, decision.load(placed, checkout.portfolio))
    return placed


def _await_release(address: str, placed: Release, log: Path) -> None:
    for _ in range(SWAPPED_WITHIN):
        answer = httpx.get(f"{address}/v1/release", timeout=5)
        if answer.is_success and answer.json()["release_id"] == placed.id:
            return
        time.sleep(1)
    raise ServiceError(f"the service at {address} does not serve release {placed.id[:12]} after {SWAPPED_WITHIN} s; its log is {log}")


def _digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of a folder's files."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*")):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
