"""What is in an archive of evidence: the records it is about with their proofs, the release, people's public keys, a page and a script.

Responsible for what goes in and for the signed list of it. An archive about a decision holds what was recorded of that applicant, which is
its purpose; one about a release holds no applicant. Tokens and private keys are never in one. Equal evidence gives equal bytes.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from governance import events
from governance.evidence import page
from governance.history import Background, Line, Moment, Trace, known
from governance.ledger.checkpoint import Key
from governance.ledger.entries import Record
from governance.ledger.proving import Proof
from governance.people import People
from governance.release import Release, dump

TITLE = "tallystick evidence 1"
SCRIPT = Path(__file__).with_name("verify.py")
FOREVER = datetime.max.replace(microsecond=0, tzinfo=UTC)
LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Subject:
    """What an archive is about. trace: of a decision, None for a release; entry: id of the record it is about; release_id: may be empty."""

    portfolio: str
    entry: str
    release_id: str
    trace: Trace | None
    behind: Background | None
    then: Moment | None


@dataclass(frozen=True)
class Evidence:
    """All that goes in. records: in recorded order, each with its proof; lines: the same events as sentences."""

    subject: Subject
    records: Sequence[tuple[Record, Proof]]
    lines: Sequence[Line]
    people: People
    release: Release | None
    signature: bytes | None


def archive(evidence: Evidence, key: Key) -> bytes:
    """The zip."""
    found = files(evidence, key)
    found["MANIFEST"] = key.sign(manifest(found)).encode()
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(found):
            target.writestr(zipfile.ZipInfo(name, LONG_AGO), found[name], zipfile.ZIP_DEFLATED)
    return written.getvalue()


def files(evidence: Evidence, key: Key) -> dict[str, bytes]:
    """Every file but the list of them, by its name in the archive."""
    subject, vkey = evidence.subject, str(key.verifier)
    about = {"about": "decision" if subject.trace else "release", "portfolio": subject.portfolio, "entry": subject.entry,
             "release_id": subject.release_id if evidence.release else ""}
    signed = {"release.sig": evidence.signature} if evidence.signature and evidence.release else {}
    return {
        "evidence.json": dump(about),
        "records.entries": b"".join(line(record) + b"\n" for record, _ in evidence.records),
        "proofs.json": dump([{"period": proof.period, "index": proof.index, "hashes": [each.hex() for each in proof.hashes]}
                             for _, proof in evidence.records]),
        **{f"checkpoints/{proof.period}": proof.checkpoint.encode() for _, proof in evidence.records},
        "people.json": dump(persons(evidence)),
        "log.vkey": f"{vkey}\n".encode(),
        **(release_files(evidence.release) if evidence.release else {}), **signed,
        "verify.py": SCRIPT.read_bytes(),
        "index.html": page.write(subject, contents(evidence), evidence, key.verifier).encode(),
    }


def manifest(found: Mapping[str, bytes]) -> str:
    """What is signed: a digest and a name a line."""
    listed = [f"{hashlib.sha256(found[name]).hexdigest()}  {name}" for name in sorted(found)]
    return "".join(f"{each}\n" for each in (TITLE, *listed))


def line(record: Record) -> bytes:
    """A record as an export has it."""
    header = f"{record.kind}\t{record.id}\t{record.recorded_at}".encode()
    if record.erased:
        return header + b"\t-\t" + record.commitment.hex().encode()
    return header + b"\t" + record.salt.hex().encode() + b"\t" + record.payload


def persons(evidence: Evidence) -> list[dict[str, Any]]:
    """The public entries of everybody the records name."""
    named = {name for _, event in known(record for record, _ in evidence.records)
             for name in (event.by.name, event.by.key, getattr(event, "author", ""))}
    return [{"name": one.name, "roles": one.roles, "key": one.key, "demo": one.demo, "since": one.since.astimezone(UTC).isoformat(),
             "until": (one.until or FOREVER).astimezone(UTC).isoformat(), "fingerprint": one.fingerprint}
            for one in evidence.people if one.name in named]


def release_files(release: Release) -> dict[str, bytes]:
    """The whole release, as it was verified."""
    return {f"release/{name}": (release.path / name).read_bytes() for name in (*release.manifest.files, "release.json")}


def contents(evidence: Evidence) -> dict[str, Any] | None:
    """What was recorded of the decision, with its applicant's values; None for a release, and where it was erased."""
    return next((record.content for record, _ in evidence.records
                 if record.id == evidence.subject.entry and record.kind not in events.KINDS and not record.erased), None)
