"""Requests for promotion in words: what the gates say, who agreed, what is missing and which command comes next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from datetime import datetime

from governance.events import CHAMPION, UNKNOWN, GateFinding
from governance.sentences import shared
from governance.standing import Request, Standing

WIDTH = 140


def gates(findings: Iterable[GateFinding]) -> list[str]:
    """A table of what the gates found, a gate a line; what failed also says what was allowed."""
    listed = list(findings)
    name = max((len(one.gate) for one in listed), default=0)
    return [line for one in listed for line in _gate(one, name)]


def request(one: Request, standing: Standing) -> list[str]:
    """One request: what it is for, the gates, who said what, and what comes next."""
    return [head(one, standing), "", *gates(one.gates), "", *_said(one), *after(one, standing)]


def head(one: Request, standing: Standing) -> str:
    """A request in a line."""
    served = "" if one.alias == CHAMPION else f" as {one.alias}{shared(one.split)}"
    return (f"{one.id}  {one.state(standing.at):9} version {one.version}, release {one.release_id[:12]}{served}, asked for by {one.by.name}"
            f"{' (demo)' if one.by.demo else ''} at {when(one.by.at)}")


def after(one: Request, standing: Standing) -> list[str]:
    """What is missing, and the commands that come next."""
    state = one.state(standing.at)
    if state == "rejected":
        return ["It is over. A new one: tally request --reason …"]
    if state == "promoted":
        over = standing.withdrawn.get(one.id)
        return [f"It took effect at {when(one.promoted.at)}." if one.promoted else "",
                *([f"{over.name} ended it at {when(over.at)}: {over.reason}"] if over else [])]
    if state == "approved":
        other = [f"or let the alias {one.alias} name version {one.version} in the MLflow UI."] if one.alias == CHAMPION else []
        return ["Nothing is missing. Next:", f"  tally promote {one.id}", *other]
    return ["Missing:", *missing(one, standing), f"Not at all: tally reject {one.id} --reason …"]


def missing(one: Request, standing: Standing) -> Iterator[str]:
    """What keeps a request from taking effect, each with the command that mends it."""
    if one.lacking:
        release = standing.releases[one.release_id]
        barred = ", ".join(sorted({release.author, *one.people} - {"", UNKNOWN}))
        yield f"  {one.lacking} more with the role approver, none of {barred}: tally approve {one.id} --reason …"
    for gate in one.blocked(standing.at):
        yield f"  gate {gate}, or an approver who overrides it: tally waive {one.id} --gate {gate} --until YYYY-MM-DD --reason …"


def listed(standing: Standing, *, every: bool = False) -> list[str]:
    """Open requests with what is missing; every: also those that are over."""
    lines = []
    for one in standing.requests.values():
        if one.open or every:
            lines += [head(one, standing), *(f"  {line.strip()}" for line in (missing(one, standing) if one.open else ())), *_people(one)]
    return lines or ["No request is open. Ask for the challenger: tally request --reason …"]


def when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _gate(one: GateFinding, width: int) -> Iterator[str]:
    indent = " " * (width + 12)
    text = one.found if one.passed else f"{one.found} (allowed: {one.allowed})"
    start = f"  {'passed' if one.passed else 'FAILED'}  {one.gate:{width}}  "
    yield from textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=indent) or [start.rstrip()]


def _said(one: Request) -> list[str]:
    said = [f"  asked for by {one.by.name}: {one.by.reason}", *_people(one)]
    return [*said, *([f"  rejected by {one.rejected.name}: {one.rejected.reason}"] if one.rejected else [])]


def _people(one: Request) -> list[str]:
    agreed = [f"  approved by {each.name}: {each.reason}" for each in one.approvals]
    return agreed + [f"  gate {each.gate} waived until {when(each.until)} by {each.by.name}: {each.by.reason}" for each in one.waivers]
