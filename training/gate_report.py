"""What the gates say of the newest release, for people: sentences, a page, and adverse impact per group as a table. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from governance import gate_fairness, gates
from governance.events import GateFinding
from governance.ratios import ratio_interval
from governance.release import Release

COLUMNS = ("segment", "ratio", "low", "high", "applications")
LET = "All {} gates let release {} through. People decide: a promotion is still to be requested and approved."
HELD = ("{} of {} gates let release {} through. A promotion is held up by {} until the model is mended, or an approver waives a gate, with "
        "a reason and until a day.")


def sentences(release: Release, findings: tuple[GateFinding, ...]) -> list[str]:
    """What it comes to, and then every gate that does not let the release through."""
    held = [finding for finding in findings if not finding.passed]
    if not held:
        return [LET.format(len(findings), release.id[:12])]
    names = ", ".join(finding.gate for finding in held)
    return [HELD.format(len(findings) - len(held), len(findings), release.id[:12], names),
            *(f"{finding.gate}: {finding.found}. Allowed: {finding.allowed}." for finding in held)]


def impact(release: Release) -> pd.DataFrame:
    """The adverse impact ratio of every group that has one, with its 95% interval; no line where the release counted nobody."""
    return pd.DataFrame(list(_impact(release)), columns=list(COLUMNS))


def _impact(release: Release) -> Iterator[dict[str, Any]]:
    try:
        counted = gate_fairness.counts(release)
    except gates.UNREADABLE:  # the fairness gate says why
        return
    for each in counted:
        if each.own.decisions and each.other.approved:
            ratio, low, high = ratio_interval(each.own.approvals, each.other.approvals)
            yield {"segment": f"{each.attribute}: {each.group}", "ratio": ratio, "low": low, "high": high,
                   "applications": each.own.decisions}
