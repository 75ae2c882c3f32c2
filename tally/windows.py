"""Windows of a checkout's record: exported by command, and what each could not take up, said."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from feature_repo.errors import DataError
from governance.sentences import many
from monitoring.calendar import Grain
from monitoring.exporting import NONE, Left, Windows
from monitoring.exporting import export as written
from tally.checkout import Checkout, here


def export(since: datetime | None, until: datetime | None, grain: str) -> str:
    """Write the windows of a span of business time, UTC, whole ones; none given: all there are."""
    checkout = here()
    windows = of(checkout, Grain(grain))
    span = since.replace(tzinfo=UTC) if since else None, until.replace(tzinfo=UTC) if until else None
    book = checkout.book
    try:
        with alone(windows.home), tqdm(desc="export", unit=" decisions", disable=None) as bar:
            found = written(book, checkout.portfolio, windows, span, told=bar.update)
    finally:
        book.close()
    decided = sum(one.decisions for one in found)
    told = f"{many(decided, 'decision', 'decisions')} in {many(len(found), 'window', 'windows')} of a {grain} in {windows.folder}"
    return "\n".join([told, *left(sum((one.left for one in found), NONE))])


def of(checkout: Checkout, grain: Grain) -> Windows:
    return Windows(checkout.services / "windows", grain)


def left(found: Left) -> Sequence[str]:
    """What is not in windows, and why, in sentences; none where all is there."""
    return [f"Not in them: {said}." for said in (found.said,) if said]


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only run: a schedule and a person may start one each."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataError("another run of tally monitor, export or retrain is at work in this home; wait for it") from None
        yield
