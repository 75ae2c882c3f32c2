"""The file of one worker: which decisions are owed an answer, in memory that is shared with the disk.

Writing an id is no system call, and it survives the process however that ends. A power cut it survives as it was last synced. The file is
locked for as long as its worker lives; one that can be locked is abandoned. Refuses to hold more than it has places for.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from governance.release import sync

HEAD = struct.Struct("<40sd")  # the boot it was written in; when it was last synced, in seconds since 1970
PLACE = 16  # bytes of a decision's id; zeros: free
SUFFIX = ".owed"
BOOT = Path("/proc/sys/kernel/random/boot_id")
UNSAID = bytes(40)


@dataclass(frozen=True)
class Owed:
    """The decisions one request waits for, and their places in the worker's file."""

    ids: tuple[str, ...] = ()
    places: tuple[int, ...] = ()


@dataclass(frozen=True)
class Left:
    """What a file says. since: from when on it may be out of date; None: it was written in this boot of the machine, and is not."""

    ids: tuple[str, ...]
    since: datetime | None


class Places:
    """A worker's own file."""

    def __init__(self, path: Path, count: int) -> None:
        """Raises OSError where it cannot be made."""
        self.path = path
        self._free = list(range(HEAD.size, HEAD.size + count * PLACE, PLACE))
        with alone(path.parent):
            self._file = path.open("x+b")
            fcntl.flock(self._file, fcntl.LOCK_EX)
        self._file.write(bytes(HEAD.size + count * PLACE))  # not a hole: to fill one on a full disk ends the process
        self._file.flush()
        self._map = mmap.mmap(self._file.fileno(), 0)
        self.sync()
        sync(path.parent)

    def take(self, ids: Sequence[str]) -> Owed:
        """Note these. Raises IndexError where there are not as many places."""
        if len(ids) > len(self._free):
            raise IndexError(len(ids))
        places = tuple(self._free.pop() for _ in ids)
        for place, one in zip(places, ids, strict=True):
            self._map[place:place + PLACE] = bytes.fromhex(one.replace("-", ""))
        return Owed(tuple(ids), places)

    def free(self, owed: Owed) -> None:
        """Strike these out."""
        for place in owed.places:
            self._map[place:place + PLACE] = bytes(PLACE)
        self._free += owed.places

    def ids(self) -> tuple[str, ...]:
        """What stands in it now."""
        return _ids(self._map[:])

    def sync(self) -> None:
        """Let what is written by now survive a power cut, and say when that was.

        By fsync, which lets other threads run: Python's msync does not, and a page shared with the disk needs no more.
        """
        HEAD.pack_into(self._map, 0, boot(), datetime.now(UTC).timestamp())
        os.fsync(self._file.fileno())

    def close(self, *, keep: bool) -> None:
        """Let go. keep: it is left for whoever settles it. The memory stays until nobody can write to it any more."""
        if not keep:
            self.path.unlink(missing_ok=True)
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._file.close()


def abandoned(folder: Path, held: ExitStack) -> list[BinaryIO]:
    """The files whose workers are dead, each locked until `held` is left, against whoever else looks for them."""
    if not folder.is_dir():
        return []
    found: list[BinaryIO] = []
    with alone(folder):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            with suppress(FileNotFoundError, BlockingIOError), ExitStack() as opened:
                file = opened.enter_context(path.open("rb"))
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held.enter_context(opened.pop_all())
                found.append(file)
    return found


def read(file: BinaryIO) -> Left:
    """What an abandoned file says. One cut off before its head was written never held anything."""
    raw = file.read()
    if len(raw) < HEAD.size:
        return Left((), None)
    written_in, synced = HEAD.unpack_from(raw)
    here = written_in == boot() != UNSAID
    return Left(_ids(raw), None if here else datetime.fromtimestamp(synced, UTC))


def _ids(raw: bytes) -> tuple[str, ...]:
    places = (raw[place:place + PLACE] for place in range(HEAD.size, len(raw) - PLACE + 1, PLACE))
    return tuple(str(UUID(bytes=place)) for place in places if any(place))


def boot() -> bytes:
    """Which start of the machine this is; zeros where the system does not say, which counts as another one each time."""
    try:
        return BOOT.read_bytes().strip().ljust(len(UNSAID), b"\0")
    except OSError:
        return UNSAID


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only one to make a file or to look for abandoned ones: between its making and its locking a file is nobody's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
