"""The dashboard of a checkout: what its reports say along time, in Evidently's interface, on this machine alone.

Run as `python -m tally.dashboard <folder> <port>` it serves a workspace until it is ended; `tally monitor` starts it and `tally stop` ends
it. Makes no report.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import msgspec

from feature_repo.errors import DataError
from monitoring import timeline, workspace
from monitoring.timeline import Moment
from tally.checkout import Checkout

VERDICT = "verdict.json"
LIVE = "decisions of the record"


class Made(msgspec.Struct, frozen=True):
    """A report of a window. release_id: as its folder is called, empty where nobody decided."""

    release_id: str = ""


class Window(msgspec.Struct, frozen=True):
    """A window of the record that was reported on."""

    window: str
    since: date
    reports: tuple[Made, ...] = ()


class Judged(msgspec.Struct, frozen=True):
    """What is read of verdict.json."""

    windows: tuple[Window, ...] = ()


def put(checkout: Checkout) -> Path:
    """Bring the workspace up to date: a project of the pipeline's months, and one of the record's windows; its folder."""
    folder, reports = checkout.services / "evidently", checkout.reports / checkout.portfolio.name
    workspace.put(folder, checkout.portfolio.name, timeline.by_month(reports))
    if (reports / VERDICT).is_file():
        put_record(checkout)
    return folder


def put_record(checkout: Checkout) -> None:
    """The project of the record's windows alone."""
    windows = tuple(of_record(checkout.reports / checkout.portfolio.name))
    workspace.put(checkout.services / "evidently", f"{checkout.portfolio.name}: {LIVE}", windows)


def of_record(reports: Path) -> Iterator[Moment]:
    """A moment for each release of each window that `tally monitor --as-of` reported on. Raises DataError."""
    try:
        windows = msgspec.json.decode((reports / VERDICT).read_bytes(), type=Judged).windows
    except msgspec.MsgspecError as error:
        raise DataError(f"{VERDICT} cannot be read ({type(error).__name__}); make it again: tally monitor --as-of yesterday") from None
    for one in windows:
        for release_id in sorted({made.release_id for made in one.reports} - {""}):
            yield timeline.of_window(reports / "monitoring" / one.window / release_id, one.window, datetime.combine(one.since, time(), UTC))


if __name__ == "__main__":
    workspace.serve(Path(sys.argv[1]), int(sys.argv[2]))
