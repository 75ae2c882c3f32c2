"""A recorded search for a less discriminatory alternative: models nearly as accurate that approve protected groups more alike.

The model train chose is fitted again without inputs that rank the worst-off group lower than its reference, without the proxies that
audit found, under stronger restraints, and as the other family; then backwards from the best so far. Each is judged by its AUC on rows it
has not seen (calibration part, or folds; never the test) and by the least adverse impact ratio of any protected group, at the policy's
approval share, among everyone who applied in development. The best of several is flattered by having been chosen, so the members of the
frontier are also shown on the test, which chooses nothing.

The rule is params.yaml's. By default it proposes and adopts nothing: to give up accuracy for less disparity, or not to, is a decision a
person answers for. No legal conclusion is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import pandas as pd

from training import measures
from training.impact import Impact
from training.params import Count, Strict
from training.refits import Change, Outcomes

Positive = Annotated[float, msgspec.Meta(gt=0, lt=1)]
RESTRAINTS = {"scorecard": ({"ridge": 10.0}, {"ridge": 100.0}), "trees": ({"depth": 0.5}, {"ridge": 10.0})}
"""Per family, by what a setting of params.yaml is multiplied."""
COLUMNS = ["alternative", "auc", "adverse_impact", "auc_low", "auc_high", "impact_low", "impact_high", "role"]


class AlternativesParams(Strict, frozen=True):
    """Section alternatives. within: an alternative that meets the rule takes the place of the model train chose."""

    budget: Annotated[int, msgspec.Meta(ge=0)]
    adopt: Literal["never", "within"]
    auc_loss: Annotated[float, msgspec.Meta(ge=0, lt=0.5)]
    air_gain: Positive
    sample: Count
    minimum: Count
    confidence: Positive


class OnTest(msgspec.Struct, frozen=True):
    """What the frontier shows on the test: it was not looked at before, and chooses nothing."""

    auc: float
    worst: Impact | None


class Member(msgspec.Struct, frozen=True):
    """A model that was tried. auc_loss: against train's choice on the same rows, with DeLong's paired interval; air_gain: of the worst."""

    name: str
    change: Change
    auc: float
    auc_low: float
    auc_high: float
    auc_loss: float
    auc_loss_low: float
    auc_loss_high: float
    worst: Impact
    air_gain: float
    groups: tuple[Impact, ...]
    frontier: bool = False
    test: OnTest | None = None


class Search(msgspec.Struct, frozen=True):
    """alternatives.json. proposed: the member the rule prefers; adopted: whether it is the model of the release; why: in words."""

    rule: AlternativesParams
    proposed: str | None
    adopted: bool
    why: str
    rows: int = 0
    applications: int = 0
    members: tuple[Member, ...] = ()


@dataclass(frozen=True)
class Tried:
    """What a fit came to, before it is compared. drivers: inputs that rank the worst-off group lower, most first."""

    change: Change
    outcomes: Outcomes
    groups: tuple[Impact, ...]
    worst: Impact
    drivers: tuple[str, ...]


Try = Callable[[Change], Tried | None]
"""Fits and judges; None where a change leaves nothing that ranks outcomes, or nobody approved to compare with."""


@dataclass(frozen=True)
class Room:
    """What there is to change: train's choice, the other family, the settings of params.yaml per family, the proxies audit found."""

    chosen: Change
    other: str
    settings: dict[str, dict[str, float]]
    proxies: tuple[str, ...]


def search(attempt: Try, room: Room, rule: AlternativesParams) -> tuple[Member, ...]:
    """Every model tried, train's choice first; empty where no two groups can be compared."""
    first = attempt(room.chosen)
    if first is None:
        return ()
    found = {room.chosen.name: (first, compared(first, first, rule))}
    for change in _changes(found, _planned(first, room, rule.budget), rule):
        tried = attempt(change)
        if tried is not None:
            found[change.name] = tried, compared(tried, first, rule)
    return _with_frontier([member for _, member in found.values()])


def propose(members: tuple[Member, ...], rule: AlternativesParams) -> Member | None:
    """Of those within the AUC loss and beyond the gain, the one whose worst-off group fares best; the more accurate of equal ones."""
    fitting = [each for each in members[1:] if meets(each, rule)]
    return max(fitting, key=lambda each: (each.worst.ratio, each.auc), default=None)


def meets(member: Member, rule: AlternativesParams) -> bool:
    """Within the AUC loss, and beyond the gain."""
    return _is_near(member, rule) and member.air_gain >= rule.air_gain


def why(members: tuple[Member, ...], proposed: Member | None, rule: AlternativesParams) -> str:
    """The choice and its reason, in a sentence or two."""
    if not members:
        return ("nothing was compared: fewer than two groups of any protected attribute have applications enough, or train's choice, "
                "fitted again, ranks no outcomes or approves nobody")
    base = members[0].worst
    asked = f"an AUC loss of at most {rule.auc_loss:g} and a gain of at least {rule.air_gain:g} in the least adverse impact ratio"
    start = f"train's choice has an adverse impact ratio of {base.ratio:.3f} for {base.group} ({base.attribute}), the least of any group"
    if proposed is None:
        return f"{start}; none of {len(members) - 1} alternatives meets the rule: {asked}"
    said = (f"{start}; '{proposed.name}' has {proposed.worst.ratio:.3f} for {proposed.worst.group} ({proposed.worst.attribute}), at an AUC "
            f"of {proposed.auc:.4f} instead of {members[0].auc:.4f}. It meets the rule: {asked}")
    return said if rule.adopt == "within" else (
        f"{said}. It is proposed and not adopted: a person decides, with dvc exp run -S alternatives.adopt=within")


def table(members: tuple[Member, ...], proposed: str | None) -> pd.DataFrame:
    """The frontier for dvc plots: every member, with its role."""
    return pd.DataFrame([(each.name, each.auc, each.worst.ratio, each.auc_low, each.auc_high, each.worst.low, each.worst.high,
                          _role(k, each, proposed)) for k, each in enumerate(members)], columns=COLUMNS)


def _changes(found: dict[str, tuple[Tried, Member]], planned: list[Change], rule: AlternativesParams) -> Iterator[Change]:
    """What is planned, then one step backward after another from the best found so far."""
    yield from planned
    done = {*found, *(change.name for change in planned)}
    for _ in range(rule.budget - len(planned)):
        best, _ = max(found.values(), key=lambda each: (_is_near(each[1], rule), each[1].worst.ratio))
        step = _backward(best, done)
        if step is None:
            return
        done.add(step.name)
        yield step


def _planned(first: Tried, room: Room, budget: int) -> list[Change]:
    """What is tried whatever comes of it, at most about two thirds of the budget: proxies, drivers, restraints, the other family."""
    chosen = first.change
    known = ([room.proxies] if room.proxies else []) + [(name,) for name in first.drivers if (name,) != room.proxies]
    dropped = [msgspec.structs.replace(chosen, without=names) for names in known]
    lighter = [msgspec.structs.replace(chosen, lighter=names) for names in known[:1] if chosen.family == "scorecard"]
    restrained = [msgspec.structs.replace(chosen, settings=change) for change in _restraints(chosen.family, room.settings)]
    other = [Change(room.other, without=names) for names in [*known[:1], ()]]
    mixed = [*dropped[:1], *lighter, *restrained[:1], *other[:1], *dropped[1:2], *restrained[1:], *other[1:], *dropped[2:]]
    return mixed[: max(budget - budget // 3, min(budget, 1))]


def _restraints(family: str, settings: dict[str, dict[str, float]]) -> Iterator[dict[str, float]]:
    for change in RESTRAINTS[family]:
        for name, factor in change.items():
            before = settings[family][name]
            after = max(int(before * factor), 1) if isinstance(before, int) else before * factor
            if after != before:
                yield {name: after}


def _backward(best: Tried, done: set[str]) -> Change | None:
    """The best so far without its next driver that was not tried."""
    for name in best.drivers:
        step = msgspec.structs.replace(best.change, without=tuple(sorted({*best.change.without, name})),
                                       lighter=tuple(other for other in best.change.lighter if other != name))
        if name not in best.change.without and step.name not in done:
            return step
    return None


def compared(tried: Tried, first: Tried, rule: AlternativesParams) -> Member:
    """What was tried against the first, on the same rows."""
    (bad, pds), (_, before) = tried.outcomes, first.outcomes
    gini, low, high = measures.gini_interval(bad, pds, rule.confidence)
    gap, least, most = measures.auc_difference(bad, before, pds, rule.confidence)
    loss, loss_low, loss_high = (0.0 - each for each in (gap, most, least))
    return Member(tried.change.name, tried.change, (gini + 1) / 2, (low + 1) / 2, (high + 1) / 2, loss, loss_low, loss_high, tried.worst,
                  tried.worst.ratio - first.worst.ratio, tried.groups)


def _is_near(member: Member, rule: AlternativesParams) -> bool:
    return member.auc_loss <= rule.auc_loss


def _with_frontier(members: list[Member]) -> tuple[Member, ...]:
    """Those that no other member beats in AUC and in impact are the frontier."""
    def beaten(one: Member) -> bool:
        return any(two.auc >= one.auc and two.worst.ratio >= one.worst.ratio and (two.auc, two.worst.ratio) != (one.auc, one.worst.ratio)
                   for two in members)

    return tuple(msgspec.structs.replace(each, frontier=not beaten(each)) for each in members)


def _role(k: int, member: Member, proposed: str | None) -> str:
    if not k:
        return "train's choice"
    return "proposed" if member.name == proposed else "frontier" if member.frontier else "tried"
