"""A release on its way to the workers: fetched, verified to the byte, its signature and its golden questions checked, and pointed to.

Responsible for a release that is on this disk already needing no registry. Raises ReleaseError or IdentityError where a release must not
be placed, ServiceError where the registry does not answer and it can be tried again.
"""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from feature_repo.errors import ReleaseError
from governance import gates, release
from governance.events import CHAMPION, GateFinding
from governance.ledger.book import Book
from governance.people import People
from governance.release import Release
from governance.standing import Promotion, Registered, Standing
from serving import champion
from serving.scoring import decision
from tally.checkout import Checkout

SUFFIX = ".sig"


def fetched(checkout: Checkout, wanted: Registered, people: People) -> Release:
    """A release in `releases/<id>`: as registered, signed by who made it, scoring here as it did when it was made."""
    from governance import signature

    found = _here(checkout, wanted) or _downloaded(checkout, wanted)
    signed = signature.verify(found.path, _signature(found).read_bytes(), people, wanted.at)
    if signed.name != wanted.author:
        raise ReleaseError(f"release {found.id[:12]} is signed by {signed.name}, the record says {wanted.author} made it")
    champion.prove(found, decision.load(found, checkout.portfolio))
    return found


def judged(of: Release, standing: Standing, book: Book) -> tuple[GateFinding, ...]:
    """What every gate says of a release now, against what serves and what was decided."""
    serves = standing.serving()
    before = serves.promotion.release_id if serves else ""
    compared = standing.compared.get((of.id, before))
    return gates.judge(of, compared, "" if before == of.id else before, datetime.now(UTC), gates.decided(book, standing.checked))


def require_as_said(of: Release, by: Promotion, standing: Standing) -> None:
    """Raise ReleaseError where a gate does not let a release through and its promotion does not say so: whoever recorded it made it up."""
    said = standing.requests[by.request_id].failed
    hidden = [one.gate for one in gates.judge(of, None, "", by.since) if not one.passed and one.gate not in said]
    if hidden:
        raise ReleaseError(f"release {of.id[:12]} was promoted as if it passed {', '.join(hidden)}, and it does not")


def pointer(checkout: Checkout, alias: str = CHAMPION) -> Path:
    """The file by which workers find what is placed under an alias."""
    return checkout.pointer.with_name(f"{alias}.json")


def pointed(checkout: Checkout, alias: str = CHAMPION) -> str:
    """The id of the release that the pointer of an alias names; empty where it names none."""
    try:
        return msgspec.json.decode(pointer(checkout, alias).read_bytes(), type=champion.Pointer).release_id
    except (OSError, msgspec.MsgspecError):
        return ""


def point(checkout: Checkout, placed: Release, by: Promotion) -> None:
    """Let every worker find it."""
    if pointed(checkout, by.alias) != placed.id:
        release.point(pointer(checkout, by.alias), placed, model_version=by.version)


def _signature(of: Release) -> Path:
    return of.path.with_name(f"{of.id}{SUFFIX}")


def _here(checkout: Checkout, wanted: Registered) -> Release | None:
    """The release on this disk, where it is whole and its signature beside it."""
    try:
        found = release.verify(checkout.services / "releases" / wanted.release_id, wanted.release_id)
    except (ReleaseError, OSError):
        return None
    return found if _signature(found).is_file() else None


def _downloaded(checkout: Checkout, wanted: Registered) -> Release:
    from training import tracking

    card = tracking.card(checkout.portfolio.name, version=wanted.version)
    releases = checkout.services / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=releases, prefix=".fetched-") as folder:
        source = tracking.fetch(card, Path(folder))
        signed = source.with_name(tracking.SIGNATURE)
        if not signed.is_file():
            raise ReleaseError(f"release {wanted.release_id[:12]} (version {wanted.version}) is not signed; register it again: dvc repro")
        placed = release.place(source, releases, wanted.release_id)
        release.sync(signed)
        os.replace(signed, _signature(placed))  # noqa: PTH105 - over one that is there
    release.sync(releases)
    return placed
