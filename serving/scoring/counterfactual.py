"""What an applicant could have asked for otherwise and been approved: the smallest change of one or two inputs, scored again to be true.

Responsible for changing only what a request says, within the bounds, levels and directions of the contract: never what is stored of a
person, never an input that stands for a protected group by permission (`permitted`), never what nobody changes for a credit (`fixed`),
never a value that was not given. Fewest inputs come first, then the least share of their ranges; a level is a whole range. A number moves
in steps people would name, and only to where its risk falls; one without a direction may move either way. Two inputs move together in
coarser steps of the first. Refuses to promise: derivation, rules, PD and policy are those of `Scorer.assess`, and where nothing is found
it says so. Advice, not a notice: 12 CFR 1002.9 asks for reasons, which are others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import ceil, floor, log10

import msgspec
import numpy as np

from feature_repo.contract import OTHER, Request, Risk
from feature_repo.portfolio import Portfolio
from serving.scoring.decision import Scorer
from serving.scoring.kernel import Array
from serving.scoring.parts import Value
from serving.scoring.support import Seen

FINE, COARSE, DIGITS = 200, 16, 12  # steps of a range, of the first of two inputs, and what is left of a float's noise
APPROVED = "The application is approved as it is"
NONE = "No change of one or two inputs of the request leads to approval"
STALE = "What is stored of the applicant could not be confirmed as current, and no change of the request helps against that"
FOUND = "The application would be approved if"


class Change(msgspec.Struct, frozen=True):
    """An input of the request that would be another."""

    feature: str
    now: float | str
    to: float | str


class Counterfactual(msgspec.Struct, frozen=True):
    """The smallest change that leads to approval, and the PD it leads to; without one `says` why."""

    says: str
    changes: tuple[Change, ...] = ()
    pd: float | None = None


@dataclass(frozen=True)
class Moves:
    """The values an input could have instead, nearest first, and what each costs. ordered: whether PD is declared to fall along them."""

    name: str
    to: tuple[float | str, ...]
    costs: tuple[float, ...]
    ordered: bool

    def thinned(self, most: int) -> Moves:
        """At most so many of the moves, evenly, the furthest among them."""
        at = np.unique(np.linspace(0, len(self.to) - 1, min(most, len(self.to))).astype(int))
        return Moves(self.name, tuple(self.to[i] for i in at), tuple(self.costs[i] for i in at), self.ordered)


@dataclass(frozen=True)
class Line:
    """Moves of one input while another has been moved already, or none has."""

    moves: Moves
    before: tuple[tuple[str, float | str], ...] = ()
    cost: float = 0.0


def counterfactual(scorer: Scorer, values: Mapping[str, Value], doubtful: tuple[str, ...] = (),
                   changeable: Collection[str] | None = None) -> Counterfactual:
    """Would be approved if …: of one application. values: every raw input by name, None for missing.

    changeable: the request columns that may be another; without it all that the contract allows.
    """
    now = scorer.decide(values, doubtful)
    if now.outcome == "approve":
        return Counterfactual(APPROVED, pd=now.pd)
    if now.degraded:
        return Counterfactual(STALE)
    moves = [each for column in scorer.portfolio.requests if changeable is None or column.name in changeable
             for each in [moves_of(column, values[column.name], scorer.support.get(column.name))] if each is not None]
    by_pd = replace(scorer, support={})  # the furthest move may leave what development had of a derived value, where nearer ones do not
    for lines in ([Line(each) for each in moves], list(_pairs(moves))):
        for changed in _nearest(by_pd, values, lines):
            then = scorer.decide({**values, **changed}, doubtful)
            if then.outcome == "approve":
                return Counterfactual(FOUND, tuple(Change(name, values[name], to) for name, to in changed.items()), then.pd)  # type: ignore[arg-type]
    return Counterfactual(NONE)


def changeable(portfolio: Portfolio) -> tuple[str, ...]:
    """The inputs of a request that advice may name, as declared."""
    return tuple(column.name for column in portfolio.requests if not (column.permitted or column.fixed))


def moves_of(column: Request, now: Value, seen: Seen | None = None) -> Moves | None:
    """Where an input may move to from its value; None where it may not move. seen: what development had of it; nothing moves beyond."""
    if now is None or column.permitted or column.fixed:
        return None
    if column.is_level:
        others = tuple(name for name in column.level_names if name not in {now, OTHER} and not (seen and seen.excludes(name)))
        return Moves(column.name, others, (1.0,) * len(others), ordered=False) if others else None
    if not isinstance(now, float | int) or column.low is None or column.high is None or now in column.special or column.high <= column.low:
        return None
    steps = [value for value in grid(column.low, column.high, now) if (value - now) * int(column.risk) <= 0 and value not in column.special
             and not (seen and seen.excludes(value))]
    steps.sort(key=lambda value: (abs(value - now), value))
    costs = tuple(abs(value - now) / (column.high - column.low) for value in steps)
    return Moves(column.name, tuple(steps), costs, ordered=column.risk is not Risk.NONE) if steps else None


def grid(low: float, high: float, now: float) -> list[float]:
    """The values of a range that people would name, without `now`: multiples of a power of ten, whole where all else is, and both ends."""
    step = 10.0 ** floor(log10((high - low) / FINE))
    if all(float(value).is_integer() for value in (low, high, now)):
        step = max(step, 1.0)
    inner = (round(k * step, DIGITS) for k in range(ceil(low / step), floor(high / step) + 1))
    return sorted({float(low), float(high), *(value for value in inner if low <= value <= high)} - {float(now)})


def _pairs(moves: Sequence[Moves]) -> Iterator[Line]:
    """Every two inputs, the first one moved in coarse steps."""
    for first, second in combinations(moves, 2):
        coarse = first.thinned(COARSE)
        for to, cost in zip(coarse.to, coarse.costs, strict=True):
            yield Line(second if second.ordered else second.thinned(COARSE), ((first.name, to),), cost)


def _nearest(scorer: Scorer, values: Mapping[str, Value], lines: Sequence[Line]) -> Iterator[dict[str, float | str]]:
    """The first approved move of every line that has one, the cheapest first; ties as the contract orders them."""
    firsts = _bisected(scorer, values, [line for line in lines if line.moves.ordered])
    firsts += _scanned(scorer, values, [line for line in lines if not line.moves.ordered])
    found = [(line.cost + line.moves.costs[at], {**dict(line.before), line.moves.name: line.moves.to[at]}) for line, at in firsts]
    yield from (changed for _, changed in sorted(found, key=lambda each: (each[0], _order(scorer, each[1]))))


def _order(scorer: Scorer, changed: Mapping[str, float | str]) -> tuple[tuple[int, str], ...]:
    names = [column.name for column in scorer.portfolio.requests]
    return tuple((names.index(name), str(to)) for name, to in changed.items())


def _bisected(scorer: Scorer, values: Mapping[str, Value], lines: Sequence[Line]) -> list[tuple[Line, int]]:
    """Lines whose furthest move is approved, halved until the nearest approved one is known: all lines at once."""
    furthest = _approved(scorer, values, [(line, len(line.moves.to) - 1) for line in lines])
    lines = [line for line, reached in zip(lines, furthest, strict=True) if reached]
    low, high = np.full(len(lines), -1), np.array([len(line.moves.to) - 1 for line in lines], dtype=int)
    while (open_ := np.flatnonzero(high - low > 1)).size:
        middle = (low + high) // 2
        reached = _approved(scorer, values, [(lines[i], int(middle[i])) for i in open_])
        high[open_[reached]] = middle[open_[reached]]
        low[open_[~reached]] = middle[open_[~reached]]
    return [(line, int(at)) for line, at in zip(lines, high, strict=True)]


def _scanned(scorer: Scorer, values: Mapping[str, Value], lines: Sequence[Line]) -> list[tuple[Line, int]]:
    """Every move of every line; the nearest approved one of each."""
    every = [(line, at) for line in lines for at in range(len(line.moves.to))]
    found: dict[int, tuple[Line, int]] = {}
    for (line, at), reached in zip(every, _approved(scorer, values, every), strict=True):
        if reached:
            found.setdefault(id(line), (line, at))
    return list(found.values())


def _approved(scorer: Scorer, values: Mapping[str, Value], moved: Sequence[tuple[Line, int]]) -> Array:
    """Whether each move of a line is approved, all of them in one pass."""
    if not moved:
        return np.zeros(0, dtype=bool)
    columns = {column.name: np.full(len(moved), values[column.name], dtype=object if column.is_level else np.float64)
               for column in scorer.portfolio.raw_inputs}
    for row, (line, at) in enumerate(moved):
        for name, to in (*line.before, (line.moves.name, line.moves.to[at])):
            columns[name][row] = to
    return np.asarray(scorer.assess(columns).severity == 0)
