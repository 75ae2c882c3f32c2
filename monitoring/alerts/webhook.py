"""Alerts by HTTP: one POST each, signed, with a key by which the receiver drops what it already has.

Responsible for a bounded number of tries with growing pauses. Repeats what may pass by itself (no connection, 408, 429, 5xx), never another
refusal. Follows no redirect; never says the address, which may hold a token, or what was answered.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field

import httpx
import msgspec

from feature_repo.errors import ServiceError
from monitoring.alerts.alert import Alert
from monitoring.alerts.failures import UnreachableError

PAUSES = (0.5, 2.0)  # seconds before the second and the third try
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
PASSING = frozenset({408, 429, *range(500, 600)})


@dataclass(frozen=True)
class Webhook:
    """An address and the secret shared with it."""

    address: str = field(repr=False)
    secret: str = field(repr=False)
    pauses: tuple[float, ...] = PAUSES
    name: str = "webhook"

    def takes(self, _: Alert) -> bool:
        """Every alert."""
        return True

    def send(self, alert: Alert) -> None:
        """Deliver. Raises ServiceError."""
        body = msgspec.json.encode({"id": alert.id, **msgspec.to_builtins(alert)})
        with httpx.Client(timeout=TIMEOUT) as client:
            for pause in (*self.pauses, None):
                said = self._try(client, body, alert.id)
                if said is None:
                    return
                if not said.passing:
                    raise ServiceError(f"the webhook {said.what}")
                if pause is None:
                    raise UnreachableError(f"the webhook {said.what}, {len(self.pauses) + 1} times")
                time.sleep(pause)

    def _try(self, client: httpx.Client, body: bytes, key: str) -> Refusal | None:
        moment = str(int(time.time()))
        headers = {"Content-Type": "application/json", "Idempotency-Key": key,
                   "Tally-Signature": f"t={moment},v1={signature(self.secret, moment, body)}"}
        try:
            status = client.post(self.address, content=body, headers=headers).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Refusal(f"cannot be reached ({type(error).__name__})", passing=isinstance(error, httpx.TransportError))
        return None if 200 <= status < 300 else Refusal(f"answered {status}", passing=status in PASSING)


@dataclass(frozen=True)
class Refusal:
    """Why a try failed. passing: whether another may not."""

    what: str
    passing: bool


def signature(secret: str, moment: str, body: bytes) -> str:
    """HMAC-SHA256 (hex) of the moment, a dot and the body: an old delivery cannot be played again as a new one."""
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
