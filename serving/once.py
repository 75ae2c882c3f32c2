"""An Idempotency-Key: whose it is, and whether the request it came with is being answered just now.

Responsible for refusing a second request with a key of this worker that is in flight: nobody knows its answer yet, so it is told to come
back. Between workers the ledger's unique key decides, and whoever comes second is given the answer of the first, which is recorded by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from serving.problems import Problem


@dataclass(frozen=True)
class Once:
    """An Idempotency-Key and the request it came with. Keys of single decisions and of batches are apart, and so are those of callers.

    caller: who the gateway says it is; empty where it says nothing and all are one caller. It is recorded as a digest: the key finds an
    answer again, it is no register of callers.
    """

    key: str
    route: str
    caller: str = ""

    def scoped(self, place: int) -> str:
        """The key as it is recorded, for the application at this place of the request."""
        whose = f"@{hashlib.sha256(self.caller.encode()).hexdigest()}" if self.caller else ""
        return f"{self.route}{whose}/{place}/{self.key}"


class InFlight:
    """The keys of one worker whose requests are being answered."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    @contextmanager
    def hold(self, once: Once | None) -> Iterator[None]:
        """Answer a request with this key, alone. Raises Problem where another one is being answered."""
        if once is None:
            yield
            return
        if (key := once.scoped(0)) in self._keys:
            raise Problem("idempotency-in-flight", "a request with this Idempotency-Key is being answered; send it again for that answer")
        self._keys.add(key)
        try:
            yield
        finally:
            self._keys.remove(key)
