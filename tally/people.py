"""Who may act in the home of this checkout, as its commands show and change it.

Where TALLY_SIGNERS names a file that somebody keeps, nothing is changed: what belongs into it is printed, to be handed to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from feature_repo.errors import IdentityError
from governance import enrolment, keys
from governance.enrolment import Place
from governance.people import Person, Role, exact, now, slug
from tally.checkout import here


def init(name: str | None, roles: Sequence[str]) -> str:
    """Make whoever acts a person, with a key; who is there already stays as they are unless they ask for other roles."""
    place = _place()
    who = slug(name) if name else place.actor
    if place.embedded and not roles and (found := _in_force(place, who)):
        return f"{who} is {_listed(found.roles)} already; key {place.key_of(who)}"
    return _added(place, who, roles or ("author",))


def new(name: str, roles: Sequence[str]) -> str:
    """Make somebody else a person, or one who is there a person with other roles or another key."""
    place = _place()
    return _added(place, name, roles) + "\nHand the key file to them alone, then remove it here; they name it by TALLY_KEY"


def show() -> str:
    """One line an entry, oldest first, and how each may prove who they are."""
    place = _place()
    rows = [("name", "roles", "since", "until", "key", "")]
    rows += [(each.name, _listed(each.roles), exact(each.since)[:19], exact(each.until)[:19] if each.until else "", each.fingerprint[:16],
              ", ".join(_marks(place, each))) for each in place.people]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def token(name: str) -> str:
    """A new token of somebody; only its digest is kept."""
    place = _place()
    if place.embedded:
        return f"{enrolment.give_token(place, name)}\nshown this once; {name} gives it as TALLY_TOKEN at a desk, and an older one has ended"
    person, secret = place.people.named(name), keys.new_token()
    return f"{secret}\nshown this once; in {place.signers} the entry of {person.name} gets\n  token: {keys.token_digest(secret)}"


def end(name: str) -> str:
    """Somebody's last moment."""
    place = _place()
    if place.embedded:
        return f"{name} may act until {exact(cast('Any', enrolment.end(place, name).until))}; what they signed before keeps counting"
    return f"in {place.signers} the entry of {place.people.named(name).name} gets\n  until: {exact(now())}"


def _added(place: Place, name: str, roles: Sequence[str]) -> str:
    wanted = tuple(cast("Role", role) for role in dict.fromkeys(roles))
    if place.embedded:
        enrolment.add(place, name, wanted)
        return f"{name} is {_listed(wanted)} in {place.signers}; key {place.key_of(name)}"
    person = enrolment.entry(place, name, wanted)
    told = f"{place.signers} is kept by somebody else; hand them this, and keep {place.key_of(name)} to yourself:"
    return f"{told}\n{enrolment.as_yaml(person)}"


def _in_force(place: Place, name: str) -> Person | None:
    try:
        return place.people.named(name)
    except IdentityError:
        return None


def _marks(place: Place, person: Person) -> list[str]:
    here_is = {"you": person.name == place.actor and person.in_force(now()), "key here": _has_key(place, person),
               "token": bool(person.token), "demo": person.demo}
    return [mark for mark, applies in here_is.items() if applies]


def _has_key(place: Place, person: Person) -> bool:
    try:
        return keys.fingerprint(keys.pem(keys.load(place.key_of(person.name)).public_key())) == person.fingerprint
    except IdentityError:
        return False


def _listed(roles: Sequence[str]) -> str:
    return ", ".join(roles)


def _place() -> Place:
    return enrolment.place(here().home)
