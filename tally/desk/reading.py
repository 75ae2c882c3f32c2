"""What can be asked of the desk: each question of `tally.questions`, answered as JSON or as an archive.

Refuses a parameter it does not know. Nothing of an applicant is in an answer but in the evidence of that applicant's decision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from governance.current import Current
from governance.standing import Request as Wish
from serving.reconsideration import UNCHANGED
from tally import evidence, questions, replays
from tally.checkout import Checkout
from tally.desk.refusals import Refused
from tally.questions import Questions


@dataclass(frozen=True)
class Asked:
    """A question with what it names. said: parameters of the query."""

    checkout: Checkout
    path: dict[str, str]
    said: dict[str, str]

    @property
    def questions(self) -> Questions:
        """The record as it is now."""
        return Questions(self.checkout.home, self.checkout.portfolio.name)

    @property
    def span(self) -> replays.Span:
        return replays.Span(*(questions.time(self.said[name]) if name in self.said else None for name in ("from", "to")))


def said(request: Request, known: tuple[str, ...]) -> dict[str, str]:
    """The parameters of a query, each known and once. Raises Refused."""
    given = request.query_params.multi_items()
    names = [name for name, _ in given]
    if not set(names) <= set(known) or len(set(names)) != len(names):
        raise Refused("invalid", f"this address takes {', '.join(known) or 'no parameter'}, each once")
    return dict(given)


def history(asked: Asked) -> Any:
    return {"events": list(asked.questions.history())}


def in_production(asked: Asked) -> Any:
    if "at" not in asked.said:
        raise Refused("invalid", "name a moment: ?at=2026-03-01T12:00Z")
    return asked.questions.in_production(questions.time(asked.said["at"]))


def trace(asked: Asked) -> Any:
    record = asked.questions
    return {"trace": record.trace(asked.path["id"]), "proof": record.proof(record.decision(asked.path["id"]))}


def replay(asked: Asked) -> Any:
    if asked.questions.decision(asked.path["id"]).erased:
        raise Refused("erased", "that it was recorded can still be shown: ask for its trace")
    found, _ = replays.one(asked.questions, asked.path["id"])
    return {"decision_id": found.decision_id, "same": found.same, "differ": list(found.differences)}


def replay_many(asked: Asked) -> Any:
    """With ?release= what that release would have decided, and the decisions it changes; without it whether all come out the same."""
    record = asked.questions
    if "release" not in asked.said:
        found = replays.every(record, asked.span)
        return {"total": found.total, "erased": found.erased, "differ": {one.decision_id: list(one.differences) for one in found.differ}}
    release_id = record.release(asked.said["release"]).release_id
    frame = replays.instead(record, release_id, asked.span)
    return {"summary": replays.summary(frame, release_id), "changed": frame[frame["because"] != UNCHANGED].to_dict("records")}


def archive(asked: Asked) -> Any:
    return evidence.gather(asked.questions, asked.path["id"])


def requests(asked: Asked) -> Any:
    standing = Current(asked.checkout.book, asked.checkout.signers).look()
    return {"requests": [wish(one, one.state(standing.at)) for one in standing.requests.values()]}


def wish(one: Wish, state: str) -> dict[str, Any]:
    """A request as data, with the one word for it."""
    return {"state": state, "missing": one.lacking, "request": one}


Answer = Callable[[Asked], Any]
