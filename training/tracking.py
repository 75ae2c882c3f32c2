"""Runs and the registry: everything that is said to MLflow, and nothing that is not.

Idempotent by release id: a release that is registered already gets its alias back, a signature where it had none, and nothing else. An
experiment gets a version and no alias: what is tried does not move what is proposed. Address: MLFLOW_TRACKING_URI, else an embedded SQLite
store under `var/mlflow`, which `make demo` serves as a UI.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")

import mlflow
import pandas as pd
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.types import ColSpec, Schema
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from tqdm import tqdm

from feature_repo.errors import ServiceError
from feature_repo.portfolio import Portfolio
from governance.release import Release
from training.origin import home
from training.search import Trial

logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it raises what it logs, and a stage says that in one line
CHALLENGER = "challenger"
CHAMPION = "champion"
TRIAL = "trial"
MOST_RUNS = 50_000  # MLflow's own limit of a page
CODE = ("feature_repo", "governance", "serving")
INSIDE = "artifacts"  # of a logged model, where MLflow keeps what came with it
SIGNATURE = "release.sig"
ANSWER = Schema([ColSpec("double", "pd"), ColSpec("long", "score"), ColSpec("string", "band"), ColSpec("string", "outcome")])
REQUIREMENTS = ("mlflow", "msgspec", "numba", "numpy", "pandas")


@dataclass(frozen=True)
class Card:
    """Where a release is in the registry."""

    release_id: str
    model: str
    version: str
    run_id: str


@dataclass(frozen=True)
class Evidence:
    """What a run shows of a release: numbers, settings, labels, pictures and one example to try.

    experiment: the DVC experiment that made it, or None; trials: of the search before it; signature: of the release, where somebody signed.
    """

    measures: Mapping[str, float]
    params: Mapping[str, Any]
    tags: Mapping[str, str]
    pictures: Mapping[str, Any]
    example: pd.DataFrame
    experiment: str | None = None
    trials: Sequence[Trial] = ()
    signature: bytes | None = None


def embedded() -> str:
    """The address of the store that needs no server."""
    return f"sqlite:///{home() / 'mlflow' / 'mlflow.db'}"


@contextmanager
def alone(name: str) -> Iterator[None]:
    """One process of this checkout at a time; a lock that ends with its holder, however that ends."""
    folder = home() / "mlflow"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_store() -> None:
    """The embedded store, unless it is there: made aside and then named, since one cut off in the making would never open again."""
    store, draft = (home() / "mlflow" / name for name in ("mlflow.db", "mlflow.db.draft"))
    if store.exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: PLC0415 - slow, and needed once in a checkout's life

    with alone("store"):
        if not store.exists():
            draft.unlink(missing_ok=True)
            SqlAlchemyStore(f"sqlite:///{draft}", (store.parent / "artifacts").as_uri()).engine.dispose()
            draft.rename(store)


@contextmanager
def connected() -> Iterator[mlflow.MlflowClient]:
    """A client of the tracking server or the embedded store. Raises ServiceError with the address where it does not answer."""
    chosen = os.environ.get("MLFLOW_TRACKING_URI")
    address = chosen or embedded()
    try:
        if not chosen:
            make_store()
        mlflow.set_tracking_uri(address)  # sets the environment variable too, so it is put back below
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            yield mlflow.MlflowClient()
    except MlflowException as error:
        said = f"MLflow at {address}: {str(error).splitlines()[0]} Start it (make mlflow), or unset MLFLOW_TRACKING_URI"
        raise ServiceError(_without_login(said, address)) from error
    finally:
        mlflow.set_tracking_uri(chosen)
        with suppress(OSError):  # the embedded store makes an empty folder for an experiment nobody uses
            Path("mlruns").rmdir()


def register(portfolio: Portfolio, release: Release, evidence: Evidence) -> Card:
    """Find the release in the registry or put it there, then let the alias `challenger` name its version; not so in an experiment."""
    with alone("register"), connected() as client:
        known = find(client, portfolio.name, release.id)
        found = known or _add(client, portfolio, release, evidence)
        _sign(client, found, evidence.signature)
        if evidence.experiment is None:
            client.set_registered_model_alias(portfolio.name, CHALLENGER, found.version)
        if known:
            _clear(client, known, evidence.tags)
        add_trials(client, found, evidence.trials)
    return found


def add_trials(client: mlflow.MlflowClient, of: Card, trials: Sequence[Trial]) -> None:
    """Child runs of a registered run, those that are there already left as they are, and one that was cut off written anew."""
    if not trials:
        return
    experiment = client.get_run(of.run_id).info.experiment_id
    children = client.search_runs([experiment], f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{of.run_id}'", max_results=MOST_RUNS)
    for run in children:
        if run.info.status == "RUNNING":
            client.delete_run(run.info.run_id)
    there = {run.data.tags.get(TRIAL) for run in children if run.info.status != "RUNNING"}
    for trial in tqdm(trials, desc="trials", unit="run", leave=False, disable=None):
        if str(trial.number) not in there:
            _add_trial(client, experiment, of.run_id, trial)


def _add_trial(client: mlflow.MlflowClient, experiment: str, parent: str, trial: Trial) -> None:
    tags = {MLFLOW_PARENT_RUN_ID: parent, TRIAL: str(trial.number), "state": trial.state}
    run = client.create_run(experiment, tags=tags, run_name=f"trial {trial.number}").info.run_id
    now = int(time.time() * 1000)
    metrics = [] if trial.log_loss is None else [Metric("log_loss", trial.log_loss, now, 0)]
    client.log_batch(run, metrics=metrics, params=[Param(name, value) for name, value in trial.settings.items()])
    client.set_terminated(run, "FINISHED" if trial.state == "complete" else "KILLED")


def find(client: mlflow.MlflowClient, model: str, release_id: str) -> Card | None:
    """The registered version that carries a release, if there is one."""
    versions = client.search_model_versions(f"name = '{model}' and tags.release_id = '{release_id}'")
    return Card(release_id, model, str(versions[0].version), versions[0].run_id) if versions else None


def card(model: str, *, version: str | None = None, alias: str = CHAMPION) -> Card:
    """Where a version is, by its number or else by an alias. Raises ServiceError for one that the stage register did not make."""
    with connected() as client:
        found = client.get_model_version(model, version) if version else client.get_model_version_by_alias(model, alias)
    if "release_id" not in found.tags:
        raise ServiceError(f"version {found.version} of {model} carries no release; only versions of the stage register can serve")
    return Card(found.tags["release_id"], model, str(found.version), found.run_id)


def alias(model: str, name: str) -> str | None:
    """The version an alias names; None where it names none, or nothing is registered yet."""
    with connected() as client:
        known = client.search_registered_models(f"name = '{model}'")
        return next((str(each.aliases[name]) for each in known if name in each.aliases), None)


def let_alias_be(model: str, name: str, version: str | None) -> None:
    """Let an alias name a version; None: nothing."""
    with connected() as client:
        if version is None:
            client.delete_registered_model_alias(model, name)
        else:
            client.set_registered_model_alias(model, name, version)


def let_champion_be(of: Card) -> None:
    """Let the alias `champion` name a version."""
    let_alias_be(of.model, CHAMPION, of.version)


def fetch(of: Card, into: Path) -> Path:
    """Download a version's release into a folder, its signature beside it as `release.sig` where it has one.

    The caller verifies both before use; nothing of them is interpreted here.
    """
    with connected():
        artefacts = f"models:/{of.model}/{of.version}/{INSIDE}"
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=artefacts, dst_path=str(into))) / "release"


def signature(of: Card) -> bytes | None:
    """The signature of a registered release, unverified; None where it has none."""
    with connected(), TemporaryDirectory() as folder:
        if not _is_signed(of):
            return None
        artefact = f"models:/{of.model}/{of.version}/{INSIDE}/{SIGNATURE}"
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=artefact, dst_path=folder)).read_bytes()


def _is_signed(of: Card) -> bool:
    there = mlflow.artifacts.list_artifacts(artifact_uri=f"models:/{of.model}/{of.version}/{INSIDE}")
    return any(Path(each.path).name == SIGNATURE for each in there)


def _sign(client: mlflow.MlflowClient, of: Card, signed: bytes | None) -> None:
    """Put a signature beside a release that has none; whoever signed first stays its author."""
    if signed and not _is_signed(of):
        model_id = str(client.get_model_version(of.model, of.version).source).removeprefix("models:/")
        with TemporaryDirectory() as folder:
            (Path(folder) / SIGNATURE).write_bytes(signed)
            client.log_model_artifact(model_id, str(Path(folder) / SIGNATURE), INSIDE)


def _clear(client: mlflow.MlflowClient, known: Card, tags: Mapping[str, str]) -> None:
    """A release first made from uncommitted changes, and made again byte for byte from a commit, is that commit's."""
    was = client.get_model_version(known.model, known.version).tags
    if was.get("git.dirty") == "true" and tags.get("git.dirty") == "false":
        for name in ("git.commit", "git.dirty"):
            client.set_model_version_tag(known.model, known.version, name, tags[name])


def _add(client: mlflow.MlflowClient, portfolio: Portfolio, release: Release, evidence: Evidence) -> Card:
    """A run, its model, and then the version, which is there with its release id or not at all."""
    experiment = _experiment(client, portfolio.name)
    _discard_unfinished(client, experiment, release)
    tags = {"release_id": release.id, **evidence.tags}
    name = evidence.experiment or f"{release.manifest.model} {release.id[:12]}"
    with mlflow.start_run(experiment_id=experiment, tags=tags, run_name=name) as run:
        mlflow.log_params(dict(evidence.params))
        mlflow.log_metrics(dict(evidence.measures))
        for name, picture in evidence.pictures.items():
            mlflow.log_figure(picture, f"plots/{name}.png")
        logged = _log_model(release, evidence.example)
    version = mlflow.register_model(logged.model_uri, portfolio.name, tags=tags)
    return Card(release.id, portfolio.name, str(version.version), run.info.run_id)


def _discard_unfinished(client: mlflow.MlflowClient, experiment: str, release: Release) -> None:
    """Runs of this release that have no version: a register was cut off. Their models go too; MLflow keeps deleted runs to be restored."""
    for run in client.search_runs([experiment], f"tags.release_id = '{release.id}'"):
        for model in client.search_logged_models([experiment], f"source_run_id = '{run.info.run_id}'"):
            client.delete_logged_model(model.model_id)
        client.delete_run(run.info.run_id)


def _log_model(release: Release, example: pd.DataFrame) -> Any:
    return mlflow.pyfunc.log_model(
        name="model", python_model=str(Path(__file__).with_name("registered.py")), artifacts={"release": str(release.path)},
        code_paths=[str(Path(__file__).parents[1] / package) for package in CODE], input_example=example,
        signature=mlflow.models.ModelSignature(mlflow.models.infer_signature(example).inputs, ANSWER),
        pip_requirements=[f"{name}=={metadata.version(name)}" for name in REQUIREMENTS],
        metadata={"release_id": release.id, "interface_hash": release.manifest.interface_hash},
    )


def _without_login(text: str, address: str) -> str:
    """A text without the user and password that an address in it may hold."""
    login, at, _ = urlsplit(address).netloc.rpartition("@")
    return text.replace(login + at, "") if login else text


def _experiment(client: mlflow.MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found:
        return str(found.experiment_id)
    location = (home() / "mlflow" / "artifacts" / name).as_uri() if mlflow.get_tracking_uri() == embedded() else None
    return str(client.create_experiment(name, artifact_location=location))
