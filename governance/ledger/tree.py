"""The Merkle tree of RFC 6962 (and 9162, section 2.1): hashes of leaves and nodes, roots, and proofs, made and checked.

Pure: it knows neither a store nor an entry. A tree of any size is grown in constant memory; on the way it gives tiles, 256 hashes of
one level each (as in C2SP tlog-tiles), which are what a store keeps so that a proof reads a few kilobytes instead of the whole log.
Refuses a proof that is too long, too short or of a place the tree does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

TILE = 256
TILE_LEVELS = 8
WHOLE = (2 * TILE - 2) * 32
EMPTY = sha256().digest()
Subtree = Callable[[int, int], bytes]


@dataclass(frozen=True)
class Tile:
    """256 hashes of neighbouring subtrees of 256^level leaves each, and the hash of all of them. number: its place in its level.

    hashes: those 256, then the nodes above them, row by row up to the two below the root, so that a proof need not compute them.
    """

    level: int
    number: int
    root: bytes
    hashes: bytes


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over the hashes of leaves, or of equal full subtrees of which the last may be smaller."""
    if not hashes:
        return EMPTY
    row = list(hashes)
    while len(row) > 1:
        row = above(row)
    return row[0]


def above(row: list[bytes]) -> list[bytes]:
    """The nodes over a row of hashes; an odd one at its end rises as it is."""
    odd = row[-1:] if len(row) % 2 else []
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)] + odd


def tile(level: int, number: int, hashes: list[bytes]) -> Tile:
    """A full tile."""
    rows = [hashes]
    while len(rows[-1]) > 2:
        rows.append(above(rows[-1]))
    return Tile(level, number, node_hash(*rows[-1]), b"".join(b"".join(row) for row in rows))


def within(hashes: bytes, height: int, place: int) -> bytes:
    """The node over 2^height of a tile's hashes that begin at `place`; of a tile that is not full it is computed."""
    if len(hashes) == WHOLE:
        index = 2 * TILE - (2 * TILE >> height) + (place >> height)
        return hashes[32 * index : 32 * index + 32]
    return root(digests(hashes[32 * place : 32 * (place + (1 << height))]))


def digests(hashes: bytes) -> list[bytes]:
    """The hashes of a tile, one by one."""
    return [hashes[place : place + 32] for place in range(0, len(hashes), 32)]


class Growth:
    """A tree that is grown leaf by leaf. `tiles` are those that became full and were not taken yet."""

    def __init__(self, full: int = 0, partial: Callable[[int], list[bytes]] = lambda _: []) -> None:
        """full: complete tiles of leaves that are there already; partial: level (from 1) -> the hashes of its last, unfinished tile."""
        self.tiles: list[Tile] = []
        self._finished = [full]
        self._pending: list[list[bytes]] = [[]]
        while full:
            self._pending.append(partial(len(self._pending)))
            full >>= TILE_LEVELS
            self._finished.append(full)

    @property
    def size(self) -> int:
        return self._finished[0] * TILE + len(self._pending[0])

    @property
    def root(self) -> bytes:
        rest: list[bytes] = []
        for hashes in self._pending:
            rest = [root([*hashes, *rest])] if hashes or rest else []
        return rest[0] if rest else EMPTY

    def extend(self, hashes: Sequence[bytes]) -> None:
        """Put the hashes of further leaves behind those that are there."""
        self._put(0, hashes)

    def _put(self, level: int, hashes: Sequence[bytes]) -> None:
        if level == len(self._pending):
            self._pending.append([])
            self._finished.append(0)
        pending = self._pending[level] = [*self._pending[level], *hashes]
        for start in range(0, len(pending) - TILE + 1, TILE):
            block = pending[start : start + TILE]
            self.tiles.append(tile(level, self._finished[level], block))
            self._finished[level] += 1
            self._put(level + 1, [self.tiles[-1].root])
        del pending[: len(pending) // TILE * TILE]


def inclusion(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The proof that leaf `index` (from 0) is in the tree of `size` leaves. subtree: (start, end) -> hash of these leaves' tree."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} of a tree of {size}")
    start, end, found = 0, size, []
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            found.append(subtree(middle, end))
            end = middle
        else:
            found.append(subtree(start, middle))
            start = middle
    return found[::-1]


def consistency(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The proof that the tree of `new` leaves begins with the tree of `old` leaves."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves holds none of {old}")
    return list(_consistency(old, 0, new, subtree, whole=True)) if 0 < old < new else []


def _consistency(old: int, start: int, end: int, subtree: Subtree, *, whole: bool) -> Iterator[bytes]:
    if old == end - start:
        if not whole:
            yield subtree(start, end)
        return
    middle = split(end - start)
    if old <= middle:
        yield from _consistency(old, start, start + middle, subtree, whole=whole)
        yield subtree(start + middle, end)
    else:
        yield from _consistency(old - middle, start + middle, end, subtree, whole=False)
        yield subtree(start, start + middle)


def split(size: int) -> int:
    """The largest power of two smaller than `size`: how many leaves are left of a tree's root."""
    return 1 << (size - 1).bit_length() - 1


def includes(proof: Sequence[bytes], found: bytes, index: int, size: int, expected: bytes) -> bool:
    """Whether the proof shows the leaf hash `found` at `index` in the tree of `size` with root `expected` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last = index, size - 1
    for sibling in proof:
        if last == 0:
            return False
        if place % 2 or place == last:
            found = node_hash(sibling, found)
            while place and not place % 2:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == expected


def consistent(proof: Sequence[bytes], old: tuple[int, bytes], new: tuple[int, bytes]) -> bool:
    """Whether the proof shows that a tree (size, root) is the beginning of another (RFC 9162, 2.1.4.2)."""
    (size, known), (larger, expected) = old, new
    if size in {larger, 0}:
        return not proof and (known == expected if size == larger else known == EMPTY)
    if not 0 < size < larger or not proof:
        return False
    path = [known, *proof] if size & (size - 1) == 0 else list(proof)
    place, last = size - 1, larger - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while place and not place % 2:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and first == known and second == expected
