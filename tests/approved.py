"""People of a test with keys in memory, and the events they say: what an approved promotion is made of, in memory or in a home's ledger."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from governance import events, keys
from governance.enrolment import as_yaml
from governance.events import CHAMPION, Actor, Event, GateFinding
from governance.ledger.book import open_book
from governance.ledger.entries import Record, recorded, salts
from governance.ledger.writer import Ledger
from governance.people import People, Person
from governance.promotion import unique
from governance.splits import Split

BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
ROLES = {"ada": ("author",), "olga": ("owner",), "otto": ("owner", "approver"), "anna": ("approver",), "abel": ("approver", "author"),
         "dora": ("desk",), "ulla": ("underwriter",), "sina": ("servicer",), "cora": ("custodian",)}
PASSED = (GateFinding("gini", passed=True, found="0.55", allowed="at least 0.40"),)
FAILED = (*PASSED, GateFinding("fairness", passed=False, found="0.71", allowed="at least 0.80"))


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    """The private key of somebody, the same in every process of a run of tests."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(name.encode()).digest()) >> 1, ec.SECP256R1())


def person(name: str, roles: Sequence[str], *, demo: bool = False) -> Person:
    return Person(name=name, roles=tuple(roles), key=keys.pem(key(name).public_key()), since=BEGAN, demo=demo)


def people() -> People:
    """An author, two owners, three approvers (one of whom also makes models, one of whom also owns them), and one of every other role."""
    return People([person(name, roles) for name, roles in ROLES.items()])


def keep_key(home: Path, name: str) -> Path:
    """Somebody's private key as a file in a home, as `tally people` makes it."""
    path = home / "keys" / f"{name}.pem"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    return path


def keep_people(home: Path) -> None:
    """The signers file of a home, where it has none, and everybody's private key."""
    if not (home / "signers.yaml").exists():
        (home / "signers.yaml").write_text("".join(map(as_yaml, people())))
    for name in ROLES:
        keep_key(home, name)


def by(name: str) -> Actor:
    return Actor(name, "key", key=name)


def unsigned(name: str = "watch", how: str = "process") -> Actor:
    return Actor(name, how)  # type: ignore[arg-type]


def sign(event: Event, using: str = "") -> Event:
    """The event with a signature of whom it names, or of somebody else."""
    if event.by.how not in {"key", "token"}:
        return event
    signature = keys.sign(key(using or event.by.key), events.statement(event))
    return msgspec.structs.replace(event, by=msgspec.structs.replace(event.by, signature=signature))


class Book:
    """A ledger in memory: what was said, numbered, by a clock that goes on a second for every entry."""

    def __init__(self, at: datetime = BEGAN + timedelta(days=1)) -> None:
        self.records: list[Record] = []
        self.at = at

    def put(self, event: Event, entry: str = "") -> Record:
        """Append an event as it is, whatever the rules say of it."""
        self.at += timedelta(seconds=1)
        made = events.entry(event, entry or unique(event))
        self.records.append(recorded(made, "2024-01", len(self.records) + 1, self.at.isoformat(timespec="microseconds"), *salts(1)))
        return self.records[-1]

    def say(self, said: Iterable[Event]) -> None:
        """Sign and append some events, each said a moment before it is recorded."""
        for event in said:
            self.put(sign(msgspec.structs.replace(event, at=self.at.isoformat())))


def registered(release_id: str, author: str = "ada", version: str = "1") -> Event:
    return events.ReleaseRegistered(by=by(author), at="", release_id=release_id, model="loans", version=version, run_id="r", author=author,
                                    git_author=author, commit="c", dirty=False, data={})


def asked(request: str, release_id: str, who: Actor, gates: tuple[GateFinding, ...] = PASSED, version: str = "1") -> Event:
    return events.PromotionRequested(by=who, at="", request_id=request, release_id=release_id, version=version, alias=CHAMPION,
                                     reason="better", gates=gates)


def approved(request: str, release_id: str, who: Actor) -> Event:
    return events.PromotionApproved(by=who, at="", request_id=request, release_id=release_id, reason="agreed")


def rejected(request: str, release_id: str, who: Actor) -> Event:
    return events.PromotionRejected(by=who, at="", request_id=request, release_id=release_id, reason="no")


def waived(request: str, release_id: str, who: Actor, until: datetime, gate: str = "fairness") -> Event:
    return events.GateWaived(by=who, at="", request_id=request, release_id=release_id, gate=gate, reason="known", until=until.isoformat())


def promoted(request: str, release_id: str, who: Actor, gates: tuple[GateFinding, ...] = PASSED, version: str = "1") -> Event:
    return events.ReleasePromoted(by=who, at="", request_id=request, release_id=release_id, version=version, alias=CHAMPION, replaces="",
                                  gates=gates)


def withdrawn(request: str, release_id: str, who: Actor, alias: str) -> Event:
    return events.ReleaseWithdrawn(by=who, at="", request_id=request, release_id=release_id, alias=alias, reason="enough seen")


def beside(alias: str, split: Split | None, *said: Event) -> list[Event]:
    """Events as if they were about a shadow or a challenger."""
    about = {events.PromotionRequested: {"alias": alias, "split": split}, events.ReleasePromoted: {"alias": alias}}
    return [msgspec.structs.replace(event, **about.get(type(event), {})) for event in said]


def back(release_id: str, who: Actor, version: str = "1") -> Event:
    return events.ReleaseRolledBack(by=who, at="", release_id=release_id, version=version, alias=CHAMPION, replaces="", reason="worse")


def retired(release_id: str, who: Actor) -> Event:
    return events.ReleaseRetired(by=who, at="", release_id=release_id, reason="old")


def compared(challenger: str, champion: str) -> Event:
    return events.ReleaseCompared(by=unsigned("compare"), at="", challenger=challenger, champion=champion, part="test", rows=1_000,
                                  gini_difference=0.01, interval=(-0.005, 0.025), confidence=0.95)


def checked(names: Sequence[str], decisions: int = 1_000, **changes: object) -> events.ParityChecked:
    """A check that found every column the same online and offline."""
    found = tuple(events.ColumnParity(name, decisions, 0, 0.003) for name in names)
    said = events.ParityChecked(by=unsigned("parity"), at=datetime.now(UTC).isoformat(), decisions=decisions, since="", confidence=0.95,
                                columns=found)
    return msgspec.structs.replace(said, **changes)


def placed(release_id: str) -> Event:
    return events.ReleasePlaced(by=unsigned(), at="", release_id=release_id, version="1", alias=CHAMPION, replaces="", cause="promoted")


def allow(home: Path, portfolio: str, release_id: str, version: str = "1", *, author: str = "ada") -> None:
    """Let a release serve by the record of a home: registered, asked for, approved, promoted and placed, by people of its signers file."""
    if not (home / "signers.yaml").exists():
        (home / "signers.yaml").write_text("".join(map(as_yaml, people())))
    append(home, portfolio, [registered(release_id, author, version), *agreed(secrets.token_hex(6), release_id, version)])


def agreed(request: str, release_id: str, version: str = "1") -> list[Event]:
    """A release asked for, approved and promoted."""
    return [asked(request, release_id, by("olga"), version=version), approved(request, release_id, by("anna")),
            promoted(request, release_id, unsigned(), version=version)]


def append(home: Path, portfolio: str, said: Iterable[Event]) -> None:
    """Sign events and append them to a home's ledger, as if they were said now; what is there already stays."""
    book = open_book(home / portfolio / "ledger")
    ledger = Ledger(book)
    try:
        stamped = [msgspec.structs.replace(event, at=datetime.now(UTC).isoformat()) for event in said]
        entries = [events.entry(sign(event), unique(event)) for event in stamped]
        ledger.append([entry for entry in entries if book.find("id", entry.id) is None]).result(10)
    finally:
        ledger.close()
