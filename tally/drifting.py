"""Drift of windows of any length: counted a row group at a time, or counted before, added up, and judged against a release.

For windows that lie in several files or on several machines, and for what workers counted while they decided: counts hold no value of
anybody, and are judged together by the same months, quarters or years as the stage `drift`. Refuses counts of another release, and to
judge none.
"""

from __future__ import annotations

from functools import reduce
from pathlib import Path

import msgspec

from feature_repo.errors import DataError
from feature_repo.params import read
from governance.release import require_interface, verify
from monitoring import counting, drift, drift_report, drift_sections
from monitoring.counting import Asked, Counted
from monitoring.params import DriftParams
from monitoring.passes import by_vintage
from serving.scoring.bins import Bins
from tally.checkout import Checkout, here
from tally.filing import found as filed


def judge(files: tuple[Path, ...], named: str | None = None, counts: Path | None = None, checkout: Checkout | None = None) -> str:
    """The findings over all files, by month. Raises DataError or ReleaseError.

    named: the release, as `tally score` has it, or its folder; counts: where the counts of all files are kept.
    """
    checkout = checkout or here()
    release = verify(Path(named)) if named and Path(named).is_dir() else filed(checkout, named)
    require_interface(release, checkout.portfolio)
    params = read("drift", DriftParams)
    asked = Asked(checkout.portfolio, release.read("bins.json", dict[str, Bins]), release.id)
    given = [file for path in files for file in (kept(path, release.id) if path.is_dir() else [path])]
    everything = reduce(counting.add, (counted(path, asked) for path in given), Counted(release.id, {}))
    if not everything.rows:
        raise DataError(f"no decision by release {release.id[:12]} in {', '.join(path.name for path in files)}")
    if counts:
        counts.write_bytes(msgspec.json.encode(everything))
    _, months = by_vintage(everything.months, checkout.portfolio)
    columns = drift.judge(months, checkout.portfolio, asked.bins, params)
    looked = (f"Looked at: {everything.rows:,} decisions by release {release.id[:12]} of {checkout.portfolio.name}, "
              f"{min(months)} to {max(months)}; files: {len(given)}.")
    faults = drift_sections.of_quality(columns, drift_sections.recorded(release))
    return "\n".join([*drift_report.findings(columns, params), *faults, looked])


def kept(folder: Path, release_id: str) -> list[Path]:
    """What workers counted of a release, in all the hours of a folder or in one."""
    return sorted(folder.rglob(f"{release_id}.*.json"))


def counted(path: Path, asked: Asked) -> Counted:
    """A window, or the counts of one that were kept. Raises DataError for counts that are none, or of other columns."""
    if path.suffix != ".json":
        return counting.stream([path], asked)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Counted)
    except (OSError, msgspec.DecodeError):
        raise DataError(f"{path.name} holds no counts of windows; keep them with tally drift FILE --counts {path.name}") from None
    return counting.add(Counted(asked.release_id, {}), found)
