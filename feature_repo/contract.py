"""The words a portfolio is written in: what each column means, declared once.

Responsible for: frozen, typed declarations (tables, columns, outcome, rules, derived features); a contradictory one is refused at import
(`contradictions`). Reads no file, knows no vendor.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Any

from feature_repo.sources import Csv, Early, EventTime, Parquet, Sampled, Undated

APPLICATION_ID = "application_id"
APPLICANT_ID = "applicant_id"
EVENT_TIME = "event_timestamp"
CREATED_TIME = "created_timestamp"  # when a row of a view was written down: of two for one moment the later counts
BAD = "bad"
# No column may have one of these: the keys, the columns of a window, and what stages add to their frames on the way.
RESERVED = frozenset({APPLICATION_ID, APPLICANT_ID, EVENT_TIME, CREATED_TIME, BAD, "decision_id", "decided_at", "recorded_at", "portfolio",
                      "release_id", "pd", "margin", "score", "band", "outcome", "reasons", "part", "period", "at", "row", "label"})
NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
OTHER = "other"
UNDATED_BAD = "bad, without a day on or after the application's"  # in place of an outcome whose window cannot be told
DECIDE = "DECIDE"  # begins a text that a drafted contract leaves to a person; refused until it is replaced

days = timedelta


class Risk(IntEnum):
    """How PD moves when the value rises; the numbers are XGBoost's monotone constraints."""

    FALLS = -1
    NONE = 0
    RISES = 1


class Severity(StrEnum):
    """What a broken promise does to a run."""

    STOP = "stop"
    WARN = "warn"


class Action(StrEnum):
    """The outcome of a decision, mildest first."""

    APPROVE = "approve"
    REFER = "refer"
    DECLINE = "decline"


class WhenStale(StrEnum):
    """What scoring does with a stored value that is old, missing or unreachable."""

    REFUSE = "refuse"
    REFER = "refer"
    REQUEST = "request"


class Outside(StrEnum):
    """What scoring does with a value that is allowed, and that nobody in the development of the release had.

    Beyond the range of that population, or a level or code that did not occur in it. Either way the decision is flagged and counted.
    """

    REFER = "refer"
    SCORE = "score"


@dataclass(frozen=True)
class Applicant:
    """The key a person is known by in every table; served as `applicant_id`. `sources.ROW`: one table whose file has no key."""

    raw: str


@dataclass(frozen=True)
class Application:
    """The key of one application, where applicants may apply more than once."""

    raw: str


@dataclass(frozen=True, kw_only=True)
class Input:
    """A value the model may use: a number (bounds) or a level (levels).

    low, high: hard bounds, inclusive. usual: where the median must lie (stop) and single values should lie (warn).
    special: numbers that are codes, binned apart. missing: raw texts that mean "no value". suffix: what follows a number: "13.5 %".
    levels: raw text -> name, or the names; `other` accepts unseen levels as the level "other".
    meaning: what the value says, in a few words for people; without it, its name in words.
    known_before: how a value that alone ranks the outcome very well can be known before the decision; without it such a column stops a run.
    permitted: the rule by which a value that all but names a protected group may be used (age, 12 CFR 1002.6(b)(2)); likewise.
    outside: what follows where a value lies outside what the release was developed on.
    """

    name: str = field(kw_only=False)
    raw: str
    meaning: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    usual: tuple[float, float] | None = None
    special: tuple[float, ...] = ()
    levels: Mapping[str, str] | tuple[str, ...] = ()
    other: bool = False
    suffix: str = ""
    missing: tuple[str, ...] = ()
    nullable: bool = False
    risk: Risk = Risk.NONE
    reason: str = ""
    known_before: str = ""
    permitted: str = ""
    severity: Severity = Severity.STOP
    outside: Outside = Outside.REFER

    @property
    def is_level(self) -> bool:
        return bool(self.levels)

    @property
    def level_of(self) -> dict[str, str]:
        """Raw text -> level name, shape of the declared levels."""
        return dict(self.levels) if isinstance(self.levels, Mapping) else {name: name for name in self.levels}

    @cached_property
    def level_names(self) -> tuple[str, ...]:
        names = dict.fromkeys(self.level_of.values())
        return tuple(names) if not self.other else tuple({**names, OTHER: None})


@dataclass(frozen=True, kw_only=True)
class Request(Input):
    """Said by the applicant: a field of the API.

    fixed: nobody changes it for a credit, such as where they live or what the money is for; advice ("would be approved if") leaves it.
    """

    fixed: bool = False


@dataclass(frozen=True, kw_only=True)
class Stored(Input):
    """Known before the application: a feature in the store, with an age.

    fresh_for: how old the value may be at decision time; None means it does not age.
    """

    fresh_for: timedelta | None = None
    when_stale: WhenStale = WhenStale.REFER


@dataclass(frozen=True, kw_only=True)
class Derived:
    """A plain function of other columns; operators and `np` only. The function's name is the column."""

    function: Callable[..., Any]
    meaning: str = ""
    unit: str = ""
    risk: Risk = Risk.NONE
    reason: str = ""
    is_level: bool = False
    special: tuple[float, ...] = ()
    outside: Outside = Outside.REFER

    @property
    def name(self) -> str:
        return self.function.__name__

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.function).parameters)


@dataclass(frozen=True, kw_only=True)
class Protected:
    """A group attribute for the vault: joined for fairness only, never a model input or API field.

    groups: raw text -> group; edges: (upper bound exclusive, group) pairs over a number, the last bound infinite.
    """

    name: str = field(kw_only=False)
    raw: str
    reference: str
    groups: Mapping[str, str] = field(default_factory=dict)
    edges: tuple[tuple[float, str], ...] = ()

    @property
    def group_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.groups.values(), *(group for _, group in self.edges)]))


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """A column that is in the file and never used, and why."""

    raw: str
    because: str


Column = Applicant | Application | Request | Stored | Protected | Ignored


@dataclass(frozen=True, kw_only=True)
class Table:
    """One raw file. The first table of a portfolio holds the applications.

    rows: fewest and most rows expected; sha256: accepted digests (none: any); address: where to fetch it, if anywhere.
    """

    name: str = field(kw_only=False)
    file: str
    columns: tuple[Column, ...]
    time: EventTime | Undated = field(default_factory=Undated)
    reader: Csv | Parquet = field(default_factory=Csv)
    sha256: tuple[str, ...] = ()
    rows: tuple[int, int | None] = (1, None)
    address: str | None = None
    attribution: str = ""

    def select(self, *kinds: type[Any]) -> tuple[Any, ...]:
        """The columns of the given kinds, in declared order."""
        return tuple(column for column in self.columns if isinstance(column, kinds))

    @cached_property
    def stored(self) -> tuple[Stored, ...]:
        return self.select(Stored)

    @cached_property
    def as_of(self) -> str:
        """The feature that carries the event time of a stored row, in seconds since 1970 (UTC)."""
        return f"{self.name}_as_of"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the PD is a probability of.

    bad, good: raw texts; an empty row, or one of the texts in `neither` (still open) or `rejected` (never booked), is unknown.
    An empty text in `rejected` says that what is old enough to count and has no outcome was rejected.
    matures_after: an outcome counts only when the application is at least this old at `observed_until`.
    within, bad_on: the outcome window. What went bad later than `within` after the application, by the day in the raw column of
    `bad_on`, is good; a bad row needs that day, and none before the application.
    caveat: what a reader of bad rates must know of how outcomes came into the file, such as that open loans are absent, in a sentence.
    sampled: where rows were drawn by outcome, so that the file's bad rate is no portfolio's. early: a sign of it, known long before.
    """

    raw: str
    bad: tuple[str, ...]
    good: tuple[str, ...]
    matures_after: timedelta
    observed_until: datetime | None = None
    neither: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    within: timedelta | None = None
    bad_on: EventTime | None = None
    caveat: str = ""
    sampled: Sampled | None = None
    early: Early | None = None

    @property
    def raws(self) -> tuple[str, ...]:
        """The raw columns the outcome, and an early sign of it, are read from."""
        return (self.raw, *(also.raw for also in (self.bad_on, self.early) if also))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A knock-out: when it holds, the decision is at least this severe, for this reason."""

    code: str = field(kw_only=False)
    when: Callable[..., Any]
    action: Action
    reason: str

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.when).parameters)
