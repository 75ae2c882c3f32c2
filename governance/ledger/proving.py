"""Proofs from a book: the tree of a period as it stands, its next checkpoint, and that an entry or an older tree is in it.

Reads tiles where they are kept and leaves where they are not yet. Refuses to sign a tree that does not begin with the one signed before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from feature_repo.errors import LedgerError
from governance.ledger import checkpoint, tree
from governance.ledger.book import Book
from governance.ledger.checkpoint import Checkpoint, Key, Verifier
from governance.ledger.entries import Record
from governance.ledger.tree import TILE, TILE_LEVELS, Growth, leaf_hash

CHUNK = 64 * TILE
LEVELS = 6


@dataclass(frozen=True)
class Proof:
    """That a record is in a log: its index, the hashes up to the root, and the signed checkpoint that says the root."""

    period: str
    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    def holds(self, record: Record, trusted: Verifier) -> bool:
        """Raises LedgerError where the checkpoint is not one of `trusted`."""
        said = checkpoint.read(self.checkpoint.encode(), trusted)
        return tree.includes(self.hashes, leaf_hash(record.leaf), self.index, said.size, said.root)


class Subtrees:
    """Hashes of leaves [start, end) of a period, from its tiles. places: leaves whose tiles, up to the root, will be needed."""

    def __init__(self, book: Book, period: str, places: Sequence[int]) -> None:
        wanted = {(level, place >> (level + 1) * TILE_LEVELS) for place in places for level in range(LEVELS)}
        self._tiles = book.nodes(period, wanted)

    def __call__(self, start: int, end: int) -> bytes:
        width = end - start
        if width & (width - 1) or start % width:
            middle = start + tree.split(width)
            return tree.node_hash(self(start, middle), self(middle, end))
        level, height = divmod(width.bit_length() - 1, TILE_LEVELS)
        number, place = divmod(start >> level * TILE_LEVELS, TILE)
        return tree.within(self._tiles[level, number], height, place)


def grown(book: Book, period: str, stop: int | None = None) -> Growth:
    """The tree of the first `stop` entries (None: of all), grown from the tiles that are kept."""
    full = book.full(period) if stop is None else min(book.full(period), stop // TILE)

    def partial(level: int) -> list[bytes]:
        there = (full >> (level - 1) * TILE_LEVELS) % TILE
        place = level, full >> level * TILE_LEVELS
        return tree.digests(book.nodes(period, [place])[place])[:there] if there else []

    growth = Growth(full, partial)
    leaves = book.leaves(period, full * TILE, stop)
    while chunk := [leaf_hash(leaf) for leaf in islice(leaves, CHUNK)]:
        growth.extend(chunk)
    return growth


def standing(book: Book, period: str) -> tuple[int, bytes]:
    """Size and root of a period's tree."""
    growth = grown(book, period)
    return growth.size, growth.root


def checkpoint_now(book: Book, key: Key) -> str:
    """Put everything that was recorded under a checkpoint; the newest one there is then, or nothing where no entry is.

    Writes nothing where nothing was appended since. Raises LedgerError where the log no longer begins with what was signed before.
    """
    newest = ""
    for period in reversed(book.periods()):
        size, note = book.newest(period)
        if size >= book.size(period):
            return newest or note
        if size and _signed_root(period, note, key.verifier) != grown(book, period, size).root:
            raise LedgerError(f"{period}: the log no longer begins with the {size} entries of its last checkpoint; run: tally verify")
        growth = grown(book, period)
        fresh = key.sign(Checkpoint(f"{book.log}/{period}", growth.size, growth.root).text)
        if not book.keep(period, growth.tiles, (growth.size, fresh)):
            fresh = book.newest(period)[1]
        newest = newest or fresh
    return newest


def prove(book: Book, record: Record) -> Proof:
    """That a record is in its log, against the newest checkpoint. Raises LedgerError where none covers it yet."""
    size, note = book.newest(record.period)
    if size < record.seq:
        raise LedgerError(f"{record.kind} {record.id} is recorded, but under no checkpoint yet; run: tally checkpoint")
    hashes = tree.inclusion(record.seq - 1, size, Subtrees(book, record.period, [record.seq - 1, size - 1]))
    return Proof(record.period, record.seq - 1, tuple(hashes), note)


def grows(book: Book, period: str, size: int) -> tuple[bytes, ...]:
    """The proof that the newest checkpoint's tree begins with the tree of `size` entries."""
    newest = book.newest(period)[0]
    return tuple(tree.consistency(size, newest, Subtrees(book, period, [max(size - 1, 0), size, newest - 1])))


def _signed_root(period: str, note: str, trusted: Verifier) -> bytes:
    try:
        return checkpoint.read(note.encode(), trusted).root
    except LedgerError as error:
        raise LedgerError(f"{period}: its last checkpoint {error}; run: tally verify") from None
