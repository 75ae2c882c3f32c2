"""What is said to the record of a run: that its data were validated, and that its release is a version of the registry, by whom.

Idempotent: an event that is there already is not said again, and one that a killed run left out is said by the next. An author speaks for
themselves alone: where somebody else signed the release, or nobody could, the record says that no author is known, until they do.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from feature_repo.errors import IdentityError, ReleaseError
from governance import enrolment, events, signature
from governance.enrolment import Signer
from governance.events import Actor, DataValidated, Event, ReleaseRegistered
from governance.ledger.book import open_book
from governance.ledger.entries import Entry, Record, canonical
from governance.release import Release
from training import lineage, provenance, recorded, tracking
from training.origin import home

PROCESS = Actor("register", "process")


@dataclass(frozen=True)
class Author:
    """Whoever runs the stage, and their signature of the release; both None where they cannot sign, and why not."""

    signer: Signer | None = None
    signed: bytes | None = None
    lacking: str = ""


def author(release: Release) -> Author:
    """Sign a release, by the key of whoever acts. In an embedded home without a signers file they become its first author."""
    try:
        signer = enrolment.signer(home())
        return Author(signer, signature.sign(release, signer))
    except IdentityError as error:
        return Author(lacking=str(error))


def record(release: Release, card: tracking.Card, by: Author, experiment: str | None) -> str:
    """Append what the ledger lacks of this run; says who is the author of the registered release, or why nobody is."""
    book = open_book(home() / card.model / "ledger", os.environ.get("TALLY_LEDGER"))
    try:
        recorded.once(book, _validated(release, by.signer))
        before = book.find("id", f"{events.NAMES[ReleaseRegistered]}:{card.release_id}")
        known = _standing(before)
        name, lacking = (known.author, "") if known and known.author else _author(release, card, by)
        mine = by.signer if by.signer and by.signer.name == name else None
        event = _registered(release, card, experiment, mine)
        if known is None or _says_more(event, known):
            recorded.once(book, _entry(event, f"{card.release_id}:{event.commit}:{event.author}" if before else card.release_id, mine))
    finally:
        book.close()
    return f"signed by {name}" if name else f"not signed by an author, so it cannot be promoted: {lacking}"


def _says_more(event: ReleaseRegistered, known: ReleaseRegistered) -> bool:
    """Whether it names an author where none was known, or the commit of what was first made from uncommitted changes."""
    return bool(event.author and not known.author) or (event.author == known.author and known.dirty and not event.dirty)


def _standing(before: Record | None) -> ReleaseRegistered | None:
    """What the record says of the release already, if it counts: an author's word only under a signature of theirs."""
    known = events.of(before) if before else None
    if before is None or not isinstance(known, ReleaseRegistered):
        return None
    try:
        genuine = enrolment.place(home()).people.checks(known, before.recorded_at)
    except IdentityError:  # no signers file, so no signature counts
        genuine = known.by == PROCESS
    return known if genuine and known.author in ("", known.by.key) else None


def _author(release: Release, card: tracking.Card, by: Author) -> tuple[str, str]:
    """The name of whoever signed the registered release, if it is they who run this; else why there is none."""
    signed = tracking.signature(card)
    if by.signer is None or signed is None:
        return "", by.lacking
    try:
        name = signature.verify(release.path, signed, enrolment.place(home()).people).name
    except (ReleaseError, IdentityError) as error:
        return "", str(error)
    return (name, "") if name == by.signer.name else ("", f"it is signed by {name}, who has to register it: dvc repro")


def _validated(release: Release, signer: Signer | None) -> Entry:
    """Once for the same data and the same expectations, however often they are looked at."""
    verdict, data = release.manifest.validation, lineage.digests(release.manifest.portfolio, provenance.RAW)
    event = DataValidated(
        by=PROCESS, at=_now(), suite=verdict.get("suite", ""), success=verdict["success"], checks=verdict.get("checks", 0),
        warnings=len(verdict.get("warnings", ())), data=data,
    )
    return _entry(event, hashlib.sha256(canonical([event.suite, data])).hexdigest(), signer)


def _registered(release: Release, card: tracking.Card, experiment: str | None, signer: Signer | None) -> ReleaseRegistered:
    commit = provenance.commit()
    return ReleaseRegistered(
        by=PROCESS, at=_now(), release_id=card.release_id, model=card.model, version=card.version, run_id=card.run_id,
        author=signer.name if signer else "", git_author=provenance.git_author(), commit=commit["git.commit"],
        dirty=commit["git.dirty"] == "true", data=lineage.digests(release.manifest.portfolio, provenance.RAW), experiment=experiment or "",
    )


def _entry(event: Event, unique: str, signer: Signer | None) -> Entry:
    if signer:
        event = signer.sign(msgspec.structs.replace(event, by=Actor(signer.name, "key")))
    return events.entry(event, unique)


def _now() -> str:
    return datetime.now(UTC).isoformat()
