"""Everything that judges a window, in one list: drift, performance and fairness as their stages do, decisions, parity, a summary.

Responsible for giving each the paths it names, and for a statement in place of a report where one cannot be made: never a crash, never a
silent pass. An error of this machine (disk, memory) is none of the window's and is raised.
"""

from __future__ import annotations

import contextlib
import inspect
import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from feature_repo import faults
from feature_repo.errors import MachineError, TallyError
from monitoring import decisions_report, parity_window
from monitoring.stages import drift, fairness, performance, summary


class Assessor(NamedTuple):
    """judge: takes the portfolio's name and paths by the names of its parameters (`Paths`). reads: what it stands on besides decisions."""

    name: str
    judge: Callable[..., None]
    reads: frozenset[str]


LABELS, GROUPS, OVERRIDES, CHECKS, OTHERS = "labels", "groups", "overrides", "checks", "other reports"
ASSESSORS = (
    Assessor("decisions", decisions_report.main, frozenset({LABELS, GROUPS, OVERRIDES})),
    Assessor("drift", drift.main, frozenset()),
    Assessor("performance", performance.main, frozenset({LABELS})),
    Assessor("fairness", fairness.main, frozenset({LABELS, GROUPS})),
    Assessor("parity", parity_window.main, frozenset({CHECKS})),
    Assessor("summary", summary.main, frozenset({LABELS, GROUPS, OVERRIDES, CHECKS, OTHERS})),  # the last, for it reads them
)


class Paths(NamedTuple):
    """What an assessor may name: the window, the release, a folder with protected.parquet, ingest's record of outcomes, other reports.

    plots: a folder for what `dvc plots` draws of the pipeline, which nobody keeps of a window of the record; check: of parity.
    """

    decisions: Path
    release: Path
    vault: Path
    record: Path
    plots: Path
    check: Path
    drift: Path = Path("drift.json")
    performance: Path = Path("performance.json")
    fairness: Path = Path("fairness.json")

    def beside(self, folder: Path) -> Paths:
        """With the other reports in a folder."""
        return self._replace(drift=folder / self.drift.name, performance=folder / self.performance.name,
                             fairness=folder / self.fairness.name)


class Report(NamedTuple):
    """Where a report is."""

    figures: Path
    page: Path


def report(assessor: Assessor, portfolio: str, paths: Paths, into: Report) -> str:
    """Make one; why it could not be made, or empty. Raises MachineError."""
    given = {**paths._asdict(), "figures": into.figures, "report": into.page}
    wanted = [name for name in inspect.signature(assessor.judge).parameters if name != "portfolio"]
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # a stage prints what it found
            assessor.judge(portfolio, *(given[name] for name in wanted))
    except TallyError as error:
        why = str(error)
    except Exception as error:  # noqa: BLE001 - a window nobody foresaw is said, and keeps no other from being judged
        if lacking := faults.explain(error, into.figures.parent):
            raise MachineError(f"{assessor.name}: {lacking}; then run the same command again") from None
        why = f"{type(error).__name__} at {faults.where(error)}: a bug, or a window that no check foresaw"
    else:
        return ""
    headline = f"**{assessor.name.capitalize()} cannot be judged: insufficient**, which is not a pass."
    decisions_report.empty(portfolio, [headline, why], *into)
    return why
