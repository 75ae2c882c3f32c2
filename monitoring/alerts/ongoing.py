"""How long findings go on: the first window of a breach, so that a window like the one before does not renew its deadline.

A breach goes on while windows of the same release flag the same subject, watch or alert. It ends with one that was judged and does not;
a few that could not be judged, such as a weekend, do not end it. Reads reports and judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from governance.limits import Verdict
from monitoring.alerts.alert import REPORTED, Finding, Kind
from monitoring.alerts.found import FLAGGED, WHOLE, verdicts

REPORT_OF = {kind: report for report, kinds in REPORTED.items() for kind in kinds}


class Breaches:
    """The windows that were judged, by name, the oldest first. folder: a folder of reports for each.

    most: so many windows in a row that could not be judged do not end a breach.
    """

    def __init__(self, windows: Sequence[str], folder: Path, most: int) -> None:
        self._windows, self._folder, self._most = windows, folder, most
        self._read: dict[Path, dict[tuple[Kind, str], Verdict]] = {}

    def since(self, finding: Finding) -> str:
        """The first window of the breach that a finding belongs to, its own where it is the first."""
        first, unjudged = finding.window, 0
        for window in reversed(self._windows[: self._windows.index(finding.window)]):
            seen = self._seen(finding, self._folder / window / finding.release_id / f"{REPORT_OF[finding.kind]}.json")
            if seen is finding.verdict or {seen, finding.verdict} <= {*FLAGGED}:
                first, unjudged = window, 0
                continue
            unjudged += 1
            if seen not in {None, Verdict.INSUFFICIENT} or unjudged > self._most:
                break
        return first

    def _seen(self, finding: Finding, path: Path) -> Verdict | None:
        """What a report said of the subject of a finding; of one it does not name, whether it could judge. None without a report."""
        if path not in self._read:
            self._read[path] = verdicts(path) if path.is_file() else {}
        if not (found := self._read[path]):
            return None
        whole = found[REPORTED[path.stem][0], WHOLE]
        return found.get((finding.kind, finding.subject), Verdict.OK if whole in FLAGGED else whole)
