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
    if params.approve_share + params.refer_share > 1:
        raise ParamsError("params.yaml, evaluate.policy: approve_share and refer_share together are over 1")


def provisional(params: PolicyParams) -> Policy:
    """The policy before its cut-offs are known: declines nobody, so that PDs can be had from a scorer."""
    return Policy(1.0, 1.0, params.bands, params.base_score, params.base_odds, params.pdo)


def set_policy(pd: Array, knocked_out: Array, params: PolicyParams) -> Policy:
    """Cut-offs whose PDs approve and refer the wanted shares of all applications.

    pd: of everyone who applied in development; knocked_out: whether a rule holds for them, so that no PD approves them. Equal PDs
    are never divided, so the shares are reached from below. Stored values in doubt do not move a cut-off: late data must not loosen it.
    """
    require_bands(params)
    ranked = np.sort(np.where(knocked_out, 1.0, pd))
    approve, decline = (_cut(ranked, share) for share in (params.approve_share, params.approve_share + params.refer_share))
    return Policy(approve, decline, params.bands, params.base_score, params.base_odds, params.pdo)


def _cut(ranked: Array, share: float) -> float:
    at = round(share * len(ranked))
    return float(ranked[at]) if at < len(ranked) else 1.0
