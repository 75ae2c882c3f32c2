"""The release that serves: found by the pointer, allowed by the record, verified, asked its golden questions, and only then swapped in.

Responsible for never scoring with a release that the record does not allow, that is altered, of another interface, or that answers
otherwise than it did when it was made. Refuses with ReleaseError; a champion that serves keeps serving when its successor is refused, and
requests that began with it end with it. Never asks a registry.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from feature_repo.errors import ReleaseError
from feature_repo.portfolio import Portfolio
from governance import release
from governance.release import Release
from serving.permission import Permission
from serving.scoring import decision
from serving.scoring.decision import Scorer
from serving.scoring.parts import Decision

POINTER = "champion.json"
GOLDEN = "golden.json"
GLANCE = 0.1
log = logging.getLogger("tally.serving")


class Pointer(msgspec.Struct, frozen=True):
    """champion.json: which release serves, and its version in the registry."""

    release_id: str
    model_version: str = ""


class Golden(msgspec.Struct, frozen=True):
    """A question whose answer was written when the release was made."""

    values: dict[str, float | str | None]
    doubtful: tuple[str, ...]
    decision: Decision


@dataclass(frozen=True)
class Champion:
    """A release that has shown that it answers as it should."""

    release: Release
    model_version: str
    scorer: Scorer


def read(folder: Path, portfolio: Portfolio) -> Pointer:
    """What the pointer says. Raises ReleaseError."""
    try:
        return msgspec.json.decode((folder / POINTER).read_bytes(), type=Pointer)
    except FileNotFoundError:
        raise ReleaseError(f"no release was placed for {portfolio.name} ({POINTER} is not there); promote one: tally request") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise ReleaseError(f"{POINTER} cannot be read: {error}; run: tally place") from None


def load(folder: Path, portfolio: Portfolio, pointer: Pointer) -> Champion:
    """A placed release, verified and proved. Its golden questions also compile and warm the kernels. Raises ReleaseError."""
    verified = release.verify(folder / "releases" / pointer.release_id, pointer.release_id)
    scorer = decision.load(verified, portfolio)
    prove(verified, scorer)
    return Champion(verified, pointer.model_version, scorer)


def prove(verified: Release, scorer: Scorer) -> None:
    """Ask the release's golden questions; every answer must be equal to the last bit and letter."""
    golden = verified.read(GOLDEN, tuple[Golden, ...]) if GOLDEN in verified.manifest.files else ()
    if not golden:
        raise ReleaseError(f"release {verified.id[:12]} has no golden questions ({GOLDEN}); evaluate again")
    for number, question in enumerate(golden):
        answer = scorer.decide(question.values, question.doubtful)
        if answer != question.decision:
            differs = [name for name in Decision.__struct_fields__ if getattr(answer, name) != getattr(question.decision, name)]
            raise ReleaseError(f"release {verified.id[:12]} answers golden question {number} otherwise than when it was made ({differs}); "
                               "this machine or code does not compute as the one that trained it")


class Champions:
    """The champion of the moment, and the watch over its pointer and its permission."""

    def __init__(self, folder: Path, portfolio: Portfolio, permission: Permission, *, changed: Callable[[Champion], None],
                 refused: Callable[[], None]) -> None:
        self._folder = folder
        self._portfolio = portfolio
        self._permission = permission
        self._changed = changed
        self._refused = refused
        self._looked: Callable[[], None] = lambda: None
        self._seen: tuple[int, int] | None = None
        self._settled: tuple[int, int] | None = None
        self._said: set[str] = set()
        self.now: Champion | None = None
        self.since = ""
        self.why = "no release was loaded yet"

    def together(self, looked: Callable[[], None]) -> None:
        """Let somebody look at the record whenever this does."""
        self._looked = looked

    def look(self) -> None:
        """Load what the pointer names, if it changed or nothing serves yet, and see whether what serves still may.

        On a refusal what serves goes on serving. What may no longer serve makes way for what the record says, where that is placed here.
        """
        self._seen = self._stamp()
        if self.now is None or self._seen != self._settled:
            self._follow(self._seen)
        if due := self._permission.instead_of(self.now.release.id if self.now else ""):
            why = self.why
            if not self._swapped(Pointer(due.release_id, due.version)):
                self.why = why or self.why
        self._looked()

    def moved(self) -> bool:
        """Whether the pointer is another than at the last look: a glance at one file."""
        return self._stamp() != self._seen

    def _follow(self, stamp: tuple[int, int] | None) -> None:
        try:
            pointer = read(self._folder, self._portfolio)
            if why := self._permission.objection(pointer.release_id):
                self._refuse(pointer.release_id, why)
            elif self._swapped(pointer):
                self._settled = stamp
        except ReleaseError as error:
            self._refuse("", str(error))

    def _swapped(self, pointer: Pointer) -> bool:
        """Swap to a release that is allowed; False where that is to be tried again."""
        if self.now is not None and self.now.release.id == pointer.release_id:
            self.why = ""
            return True
        try:
            self._swap(load(self._folder, self._portfolio, pointer))
        except ReleaseError as error:
            self._refuse(pointer.release_id, str(error))
            return self.now is not None
        except Exception as error:  # noqa: BLE001 - whatever it is, what serves goes on serving and the watch goes on
            self._refuse("", f"the release cannot be loaded ({type(error).__name__}); it is tried again")
            return False
        return True

    def _swap(self, champion: Champion) -> None:
        """One assignment: a request takes the champion once, and ends with the one it took."""
        before = self.now.release.id if self.now else ""
        self._permission.swapped(champion.release.id, champion.model_version, before)
        self.now, self.why, self.since = champion, "", datetime.now(UTC).isoformat(timespec="milliseconds")
        self._said.clear()
        self._changed(champion)
        log.info("serving release %s, version %s", champion.release.id, champion.model_version)

    def _refuse(self, release_id: str, why: str) -> None:
        """Say why, once until something else is swapped in."""
        self.why = why
        if why in self._said:
            return
        self._said.add(why)
        log.error("release refused: %s", why)
        self._refused()
        if release_id:
            self._permission.refused(release_id, why)

    async def watch(self, every: float) -> None:
        """Look again and again, beside the event loop: at the pointer's name many times a second, at the record every so often."""
        looked = 0.0
        while True:
            await asyncio.sleep(min(every, GLANCE))
            if self.moved() or time.monotonic() - looked >= every:
                looked = time.monotonic()
                await asyncio.to_thread(self.look)

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = (self._folder / POINTER).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino
