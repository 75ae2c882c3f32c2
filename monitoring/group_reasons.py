"""What groups are told: the share of a group's declines that name a reason, beside the reference group's.

Each share is compared by Fisher's exact test; as many are compared at once, p-values are Holm's over all reasons and groups of it. A
difference is a question and no verdict: two groups may differ in what they are declined for because their files differ. Refuses to show a
group with few declines.
"""

from __future__ import annotations

from collections import Counter

import msgspec
import pandas as pd

from feature_repo.contract import Action, Protected
from governance.exact import fisher, holm
from monitoring import disclosure, group_counts
from monitoring.group_counts import Grouped
from monitoring.params import FairnessParams
from serving.scoring.parts import Reason


class GroupReason(msgspec.Struct, frozen=True):
    """One reason in one group; shares are of declines, to two digits; p: Holm's, of Fisher's exact test; differs: p is below chance."""

    attribute: str
    group: str
    reason: str
    text: str
    share: float
    reference_share: float
    p: float
    differs: bool


def assess(of: Grouped, params: FairnessParams) -> tuple[GroupReason, ...]:
    """Every group but the references, and every reason that either names."""
    declined = of.frame[of.frame["outcome"] == Action.DECLINE]
    told = declined["reasons"].map(lambda texts: msgspec.json.decode(texts, type=list[Reason]))
    words = {reason.code: reason.text for reasons in told for reason in reasons}
    named = told.map(lambda reasons: frozenset(reason.code for reason in reasons))
    found: list[GroupReason] = []
    for column in of.portfolio.protected:
        hidden = group_counts.withheld(of, column, params.least)
        found += [one for one in _attribute(column, declined[column.name], (named, words), params) if one.group not in hidden]
    return tuple(found)


def count(groups: pd.Series, named: pd.Series) -> tuple[dict[str, int], dict[str, Counter[str]]]:
    """Declines per group, and how many of them name each reason: whole numbers that add up over shards."""
    reasons: dict[str, Counter[str]] = {}
    for group, codes in zip(groups, named, strict=True):
        if isinstance(group, str):
            reasons.setdefault(group, Counter()).update(codes)
    return {str(group): int(of) for group, of in groups.value_counts().items()}, reasons


def _attribute(column: Protected, groups: pd.Series, of: tuple[pd.Series, dict[str, str]], params: FairnessParams) -> list[GroupReason]:
    named, words = of
    declines, reasons = count(groups, named)
    if declines.get(column.reference, 0) < params.least:
        return []
    hidden = disclosure.withheld(declines, params.least)
    told = [name for name in column.group_names if name in declines and name != column.reference and name not in hidden]
    pairs = [(name, code) for name in told for code in sorted(reasons[name].keys() | reasons[column.reference].keys())]
    cases = [((reasons[name][code], declines[name]), (reasons[column.reference][code], declines[column.reference])) for name, code in pairs]
    adjusted = holm([fisher(own, other) for own, other in cases])
    return [GroupReason(column.name, name, code, words[code], round(own[0] / own[1], 2), round(other[0] / other[1], 2), p,
                        p < 1 - params.confidence)
            for (name, code), (own, other), p in zip(pairs, cases, adjusted, strict=True)]
