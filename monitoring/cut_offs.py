"""Adverse impact by score band, and what it would be if the cut-off moved.

A cut-off is moved for those whom the PD decides: what names a rule among its reasons, or was not approved though its PD is below the
policy's cut-off, was stopped by a rule or by doubtful values, and stays so. Counts are whole numbers and add up over shards. Judges
nothing; refuses to show a group of few, and shows ratios rounded, for counts of neighbouring cut-offs could be subtracted.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from feature_repo.contract import Action, Protected
from governance.ratios import Cases
from monitoring import disclosure, group_counts
from monitoring.disclosure import WITHHELD, coarse
from monitoring.group_counts import At, Grouped
from monitoring.intervals import Estimate, ratio, share
from monitoring.params import FairnessParams
from serving.scoring.kernel import Array
from serving.scoring.parts import Policy, Reason

RULE = "rule"
TWENTIETHS = tuple(step / 20 for step in range(1, 20))


class InBand(msgspec.Struct, frozen=True):
    """A group's decisions in one score band: how many, coarsely, the share approved, and that over the reference group's in the band."""

    attribute: str
    group: str
    band: str
    size: str
    approval_rate: Estimate | None
    adverse_impact: Estimate | None


class AtCutOff(msgspec.Struct, frozen=True):
    """What the ratio of a group would be, were PDs below `pd_below` approved; approved: the share of all decisions that would then be.

    name: the policy's cut-off it is, empty for a quantile of the window's PDs.
    """

    attribute: str
    group: str
    name: str
    pd_below: float
    approved: float
    adverse_impact: Estimate | None


def by_band(of: Grouped, policy: Policy, params: FairnessParams) -> tuple[InBand, ...]:
    """Every group and band, best band first; a band that nobody of a group is in reads as one that few are in."""
    return tuple(found for column in of.portfolio.protected for found in _bands(of, column, policy, params))


def _bands(of: Grouped, column: Protected, policy: Policy, params: FairnessParams) -> list[InBand]:
    cases = {at: tally.approvals for at, tally in of.by(column.name, "band").items()}
    hidden = group_counts.withheld(of, column, params.least)
    return [InBand(column.name, name, band.name, WITHHELD, None, None) if name in hidden
            else _in_band(column, (name, band.name), cases, params)
            for band in policy.bands for name in column.group_names if cases]


def _in_band(column: Protected, at: tuple[str, str], cases: Mapping[At, Cases], params: FairnessParams) -> InBand:
    own, other = cases.get(at, (0, 0)), cases.get((column.reference, at[1]), (0, 0))
    few, alone = own[1] < params.least, other[1] < params.least or at[0] == column.reference
    return InBand(column.name, *at, f"fewer than {params.least}" if few else disclosure.size(own[1]),
                  None if few else coarse(share(own, params.confidence)),
                  None if few or alone else coarse(ratio(own, other, params.confidence)))


def along(of: Grouped, policy: Policy, params: FairnessParams) -> tuple[AtCutOff, ...]:
    """Every group but the references at the policy's two cut-offs and at twentieths of the window's PDs, in order of the cut-off."""
    if of.frame.empty:
        return ()
    pd_ = of.of("pd")
    movable = (of.of("outcome") == Action.APPROVE) | ((pd_ >= policy.approve_below) & ~_ruled(of))
    limits = {**{float(np.quantile(pd_, step)): "" for step in TWENTIETHS}, policy.approve_below: "approve", policy.decline_from: "decline"}
    ordered = sorted(limits)
    overall = approvals(pd_[movable], ordered) / len(pd_)
    lines = [(limit, limits[limit], float(part)) for limit, part in zip(ordered, overall, strict=True)]
    return tuple(found for column in of.portfolio.protected
                 for found in _along(of, column, (pd_, movable), lines, params))


def _ruled(of: Grouped) -> Array:
    """Whether a reason is a rule's."""
    named = (msgspec.json.decode(text, type=list[Reason]) for text in of.of("reasons"))
    return np.fromiter((any(reason.feature == RULE for reason in reasons) for reasons in named), dtype=bool, count=len(of.frame))


def approvals(pd_: Array, ordered: list[float]) -> Array:
    """How many would be approved at each of the cut-offs."""
    return np.searchsorted(np.sort(pd_), ordered, side="left")


def _along(of: Grouped, column: Protected, scored: tuple[Array, Array], lines: list[tuple[float, str, float]],
           params: FairnessParams) -> list[AtCutOff]:
    (pd_, movable), groups = scored, of.of(column.name)
    sizes = {name: int((groups == name).sum()) for name in column.group_names}
    ordered = [limit for limit, _, _ in lines]
    counted = {name: approvals(pd_[movable & (groups == name)], ordered) for name in column.group_names if sizes[name]}
    hidden = group_counts.withheld(of, column, params.least) if sizes[column.reference] >= params.least else dict.fromkeys(counted)
    told = [name for name in counted if name not in hidden and name != column.reference]
    return [AtCutOff(column.name, name, which, limit, round(part, 3),
                     coarse(ratio((int(counted[name][at]), sizes[name]), (int(counted[column.reference][at]), sizes[column.reference]),
                                  params.confidence)))
            for name in told for at, (limit, which, part) in enumerate(lines)]
