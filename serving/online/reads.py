"""Reading stored features from an event loop: in time or not at all, and no other request waits for it.

Responsible for the choice of store (`TALLY_FEATURES`), for the deadline of a read, waiting for a place included, and for counting what
became of it. Reads SQLite where the loop runs, since that takes less than handing it to a thread; reads Redis in a few threads that are
never more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import TypeVar

from feature_repo.errors import FeatureError
from feature_repo.portfolio import Portfolio
from serving.metrics import Metrics
from serving.online.breaker import Guarded
from serving.online.redis import RedisFeatures
from serving.online.sqlite import SqliteFeatures
from serving.online.store import NotAsked, OnlineStore, Unreachable, Vector
from serving.settings import Settings

THREADS = 4
Result = TypeVar("Result")


class Read(StrEnum):
    """What became of a read. A decision's record says `read` or `unreachable`."""

    READ = "read"
    UNREACHABLE = "unreachable"
    NOT_ASKED = "not asked"


class Reads:
    """The stored features of one worker. threads: 0 where the loop itself reads."""

    def __init__(self, store: OnlineStore, metrics: Metrics, patience: float, threads: int) -> None:
        self._store, self._metrics, self._patience = store, metrics, patience
        self._pool = ThreadPoolExecutor(threads, "features") if threads else None

    async def many(self, applicants: Sequence[str]) -> list[Vector] | None:
        """The values of each applicant; None where the store cannot be read: what follows from that is each column's policy."""
        try:
            found = await self._soon(lambda: self._store.read_many(applicants))
        except FeatureError as error:
            self._metrics.features(Read.NOT_ASKED if isinstance(error, NotAsked) else Read.UNREACHABLE)
            return None
        self._metrics.features(Read.READ)
        return found

    async def probe(self) -> None:
        """Raise FeatureError unless a decision could read its values now."""
        await self._soon(self._store.probe)

    def close(self) -> None:
        if self._pool:
            self._pool.shutdown()
        self._store.close()

    async def _soon(self, ask: Callable[[], Result]) -> Result:
        if self._pool is None:
            return ask()
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.get_running_loop().run_in_executor(self._pool, ask)
        except TimeoutError:
            raise Unreachable(f"the online store did not answer within {self._patience:g} seconds") from None


def reads(settings: Settings, portfolio: Portfolio, metrics: Metrics) -> Reads:
    """The store a service is set to; asks nothing yet. Raises ServiceError where the setting cannot be understood."""
    patience = settings.features_patience
    if settings.features:
        store = RedisFeatures(settings.features, portfolio, patience)
        return Reads(Guarded(store, metrics.circuit), metrics, patience, THREADS)
    return Reads(SqliteFeatures(settings.folder / "feast" / "online.db", portfolio, patience), metrics, patience, 0)
