"""Where promotion stands: releases, requests, who signed them, waivers, and what the record lets serve at a moment.

Responsible for questions over what `governance.promotion` folded. Judges no event; knows no pointer, alias or registry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from governance.events import CHAMPION, SHADOW, UNKNOWN, AliasSeen, GateFinding, ParityChecked, ReleaseCompared
from governance.splits import Split

PEOPLE = 2


@dataclass(frozen=True)
class Signed:
    """Somebody said something. at: when it was recorded; entry: the id of its entry in the ledger."""

    name: str
    at: datetime
    reason: str
    entry: str
    demo: bool = False


@dataclass(frozen=True)
class Registered:
    """A release that the record knows. author: whose key signed it, or empty."""

    release_id: str
    model: str
    version: str
    author: str
    at: datetime


@dataclass(frozen=True)
class Waiver:
    """A failed gate that was overridden until a moment."""

    gate: str
    until: datetime
    by: Signed


@dataclass(frozen=True)
class Request:
    """A wish to let a release serve, and what people said to it.

    by: who asked, `unknown` where the alias was set in the MLflow UI; split: of a challenger.
    """

    id: str
    release_id: str
    version: str
    alias: str
    by: Signed
    gates: tuple[GateFinding, ...]
    approvals: tuple[Signed, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    rejected: Signed | None = None
    promoted: Signed | None = None
    split: Split | None = None

    @property
    def open(self) -> bool:
        return self.rejected is None and self.promoted is None

    @property
    def people(self) -> tuple[str, ...]:
        """The named people who want it: the requester, where somebody put their name to it, and everybody who approved."""
        asked = () if self.by.name == UNKNOWN else (self.by.name,)
        return (*asked, *(approval.name for approval in self.approvals))

    @property
    def lacking(self) -> int:
        """How many more people must approve."""
        return max(0, PEOPLE - len(set(self.people)))

    @property
    def failed(self) -> tuple[str, ...]:
        """The gates that did not let it through, by name."""
        return tuple(finding.gate for finding in self.gates if not finding.passed)

    @property
    def stopping(self) -> tuple[str, ...]:
        """The failed gates that must be waived: none of a shadow's, which answers nobody. They stay in the record."""
        return () if self.alias == SHADOW else self.failed

    def waived_until(self, gate: str) -> datetime | None:
        """The moment until which a gate is waived; None where it never was."""
        return max((waiver.until for waiver in self.waivers if waiver.gate == gate), default=None)

    def blocked(self, at: datetime) -> tuple[str, ...]:
        """The failed gates that no waiver covers at a moment."""
        return tuple(gate for gate in self.stopping if not ((until := self.waived_until(gate)) and at < until))

    def state(self, at: datetime) -> str:
        """In one word: rejected, promoted, approved (nothing is missing), or open."""
        if self.rejected or self.promoted:
            return "rejected" if self.rejected else "promoted"
        return "open" if self.lacking or self.blocked(at) else "approved"


@dataclass(frozen=True)
class Promotion:
    """A release was let serve under an alias from `since`, by a request or by rolling back to what a request once allowed."""

    release_id: str
    version: str
    alias: str
    replaces: str
    since: datetime
    request_id: str
    by: Signed
    back: bool = False


@dataclass(frozen=True)
class Ignored:
    """An event that the rules did not allow at its point of the order. It is in the record and has no effect."""

    entry: str
    kind: str
    at: str
    why: str


@dataclass(frozen=True)
class Serving:
    """What the record lets serve, and since when: its promotion, or the moment the waiver of what came after it lapsed.

    allowed: False where nothing is left that is allowed, and the newest goes on.
    """

    promotion: Promotion
    allowed: bool
    since: datetime


@dataclass(frozen=True)
class Seen:
    """What the watch last said of an alias, and when."""

    event: AliasSeen
    at: datetime


@dataclass
class Standing:
    """What the events up to a moment amount to. Filled by the fold alone."""

    at: datetime
    releases: dict[str, Registered] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    promotions: list[Promotion] = field(default_factory=list)
    retired: dict[str, Signed] = field(default_factory=dict)
    withdrawn: dict[str, Signed] = field(default_factory=dict)
    placed: dict[tuple[str, str], datetime] = field(default_factory=dict)
    refused: dict[tuple[str, str], datetime] = field(default_factory=dict)
    seen: dict[str, list[Seen]] = field(default_factory=dict)
    compared: dict[tuple[str, str], ReleaseCompared] = field(default_factory=dict)
    checked: ParityChecked | None = None
    ignored: list[Ignored] = field(default_factory=list)

    def until(self, promotion: Promotion) -> datetime | None:
        """The moment at which the first waiver it relies on lapses, or its split ends; None where neither is to come."""
        request = self.requests[promotion.request_id]
        ends = [datetime.fromisoformat(request.split.until)] if request.split else []
        return min([*ends, *(until for gate in request.stopping if (until := request.waived_until(gate)))], default=None)

    def holds(self, promotion: Promotion, at: datetime | None = None) -> bool:
        """Whether a release may still serve by this promotion: not retired or withdrawn, no waiver lapsed, no split at its end."""
        until = self.until(promotion)
        over = promotion.release_id in self.retired or promotion.request_id in self.withdrawn
        return not over and (until is None or (at or self.at) < until)

    def line(self, alias: str = CHAMPION, at: datetime | None = None) -> list[Promotion]:
        """The promotions that still hold, newest first, each release once."""
        held = {}
        for promotion in reversed(self.promotions):
            if promotion.alias == alias and promotion.release_id not in held and self.holds(promotion, at):
                held[promotion.release_id] = promotion
        return list(held.values())

    def serving(self, alias: str = CHAMPION, at: datetime | None = None) -> Serving | None:
        """What is to serve: the newest promotion that holds. With none left the newest that is not retired goes on; None: none ever was.

        Of a shadow or a challenger the newest alone counts, while it holds: the champion is there, so nothing has to go on.
        """
        if alias != CHAMPION:
            newest = next((one for one in reversed(self.promotions) if one.alias == alias), None)
            return Serving(newest, allowed=True, since=newest.since) if newest and self.holds(newest, at) else None
        every = [one for one in self.promotions if one.alias == alias and one.release_id not in self.retired]
        if line := self.line(alias, at):
            after = every[every.index(line[0]) :]
            lapsed = [until for one in after if not self.holds(one, at) and (until := self.until(one))]
            return Serving(line[0], allowed=True, since=max([line[0].since, *lapsed]))
        return Serving(every[-1], allowed=False, since=every[-1].since) if every else None

    def objection(self, release_id: str, alias: str = CHAMPION, at: datetime | None = None) -> str:
        """Why a worker may not serve a release now; empty where it may.

        What was promoted before may go on, and be started again, until what came after it was placed: a successor that cannot be
        fetched or does not verify is no reason to answer nobody.
        """
        due = self.serving(alias, at)
        if alias != CHAMPION:
            may = due is not None and due.promotion.release_id == release_id
            return "" if may else f"release {release_id[:12]} may not serve as {alias} then; ask for it: tally request"
        for promotion in self.line(alias, at):
            if promotion.release_id == release_id:
                return ""
            if (placed := self.placed.get((alias, promotion.release_id))) and placed >= promotion.since:
                break
        if due is None:
            return f"release {release_id[:12]} was never promoted; ask for it: tally request"
        if due.promotion.release_id == release_id:
            return ""
        if release_id in self.retired:
            return f"release {release_id[:12]} is retired"
        says = f"the record says {due.promotion.release_id[:12]} serves"
        return f"release {release_id[:12]} may not serve, {says}; ask for it: tally request"

    def allows(self, release_id: str, alias: str = CHAMPION, at: datetime | None = None) -> bool:
        """Whether a worker may serve a release."""
        return not self.objection(release_id, alias, at)

    def named(self, prefix: str) -> list[Request]:
        """The requests whose ids begin so."""
        return [one for one in self.requests.values() if one.id.startswith(prefix)]

    def waiting(self, release_id: str, alias: str = CHAMPION) -> list[Request]:
        """The open requests for a release, oldest first."""
        return [one for one in self.requests.values() if one.open and (one.release_id, one.alias) == (release_id, alias)]
