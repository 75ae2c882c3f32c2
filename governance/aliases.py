"""Aliases of MLflow's registry, over its REST interface: which version a name stands for, and letting it stand for another.

Responsible for never waiting long: a server that does not answer within seconds raises ServiceError. Only the watch looks here; a scoring
worker never does. Nobody says who set an alias: MLflow does not know.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import httpx

from feature_repo.errors import ServiceError

API = "/api/2.0/mlflow"
SECONDS = httpx.Timeout(2.0, connect=0.5)
ABSENT = "RESOURCE_DOES_NOT_EXIST"


@dataclass(frozen=True)
class Named:
    """What an alias names: a version, and the release it carries, or empty where the stage register did not make it."""

    version: str
    release_id: str


class Aliases(Protocol):
    """The aliases of one registered model. Everything raises ServiceError where the registry does not answer."""

    def named(self, alias: str) -> Named | None:
        """What an alias names; None where it names nothing."""

    def let(self, alias: str, version: str) -> None:
        """Let an alias name a version."""

    def drop(self, alias: str) -> None:
        """Let an alias name nothing."""


class Rest:
    """The aliases of a registered model on an MLflow server. Credentials are MLflow's own: in the address, or MLFLOW_TRACKING_*."""

    def __init__(self, address: str, model: str) -> None:
        self.address = address.rstrip("/")
        self._model = model
        self._releases: dict[str, str] = {}
        self._client = httpx.Client(base_url=self.address + API, timeout=SECONDS, auth=_login(), headers=_token(), trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def named(self, alias: str) -> Named | None:
        found = self._asked("GET", "/registered-models/alias", params={"name": self._model, "alias": alias})
        if found is None:
            return None
        version = str(found["model_version"]["version"])
        tags = {tag["key"]: tag["value"] for tag in found["model_version"].get("tags", [])}
        return Named(version, str(tags.get("release_id", "")))

    def let(self, alias: str, version: str) -> None:
        if self._asked("POST", "/registered-models/alias", json={"name": self._model, "alias": alias, "version": version}) is None:
            raise ServiceError(f"MLflow has no version {version} of {self._model}")

    def drop(self, alias: str) -> None:
        self._asked("DELETE", "/registered-models/alias", json={"name": self._model, "alias": alias})

    def _asked(self, method: str, path: str, **said: Any) -> dict[str, Any] | None:
        """The answer; None where what was asked for is not there."""
        try:
            answer = self._client.request(method, path, **said)
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ServiceError(f"MLflow at {_shown(self.address)} does not answer ({type(error).__name__})") from None
        if answer.is_success:
            return dict(body)
        if body.get("error_code") == ABSENT or "alias" in str(body.get("message", "")).lower():
            return None
        raise ServiceError(f"MLflow at {_shown(self.address)} answered {answer.status_code}: {str(body.get('message', ''))[:200]}")


def _login() -> tuple[str, str] | None:
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{name}", "") for name in ("USERNAME", "PASSWORD"))
    return (user, password) if user and password else None


def _token() -> dict[str, str]:
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _shown(address: str) -> str:
    """The address without a login in it."""
    login, at, _ = urlsplit(address).netloc.rpartition("@")
    return address.replace(login + at, "") if login else address
