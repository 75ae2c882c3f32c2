"""Promotion at the command line: who acts here, what the registry holds, and the record, put together. One function a verb.

Needs MLflow to ask for a release (which must be fetched and judged) and to promote it (the alias is set first); all else goes on without.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from feature_repo.errors import IdentityError, PromotionError, ReleaseError
from governance import actions, enrolment
from governance.actions import AS_CHAMPION, Acting, Wish
from governance.current import Current
from governance.events import CHAMPION, Actor
from governance.ledger.writer import Ledger
from governance.sentences import shared
from governance.standing import Promotion, Registered, Request, Standing
from tally import aliasing, listing, placing, watching
from tally.checkout import Checkout, here

DEMO_OWNER, DEMO_APPROVER = "demo-owner", "demo-approver"
DEMO_DAYS = 30


def request(version: str | None, reason: str, wish: Wish = AS_CHAMPION) -> str:
    """Ask for a registered version, or the newest candidate, to serve."""
    checkout = here()
    with acting(checkout) as who:
        release = registered(checkout, who.standing(), version)
        found = placing.fetched(checkout, release, who.current.people)
        made = actions.request(who, release, reason, placing.judged(found, who.standing(), who.current.book), wish)
        return "\n".join(listing.request(made, who.standing()))


def approve(prefix: str, reason: str) -> str:
    """Agree to a request."""
    with acting(here()) as who:
        return told(who, actions.approve(who, actions.chosen(who.standing(), prefix), reason))


def reject(prefix: str, reason: str) -> str:
    """End a request."""
    with acting(here()) as who:
        return told(who, actions.reject(who, actions.chosen(who.standing(), prefix), reason))


def waive(prefix: str, gate: str, until: datetime, reason: str) -> str:
    """Override a failed gate of a request until a moment, UTC where it does not say."""
    moment = until if until.tzinfo else until.replace(tzinfo=UTC)
    with acting(here()) as who:
        return told(who, actions.waive(who, actions.chosen(who.standing(), prefix), gate, moment, reason))


def requests(prefix: str | None, *, every: bool) -> str:
    """The open requests, or one with its gates."""
    checkout = here()
    standing = Current(checkout.book, checkout.signers).look()
    return "\n".join(listing.request(actions.chosen(standing, prefix), standing) if prefix else listing.listed(standing, every=every))


def promote(prefix: str | None, reason: str) -> str:
    """Let an approved request take effect: the alias first, then the record, then the service."""
    checkout = here()
    with acting(checkout) as who:
        of = actions.chosen(who.standing(), prefix, None if prefix else "approved")
        made = take_effect(checkout, who, of, reason)
    watching.once(checkout)
    return served(checkout, made)


def rollback(reason: str) -> str:
    """Back to what served before."""
    checkout = here()
    with acting(checkout) as who:
        made = actions.rollback(who, reason)
    watching.once(checkout)
    return served(checkout, made)


def withdraw(alias: str, reason: str) -> str:
    """End a shadow or a split before its time."""
    checkout = here()
    with acting(checkout) as who:
        was = actions.withdraw(who, alias, reason)
    watching.once(checkout)
    return f"{alias} of {checkout.portfolio.name}: none any more; it was version {was.version}, release {was.release_id[:12]}"


def retire(release_id: str, reason: str) -> str:
    """Never let a release serve again."""
    with acting(here()) as who:
        known = [each for each in who.standing().releases if each.startswith(release_id)]
        if len(known) != 1:
            raise PromotionError(f"{len(known)} releases of the record begin with {release_id}; see: tally history")
        actions.retire(who, known[0], reason)
        return f"release {known[0][:12]} is retired: it may never serve again"


def demo(version: str | None) -> str:
    """Two invented people ask, agree and override, so that a demonstration can go on by itself. Everything they say is marked demo."""
    checkout = here()
    if os.environ.get("TALLY_SIGNERS"):
        raise IdentityError("--demo invents two people, and TALLY_SIGNERS names who is real; use: tally request, approve, promote")
    lines = ["Two invented people let it serve; in earnest that is: tally request, approve, promote (docs/promotion.md)",
             *_invented(checkout)]
    with acting(checkout, DEMO_OWNER) as owner, acting(checkout, DEMO_APPROVER) as approver:
        release = registered(checkout, owner.standing(), version)
        serves = owner.standing().serving()
        if serves and serves.promotion.release_id == release.release_id:
            watching.once(checkout)
            return served(checkout, serves.promotion)
        found = placing.fetched(checkout, release, owner.current.people)
        findings = placing.judged(found, owner.standing(), owner.current.book)
        asked = actions.request(owner, release, "demonstration", findings)
        lines += ["", f"{DEMO_OWNER} asks for version {release.version} (request {asked.id}); the gates:", *listing.gates(findings), ""]
        agreed = _agreed(approver, asked)
        lines += [f"{DEMO_APPROVER} approves it", *(f"{DEMO_APPROVER} waives gate {each.gate} until {listing.when(each.until)}"
                                                    for each in agreed.waivers)]
        made = take_effect(checkout, owner, agreed, "demonstration")
    watching.once(checkout)
    return "\n".join([*lines, served(checkout, made)])


def take_effect(checkout: Checkout, who: Acting, of: Request, reason: str) -> Promotion:
    """Judge again, set the alias of a champion, record. Where the record would not allow it, nothing is set."""
    standing = who.standing()
    release = standing.releases[of.release_id]
    findings = placing.judged(placing.fetched(checkout, release, who.current.people), standing, who.current.book)
    actions.require(who, actions.promotion_of(who, of, findings, reason))
    if of.alias == CHAMPION:
        aliasing.aliases(checkout.portfolio.name).let(CHAMPION, of.version)
    return actions.promote(who, of, findings, reason)


def registered(checkout: Checkout, standing: Standing, version: str | None) -> Registered:
    """The release of a version, or of the challenger, as the record knows it."""
    from training import tracking

    card = tracking.card(checkout.portfolio.name, version=version, alias=tracking.CHALLENGER)
    if card.release_id not in standing.releases:
        raise PromotionError(f"version {card.version} carries release {card.release_id[:12]}, which is not in the record; the stage "
                             "register puts it there: dvc repro")
    return standing.releases[card.release_id]


def told(who: Acting, of: Request) -> str:
    return "\n".join([listing.head(of, who.standing()), *listing.after(of, who.standing())])


def served(checkout: Checkout, made: Promotion) -> str:
    """What serves now, as far as the record and the pointer say. Raises ReleaseError where it was not placed."""
    if placing.pointed(checkout, made.alias) != made.release_id:
        raise ReleaseError(f"release {made.release_id[:12]} is promoted and was not placed: what served before goes on; why: tally history")
    split = Current(checkout.book, checkout.signers).look().requests[made.request_id].split
    return f"{made.alias} of {checkout.portfolio.name}: version {made.version}, release {made.release_id[:12]}{shared(split)}"


@contextmanager
def acting(checkout: Checkout, name: str | None = None) -> Iterator[Acting]:
    """Whoever is at the keyboard, or a person whose key is here. TALLY_TOKEN: somebody who came with a token to this desk."""
    place = enrolment.place(checkout.home)
    signer, secret = enrolment.signer(place, name), os.environ.get("TALLY_TOKEN") if name is None else None
    who = Actor(place.people.by_token(secret).name, "token", key=signer.name) if secret else Actor(signer.name, "key", key=signer.name)
    ledger = Ledger(checkout.book)
    try:
        yield Acting(Current(checkout.book, checkout.signers), ledger, who, signer.sign)
    finally:
        ledger.close()


def _invented(checkout: Checkout) -> list[str]:
    place = enrolment.place(checkout.home)
    enrolment.add(place, DEMO_OWNER, ("owner",), demo=True)
    enrolment.add(place, DEMO_APPROVER, ("approver",), demo=True)
    return [f"  {DEMO_OWNER} (role owner) and {DEMO_APPROVER} (role approver), both marked demo, in {place.signers}"]


def _agreed(approver: Acting, asked: Request) -> Request:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=DEMO_DAYS)
    for gate in asked.failed:
        actions.waive(approver, asked, gate, until, "demonstration: shown, and not a reason to stop")
    return actions.approve(approver, asked, "demonstration")
