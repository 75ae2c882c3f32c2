"""The swap set: who changes sides when the challenger takes the champion's place, and how those performed whose outcome is known.

Each model decides at its own cut-offs, rules and doubts included. Outcomes are known of those alone who were given credit, so the bad
rate of a swap-in says nothing of those the champion or its predecessors never booked. Refuses to count few people of a protected group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import Protected
from serving.scoring.decision import Assessment
from serving.scoring.parts import ACTIONS
from training import measures
from training.params import ProfitParams
from training.population import NO_GROUP, withheld

Array = np.ndarray[Any, Any]
BOTH, ENTERS, LEAVES, NEITHER = "approved by both", "swapped in", "swapped out", "approved by neither"


@dataclass(frozen=True)
class Pair:
    """What both say of the same applicants; bad: 1, 0, NaN where the outcome is not known.

    shift: the challenger's, to the portfolio's bad rate where rows were drawn by outcome (training.prior).
    """

    champion: Assessment
    challenger: Assessment
    bad: Array
    shift: float = 0.0

    @property
    def approved(self) -> tuple[Array, Array]:
        """Whether the champion approves, whether the challenger does."""
        return self.champion.severity == 0, self.challenger.severity == 0


class Side(msgspec.Struct, frozen=True):
    """Applicants of whom both decide alike. bad_rate, with its Jeffreys interval, is of known outcomes; so are the PDs `*_known`."""

    name: str
    applicants: int
    share: float
    known: int
    bads: int
    bad_rate: float | None
    low: float | None
    high: float | None
    champion_pd: float | None
    challenger_pd: float | None
    champion_pd_known: float | None
    challenger_pd_known: float | None


class Move(msgspec.Struct, frozen=True):
    """From the champion's outcome or band to the challenger's: how many."""

    champion: str
    challenger: str
    applicants: int


class Attribution(msgspec.Struct, frozen=True):
    """Why approvals change: `model` would change at the champion's approval share too, `policy` by the other cut-off alone.

    undone: would change at that share, and the other cut-off takes it back.
    """

    changed: int
    model: int
    policy: int
    undone: int


class Profit(msgspec.Struct, frozen=True):
    """What the approved of each would bring, by the PDs of one of the two or by the outcomes that are known; whole sums, not per loan."""

    by: str
    applicants: int
    champion: float
    challenger: float
    difference: float


class Group(msgspec.Struct, frozen=True):
    """A protected group; a count is null where it is withheld, with a second one where the rest would give it away."""

    attribute: str
    group: str
    applicants: int | None
    approved_by_champion: float | None
    approved_by_challenger: float | None
    swapped_in: int | None
    swapped_out: int | None


def sides(pair: Pair) -> tuple[Side, ...]:
    """Approved by both, swapped in, swapped out, approved by neither."""
    before, after = pair.approved
    chosen = {BOTH: before & after, ENTERS: ~before & after, LEAVES: before & ~after, NEITHER: ~before & ~after}
    return tuple(_side(name, pair, rows) for name, rows in chosen.items())


def outcomes(pair: Pair) -> tuple[Move, ...]:
    """Every pair of approve, refer, decline, empty ones included."""
    names = [action.value for action in ACTIONS]
    return tuple(_moves(names, pair.champion.severity, names, pair.challenger.severity))


def bands(pair: Pair, champion: tuple[str, ...], challenger: tuple[str, ...]) -> tuple[Move, ...]:
    """Every pair of the champion's bands and the challenger's, empty ones included; the names are each one's own, best first."""
    return tuple(_moves(champion, pair.champion.band, challenger, pair.challenger.band))


def attribution(pair: Pair) -> Attribution:
    """Each changed approval is the model's or the policy's: a row is on one of two sides, so exactly one of the two steps moved it."""
    before, after = pair.approved
    between = _at_share_of(pair.champion, pair.challenger)
    changed = before != after
    return Attribution(changed=int(changed.sum()), model=int((changed & (between == after)).sum()),
                       policy=int((changed & (between == before)).sum()), undone=int((~changed & (between != before)).sum()))


def profits(pair: Pair, amount: Array, terms: ProfitParams) -> tuple[Profit, ...]:
    """Expected by the champion's PDs and by the challenger's, of everyone; and what the known outcomes brought. amount: of each loan."""
    known = np.isfinite(pair.bad)
    of_all = [_profit(who, pair, amount * terms.expected(at.pd), np.ones_like(known))
              for who, at in (("the champion's PDs", pair.champion), ("the challenger's PDs", pair.challenger))]
    brought = amount * terms.expected(np.where(known, pair.bad, 0.0))
    weights = measures.weigh(pair.bad, pair.shift)
    return (*of_all, _profit("known outcomes", pair, brought if weights is None else brought * weights, known))


def groups(pair: Pair, declared: tuple[Protected, ...], joined: pd.DataFrame, least: int) -> tuple[Group, ...]:
    """Every declared group, and those not stated if there are any. joined: the vault's groups of the same applicants, in their order."""
    return tuple(group for column in declared for group in _of_attribute(pair, column, joined[column.name].fillna(NO_GROUP), least))


def _of_attribute(pair: Pair, column: Protected, group: pd.Series, least: int) -> Iterator[Group]:
    before, after = pair.approved
    names = dict.fromkeys((*column.group_names, *group[group == NO_GROUP]))
    rows_of = {name: (group == name).to_numpy() for name in names}
    counted = {chosen: {name: int((rows & who).sum()) for name, rows in rows_of.items()}
               for chosen, who in ((None, np.full(len(group), fill_value=True)), (ENTERS, ~before & after), (LEAVES, before & ~after))}
    few = withheld(counted[None], least)
    hidden = few | withheld(counted[ENTERS], least) | withheld(counted[LEAVES], least)  # one and both rates would give the other away
    for name, rows in rows_of.items():
        shown = name not in few and bool(rows.any())
        first, second = (float(approved[rows].mean()) if shown else None for approved in (before, after))
        enters, leaves = (None if name in hidden else counted[who][name] for who in (ENTERS, LEAVES))
        yield Group(column.name, name, None if name in few else counted[None][name], first, second, enters, leaves)


def _at_share_of(champion: Assessment, challenger: Assessment) -> Array:
    """Whether the challenger approves at a cut-off that approves no more than the champion; equal PDs are never divided."""
    barred = np.any(challenger.broken, axis=0) | challenger.doubtful | challenger.unusual
    free = np.where(barred, np.inf, challenger.pd)
    ranked, wanted = np.sort(free), int((champion.severity == 0).sum())
    return np.asarray(free < (ranked[wanted] if wanted < len(ranked) else np.inf))


def _side(name: str, pair: Pair, rows: Array) -> Side:
    known = rows & np.isfinite(pair.bad)
    bads, told = int(pair.bad[known].sum()), bool(known.any())
    rates = (bads / max(known.sum(), 1), *measures.rate_interval(bads, known.sum()))
    shown = [float(measures.moved(rate, pair.shift)) if told else None for rate in rates]
    weights = measures.weigh(pair.bad[known], pair.shift)
    means = [_mean(at.pd[which], by) for which, by in ((rows, None), (known, weights)) for at in (pair.champion, pair.challenger)]
    return Side(name, int(rows.sum()), float(rows.mean()), int(known.sum()), bads, *shown, *means)


def _mean(values: Array, weights: Array | None) -> float | None:
    return float(np.average(values, weights=weights)) if len(values) else None


def _profit(by: str, pair: Pair, each: Array, counted: Array) -> Profit:
    first, second = (float(each[approved & counted].sum()) for approved in pair.approved)
    return Profit(by, int(counted.sum()), first, second, second - first)


def _moves(first: Any, before: Array, second: Any, after: Array) -> Iterator[Move]:
    for i, champion in enumerate(first):
        for k, challenger in enumerate(second):
            yield Move(champion, challenger, int(((before == i) & (after == k)).sum()))
