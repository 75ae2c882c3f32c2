"""The dashboard in Evidently's own interface: one project a portfolio, one run a window with its first day as its time, panels over time.

Responsible for doing nothing twice: a window is one run however often it is put, and is written anew only where a figure changed. A run's
tests are the verdicts of the reports: alert is failed, watch a warning, insufficient an error, which is no pass. Computes no figure. The
interface is for this machine alone, reports nothing home and refuses whoever would change a project.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
from evidently import Dataset, Report
from evidently.core.metric_types import MetricTest, MetricTestResult, TestStatus
from evidently.sdk.models import DashboardModel, DashboardPanelPlot, DashboardTabModel, PanelMetric, ProjectModel
from evidently.sdk.panels import bar_plot_panel, line_plot_panel
from evidently.ui.storage.local.base import LocalState

from governance.limits import ORDER, Verdict
from monitoring.reports import Figure, Shown, inert
from monitoring.timeline import Moment

HOME = uuid.UUID("5f7a9a4e-2f0c-5d5b-9a53-0e1c1d6a7f10")  # under which projects have their ids
VERDICT, KEY = "verdict", "Key figures"
STATUS = {Verdict.OK: TestStatus.SUCCESS, Verdict.WATCH: TestStatus.WARNING, Verdict.ALERT: TestStatus.FAIL,
          Verdict.INSUFFICIENT: TestStatus.ERROR}
PANELS = (  # title, what a figure is of (empty: of any), its measure (empty: any)
    ("Highest PSI of any column", "any column", "highest PSI"), ("How many columns", "columns", ""), ("Gini", "Gini", ""),
    ("Bad rate and mean PD", "bad rate", ""), ("Adverse impact ratio by group", "", "adverse impact ratio"),
    ("Shares of decisions", "decisions", ""),
)


class Judged(MetricTest):  # type: ignore[misc] # evidently is not followed by mypy
    """The verdict of a report as a test of its figure `verdict`; its fields are the same whatever the verdict."""

    def to_test(self) -> Any:
        def judge(_context: Any, metric: Any, value: Any) -> MetricTestResult:
            verdict = ORDER[int(value.value)]
            return MetricTestResult(id="judged", name=f"{metric.metric.column}: {verdict}", description=f"the report says {verdict}",
                                    metric_config=metric.to_metric_config(), test_config=self.dict(), status=STATUS[verdict])
        return judge


def put(folder: Path, title: str, moments: Sequence[Moment]) -> int:
    """Make the project of that title hold these windows and no others; how many runs were written."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state, project = LocalState(str(folder)), uuid.uuid5(HOME, title)
    if project not in state.list_projects():
        state.write_project(ProjectModel(id=project, name=title, description="What the reports of tally monitor say, window by window."))
        state.location.makedirs(f"{project}/snapshots")
    _panels(state, project, moments)
    wanted = {uuid.uuid5(project, f"{one.window} {one.release_id}"): one for one in moments}
    for stale in set(state.list_snapshots(project)) - set(wanted):
        (folder / str(project) / "snapshots" / f"{stale}.json").unlink()
    new = [run_id for run_id, moment in wanted.items() if _said(state, project, run_id) != _digest(moment)]
    for run_id in new:
        state.write_snapshot(project, run_id, _run(wanted[run_id]).to_snapshot_model())
    return len(new)


def serve(folder: Path, port: int) -> None:
    """Evidently's interface on this machine, until it is ended. What it shows can be read and not changed."""
    os.environ["DO_NOT_TRACK"] = "1"
    from evidently.ui.service.app import get_config, run  # noqa: PLC0415 - the whole service

    run(get_config(host="127.0.0.1", port=port, workspace=str(folder), secret=secrets.token_hex(32)))


def digest(folder: Path) -> str:
    """Of every run and panel: another where the interface would show something else."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.json")):
        found.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return found.hexdigest()


def _run(moment: Moment) -> Any:
    os.environ.setdefault("DO_NOT_TRACK", "1")
    rows = [(point.of, point.measure, point.value) for point in moment.points]
    rows += [(name, VERDICT, float(ORDER.index(verdict))) for name, verdict in moment.verdicts.items()]
    figures = pd.DataFrame(rows, columns=["column", "measure", "value"])
    table = pd.DataFrame([(point.of, point.measure, f"{point.value:.3g}") for point in moment.points], columns=["of", "measure", "value"])
    metrics = [Figure(column=of, measure=measure, tests=[Judged()] if measure == VERDICT else []) for of, measure, _ in rows]
    report = Report([Shown(title=KEY, kind="table", half=False), *metrics], include_tests=True)
    return report.run(Dataset.from_pandas(figures), None, {KEY: Dataset.from_pandas(inert(table))}, name=moment.window,
                      timestamp=moment.since.replace(tzinfo=None), metadata={"digest": _digest(moment), "release": moment.release_id})


def _digest(moment: Moment) -> str:
    return hashlib.sha256(msgspec.json.encode(moment)).hexdigest()


def _said(state: LocalState, project: uuid.UUID, run_id: uuid.UUID) -> str:
    """The digest of what a run was made from; empty where there is none, or half a one that a killed run left."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return str(state.read_snapshot(project, run_id).metadata.get("digest", ""))
    return ""


def _panels(state: LocalState, project: uuid.UUID, moments: Sequence[Moment]) -> None:
    found = [panel.copy(update={"id": uuid.uuid5(project, panel.title)}) for panel in _drawn(moments)]
    tab = DashboardTabModel(id=uuid.uuid5(project, "tab"), title="Windows", panels=[panel.id for panel in found])
    state.write_dashboard(project, DashboardModel(tabs=[tab], panels=found))


def _drawn(moments: Sequence[Moment]) -> Iterator[DashboardPanelPlot]:
    points = {(point.of, point.measure): None for moment in moments for point in moment.points}
    names = {name: None for moment in moments for name in moment.verdicts}
    yield bar_plot_panel("Verdicts: 3 alert, 2 watch, 1 ok, 0 insufficient", [_metric(name, VERDICT, name) for name in names], size="full")
    for title, of, measure in PANELS:
        mine = [pair for pair in points if of in {"", pair[0]} and measure in {"", pair[1]}]
        if mine:
            drawn = [_metric(*pair, pair[0] if measure else pair[1]) for pair in mine]
            yield line_plot_panel(title, drawn, size="half")


def _metric(of: str, measure: str, legend: str) -> PanelMetric:
    return PanelMetric(legend=legend, metric="Figure", metric_labels={"column": of, "measure": measure})
