"""Cut-offs, bands and scaling of a release, set on everyone who applied in development, not only on who was booked.

Decides nothing about an applicant: that is serving.scoring's, with what is made here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from feature_repo.errors import ParamsError
from serving.scoring.parts import Policy
from training.params import PolicyParams

Array = np.ndarray[Any, Any]


def require_bands(params: PolicyParams) -> None:
    """Raise ParamsError unless bands are best first, rising, named once and end at 1."""
    limits, names = [band.pd_below for band in params.bands], [band.name for band in params.bands]
    if not limits or limits[-1] != 1 or limits[0] <= 0 or np.any(np.diff(limits) <= 0) or len(set(names)) < len(names):
        raise ParamsError(f"params.yaml, evaluate.policy.bands: the limits {limits} must rise from above 0 to 1 "
                          f"and each name be there once, not {names}")
    if params.approve_by == "share" and params.approve_share + params.refer_share > 1:
        raise ParamsError("params.yaml, evaluate.policy: approve_share and refer_share together are over 1")


def provisional(params: PolicyParams) -> Policy:
    """The policy before its cut-offs are known: declines nobody, so that PDs can be had from a scorer."""
    return Policy(1.0, 1.0, params.bands, params.base_score, params.base_odds, params.pdo)


def set_policy(pd: Array, knocked_out: Array, params: PolicyParams) -> Policy:
    """Cut-offs by the declared rule, and a refer band of the wanted share of all applications from there on.

    pd: of everyone who applied in development; knocked_out: whether a rule holds for them, so that no PD approves them. Equal PDs
    are never divided, so shares are reached from below. Stored values in doubt do not move a cut-off: late data must not loosen it.
    """
    require_bands(params)
    ranked = rank(pd, knocked_out)
    approve = approve_cut(ranked, params, params.approve_by)
    share = params.approve_share if params.approve_by == "share" else float(np.mean(ranked < approve))
    decline = max(approve, cut(ranked, share + params.refer_share))
    return Policy(approve, decline, params.bands, params.base_score, params.base_odds, params.pdo)


def rank(pd: Array, knocked_out: Array) -> Array:
    """PDs in rising order, 1 for those whom no PD approves."""
    return np.sort(np.where(knocked_out, 1.0, pd))


def approve_cut(ranked: Array, params: PolicyParams, by: str) -> float:
    """The PD that approvals stay below, by one of the rules: a share, an expected bad rate of the approved, or the profit of each loan.

    A loan's expected profit is positive below the break-even PD, whatever its amount, so no other cut-off can be expected to earn more.
    Raises ParamsError where the rule approves nobody.
    """
    if by == "share":
        return cut(ranked, params.approve_share)
    if by == "profit":
        limit, wanted = params.profit.break_even, f"profit breaks even at a PD of {params.profit.break_even:.4g}"
    else:
        known = ranked[ranked < 1]
        within = int(np.sum(np.cumsum(known) <= params.approved_bad_rate * np.arange(1, len(known) + 1)))
        limit = float(ranked[within]) if within < len(ranked) else 1.0
        wanted = f"approved_bad_rate is {params.approved_bad_rate:g}"
    if not ranked[0] < limit:
        raise ParamsError(f"params.yaml, evaluate.policy: {wanted}, and approves none of {len(ranked)} applications of development, whose "
                          f"lowest PD is {ranked[0]:.4g}. Raise it, or set approve_by to share")
    return limit


def cut(ranked: Array, share: float) -> float:
    """The PD below which at most this share lies."""
    at = round(share * len(ranked))
    return float(ranked[at]) if at < len(ranked) else 1.0
