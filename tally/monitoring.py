"""`tally monitor --as-of`: the reports of every window that had ended by a day, as that day could know them.

Responsible for the order (oldest first, so that an outage is caught up with), for doing nothing twice, for one run at a time, and for each
report being issued in the record. A report stands until what it stands on is another: its decisions, the outcomes that count, overrides, or
groups. Judges nothing: `monitoring.assessors` does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import msgspec
from tqdm import tqdm

from governance import actions, events
from governance.observations import VaultRead
from governance.release import dump
from monitoring import decisions_report
from monitoring.assessors import ASSESSORS, GROUPS, OTHERS, Assessor, Report, report
from monitoring.calendar import Grain, after, name
from monitoring.exporting import export, left_of
from monitoring.prepared import Prepared, releases
from tally import breaches, dashboard, verdicts
from tally import windows as files
from tally.arriving import vault_of
from tally.checkout import here
from tally.issuing import SELF, issued
from tally.moment import Run, day_of, known, over
from tally.verdicts import MADE
from training import recorded

SHORT = 12


class Made(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A report that was made: from what, and as of which day."""

    basis: str
    as_of: str


@dataclass(frozen=True)
class Told:
    """What became of one report. why: why it could not be made, or empty."""

    window: str
    release_id: str
    report: str
    made: bool
    why: str = ""


def as_of(said: str, grain: str, *, again: bool = False) -> str:
    """Make what is due; what was made, and what could not be, in lines. again: also what stands on the same as before."""
    checkout, day = here(), day_of(said)
    windows = files.of(checkout, Grain(grain))
    book = checkout.book
    try:
        with files.alone(windows.home), tqdm(desc="export", unit=" decisions", disable=None) as bar:
            export(book, checkout.portfolio, windows, (None, over(day)), told=bar.update)
            run = Run(checkout, book, windows, day, known(checkout, book, over(day)), again)
            told = [one for start in run.closed for one in _window(run, start)]
            found = verdicts.write(run)
            breaches.note(run)
            dashboard.put_record(checkout)
    finally:
        book.close()
    return "\n".join([*_said(run, told), *found])


def _window(run: Run, start: date) -> Iterator[Told]:
    """Every report of a window that is due; of one without a decision, that there was none."""
    path, called = run.windows.path(start), name(start, run.windows.grain)
    made_by = releases(path) if path.is_file() else []
    if not made_by:
        yield _nothing(run, start, called)
    for release_id in made_by:
        yield from _release(run, called, Prepared(run.checkout.portfolio, path, run.checkout.services / "releases" / release_id, run.known))


def _nothing(run: Run, start: date, called: str) -> Told:
    """The report on a window in which nothing was decided, or of which nothing is left."""
    path = run.windows.path(start)
    left = left_of(path).said if path.is_file() else ""
    span = f"from {start} to {after(start, run.windows.grain) - timedelta(days=1)}"
    why = ["**No decision can be judged: insufficient**, which is not a pass.",
           f"No decision of {run.checkout.portfolio.name} {span} is in the record" + (f" any more; not counted: {left}." if left else ".")]
    made = _keep(run, run.folder / called, "decisions", lambda into: decisions_report.empty(run.checkout.portfolio.name, why, *into))
    return Told(called, "", "decisions", made)


def _release(run: Run, called: str, prepared: Prepared) -> Iterator[Told]:
    """The reports of a window on one release's decisions."""
    folder = run.folder / called / prepared.release.name[:SHORT]
    before = msgspec.json.decode((folder / MADE).read_bytes(), type=dict[str, Made]) if (folder / MADE).is_file() else {}
    bases = {one.name: prepared.basis(one) for one in ASSESSORS}
    due = [one for one in ASSESSORS if run.again or _stands(before, folder, one) != bases[one.name]]
    due = [one for one in ASSESSORS if one in due or (due and OTHERS in one.reads)]
    yield from (Told(called, prepared.release.name, one.name, made=False) for one in ASSESSORS if one not in due)
    if not due:
        return
    with tempfile.TemporaryDirectory(dir=run.windows.home, prefix=".draft-") as scratch:
        looks = any(GROUPS in one.reads and OTHERS not in one.reads for one in due)  # the summary reads what others found of groups
        vault = vault_of(run.checkout) if looks else Path(scratch)
        paths = prepared.write(Path(scratch), lambda rows: _note(run, called, rows), vault)
        left = left_of(prepared.window).said
        for one in due:
            told = _one(run, called, one, partial(report, one, run.checkout.portfolio.name, paths.beside(folder)), folder)
            before = {**before, one.name: Made("" if told.why else bases[one.name], run.day.isoformat())}
            yield told
        verdicts.put(folder / MADE, dump({name: before[name] for name in sorted(before)}))
        if left:
            yield Told(called, prepared.release.name, "decisions", made=False, why=f"not counted: {left}")


def _one(run: Run, called: str, assessor: Assessor, make: Callable[[Report], str], folder: Path) -> Told:
    why: list[str] = []
    made = _keep(run, folder, assessor.name, lambda into: why.append(make(into)))
    return Told(called, folder.name, assessor.name, made, why[0])


def _stands(before: dict[str, Made], folder: Path, assessor: Assessor) -> str:
    """What a report that is there stands on; empty where there is none."""
    there = all((folder / f"{assessor.name}.{kind}").is_file() for kind in ("json", "html"))
    return before[assessor.name].basis if there and assessor.name in before else ""


def _keep(run: Run, folder: Path, report_name: str, make: Callable[[Report], object]) -> bool:
    """Make a report beside, then let it take its place, issued in the record; whether it says anything else than the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".draft-") as scratch:
        draft = Report(Path(scratch) / f"{report_name}.json", Path(scratch) / f"{report_name}.html")
        make(draft)
        into = Report(folder / draft.figures.name, folder / draft.page.name)
        new = not (into.page.is_file() and into.figures.is_file() and into.figures.read_bytes() == draft.figures.read_bytes())
        if new:
            draft.page.replace(into.page)
            draft.figures.replace(into.figures)
    issued(run.book, f"monitoring/{into.figures.relative_to(run.folder).with_suffix('')}", into.figures)
    return new


def _note(run: Run, called: str, rows: int) -> None:
    """Put into the record that the vault is read."""
    at = actions.now()
    recorded.once(run.book, events.entry(VaultRead(by=SELF, at=at, purpose=f"monitoring of window {called}", rows=rows), f"{called}:{at}"))


def _said(run: Run, told: Sequence[Told]) -> Iterator[str]:
    """How much was made, and every report that could not be."""
    made = sum(one.made for one in told)
    yield (f"as of {run.day}: {len({one.window for one in told})} windows of a {run.windows.grain}, {made} reports made, "
           f"{len({(one.window, one.release_id, one.report) for one in told}) - made} stand as they are")
    yield from (f"{one.window}, {one.report}: {one.why}" for one in told if one.why)
    yield from run.known.outcomes.ignored
