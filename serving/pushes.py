"""Stored features that are pushed: rows of one table, checked by the contract, kept, then online within the same request.

Responsible for the order of these steps: a row is on the disk for training before it is online, and is online when it is answered for.
Refuses whoever has not the token, what the contract does not allow, and what is not true yet. Never takes an older value for a newer
one, which the writers see to.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import hmac
import logging
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from feature_repo.contract import APPLICANT_ID, EVENT_TIME, NO_TIME, Table
from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import Value
from feature_repo.portfolio import Portfolio
from feature_repo.pushed import JOURNAL, Pushed, append
from feature_repo.sources import EventTime
from feature_repo.writers import by_column, view_of, writer
from serving.application import NONE_OURS, Checks, Faults, column_value, identifier
from serving.problems import Problem
from serving.settings import Settings
from serving.texts import Invalid

ROWS = "rows"
AHEAD = timedelta(seconds=5)  # how far another clock may be ahead of ours
FIRST = datetime(1900, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PATIENCE = 1.0  # seconds to wait for the store, and as long for others who push
log = logging.getLogger("tally.serving")


class PushForm(Checks):
    """What may be pushed to the tables of a portfolio. own_ids: as in `Form`."""

    def __init__(self, portfolio: Portfolio, own_ids: re.Pattern[str] = NONE_OURS) -> None:
        self._own_ids = own_ids
        self.tables = {table.name: table for table in portfolio.views}
        self.dated = {table.name for table in portfolio.views if portfolio.is_dated and isinstance(table.time, EventTime)}

    def rows(self, table: Table, document: Any, most: int, now: datetime) -> list[Pushed]:
        """1 to `most` rows, none for an applicant's moment twice. Raises Problem: one that is not valid refuses them all."""
        faults = Faults("invalid-rows")
        given, at = self.fields(document, "", {ROWS}, faults).get(ROWS), f"/{ROWS}"
        if not isinstance(given, list) or not 1 <= len(given) <= most:
            faults.add(at, f"must be a list of 1 to {most} rows")
            given = []
        found: dict[tuple[str, int], Pushed] = {}
        for place, item in enumerate(given):
            before = len(faults.found)
            row = self._row(table, item, f"{at}/{place}", now, faults)
            if len(faults.found) == before and (row.applicant_id, row.event_us) in found:
                faults.add(f"{at}/{place}", "is for the same applicant and moment as a row before it")
            found[row.applicant_id, row.event_us] = row
        faults.require_none()
        return list(found.values())

    def _row(self, table: Table, document: Any, at: str, now: datetime, faults: Faults) -> Pushed:
        dated, stored = table.name in self.dated, {column.name: column for column in table.stored}
        given = self.fields(document, at, {APPLICANT_ID, *stored, *([EVENT_TIME] if dated else [])}, faults)
        applicant = self.checked(identifier, given.get(APPLICANT_ID), f"{at}/{APPLICANT_ID}", faults, self._own_ids)
        event = self.checked(moment, given.get(EVENT_TIME), f"{at}/{EVENT_TIME}", faults, now) if dated else _microseconds(NO_TIME)
        values: dict[str, Value] = {name: self.checked(column_value, given.get(name), f"{at}/{name}", faults, column)
                                    for name, column in stored.items()}
        event = event or 0
        return Pushed(str(applicant), event, max(_microseconds(datetime.now(UTC)), event), values)


class Pushes:
    """Takes what is pushed to one worker; rows of all workers go one after the other, so that kept and online have one order."""

    def __init__(self, settings: Settings, portfolio: Portfolio) -> None:
        self._settings, self._portfolio = settings, portfolio
        self._form = PushForm(portfolio, settings.own_ids)
        self._home = settings.folder / "feast"
        self._writer = writer(self._home / "online.db", settings.features, PATIENCE)
        self._pool = ThreadPoolExecutor(1, "pushes")

    def admit(self, authorization: str | None) -> None:
        """Raise Problem unless a request comes with the token."""
        kind, _, token = (authorization or "").partition(" ")
        told = hashlib.sha256(token.strip().encode(errors="surrogatepass")).hexdigest()
        right = hmac.compare_digest(told, self._settings.push_token_sha256)
        if not (right and kind.lower() == "bearer"):
            raise Problem("not-authenticated", "send the token of this address as Authorization: Bearer",
                          headers={"WWW-Authenticate": "Bearer"})

    def table(self, name: str) -> Table:
        """The table of a contract that is pushed to. Raises Problem."""
        if name not in self._form.tables:
            raise Problem("not-found", "no table with stored columns has this name")
        return self._form.tables[name]

    async def take(self, table: Table, document: Any) -> dict[str, object]:
        """Keep the rows of a document and put them online. Raises Problem."""
        now = self._settings.business_time or datetime.now(UTC)
        rows = self._form.rows(table, document, self._settings.push_size, now)
        newer = await asyncio.get_running_loop().run_in_executor(self._pool, self._take, table, rows)
        return {"table": table.name, ROWS: len(rows), "newer": newer}

    def close(self) -> None:
        """Finish what was begun and let go."""
        self._pool.shutdown()
        self._writer.close()

    def _take(self, table: Table, rows: list[Pushed]) -> int:
        try:
            with self._turn():
                append(self._home / JOURNAL, table.name, rows)
                return self._online(table, rows)
        except FeatureError as error:
            log.warning("not kept: %s", error)
            raise Problem("not-ready", "the rows could not be kept, and none is online; push them again") from None

    def _online(self, table: Table, rows: list[Pushed]) -> int:
        view = view_of(self._portfolio, table)
        try:
            return self._writer.write(view, by_column(view, rows))
        except FeatureError as error:
            log.warning("kept and not online: %s", error)
            raise Problem("not-ready", "the rows are kept for training and could not be put online; push them again") from None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One push at a time, whichever worker it came to."""
        until = time.monotonic() + PATIENCE
        with (self._home / "pushing.lock").open("ab") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise FeatureError("others push for too long") from None
                    time.sleep(0.002)
            yield


def moment(value: Any, now: datetime) -> int:
    """A moment that has come, in microseconds since 1970 (UTC)."""
    try:
        found = msgspec.convert(value, datetime) if isinstance(value, str) else None
    except msgspec.ValidationError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid("must be a date and time with its zone, as RFC 3339 writes them")
    if not FIRST <= found <= now + AHEAD:
        raise Invalid("must not be later than now, nor earlier than 1900")
    return _microseconds(found)


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)
