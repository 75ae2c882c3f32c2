"""Proofs from a book: the tree of a period as it stands, and that an entry or an older tree is in it.

Reads tiles where they are kept and leaves where they are not yet. Responsible for nothing that is written.
"""

from __future__ import annotations

from itertools import islice

from governance.ledger.book import Book
from governance.ledger.tree import TILE, TILE_LEVELS, Growth, leaf_hash

CHUNK = 64 * TILE


def grown(book: Book, period: str, stop: int | None = None) -> Growth:
    """The tree of the first `stop` entries (None: of all), grown from the tiles that are kept."""
    full = book.full(period) if stop is None else min(book.full(period), stop // TILE)
    growth = Growth(full, lambda level: book.tile(period, level, full >> level * TILE_LEVELS)[: (full >> (level - 1) * TILE_LEVELS) % TILE])
    leaves = book.leaves(period, full * TILE, stop)
    while chunk := [leaf_hash(leaf) for leaf in islice(leaves, CHUNK)]:
        growth.extend(chunk)
    return growth


def standing(book: Book, period: str) -> tuple[int, bytes]:
    """Size and root of a period's tree."""
    growth = grown(book, period)
    return growth.size, growth.root
