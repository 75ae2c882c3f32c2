"""Whether an export is whole, from its files and the public key of the log alone.

The signed manifest says which files there are and how long; every byte of an entry is in the hash of its leaf, and every leaf under the
signed checkpoint, so that the one digest nobody needs to compute is that of the entries' file: it is there for who has only sha256sum.
Names the file, and the entry where a line is none. Decodes no content; constant memory.
"""

from __future__ import annotations

import os
from binascii import Error as NotHex
from binascii import unhexlify
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from feature_repo.errors import LedgerError
from governance.ledger import checkpoint
from governance.ledger.checkpoint import Checkpoint, Verifier
from governance.ledger.entries import BEGUN
from governance.ledger.exported import CHECKPOINT, ENTRIES, GONE, MANIFEST, Listed, manifest
from governance.ledger.tree import Growth
from governance.ledger.wholeness import Before, Told, Whole, must_agree, must_begin, require_all

BLOCK = 2**16
LONGEST = 2**26
HEX = b"0123456789abcdef"
HEX_LENGTH, TIME_LENGTH, TAB = 64, 32, ord("\t")
ERASED = GONE + b"\t"


def inspect(folder: Path, trusted: Verifier, noted: Sequence[Checkpoint] = (), *, told: Told = lambda _: None) -> list[Whole]:
    """Prove an export. noted: checkpoints kept elsewhere, which it must begin with; told: hears how many entries were looked at.

    Raises LedgerError naming the file, and the first entry, that does not hold.
    """
    listed = {one.name: one for one in manifest(folder, trusted)}
    _compare(folder, listed)
    found: list[Whole] = []
    for period in sorted({name[:7] for name in listed}):
        signed = _checkpoint(folder / f"{period}{CHECKPOINT}", listed[f"{period}{CHECKPOINT}"], trusted)
        with (folder / f"{period}{ENTRIES}").open("rb") as file:
            before = (found[-1].origin, found[-1].size, found[-1].root) if found else None
            stops = sorted([*(one for one in noted if one.origin == signed.origin), signed], key=lambda one: one.size)
            found.append(Month(signed.origin, stops).run(_blocks(file.fileno(), period), before, told, unlinked=not found))
        if found[-1].size != signed.size:
            raise LedgerError(f"{period}{ENTRIES}, entry {signed.size + 1}: it is under no checkpoint; added, or that is an old one")
    require_all(noted, {one.origin for one in found})
    return found


def _compare(folder: Path, listed: dict[str, Listed]) -> None:
    """Show that exactly the listed files are there, each as long as it was."""
    there = {entry.name: entry.stat(follow_symlinks=False).st_size if entry.is_file(follow_symlinks=False) else -1
             for entry in os.scandir(folder) if entry.name != MANIFEST}
    wanted = {name: one.size for name, one in listed.items()}
    for what, names in (("missing", wanted.keys() - there.keys()), ("not listed", there.keys() - wanted.keys()),
                        ("not as long as listed", {name for name in wanted.keys() & there.keys() if wanted[name] != there[name]})):
        if names:
            raise LedgerError(f"files {what}: {sorted(names)}; the export is not what was signed")


def _checkpoint(path: Path, listed: Listed, trusted: Verifier) -> Checkpoint:
    note = path.read_bytes()
    if sha256(note).hexdigest() != listed.digest:
        raise LedgerError(f"{path.name}: it is not the checkpoint that was exported")
    try:
        found = checkpoint.read(note, trusted)
    except LedgerError as error:
        raise LedgerError(f"{path.name}: {error}") from None
    if found.origin != f"{trusted.name}/{path.stem}":
        raise LedgerError(f"{path.name}: it is the checkpoint of {found.origin}")
    return found


class Month:
    """One exported period: its lines hashed, in blocks, past every checkpoint. stops: in order of their size."""

    def __init__(self, origin: str, stops: Sequence[Checkpoint]) -> None:
        self.origin = origin
        self._stops = list(stops)
        self._growth = Growth()
        self._shown = self._erased = 0

    def run(self, blocks: Iterator[bytes], before: Before, told: Told, *, unlinked: bool) -> Whole:
        for block in blocks:
            hashes = self._hashes(block)
            if not self._growth.size:
                _begin(block[: block.index(b"\n")], self.origin, before, unlinked=unlinked)
            self._take(hashes)
            told(len(hashes))
        for stop in self._stops:
            must_agree(stop, self._growth, self._shown)
        size = self._growth.size
        return Whole(self.origin[-7:], self.origin, size, self._growth.root, size, self._erased)

    def _take(self, hashes: list[bytes]) -> None:
        while self._stops and self._stops[0].size <= self._growth.size + len(hashes):
            stop = self._stops.pop(0)
            here = stop.size - self._growth.size
            self._growth.extend(hashes[:here])
            hashes = hashes[here:]
            must_agree(stop, self._growth, self._shown)
            self._shown = stop.size
        self._growth.extend(hashes)
        self._growth.tiles.clear()

    def _hashes(self, block: bytes) -> list[bytes]:
        """The hash of each line's leaf. What its commitment is to is hashed where it lies, and what is asked of all salts is asked once."""
        found: list[bytes] = []
        salts: list[memoryview] = []
        view, find, start = memoryview(block), block.find, 0
        try:
            while (end := find(b"\n", start)) >= 0:
                place = find(b"\t", find(b"\t", start) + 1) + 2 + TIME_LENGTH
                salt = view[place : place + HEX_LENGTH]
                try:
                    digest = sha256(unhexlify(salt))
                    digest.update(view[place + 1 + HEX_LENGTH : end])
                    commitment = digest.hexdigest().encode()
                    if block[place + HEX_LENGTH] != TAB:
                        raise ValueError
                except NotHex:
                    salt = self._erasure(view[place:end])
                    commitment = bytes(salt)
                salts.append(salt)
                found.append(sha256(b"\x00" + block[start:place] + commitment).digest())
                start = end + 1
        except (ValueError, IndexError):
            raise self._unfit(len(found)) from None
        if len(joined := b"".join(salts)) != HEX_LENGTH * len(salts) or joined.translate(None, HEX):
            raise self._unfit(next(number for number, salt in enumerate(salts) if bytes(salt).translate(None, HEX)))
        return found

    def _erasure(self, rest: memoryview) -> memoryview:
        """The commitment of an erased entry, which takes the place of its salt. Raises ValueError where it is none."""
        if rest[:2] != ERASED or len(rest) != len(ERASED) + HEX_LENGTH:
            raise ValueError
        self._erased += 1
        return rest[2:]

    def _unfit(self, place: int) -> LedgerError:
        number = self._growth.size + place + 1
        return LedgerError(f"{self.origin[-7:]}{ENTRIES}, entry {number}: its line is not one an export writes")


def _begin(line: bytes, origin: str, before: Before, *, unlinked: bool) -> None:
    """Show that the first line names the month before it. unlinked: which is not in the export."""
    kind, name, _, _, payload = [*line.split(b"\t", 4), b"", b"", b"", b""][:5]
    body = payload.removeprefix(b"\t\t")
    if unlinked:
        try:
            said = msgspec.json.decode(body)["previous"]
            before = (said["origin"], said["size"], bytes.fromhex(said["root"])) if said else None
        except (msgspec.DecodeError, LookupError, TypeError, ValueError):
            kind = BEGUN[:-1].encode()
    must_begin((kind.decode("utf-8", "replace"), name.decode("utf-8", "replace"), body), origin, before)


def _blocks(file: int, period: str) -> Iterator[bytes]:
    """Whole lines, as many as a processor's cache holds. Raises LedgerError where the last one has no end."""
    rest = b""
    while len(rest) < LONGEST and (data := os.read(file, BLOCK)):
        whole = data.rfind(b"\n") + 1
        if whole:
            yield rest + data[:whole]
            rest = b""
        rest += data[whole:]
    if rest:
        raise LedgerError(f"{period}{ENTRIES}: its last line has no end")
