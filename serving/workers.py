"""Which release each worker of a service really serves: a small file a worker, locked for as long as its process lives.

Responsible for leaving out the dead, however they ended, and for removing their files. Of this machine alone.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

import msgspec

LOCK = ".lock"


class Serves(msgspec.Struct, frozen=True):
    """What one worker serves, and since when."""

    worker: str
    release_id: str
    model_version: str
    since: str


class Workers:
    """This worker among those of its service."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder = folder
        self._name = worker
        self._held: int | None = None
        self._now: Serves | None = None

    def say(self, release_id: str, model_version: str, since: str) -> None:
        """Tell the others what this worker serves. A disk that cannot be written does not stop it from serving."""
        self._now = Serves(self._name, release_id, model_version, since)
        with suppress(OSError):
            self._hold()
            draft = self._folder / f".{self._name}"
            draft.write_bytes(msgspec.json.encode(self._now))
            draft.replace(self._folder / f"{self._name}.json")

    def all(self) -> list[Serves]:
        """What every living worker serves, by name; at least what this one does."""
        found = {one.worker: one for path in self._folder.glob("*.json") if (one := self._living(path))}
        if self._now:
            found[self._name] = self._now
        return [found[name] for name in sorted(found)]

    def close(self) -> None:
        """Be no worker any more."""
        if self._held is not None:
            for end in (".json", LOCK):
                (self._folder / f"{self._name}{end}").unlink(missing_ok=True)
            os.close(self._held)
            self._held = None

    def _hold(self) -> None:
        if self._held is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            held = os.open(self._folder / f"{self._name}{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(held, fcntl.LOCK_EX)
            self._held = held

    def _living(self, path: Path) -> Serves | None:
        """What the file of a worker says, where that worker lives: nobody else can lock what it holds."""
        lock = path.with_suffix(LOCK)
        with suppress(OSError, msgspec.MsgspecError):
            if path.stem == self._name:
                return None
            with lock.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return msgspec.json.decode(path.read_bytes(), type=Serves)
            path.unlink(missing_ok=True)
            lock.unlink(missing_ok=True)
        return None
