"""One application decided, without an array where none is needed: what `Scorer.assess` does, prepared for a single row.

Responsible for the same bits and letters as `assess`: derived features, rules, the kernel and the calibration see arrays of one, as
they see arrays of many there; encoding, cut-offs and doubts are looked up. Refuses nothing: values arrive checked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_repo.contract import Action, Outside, Rule
from serving.scoring import reasons
from serving.scoring.kernel import Array
from serving.scoring.parts import ACTIONS, Decision, Reason, Value
from serving.scoring.support import Seen

if TYPE_CHECKING:
    from serving.scoring.decision import Scorer

PLACE: dict[str, int] = {action.value: place for place, action in enumerate(ACTIONS)}
REFER = PLACE[Action.REFER]
NAN = np.array([nan])


@dataclass(frozen=True)
class Single:
    """A scorer prepared for one application at a time."""

    scorer: Scorer

    def decide(self, given: Mapping[str, Value], doubtful: tuple[str, ...]) -> Decision:
        """`Scorer.decide`."""
        scorer = self.scorer
        values = {name: _plain(given[name], is_level=is_level) for name, is_level in self._raw}
        with np.errstate(all="ignore"):
            arrays = self._derive(values)
            broken = [text for rule, text in self._rules if holds(rule, values, arrays)]
        row = np.array([[levels.get(values[name], nan) if levels is not None else nan if values[name] is None else values[name]
                         for name, levels in self._encoded]])
        margin = scorer.kernel.margins(row)
        pd = float(scorer.calibrator.pd(margin)[0])
        by_pd = bisect_right(self._cuts, pd)
        doubt = bool(doubtful) or any(values[name] is None for name in self._required)
        outside = self._outside(values)
        unusual = any(scorer.support[name].outside is Outside.REFER for name in outside)
        severity = max(by_pd, REFER if doubt or unusual else 0, *(PLACE[rule["action"]] for rule in broken))
        reserved = reasons.reservations(doubtful=doubt, outside=unusual)
        why = self._reasons(row, broken, reserved, scored=by_pd > 0) if severity else ()
        band = scorer.policy.bands[bisect_right(self._limits, pd)].name
        return Decision(pd=pd, margin=float(margin[0]), score=scorer.policy.score(pd), band=band, outcome=ACTIONS[severity].value,
                        reasons=why, degraded=doubt, values=values, outside=outside)

    def _derive(self, values: dict[str, Value]) -> dict[str, Any]:
        """Add every derived value to `values`; the arrays of one that derived features and rules are computed from."""
        arrays: dict[str, Any] = {name: np.array([nan if values[name] is None else values[name]]) for name in self._used}
        for name, function, arguments in self._derived:
            result = np.asarray(function(*[arrays[argument] for argument in arguments]), dtype=np.float64)
            value = result.item()
            arrays[name], values[name] = (result[()], value) if isfinite(value) else (np.full_like(result, nan)[()], None)
        return arrays

    def _outside(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """The inputs whose value nobody in development had, as declared: a glance at each, a look at what leaves its range."""
        support = self.scorer.support
        found = [name for name, low, high in self._ranges if (value := values[name]) is not None and not low <= value <= high
                 and support[name].excludes(value)]
        found += [name for name, known in self._levels if values[name] not in known]
        found += [name for name in self._coded if support[name].excludes(values[name])]
        return tuple(column.name for column in self.scorer.portfolio.inputs if column.name in found) if found else ()

    def _reasons(self, row: Array, broken: list[dict[str, str]], reserved: list[Reason], *, scored: bool) -> tuple[Any, ...]:
        """Where the PD passed, no factor counts and none is worked out."""
        shortfall = self.scorer.shortfall(self.scorer.kernel.contributions(row)[0]) if scored else NAN
        return reasons.principal(self.scorer.texts, shortfall, broken=broken, reserved=reserved, scored=scored)

    @cached_property
    def _raw(self) -> tuple[tuple[str, bool], ...]:
        return tuple((column.name, column.is_level) for column in self.scorer.portfolio.raw_inputs)

    @cached_property
    def _derived(self) -> tuple[tuple[str, Any, tuple[str, ...]], ...]:
        return tuple((column.name, column.function, column.arguments) for column in self.scorer.portfolio.derived_columns)

    @cached_property
    def _rules(self) -> tuple[tuple[Rule, dict[str, str]], ...]:
        return tuple(zip(self.scorer.portfolio.rules, self.scorer.texts.rules, strict=True))

    @cached_property
    def _used(self) -> tuple[str, ...]:
        """The raw inputs that derived features or rules are computed from."""
        used = [*(arguments for _, _, arguments in self._derived), *(rule.arguments for rule, _ in self._rules)]
        return tuple(name for name, _ in self._raw if any(name in arguments for arguments in used))

    @cached_property
    def _encoded(self) -> tuple[tuple[str, Mapping[Any, float] | None], ...]:
        encoding = self.scorer.encoding
        return tuple((column.name, encoding[column.name] if column.is_level else None) for column in self.scorer.portfolio.inputs)

    @cached_property
    def _required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.scorer.portfolio.stored if not column.nullable)

    @cached_property
    def _levels(self) -> tuple[tuple[str, frozenset[Value]], ...]:
        """What each column of levels may be."""
        return tuple((column.name, frozenset([*seen.known, *([None] if seen.missing else [])]))
                     for column in self.scorer.portfolio.raw_inputs if column.is_level and (seen := self.scorer.support.get(column.name)))

    @cached_property
    def _ranges(self) -> tuple[tuple[str, float, float], ...]:
        """The columns of numbers that may be missing and whose codes all occurred: the range tells."""
        return tuple((name, *seen.ends) for name, seen in self._numbers if seen.missing and not seen.never)

    @cached_property
    def _coded(self) -> tuple[str, ...]:
        """The others."""
        return tuple(name for name, seen in self._numbers if not seen.missing or seen.never)

    @cached_property
    def _numbers(self) -> tuple[tuple[str, Seen], ...]:
        support = self.scorer.support
        return tuple((column.name, support[column.name]) for column in self.scorer.portfolio.inputs
                     if column.name in support and not column.is_level)

    @cached_property
    def _cuts(self) -> list[float]:
        return [self.scorer.policy.approve_below, self.scorer.policy.decline_from]

    @cached_property
    def _limits(self) -> list[float]:
        return [band.pd_below for band in self.scorer.policy.bands[:-1]]


def holds(rule: Rule, values: Mapping[str, Value], arrays: Mapping[str, Any]) -> bool:
    """`derive.holds` of one application."""
    if any(values[name] is None for name in rule.arguments):
        return False
    return bool(np.asarray(rule.when(*[arrays[name] for name in rule.arguments]), dtype=bool).all())


def _plain(value: Any, *, is_level: bool) -> Value:
    """A value as a decision holds it: missing is None."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return None
    return value if is_level else float(value)
