"""Whether a live ledger is whole: every entry is what was recorded, in its place, under every checkpoint that was ever signed.

Trusts the public key of the log and nothing of the store. Names the period and the first entry that does not hold, never its content.
What it cannot know it says: how many of the newest entries no checkpoint covers yet. Changes nothing; constant memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import chain, islice

import msgspec

from feature_repo.errors import LedgerError
from governance.ledger import checkpoint
from governance.ledger.book import Book
from governance.ledger.checkpoint import Checkpoint, Verifier
from governance.ledger.entries import OF_PEOPLE, SALT_BYTES, Record
from governance.ledger.tree import TILE, TILE_LEVELS, Growth, Tile, digests, leaf_hash
from governance.ledger.wholeness import Before, Told, Whole, must_agree, must_begin, require_all

ERASURE = "person-erased"
CHUNK = 16 * TILE
LEVELS = 6


def verify(book: Book, trusted: Verifier, noted: Sequence[Checkpoint] = (), *, told: Told = lambda _: None) -> list[Whole]:
    """Prove a whole ledger. noted: checkpoints kept elsewhere, which it must still begin with; told: hears how many entries were looked at.

    Raises LedgerError naming the period and the first entry that does not hold.
    """
    if book.log != trusted.name:
        raise LedgerError(f"the key is of the logs of {trusted.name}, these are those of {book.log}")
    found: list[Whole] = []
    erased = Erasures(book)
    for period in book.periods():
        before = (found[-1].origin, found[-1].size, found[-1].root) if found else None
        found.append(Examination(book, period, trusted, noted).run(before, erased, told))
    require_all(noted, {one.origin for one in found})
    return found


class Erasures:
    """Which decisions the record says were erased; read again where one is met that it does not name yet."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._known = self._read()

    def __contains__(self, name: str) -> bool:
        if name not in self._known:
            self._known = self._read()
        return name in self._known

    def _read(self) -> set[str]:
        return {each for record in self._book.records({ERASURE}) for each in msgspec.json.decode(record.body)["entries"]}


class Examination:
    """One period, from its first entry to its last, past every checkpoint and tile that was kept of it."""

    def __init__(self, book: Book, period: str, trusted: Verifier, noted: Sequence[Checkpoint]) -> None:
        self.period = period
        self.origin = f"{book.log}/{period}"
        self._book = book
        self._trusted = trusted
        self._noted = sorted((one for one in noted if one.origin == self.origin), key=lambda one: one.size)
        self._covered = book.newest(period)[0]
        self._growth = Growth()
        self._erased = 0

    def run(self, before: Before, erased: Erasures, told: Told) -> Whole:
        tiles = [self._book.tiles(self.period, level, self._covered >> (level + 1) * TILE_LEVELS) for level in range(LEVELS)]
        first = next(self._book.within(self.period, 0, 1), None)
        must_begin((first.kind, first.id, first.body) if first else ("", "", b""), self.origin, before)
        records, since = self._book.within(self.period), 0
        for stop in chain(self._stops(), [None]):
            while chunk := list(islice(records, min(CHUNK, stop.size - self._growth.size) if stop else CHUNK)):
                self._growth.extend([self._hash(record, number, erased) for number, record in enumerate(chunk, self._growth.size + 1)])
                self._compare(tiles)
                told(len(chunk))
            if stop:
                must_agree(stop, self._growth, since)
                since = stop.size
        if any(next(each, None) for each in tiles):
            raise LedgerError(f"{self.period}: it keeps tiles that no entries lead to")
        return Whole(self.period, self.origin, self._growth.size, self._growth.root, self._covered, self._erased)

    def _stops(self) -> Iterator[Checkpoint]:
        """Every checkpoint the period must pass, in order."""
        return heapq.merge(self._kept(), self._noted, key=lambda one: one.size)

    def _kept(self) -> Iterator[Checkpoint]:
        for size, note in self._book.checkpoints(self.period):
            if size > self._covered:  # written since we began
                return
            try:
                found = checkpoint.read(note.encode(), self._trusted)
            except LedgerError as error:
                raise LedgerError(f"{self.period}, the checkpoint of {size} entries: {error}") from None
            if (found.origin, found.size) != (self.origin, size):
                raise LedgerError(f"{self.period}, the checkpoint of {size} entries: it is another one's")
            yield found

    def _hash(self, record: Record, number: int, erased: Erasures) -> bytes:
        """The hash of a record's leaf, once its content is shown to be what it commits to."""
        if record.seq != number:
            raise LedgerError(f"{self.period}, entry {number}: it is missing or out of its place")
        if record.erased:
            self._erased += 1
            holds = not (record.body or record.idempotency_key or record.request_digest) and record.kind in OF_PEOPLE
            if not (holds and record.id in erased):
                raise LedgerError(f"{self.period}, entry {number}: its content is gone, and no erasure of it was recorded")
        elif not committed(record):
            raise LedgerError(f"{self.period}, entry {number}: it is not what was recorded")
        return leaf_hash(record.leaf)

    def _compare(self, kept: Sequence[Iterator[Tile]]) -> None:
        """Show that the tiles that were kept are those of the entries."""
        for tile in self._growth.tiles:
            found = next(kept[tile.level], None)
            if found is not None and found != tile:
                pairs = zip(digests(found.hashes), digests(tile.hashes), strict=False)
                first = next((place for place, (one, other) in enumerate(pairs) if one != other), 0) % TILE
                number = ((tile.number * TILE + first) << tile.level * TILE_LEVELS) + 1
                raise LedgerError(f"{self.period}, entry {number}: it, or what was kept of it, is not what was recorded")
            if found is None and (tile.number + 1) << (tile.level + 1) * TILE_LEVELS <= self._covered:
                raise LedgerError(f"{self.period}: a tile of its entries is missing")
        self._growth.tiles.clear()


def committed(record: Record) -> bool:
    """Whether a record's content is what it commits to, column by column."""
    texts = (record.idempotency_key, record.request_digest)
    return (len(record.salt) == SALT_BYTES and "" not in texts and not any("\t" in text for text in texts if text)
            and record.leaf.count(b"\t") == 3 and sha256(record.salt + record.payload).digest() == record.commitment)
