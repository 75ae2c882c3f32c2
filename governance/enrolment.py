"""Who I am on this machine, and how somebody becomes a person of the record: keys made, entries added and ended.

The signers file of an embedded home (`<home>/signers.yaml`) is written here, under a lock and whole. One that TALLY_SIGNERS names has a
keeper of its own: it is read and never written, and what belongs into it is handed out as text.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from feature_repo.errors import IdentityError
from governance import events, keys
from governance.events import Event
from governance.people import People, Person, Role, exact, now, read, slug
from governance.release import sync

HEADER = """# Who may act. Nobody is taken out: whoever leaves gets `until`, and their old signatures keep counting.
# `tally people` writes this file anew whenever it changes something, without comments of yours.
"""
Said = TypeVar("Said", bound=Event)


@dataclass(frozen=True)
class Place:
    """Where people and keys of a home are, and who acts. embedded: the file is the home's own, which we may write."""

    home: Path
    signers: Path
    embedded: bool
    actor: str
    named_key: Path | None = None

    def key_of(self, name: str) -> Path:
        """The private key file of a person on this machine: TALLY_KEY for whoever acts, else by name."""
        return self.named_key if self.named_key and name == self.actor else self.home / "keys" / f"{name}.pem"

    @property
    def people(self) -> People:
        return read(self.signers)


@dataclass(frozen=True)
class Signer:
    """Somebody with their private key: what they sign counts as theirs."""

    person: Person
    path: Path

    @property
    def name(self) -> str:
        return self.person.name

    @property
    def private(self) -> ec.EllipticCurvePrivateKey:
        return keys.load(self.path)

    def sign(self, event: Said) -> Said:
        """The event with this person's signature. by.how "key": it must be their own; "token": they vouch as a desk."""
        by = event.by
        if by.how == "token" and "desk" not in self.person.roles:
            raise IdentityError(f"{self.name} is no desk and cannot vouch for the token of {by.name}")
        if by.how not in {"key", "token"} or (by.how == "key" and by.name != self.name):
            raise IdentityError(f"{self.name} cannot sign what {by.name} says by {by.how}")
        named = msgspec.structs.replace(event, by=msgspec.structs.replace(by, key=self.name, demo=by.demo or self.person.demo))
        signature = keys.sign(self.private, events.statement(named))
        return msgspec.structs.replace(named, by=msgspec.structs.replace(named.by, signature=signature))


def place(home: Path, environment: Mapping[str, str] | None = None) -> Place:
    """Where the people of a home are, by TALLY_SIGNERS, TALLY_KEY and TALLY_ACTOR; one set to nothing counts as not set."""
    given = os.environ if environment is None else environment
    signers, key = given.get("TALLY_SIGNERS"), given.get("TALLY_KEY")
    return Place(home, Path(signers) if signers else home / "signers.yaml", not signers, actor(given), Path(key) if key else None)


def actor(environment: Mapping[str, str]) -> str:
    """The name of whoever acts: TALLY_ACTOR, else git's user.name, else the login. Raises IdentityError where there is none."""
    for said in (environment.get("TALLY_ACTOR", ""), _of_git(), _of_machine()):
        if name := slug(said):
            return name
    raise IdentityError("who acts is not known: neither git (user.name) nor this machine has a name for you; set TALLY_ACTOR")


def signer(home: Place | Path, name: str | None = None) -> Signer:
    """The key of whoever acts, or of somebody whose key is on this machine; they must be in force.

    Where an embedded home has no signers file yet, the first to ask becomes an author with a key of their own.
    Raises IdentityError where the key cannot be used, with what to do.
    """
    found = home if isinstance(home, Place) else place(home)
    who = name or found.actor
    if found.embedded and not found.signers.exists():
        add(found, who, ("author",))
    person, path = found.people.named(who), found.key_of(who)
    if keys.fingerprint(keys.pem(keys.load(path).public_key())) != person.fingerprint:
        raise IdentityError(f"key {path} is not the one of {who} in {found.signers}; give the entry there until, and add the new key")
    return Signer(person, path)


def add(to: Place, name: str, roles: tuple[Role, ...], *, demo: bool = False) -> Person:
    """Make a person's key, unless it is there, and their entry in the embedded signers file. Whoever is in force already stays.

    An entry in force with other roles or another key gets `until`, and the new one begins at that moment.
    """
    wanted = entry(to, name, roles, demo=demo)

    def added(people: People) -> tuple[Person, ...]:
        moment = now()  # under the lock, so after whatever another process has just added
        older = [each for each in people if each.name == name and each.in_force(moment)]
        if any((each.roles, each.fingerprint) == (roles, wanted.fingerprint) for each in older):
            return people.entries
        ended = (msgspec.structs.replace(each, until=moment) if each in older else each for each in people)
        return (*ended, msgspec.structs.replace(wanted, since=moment, token=next((each.token for each in older), "")))

    return _change(to, added).named(name)


def entry(to: Place, name: str, roles: tuple[Role, ...], *, demo: bool = False) -> Person:
    """A person as the signers file would have them, from now on, their key made unless it is there. Raises IdentityError for a bad name."""
    draft = Person(name=name, roles=roles, key="", since=now(), demo=demo)
    if name != slug(name):
        raise IdentityError(f"{name} is no name for the signers file; {slug(name) or 'jane-doe'} is one")
    made = msgspec.structs.replace(draft, key=keys.make(to.key_of(name)))
    return People((made,), str(to.signers)).entries[0]


def give_token(to: Place, name: str) -> str:
    """A new token of somebody in force; the file keeps its digest alone, and the older one ends. The token is shown this once."""
    secret = keys.new_token()

    def given(people: People) -> tuple[Person, ...]:
        person = people.named(name)
        return tuple(msgspec.structs.replace(each, token=keys.token_digest(secret)) if each is person else each for each in people)

    _change(to, given)
    return secret


def end(to: Place, name: str) -> Person:
    """Let somebody's entry end now. What they signed before keeps counting."""
    ended: list[Person] = []

    def until_now(people: People) -> tuple[Person, ...]:
        person = people.named(name)
        ended.append(msgspec.structs.replace(person, until=now()))
        return tuple(ended[0] if each is person else each for each in people)

    _change(to, until_now)
    return ended[0]


def as_yaml(person: Person) -> str:
    """An entry as it stands in a signers file."""
    lines = [f"- name: {json.dumps(person.name, ensure_ascii=False)}", f"  roles: [{', '.join(person.roles)}]", "  key: |",
             *(f"    {line}" for line in person.key.strip().splitlines()), f"  since: {exact(person.since)}"]
    lines += [f"  until: {exact(person.until)}"] if person.until else []
    lines += [f"  token: {json.dumps(person.token)}"] if person.token else []
    lines += ["  demo: true"] if person.demo else []
    return "\n".join(lines) + "\n"


def _change(to: Place, change: Callable[[People], tuple[Person, ...]]) -> People:
    """Read, change and write the embedded signers file; one process at a time, and a reader sees the old file or the new one."""
    if not to.embedded:
        raise IdentityError(f"{to.signers} is kept by somebody else (TALLY_SIGNERS) and not written here; hand its keeper the entry")
    with _alone(to.signers):
        before = read(to.signers) if to.signers.exists() else People((), str(to.signers))
        after = People(change(before), str(to.signers))
        if after.entries != before.entries:
            draft = to.signers.with_suffix(".draft")
            draft.write_text(HEADER + "".join(map(as_yaml, after)), encoding="utf-8")
            sync(draft)
            draft.replace(to.signers)
            sync(to.signers.parent)
    return after


@contextmanager
def _alone(signers: Path) -> Iterator[None]:
    signers.parent.mkdir(parents=True, exist_ok=True)
    with signers.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _of_git() -> str:
    git = shutil.which("git")
    return subprocess.run([git, "config", "user.name"], capture_output=True, text=True, check=False).stdout if git else ""


def _of_machine() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return ""
