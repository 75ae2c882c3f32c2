"""`tally alerts`: tell whoever owns it what the newest windows of `tally monitor --as-of` found, and try again what could not be sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
from msgspec import structs

from feature_repo.errors import DataError
from feature_repo.params import read
from governance.limits import Verdict
from monitoring.alerts.alert import REPORTED, Finding
from monitoring.alerts.delivery import Desk
from monitoring.alerts.exits import exits
from monitoring.alerts.found import early, findings
from monitoring.alerts.ongoing import Breaches
from monitoring.alerts.params import AlertsParams
from monitoring.alerts.ranking import ranked
from tally.checkout import Checkout, here

VERDICT, PERFORMANCE = "verdict.json", "performance"


class Made(msgspec.Struct, frozen=True):
    """A report of a window, by its file's name."""

    report: str
    release_id: str = ""
    verdict: Verdict = Verdict.INSUFFICIENT
    digest: str = ""


class Window(msgspec.Struct, frozen=True):
    """A window that was judged."""

    window: str
    since: date | None = None
    reports: tuple[Made, ...] = ()


class Judged(msgspec.Struct, frozen=True):
    """What is read of verdict.json, the oldest window first. pipeline: the reports that lie beside."""

    windows: tuple[Window, ...] = ()
    pipeline: tuple[Made, ...] = ()


def alert(checkout: Checkout | None = None) -> str:
    """Raise, send and write `reports/<portfolio>/alerts.prom`; what became of it, a line each."""
    checkout, params = checkout or here(), read("alerts", AlertsParams)
    name, folder = checkout.portfolio.name, checkout.reports / checkout.portfolio.name
    said = judged(folder / VERDICT)
    newest = said.windows[-params.windows:]
    breaches = Breaches([one.window for one in said.windows], folder / "monitoring", params.windows)
    flagged = [structs.replace(one, since=breaches.since(one)) for one in found(folder, newest)]
    beside, untold = _beside(folder / f"{PERFORMANCE}.json", said.pipeline)
    desk = Desk(name, params, exits(), checkout.services, folder)
    window = newest[-1].window if newest else ""
    return "\n".join([*desk.deliver(flagged, window, datetime.now(UTC).date(), beside).sentences, *untold])


def _beside(path: Path, pipeline: Sequence[Made]) -> tuple[list[Finding], list[str]]:
    """The early sign of the pipeline, and why it is not told: `dvc repro` may be making that report anew, which stops no other alert."""
    try:
        return [one for made in pipeline if made.report == PERFORMANCE for one in early(path, made.release_id, made.digest)], []
    except DataError as error:
        return [], [f"early sign not told: {error}"]


def judged(path: Path) -> Judged:
    """What was judged. Raises DataError where nothing was."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Judged)
    except FileNotFoundError:
        raise DataError("no window was judged yet; run: tally monitor --as-of yesterday") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path.name} cannot be read ({type(error).__name__}); make it again: tally monitor --as-of yesterday") from None


def found(folder: Path, windows: Sequence[Window]) -> Iterator[Finding]:
    """What the reports of some windows flag, of each release's decisions in a window the dearest first."""
    for window in windows:
        for release_id in dict.fromkeys(made.release_id for made in window.reports):
            here = folder / "monitoring" / window.window / release_id
            reports = [made.report for made in window.reports if made.release_id == release_id and made.report in REPORTED]
            flagged = (one for report in reports for one in findings(here / f"{report}.json", window.window, release_id))
            yield from ranked(flagged, here / "summary.json")
