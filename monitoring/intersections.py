"""Approvals of people who are of two groups at once: each pair of protected attributes, against those of both reference groups.

A group can fare well on each attribute and badly where two meet. Refuses to show a cell of few people; as rows and columns of such a table
are known as groups, all cells are told coarsely, and no count at all (`monitoring.disclosure`). Many cells are compared at once, so each
interval is as much surer.
"""

from __future__ import annotations

from itertools import combinations, product

import msgspec

from feature_repo.contract import Protected
from governance import packs
from governance.disparities import Looks
from governance.groups import Compared
from governance.limits import Verdict, worst
from governance.packs import Pack
from monitoring import disclosure, group_counts
from monitoring.disclosure import WITHHELD, coarse
from monitoring.fairness import severest
from monitoring.group_counts import Grouped
from monitoring.group_figures import IMPACT
from monitoring.intervals import Estimate, ratio
from monitoring.params import FairnessParams


class Cell(msgspec.Struct, frozen=True):
    """People of two groups at once."""

    groups: tuple[str, str]
    size: str
    adverse_impact: Estimate | None
    verdict: Verdict | None


class Intersection(msgspec.Struct, frozen=True):
    """Two attributes; reference: the groups both of which all cells are held against."""

    attributes: tuple[str, str]
    reference: tuple[str, str]
    verdict: Verdict
    cells: tuple[Cell, ...]


def assess(of: Grouped, newest: tuple[Pack, ...], params: FairnessParams) -> tuple[Intersection, ...]:
    """Every pair of attributes; empty where the contract declares fewer than two."""
    return tuple(_pair(of, pair, newest, params) for pair in combinations(of.portfolio.protected, 2))


def _pair(of: Grouped, pair: tuple[Protected, Protected], newest: tuple[Pack, ...], params: FairnessParams) -> Intersection:
    attributes, reference = (pair[0].name, pair[1].name), (pair[0].reference, pair[1].reference)
    names = {_name(groups): groups for groups in product(pair[0].group_names, pair[1].group_names)}
    tallies = {_name(groups): tally for groups, tally in of.by(*attributes).items()}
    compared = group_counts.compared(_name(attributes), tallies, list(names), _name(reference))
    family = max(sum(each.own.decisions > 0 for each in compared), 1)
    verdicts = severest(each for pack in newest for each in packs.judge(pack, compared, Looks.EVER, family=family))
    hidden = [group_counts.withheld(of, column, params.least) for column in pair]
    cells = tuple(_cell(each, names[each.group], verdicts.get((IMPACT, each.group)), params,
                        shown=not any(name in why for name, why in zip(names[each.group], hidden, strict=True))) for each in compared)
    return Intersection(attributes, reference, worst(cell.verdict for cell in cells if cell.verdict), cells)


def _cell(of: Compared, groups: tuple[str, str], verdict: Verdict | None, params: FairnessParams, *, shown: bool) -> Cell:
    few = min(of.own.decisions, of.other.decisions) < params.least
    if not shown:
        return Cell(groups, WITHHELD, None, verdict)
    return Cell(groups, f"fewer than {params.least}" if of.own.decisions < params.least else disclosure.size(of.own.decisions),
                None if few else coarse(ratio(of.own.approvals, of.other.approvals, params.confidence)), verdict)


def _name(groups: tuple[str, ...]) -> str:
    return " and ".join(groups)
