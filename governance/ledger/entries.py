"""What the ledger holds: the one definition of an entry, of the commitment to its content, and of its leaf in the tree.

A leaf is one line: kind, id, time, commitment. What may have to be erased by law (body, idempotency key, digest of the request) is
beside it, and enters it through SHA-256 with a random salt of its own: once both are destroyed, nobody can find the content by trying,
and every proof still holds. Refuses an entry that would not be one line. Knows nothing of what a body means.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from feature_repo.errors import LedgerError

DECISION, SHADOW_DECISION = "decision", "shadow-decision"
OF_PEOPLE = (DECISION, SHADOW_DECISION)  # kinds of which there are many, about somebody: they may be erased, and are no events
BEGUN = "period-begun"
SALT_BYTES = 32
PIECE = 2_000  # bytes
UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Entry:
    """What is asked to be recorded. kind: one of `OF_PEOPLE` or the name of a governance event; body: canonical JSON.

    idempotency_key: at most one entry of a month and of the month before it has it; request_digest: of the request it was given with.
    """

    kind: str
    id: str
    body: bytes
    idempotency_key: str | None = None
    request_digest: str | None = None


@dataclass(frozen=True)
class Record:
    """An entry as recorded: numbered from 1 in its period ("2026-11"), timed by the clock on the wall.

    Of an erased one the salt and the body are empty, the key and the digest None; its commitment stays.
    """

    period: str
    seq: int
    kind: str
    id: str
    recorded_at: str
    idempotency_key: str | None
    request_digest: str | None
    body: bytes
    salt: bytes
    commitment: bytes

    @property
    def erased(self) -> bool:
        return not self.salt

    @property
    def content(self) -> dict[str, Any]:
        """The body as data, with the time it was recorded. Raises LedgerError where it was erased."""
        if self.erased:
            raise LedgerError(f"the content of {self.kind} {self.id} was erased; that it was recorded at {self.recorded_at} can be proved")
        return {**msgspec.json.decode(self.body), "recorded_at": self.recorded_at}

    @property
    def leaf(self) -> bytes:
        """What the tree is made of."""
        return leaf(self.kind, self.id, self.recorded_at, self.commitment)

    @property
    def payload(self) -> bytes:
        """What the commitment is to."""
        return payload(self.idempotency_key, self.request_digest, self.body)


COLUMNS = tuple(field.name for field in fields(Record) if field.name != "period")


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes."""
    return msgspec.json.encode(value, order="deterministic")


def leaf(kind: str, name: str, recorded_at: str, commitment: bytes) -> bytes:
    return f"{kind}\t{name}\t{recorded_at}\t{commitment.hex()}".encode()


def payload(idempotency_key: str | None, request_digest: str | None, body: bytes) -> bytes:
    return b"%b\t%b\t%b" % ((idempotency_key or "").encode(), (request_digest or "").encode(), body)


def salts(many: int) -> list[bytes]:
    """Salts that were never used before."""
    drawn = os.urandom(many * SALT_BYTES)
    return [drawn[start:start + SALT_BYTES] for start in range(0, len(drawn), SALT_BYTES)]


def recorded(entry: Entry, period: str, seq: int, recorded_at: str, salt: bytes) -> Record:
    """The entry with its place and time. salt: one of `salts`, for this entry alone."""
    key, digest = entry.idempotency_key or None, entry.request_digest or None
    commitment = _sha256(salt + payload(key, digest, entry.body))
    return Record(period, seq, entry.kind, entry.id, recorded_at, key, digest, entry.body, salt, commitment)


def _sha256(content: bytes) -> bytes:
    """In pieces for which Python does not let other threads run: to get the turn back takes longer than the hash of a decision."""
    hashed = sha256()
    for start in range(0, len(content), PIECE):
        hashed.update(content[start:start + PIECE])
    return hashed.digest()


def begun(origin: str, previous: tuple[str, int, bytes] | None) -> Entry:
    """The first entry of a period: which log it is, and the origin, size and root of the one before it."""
    before = {"origin": previous[0], "size": previous[1], "root": previous[2].hex()} if previous else None
    return Entry(BEGUN, f"{BEGUN}:{origin}", canonical({"origin": origin, "previous": before}))


def stamp(at: datetime) -> str:
    """A moment as `recorded_at` says it: texts in the order of their times."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def admit(entries: Iterable[Entry]) -> None:
    """Raise LedgerError where an entry would not be one line of an export, naming the field and never its value."""
    for entry in entries:
        texts = {"kind": entry.kind, "id": entry.id, "idempotency_key": entry.idempotency_key or "",
                 "request_digest": entry.request_digest or ""}
        unfit = [name for name, text in texts.items() if UNFIT.search(text)] + ["body"] * (b"\n" in entry.body)
        if unfit or not (entry.kind and entry.id):
            raise LedgerError(f"an entry of kind {entry.kind!r} cannot be recorded: {', '.join(unfit) or 'kind or id'} is empty or holds "
                              "a control character; a body is JSON on one line")
