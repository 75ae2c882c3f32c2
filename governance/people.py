"""Who may act: the signers file, strictly read, and whether an event was really said by the person it names.

A person is never deleted and never changed: they get `until`, and a new entry of the same name where key or roles are new. So what they
signed is judged by what held at the moment it was recorded. Refuses: unknown fields, a key that is not P-256, one key or token under two
names (nobody is two people), entries of one name that overlap. Makes no keys and writes nothing; `governance.enrolment` does.
"""

from __future__ import annotations

import hmac
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
import yaml

from feature_repo.errors import IdentityError
from governance import events, keys
from governance.events import UNKNOWN, Actor, Event

Role = Literal["author", "owner", "approver", "underwriter", "servicer", "custodian", "desk"]
ROLES: tuple[str, ...] = get_args(Role)
NAME = re.compile(r"[^\W_][\w.-]{0,63}")
RESERVED = {UNKNOWN, "watch", "register", "compare", "monitor", "retrain"}
BY_PEOPLE = ("promotion-approved", "promotion-rejected", "gate-waived", "release-rolled-back", "release-withdrawn",
             "release-retired", "person-erased",
             "outcomes-imported", "vault-imported", "decision-overridden")
BY_PEOPLE_OR_UNKNOWN = ("promotion-requested",)
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An entry of the signers file: who may act as what, by which key, in [since, until).

    roles: author signs releases, owner asks for promotion, approver decides on it, underwriter overrides decisions, servicer says how
    loans turned out, custodian fills the vault, desk vouches for who came with a token. key: public P-256 key, PEM. token: SHA-256 (hex)
    of the person's token. demo: invented for a demonstration; whatever they say is marked so.
    """

    name: str
    roles: tuple[Role, ...]
    key: str
    since: Moment
    until: Moment | None = None
    token: str = ""
    demo: bool = False

    def in_force(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the key as PEM, by which a signature of `model-signing` names it."""
        return keys.fingerprint(self.key)


class People:
    """Everybody who may or might act. where: the file, as messages name it."""

    def __init__(self, entries: Iterable[Person] = (), where: str = "the signers file") -> None:
        self.entries = tuple(entries)
        self.where = where
        for each in self.entries:
            _require(each, where)
        for one, other in combinations(self.entries, 2):
            _require_apart(one, other, where)

    def __iter__(self) -> Iterator[Person]:
        return iter(self.entries)

    def named(self, name: str, at: datetime | None = None) -> Person:
        """The entry of a name that is in force now, or at a moment. Raises IdentityError where there is none, and says what to do."""
        known = [each for each in self.entries if each.name == name]
        for each in known:
            if each.in_force(at or now()):
                return each
        if not known:
            raise IdentityError(f"{name} is not in {self.where}. Add them (tally people init, or new); whoever left is not removed but "
                                "gets `until`: put their entry back with it")
        raise IdentityError(f"{name} may not act at {exact(at or now())}: in {self.where} they do "
                            + " and ".join(f"from {exact(each.since)} until {exact(each.until) if each.until else 'further notice'}"
                                           for each in known))

    def by_token(self, secret: str, at: datetime | None = None) -> Person:
        """Who is in force with this token, compared in constant time. Raises IdentityError, which never repeats the token."""
        digest = keys.token_digest(secret)
        found = [each for each in self.entries if hmac.compare_digest(each.token or "-" * len(digest), digest)]
        for each in found:
            if each.in_force(at or now()):
                return each
        raise IdentityError("the token is nobody's who may act now; a new one: tally people token NAME")

    def by_fingerprint(self, fingerprint: str, at: datetime) -> Person:
        """Whose key this is, at a moment when it was in force. Raises IdentityError where it is nobody's."""
        found = [each for each in self.entries if each.fingerprint == fingerprint]
        if not found:
            raise IdentityError(f"key {fingerprint[:16]} is nobody's in {self.where}; an entry of somebody who left stays, with `until`")
        return next((each for each in found if each.in_force(at)), None) or self.named(found[0].name, at)

    def lacks(self, by: Actor, at: datetime, *roles: Role) -> str:
        """Why somebody may not do what takes one of these roles; empty where they may. What a process says has none."""
        try:
            has = self.named(by.name, at).roles if by.how in {"key", "token"} else ()
        except IdentityError as error:
            return str(error)
        return "" if set(has) & set(roles) else f"{by.name} does not have the role {' or '.join(roles)}, which this takes"

    def checks(self, event: Event, recorded_at: str | datetime) -> bool:
        """Whether the event was said by whom it names, judged at the moment it was recorded."""
        return self.fault(event, recorded_at) is None

    def fault(self, event: Event, recorded_at: str | datetime) -> str | None:
        """Why an event does not count, in words; None where it does. Says nothing of roles: who may do what is the promotion's."""
        at = recorded_at if isinstance(recorded_at, datetime) else datetime.fromisoformat(recorded_at)
        try:
            return self._signed(event, at) if event.by.how in {"key", "token"} else self._unsigned(event)
        except IdentityError as error:
            return str(error)

    def _signed(self, event: Event, at: datetime) -> str | None:
        """A person's own key, or a token for which the key of a desk stands."""
        by = event.by
        if not by.key or not by.signature:
            return f"{by.name} is named and nobody signed it"
        person, signer = self.named(by.name, at), self.named(by.key, at)
        if by.how == "key" and by.key != by.name:
            return f"{by.name} is named, the signature is {by.key}'s"
        if by.how == "token" and "desk" not in signer.roles:
            return f"{by.key} vouches for the token of {by.name} and is no desk in {self.where}"
        if (person.demo or signer.demo) and not by.demo:
            return f"{by.name} is invented for a demonstration, and the event does not say so"
        genuine = keys.verifies(signer.key, by.signature, events.statement(event))
        return None if genuine else f"the signature is not of {by.key}'s key over what the event says"

    def _unsigned(self, event: Event) -> str | None:
        """What a process or the MLflow UI says needs no key; it is nothing that needs a person, and in no person's name."""
        by, kind = event.by, events.NAMES[type(event)]
        if by.key or by.signature:
            return f"{kind} by {by.how} carries a signature; only people sign"
        if kind in BY_PEOPLE or (kind in BY_PEOPLE_OR_UNKNOWN and by.how == "process" and by.name != UNKNOWN):
            return f"{kind} needs a person, not {by.how}"
        if by.how == "mlflow" and by.name != UNKNOWN:
            return f"the MLflow UI does not say who did it, so {kind} by mlflow is by {UNKNOWN}"
        if any(each.name == by.name for each in self.entries):
            return f"{by.name} is a person in {self.where} and signs what they say"
        return None


def read(path: Path) -> People:
    """The people in a signers file (YAML). Raises IdentityError, one clear line per fault."""
    try:
        if path.stat().st_mode & stat.S_IWOTH:
            raise IdentityError(f"{path} can be written by everybody on this machine, who could approve anything; run: chmod o-w {path}")
        said = path.read_bytes()
    except FileNotFoundError:
        raise IdentityError(f"{path} is not there: nobody may act yet; run: tally people init") from None
    except OSError as error:
        raise IdentityError(f"{path} cannot be read: {error.strerror}") from None
    return parse(said, str(path))


def parse(said: bytes, where: str) -> People:
    """The people in the bytes of a signers file."""
    try:
        listed = yaml.load(said, Strict)  # noqa: S506 - a SafeLoader
        entries = msgspec.convert(listed, tuple[Person, ...])
    except msgspec.ValidationError as error:
        raise IdentityError(f"{where}: {error}; an entry has name, roles, key and since, and may have until, token and demo") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-13-01
        raise IdentityError(f"{where} is not YAML: {' '.join(str(error).split())}") from None
    if not entries:
        raise IdentityError(f"{where} names nobody; run: tally people init")
    return People(entries, where)


def slug(said: str) -> str:
    """A name as the signers file has it: lower case, no blanks, such as `jane-doe` for "Jane Doe"; "" where nothing is left."""
    return re.sub(r"[^\w.]+", "-", unicodedata.normalize("NFKC", said).strip().lower()).strip("-._")[:64]


def now() -> datetime:
    return datetime.now(UTC)


def exact(moment: datetime) -> str:
    """A moment in files and messages, UTC, to the microsecond: what was recorded in the second before somebody left still counts."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Strict(yaml.SafeLoader):
    """YAML in which a key stands once: else a reader sees one list of roles and the machine takes another."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's own signature
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise yaml.constructor.ConstructorError(None, None, f"{', '.join(twice)} stands twice in one entry", node.start_mark)
        return super().construct_mapping(node, deep)


def _require(person: Person, where: str) -> None:
    """Raise IdentityError unless an entry is sound by itself."""
    told = f"{where}, entry {person.name!r}"
    if not NAME.fullmatch(person.name) or person.name != slug(person.name) or person.name in RESERVED:
        raise IdentityError(f"{told}: a name is lower-case letters, digits, dots and dashes, such as jane-doe, and none of "
                            f"{', '.join(sorted(RESERVED))}")
    if not person.roles or len(set(person.roles)) != len(person.roles):
        raise IdentityError(f"{told}: roles are one or more of {', '.join(ROLES)}, each once")
    if person.token and not re.fullmatch("[0-9a-f]{64}", person.token):
        raise IdentityError(f"{told}: token is the SHA-256 of a token, 64 hex digits; `tally people token {person.name}` makes one")
    if person.until and person.until <= person.since:
        raise IdentityError(f"{told}: until is not after since")
    try:
        keys.public(person.key)
    except IdentityError as error:
        raise IdentityError(f"{told}, key: {error}") from None


def _require_apart(one: Person, other: Person, where: str) -> None:
    """Raise IdentityError where two entries could be taken for each other."""
    if one.name == other.name:
        first, second = sorted((one, other), key=lambda each: each.since)
        if first.until is None or first.until > second.since:
            raise IdentityError(f"{where}: two entries of {one.name} are in force at once; give the older one until: {exact(second.since)}")
    elif one.fingerprint == other.fingerprint:
        raise IdentityError(f"{where}: {one.name} and {other.name} have the same key; two people have two keys")
    elif one.token and one.token == other.token:
        raise IdentityError(f"{where}: {one.name} and {other.name} have the same token; run: tally people token {other.name}")
