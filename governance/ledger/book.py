"""What a store of the ledger is, whatever it is made of: read by everyone, written in turns, one log a month (UTC).

Responsible for choosing the store by its address. Refuses an address of an unknown kind. Stores know nothing of keys or signatures: who
signs a checkpoint is `governance.ledger.checkpoint`, what they must never do is held by one test suite over all of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from feature_repo.errors import LedgerError
from governance.ledger.entries import Record
from governance.ledger.tree import Tile

ORIGIN = "tallystick.local"
Clock = Callable[[], datetime]
Place = tuple[int, int]
Column = Literal["id", "idempotency_key"]


class Wanted(NamedTuple):
    """The ids and idempotency keys that are to be given in a turn."""

    ids: Sequence[str]
    keys: Sequence[str]


NOTHING = Wanted((), ())


class Turn(Protocol):
    """The right to write, held alone: what is put is durable when the turn ends, or none of it is.

    period: the newest one, which a clock set back does not leave for an older; size: how many entries it holds.
    """

    @property
    def period(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def at(self) -> datetime: ...

    @property
    def ids(self) -> set[str]:
        """Those of the wanted ids that are taken in this period."""

    @property
    def holders(self) -> dict[str, Record]:
        """Who holds the wanted idempotency keys in this period or the one before: a key outlives a month's turn."""

    def put(self, records: Sequence[Record]) -> None: ...


class Book(Protocol):
    """A portfolio's logs. log: what the origin of each begins with. Everything raises LedgerError where the store does not answer."""

    log: str

    def periods(self) -> list[str]:
        """The months there are, oldest first."""

    def records(self, kinds: Collection[str] | None = None, *, since: str = "", until: str = "") -> Iterator[Record]:
        """In the order recorded, over all periods. since, until: bounds of `recorded_at` as it is written there, [since, until)."""

    def events(self) -> Iterator[Record]:
        """Everything that is not a decision, by an index."""

    def find(self, column: Column, value: str, periods: int = 0) -> Record | None:
        """The entry with this id or key in the newest `periods` (0: in all), the newest first; None where there is none."""

    def size(self, period: str) -> int:
        """How many entries the period holds."""

    def within(self, period: str, start: int = 0, stop: int | None = None) -> Iterator[Record]:
        """The entries numbered `start` + 1 to `stop`, in order of their numbers; None: to the end."""

    def leaves(self, period: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The leaves of these entries, without what is beside them."""

    def full(self, period: str) -> int:
        """How many full tiles of leaves are kept."""

    def nodes(self, period: str, wanted: Collection[Place]) -> dict[Place, bytes]:
        """The hashes of tiles, by level and number; fewer than 256, and no nodes above them, where one is not full yet."""

    def tiles(self, period: str, level: int, stop: int) -> Iterator[Tile]:
        """Those of a level that are kept with a number below `stop`, in order."""

    def checkpoints(self, period: str) -> Iterator[tuple[int, str]]:
        """(size, signed note) of every checkpoint, oldest first."""

    def newest(self, period: str) -> tuple[int, str]:
        """The newest of them; (0, "") where there is none."""

    def keep(self, period: str, tiles: Sequence[Tile], checkpoint: tuple[int, str]) -> bool:
        """Add tiles and the checkpoint they lead to, for good; False where another process was there first."""

    def erase(self, period: str, ids: Collection[str]) -> None:
        """Destroy salt and payload of decisions so that their bytes are gone. What else is in them stays."""

    def turn(self, now: Clock, wanted: Wanted = NOTHING) -> AbstractContextManager[Turn]:
        """Wait to be the only writer. What `now` says is asked then; a month that has not begun is begun."""

    def close(self) -> None: ...


def moment() -> datetime:
    return datetime.now(UTC)


def open_book(folder: Path, address: str | None = None) -> Book:
    """The ledger of the portfolio that `folder`'s parent is named after.

    address: of a PostgreSQL server ("postgresql://..."); none: SQLite files in `folder`. What a log's origin begins with is
    TALLY_LOG_ORIGIN, to be set once, before the first entry. Nothing is opened or made before it is needed.
    """
    log = f"{os.environ.get('TALLY_LOG_ORIGIN') or ORIGIN}/{folder.parent.name}"
    if not address:
        from governance.ledger.embedded import Embedded  # noqa: PLC0415 - a store imports this module

        return Embedded(folder, log)
    if not address.startswith(("postgresql://", "postgres://")):
        raise LedgerError("TALLY_LEDGER names no store that is known; it is postgresql://user@host/database, or not set: SQLite")
    from governance.ledger.postgres import Postgres  # noqa: PLC0415 - a store imports this module, and few need this one

    return Postgres(address, log)
