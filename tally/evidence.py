"""Evidence of a decision or a release, gathered from a home into one archive.

Responsible for finding what belongs in it and for a checkpoint that covers it. Refuses what is not recorded. A release that is not in the
home any more is left out, and the archive says so by not having it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from feature_repo.errors import LedgerError
from governance import history, promotion
from governance import release as releases
from governance.evidence.archive import Evidence, Subject, archive
from governance.ledger import checkpoint
from governance.ledger.entries import DECISION, Record
from governance.ledger.proving import checkpoint_now, prove
from governance.release import Release
from tally import questions
from tally.questions import Questions

SHORT = 12


def write(about: str, target: Path | None, portfolio: str | None) -> str:
    """Write the archive and say where it is."""
    asked = questions.of(portfolio)
    path = target or Path(f"evidence-{about[:36]}.zip")
    if path.parent != Path() and not path.parent.is_dir():
        raise LedgerError(f"{path.parent} is no folder; make it, or name another file with --to")
    path.write_bytes(gather(asked, about))
    log = asked.book.log
    return f"{path}: evidence of {about}. Check it, unpacked, with: python3 -I verify.py '{checkpoint.open_key(asked.home, log).verifier}'"


def gather(asked: Questions, about: str) -> bytes:
    """The archive of a decision by its id, or of a release by the beginning of its id or its version. Raises LedgerError."""
    found = asked.events and asked.book.find("id", about)
    subject, records = of_decision(asked, found) if found and found.kind == DECISION else of_release(asked, about)
    key = checkpoint.open_key(asked.home, asked.book.log)
    checkpoint_now(asked.book, key)
    ids = {record.id for record in records}
    release, signature = kept(asked, subject.release_id)
    return archive(Evidence(
        subject=subject, records=[(record, prove(asked.book, record)) for record in records], people=asked.people,
        lines=[line for line in asked.history() if line.entry in ids], release=release, signature=signature), key)


def of_decision(asked: Questions, record: Record) -> tuple[Subject, Sequence[Record]]:
    """A decision with what marks it, and its release."""
    trace = asked.trace(record.id)
    release_id = trace.behind.release_id if trace.behind else ""
    marks = {mark.id for mark, event in history.known(asked.events)
             if record.id in (getattr(event, "decision_id", ""), *getattr(event, "entries", ()))}
    about = [one for one in asked.events if one.id in marks]
    return (Subject(asked.portfolio, record.id, release_id, trace, trace.behind, trace.then),
            in_order([record, *about, *concerned(asked, release_id)]))


def of_release(asked: Questions, named: str) -> tuple[Subject, Sequence[Record]]:
    """A release with every event that is about it."""
    registered = asked.release(named)
    standing = promotion.standing(asked.events, asked.people)
    records = concerned(asked, registered.release_id)
    entry = next(record.id for record in records if record.kind == "release-registered")
    behind = history.background(asked.events, asked.people, standing, registered.release_id)
    return Subject(asked.portfolio, entry, registered.release_id, None, behind, None), in_order(records)


def concerned(asked: Questions, release_id: str) -> list[Record]:
    return [record for record, _ in history.concerning(asked.events, release_id)] if release_id else []


def in_order(records: Sequence[Record]) -> list[Record]:
    """Each once, as recorded."""
    return sorted({record.id: record for record in records}.values(), key=lambda record: (record.period, record.seq))


def kept(asked: Questions, release_id: str) -> tuple[Release | None, bytes | None]:
    """A release of the home, verified, and its signature; None for what is not there."""
    path, signature = asked.releases / release_id, asked.releases / f"{release_id}.sig"
    if not release_id or not path.is_dir():
        return None, None
    found = releases.verify(path, release_id)
    with suppress(FileNotFoundError):
        return found, signature.read_bytes()
    return found, None
