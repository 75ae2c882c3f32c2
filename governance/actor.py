"""Who says something, and what everything that is said has in common. What is said is in `governance.events`."""

from __future__ import annotations

from typing import Literal

import msgspec


class Actor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who said it.

    how: by their own key; by a token, vouched for by the key of the desk that took it; in the MLflow UI, which names nobody; or as a
    process of the platform itself.

    key: name of the person or process whose key made `signature`, base64, over the event without it; both empty where nobody signed.
    """

    name: str
    how: Literal["key", "token", "mlflow", "process"]
    demo: bool = False
    key: str = ""
    signature: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: said by somebody, at a moment of their own clock (ISO 8601, UTC); when it was recorded is the ledger's."""

    by: Actor
    at: str
