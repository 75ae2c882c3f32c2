"""The release that serves: found by the pointer, verified, asked its golden questions, warm, and replaced only by a better-behaved one.

Responsible for never scoring with a release that is altered, of another interface, or that answers otherwise than it did when it was
made. Refuses with ReleaseError; a champion that serves keeps serving when its successor is refused. Never asks a registry.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from feature_repo.errors import ReleaseError
from feature_repo.portfolio import Portfolio
from governance import release
from governance.release import Release
from serving.scoring import decision
from serving.scoring.decision import Scorer
from serving.scoring.parts import Decision

POINTER = "champion.json"
GOLDEN = "golden.json"
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


def load(folder: Path, portfolio: Portfolio) -> Champion:
    """The champion that `folder/champion.json` points to. Its golden questions also compile and warm the kernels.

    Raises ReleaseError.
    """
    try:
        pointer = msgspec.json.decode((folder / POINTER).read_bytes(), type=Pointer)
    except FileNotFoundError:
        raise ReleaseError(f"no release was placed for {portfolio.name} ({POINTER} is not there); promote one: make serve") from None
    except msgspec.MsgspecError as error:
        raise ReleaseError(f"{POINTER} cannot be read: {error}; promote again") from None
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
    """The champion of the moment, and the watch over its pointer."""

    def __init__(self, folder: Path, portfolio: Portfolio, *, changed: Callable[[Champion], None], refused: Callable[[], None]) -> None:
        self._folder = folder
        self._portfolio = portfolio
        self._changed = changed
        self._refused = refused
        self._seen: tuple[int, int] | None = None
        self.now: Champion | None = None
        self.why = "no release was loaded yet"

    def look(self) -> None:
        """Load what the pointer names, if it changed or nothing serves yet; on a refusal what serves goes on serving."""
        stamp = self._stamp()
        if self.now is not None and stamp == self._seen:
            return
        try:
            champion = load(self._folder, self._portfolio)
            self._changed(champion)
        except ReleaseError as error:
            self._seen = stamp
            self._refuse(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, what serves goes on serving and the watch goes on
            self._refuse(f"the release cannot be loaded ({type(error).__name__}); it is tried again")
        else:
            self.now, self.why, self._seen = champion, "", stamp
            log.info("serving release %s, version %s", champion.release.id, champion.model_version)

    def _refuse(self, why: str) -> None:
        if why != self.why:
            log.error("release refused: %s", why)
        self.why = why
        self._refused()

    async def watch(self, every: float) -> None:
        """Look again and again, beside the event loop."""
        while True:
            await asyncio.sleep(every)
            await asyncio.to_thread(self.look)

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = (self._folder / POINTER).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino
