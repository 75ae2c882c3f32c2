"""Would have been approved if …: of a recorded decision, the smallest change of its request that leads to approval, on request.

Responsible for asking the release that decided and no other, champion or not, and only where it still decides as recorded. Works in one
thread of its own, with few waiting, so that decisions go on beside it. Refuses names of inputs that may not change. Records nothing.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from feature_repo.errors import ReleaseError
from feature_repo.portfolio import Portfolio
from serving.champion import Champion
from serving.problems import Problem
from serving.replay import Scorers, again
from serving.scoring.counterfactual import changeable, counterfactual
from serving.scoring.decision import Scorer
from serving.scoring.parts import Value

MAY_CHANGE = "may_change"
WAITING = 8
KEPT = 4  # releases loaded beside the champion
TURN = 0.0005  # seconds until a thread lets another one have the interpreter; Python's 0.005 would be felt by every decision
log = logging.getLogger("tally.serving")


class Would(msgspec.Struct, frozen=True):
    """An input of the request that would be another."""

    feature: str
    unit: str
    now: float | str
    to: float | str


class Advised(msgspec.Struct, frozen=True):
    """The answer. outcome, pd: as recorded; changes: all of them together; pd_then: what they lead to, None without a change."""

    decision_id: str
    release_id: str
    outcome: str
    pd: float
    says: str
    changes: tuple[Would, ...]
    pd_then: float | None


def advise(content: Mapping[str, Any], scorer: Scorer, may_change: Sequence[str] = ()) -> Advised:
    """The advice about a recorded decision. may_change: the inputs that may be another; without any, all that the contract allows.

    Raises ReleaseError where the release does not decide as is recorded: then nothing it says of other values would be true.
    """
    if differs := list(again(content, scorer).differences):
        raise ReleaseError(f"decision {content['decision_id']} does not come out as recorded ({', '.join(differs)}); see: tally replay")
    values: dict[str, Value] = {column.name: content["values"][column.name] for column in scorer.portfolio.raw_inputs}
    found = counterfactual(scorer, values, tuple(content["doubtful"]), may_change or None)
    units = {column.name: column.unit for column in scorer.portfolio.requests}
    return Advised(content["decision_id"], content["release_id"], content["outcome"], content["pd"], found.says,
                   tuple(Would(each.feature, units[each.feature], each.now, each.to) for each in found.changes),
                   found.pd if found.changes else None)


class Advice:
    """Advice about the decisions of one portfolio, whichever of its releases made them."""

    def __init__(self, releases: Path, portfolio: Portfolio, champion: Callable[[], Champion | None]) -> None:
        self.changeable = changeable(portfolio)
        self._scorers, self._champion = Scorers(releases, portfolio), champion
        self._pool = ThreadPoolExecutor(1, "advice")
        self._asked = 0

    async def about(self, content: Mapping[str, Any], asked: Sequence[tuple[str, str]]) -> Advised:
        """The advice about a recorded decision. asked: the query of the request, `MAY_CHANGE` any number of times. Raises Problem."""
        may_change = [name for _, name in asked]
        if {key for key, _ in asked} - {MAY_CHANGE} or set(may_change) - set(self.changeable):
            raise Problem("invalid-query", f"the query may have {MAY_CHANGE}, each one of {list(self.changeable)}")
        if self._asked >= WAITING:
            raise Problem("too-busy", f"{WAITING} such questions are being answered")
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._about, content, may_change)
        except ReleaseError as error:
            log.warning("no advice: %s", error)
            raise Problem("release-not-here", "the release that decided cannot be asked here any more") from None
        finally:
            self._asked -= 1

    def close(self) -> None:
        """Finish what was begun."""
        self._pool.shutdown()

    def _about(self, content: Mapping[str, Any], may_change: Sequence[str]) -> Advised:
        with short_turns():
            return advise(content, self._scorer(content["release_id"]), may_change)

    def _scorer(self, release_id: str) -> Scorer:
        serves = self._champion()
        if serves is not None and serves.release.id == release_id:
            return serves.scorer
        found = self._scorers.of(release_id)
        for other in list(self._scorers.loaded)[:-KEPT]:
            del self._scorers.loaded[other]
        return found


@contextmanager
def short_turns() -> Iterator[None]:
    """Meanwhile, threads of this process give way to one another quickly."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
