"""Scoring a file with a release of this checkout: the one that serves, or one that is named."""

from __future__ import annotations

from pathlib import Path

from feature_repo.errors import DataError, ReleaseError
from governance import release as releases
from governance.release import Release
from serving import champion
from serving.scoring import decision
from tally import score as scoring
from tally.checkout import Checkout, here
from tally.placing import pointed
from tally.questions import Questions
from tally.score import Asked


def score(source: Path, target: Path, *, reasons: bool = False, named: str | None = None, rejects: Path | None = None) -> str:
    """Score a file, and say what came of it. Raises DataError or ReleaseError."""
    if len({source.resolve(), target.resolve(), rejects.resolve() if rejects else None}) < 3:
        raise DataError("the file, what is made of it and what is set aside are three files")
    checkout = here()
    release = found(checkout, named)
    scorer = decision.load(release, checkout.portfolio)
    champion.prove(release, scorer)
    told = scoring.score(Asked(source, target, reasons, rejects), scorer, release)
    aside = f", {told.rejected:,} set aside in {rejects}" if rejects else ""
    went_on = f"; went on after {told.taken_up} parts" if told.taken_up else ""
    return f"{told.rows:,} rows scored with release {release.id[:12]} into {target}{aside}{went_on}"


def found(checkout: Checkout, named: str | None) -> Release:
    """A release on this disk, verified. Raises ReleaseError where none is called so."""
    folder = checkout.services / "releases"
    if named is None:
        wanted = pointed(checkout)
        if not wanted:
            raise ReleaseError("no release serves here; name one: --release ID")
    elif named.startswith("v"):
        wanted = Questions(checkout.home, checkout.portfolio.name).release(named).release_id
    else:
        fits = [path.name for path in folder.glob(f"{named}*") if path.is_dir()] if named.isalnum() else []
        if len(fits) != 1:
            raise ReleaseError(f"{len(fits)} releases in {folder} are called {named!r}")
        (wanted,) = fits
    if not (folder / wanted).is_dir():
        raise ReleaseError(f"release {wanted[:12]} is not in {folder}; bring it back: tally place")
    return releases.verify(folder / wanted, wanted)
