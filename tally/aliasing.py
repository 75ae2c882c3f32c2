"""The registry's aliases, for the watch and the command: by REST where a server is named, else in the embedded store.

Responsible for the alias `shadow` naming what the record says, or nothing: whoever sets it otherwise asks for nothing by that, and it is
set back. Decides nothing of `champion`: that is `governance.watch`.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from feature_repo.errors import ServiceError
from governance.aliases import Aliases, Named, Rest
from governance.events import SHADOW
from governance.standing import Standing


class Embedded:
    """The aliases of the store that needs no server, through MLflow's own library."""

    def __init__(self, model: str) -> None:
        self._model = model

    def named(self, alias: str) -> Named | None:
        from training import tracking

        version = tracking.alias(self._model, alias)
        if version is None:
            return None
        try:
            return Named(version, tracking.card(self._model, version=version).release_id)
        except ServiceError:
            return Named(version, "")

    def let(self, alias: str, version: str) -> None:
        from training import tracking

        tracking.let_alias_be(self._model, alias, version)

    def drop(self, alias: str) -> None:
        from training import tracking

        tracking.let_alias_be(self._model, alias, None)


def aliases(model: str) -> Aliases:
    """By REST where a server is named, else in the embedded store, which the server of a checkout only serves."""
    address = os.environ.get("MLFLOW_TRACKING_URI", "")
    return Rest(address, model) if urlsplit(address).scheme in {"http", "https"} else Embedded(model)


def mirror(standing: Standing, registry: Aliases) -> None:
    """Let the alias `shadow` show the record, once it ever had one. Raises ServiceError where the registry does not answer."""
    if not any(one.alias == SHADOW for one in standing.promotions):
        return
    due, named = standing.serving(SHADOW), registry.named(SHADOW)
    if due and (named is None or named.version != due.promotion.version):
        registry.let(SHADOW, due.promotion.version)
    elif named and not due:
        registry.drop(SHADOW)
