"""`tally watch`: looks at the alias `champion` every second or two, holds it against the record, and does what follows.

Places what the record lets serve as champion, challenger and shadow, and lets the alias `shadow` show it; that one asks nothing.

Responsible for the order: fetched, verified, judged, recorded, and only then pointed to. Every turn is harmless to repeat, here or in a
second watch, and goes on where one that was killed stopped. Where the registry does not answer it goes on with what the record says.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Self

from feature_repo.errors import IdentityError, LedgerError, PromotionError, ReleaseError, ServiceError, TallyError
from governance import actions, events, release, watch
from governance.actions import Acting
from governance.current import Current
from governance.events import ALIASES, CHAMPION, UNKNOWN, Actor
from governance.ledger.checkpoint import open_key
from governance.ledger.proving import checkpoint_now
from governance.ledger.writer import Ledger
from governance.release import Release
from governance.standing import Promotion, Registered, Request, Standing
from governance.watch import Ask, Let, Place, Promote, Say, Step
from serving import answers
from tally import aliasing, placing
from tally.checkout import Checkout
from tally.watched import Watched

SELF = Actor("watch", "process")
SOMEBODY = Actor(UNKNOWN, "mlflow")
AGAIN = 60.0
KEEP_EVERY = 5.0
log = logging.getLogger("tally.watch")


class Watch:
    """The watch over one portfolio. put_back: whether the alias is set back where nobody approved what it names."""

    def __init__(self, checkout: Checkout, *, put_back: bool = False) -> None:
        self._checkout = checkout
        self._put_back = put_back
        self._aliases = aliasing.aliases(checkout.portfolio.name)
        self.current = Current(checkout.book, checkout.signers)
        self._acting = Acting(self.current, Ledger(checkout.book), SELF, sign=lambda event: event)
        self._tried: dict[tuple[str, str], float] = {}
        self._kept = -KEEP_EVERY
        self.watched = Watched(checkout.services / "watch.prom")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._acting.ledger.close()

    def turn(self) -> None:
        """Look once, and do what follows."""
        with self._told("record"):
            standing = self.current.look()
            for step in self._steps(standing):
                if not self._done(step):
                    break
            self.place()
            self._keep()
            self.watched.turned(self.current.look())

    def place(self, *, again: bool = False) -> None:
        """Place what the record says serves, unless it is; what was refused is tried again after a minute. again: though it is placed."""
        for alias in ALIASES:
            standing = self.current.look()
            step, serves = watch.to_place(standing, placing.pointed(self._checkout, alias), alias), standing.serving(alias)
            if again and step is None and serves:
                step = Place(serves.promotion, "placed again")
            with self._told("Place" if alias == CHAMPION else f"Place {alias}"):
                if step:
                    self._place(step)
                elif serves is None and alias != CHAMPION:  # one goes on where the signers file is away
                    placing.pointer(self._checkout, alias).unlink(missing_ok=True)

    def _keep(self) -> None:
        """Every few seconds: a checkpoint over what was appended, and the marks of answers that dead workers owed."""
        if time.monotonic() < self._kept + KEEP_EVERY:
            return
        self._kept = time.monotonic()
        with self._told("checkpoint"):
            checkpoint_now(self._checkout.book, open_key(self._checkout.home, self._checkout.book.log))
        with self._told("shadow alias"):
            if not self.watched.cut_off:
                aliasing.mirror(self.current.look(), self._aliases)
        with self._told("answers"):
            answers.settle(self._checkout.services / "answers", self._acting.ledger)

    def _steps(self, standing: Standing) -> list[Step]:
        try:
            named = self._aliases.named(CHAMPION)
        except ServiceError as error:
            self.watched.unreachable(str(error))
            return []
        self.watched.sees(named)
        return watch.reconcile(standing, named, put_back=self._put_back)

    def _done(self, step: Step) -> bool:
        """Do a step; False where it is to be tried again before those after it, since a registry or the record did not answer."""
        name = type(step).__name__
        try:
            self._do(step)
        except PromotionError as error:
            self.watched.failed(name, str(error))
        except (LedgerError, ServiceError, OSError) as error:
            self.watched.failed(name, str(error))
            return False
        else:
            self.watched.mended(name)
        return True

    def _do(self, step: Step) -> None:
        match step:
            case Say():
                self._say(step)
            case Ask():
                self._ask(step)
            case Let():
                self._aliases.let(CHAMPION, step.version)
                log.info("alias %s set to version %s: %s", CHAMPION, step.version, step.why)
            case Promote():
                self._promote(step.request)
            case Place():
                self._place(step)

    def _say(self, step: Say) -> None:
        named = step.named
        self._acting.note(events.AliasSeen(by=SELF, at=actions.now(), alias=CHAMPION, version=named.version, release_id=named.release_id,
                                           instead_of=step.instead_of, approved=step.approved, put_back=step.put_back), step.unique)
        said = "as the record says" if step.approved else "which nobody approved: it is not served"
        log.log(logging.INFO if step.approved else logging.WARNING, "alias %s names version %s, release %s, %s",
                CHAMPION, named.version, named.release_id[:12], said)

    def _ask(self, step: Ask) -> None:
        """Open a request; its gates are judged on the release itself, which has to be fetched for that."""
        wanted = self.current.look().releases[step.named.release_id]
        found = self._fetched(wanted, step.request_id)
        if found:
            asked = actions.request(replace(self._acting, who=SOMEBODY), wanted, "the alias was set in MLflow",
                                    placing.judged(found, self.current.look(), self.current.book),
                                    actions.Wish(request_id=step.request_id))
            log.warning("request %s by %s: version %s; it needs %s people: tally approve %s --reason ...", asked.id, UNKNOWN, asked.version,
                        asked.lacking, asked.id)

    def _promote(self, request: Request) -> None:
        standing = self.current.look()
        found = self._fetched(standing.releases[request.release_id], request.id)
        if found:
            try:
                findings = placing.judged(found, standing, self.current.book)
                actions.promote(self._acting, request, findings, "the alias names what was approved")
            except PromotionError:
                if self._put_back and (serves := standing.serving()):
                    self._aliases.let(CHAMPION, serves.promotion.version)
                raise
            log.info("promoted version %s, release %s, by request %s", request.version, request.release_id[:12], request.id)

    def _place(self, step: Place) -> None:
        standing, by = self.current.look(), step.promotion
        serves = standing.serving(by.alias)
        since = (serves.since if serves else by.since).isoformat()
        first = (by.alias, by.release_id) not in standing.placed
        placed = self._fetched(standing.releases[by.release_id], since, by if first else None)
        if placed is None:
            return
        before = placing.pointed(self._checkout, by.alias)
        self._acting.note(events.ReleasePlaced(by=SELF, at=actions.now(), release_id=by.release_id, version=by.version, alias=by.alias,
                                               replaces=before if before != by.release_id else "", cause=step.cause),
                          f"{by.alias}:{by.release_id}:{since}")
        placing.point(self._checkout, placed, by)
        self.watched.placed()
        log.info("placed version %s, release %s as %s: %s", by.version, by.release_id[:12], by.alias, step.cause)

    def _fetched(self, wanted: Registered, occasion: str, by: Promotion | None = None) -> Release | None:
        """The release, or None where it must not be used: recorded once for each occasion, and not tried again for a minute.

        by: the promotion by which it is to serve for the first time; what that says of the gates must be so.
        """
        key = (wanted.release_id, occasion)
        if time.monotonic() < self._tried.get(key, 0.0):
            return None
        try:
            found = placing.fetched(self._checkout, wanted, self.current.people)
            if by is not None:
                placing.require_as_said(found, by, self.current.look())
        except (ReleaseError, IdentityError) as error:
            self._tried[key] = time.monotonic() + AGAIN
            self._acting.note(events.ReleaseRefused(by=SELF, at=actions.now(), who=SELF.name, release_id=wanted.release_id, why=str(error),
                                                    alias=by.alias if by else CHAMPION),
                              f"{SELF.name}:{wanted.release_id}:{occasion}")
            self.watched.refused()
            log.error("release %s refused: %s", wanted.release_id[:12], error)  # noqa: TRY400 - the message says it
            return None
        return found

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Whatever goes wrong in one step is said once, and the watch goes on."""
        try:
            yield
        except (LedgerError, ServiceError, PromotionError, IdentityError, ReleaseError, OSError) as error:
            self.watched.failed(what, str(error))
        else:
            self.watched.mended(what)


def put_back() -> bool:
    return os.environ.get("TALLY_PUT_BACK", "") not in {"", "0"}


def every() -> float:
    """Seconds between looks. Raises ServiceError."""
    said = os.environ.get("TALLY_WATCH_EVERY") or "1"
    try:
        seconds = float(said)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ServiceError("TALLY_WATCH_EVERY is not a number of seconds above 0")
    return seconds


def once(checkout: Checkout) -> None:
    """One turn."""
    with Watch(checkout, put_back=put_back()) as watching:
        watching.turn()


def place(checkout: Checkout) -> Release:
    """Place what the record says serves. Raises PromotionError where nothing may serve yet, ServiceError where it cannot be placed."""
    with Watch(checkout) as watching:
        serves = watching.current.look().serving()
        if serves is None:
            raise PromotionError(f"no release of {checkout.portfolio.name} was promoted yet; ask for the challenger (tally request), or "
                                 "for a demonstration: tally promote --demo")
        watching.place(again=True)
        if placing.pointed(checkout) != serves.promotion.release_id:
            raise ServiceError(f"release {serves.promotion.release_id[:12]} cannot be placed: {watching.watched.why('Place')}")
        return release.verify(checkout.services / "releases" / serves.promotion.release_id)


def forever(checkout: Checkout) -> None:
    """Turn after turn, until it is told to end (SIGTERM, SIGINT)."""
    ended, pause = threading.Event(), every()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    log.setLevel(logging.INFO)
    threading.Thread(target=ready, args=[checkout.portfolio.name], name="ready", daemon=True).start()
    with Watch(checkout, put_back=put_back()) as watching:
        log.info("watching alias %s of %s every %g s", CHAMPION, checkout.portfolio.name, pause)
        while not ended.is_set():
            began = time.monotonic()
            watching.turn()
            ended.wait(max(0.05, pause - (time.monotonic() - began)))


def ready(portfolio: str) -> None:
    """Import what is slow, and say a first word to the registry, so that the first promotion need not wait for it."""
    try:
        from governance import signature  # noqa: F401

        aliasing.Embedded(portfolio).named(CHAMPION)
    except (TallyError, ImportError) as error:
        log.warning("not ready yet: %s", error)
