"""The parity check of a checkout: newest decisions of the record beside its views, as a report and as an event that a gate reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from feature_repo.params import read
from governance import actions, events
from governance.events import Actor, ColumnParity, ParityChecked
from governance.gate_settings import Gates, Parity
from governance.ledger.entries import DECISION, stamp
from governance.release import dump
from monitoring import parity, parity_report, reports
from monitoring.params import ParityParams
from monitoring.parity import Column, Drawn
from monitoring.parity_window import overall, verdict
from tally.arriving import business_now
from tally.checkout import Checkout, here
from training import recorded

SELF = Actor("parity", "process")


def check(checkout: Checkout | None = None) -> str:
    """Compare, write `reports/<portfolio>/parity.{json,html}` and record what was found; the sentences.

    Nothing is recorded where nothing was compared: a gate would have to take it for evidence.
    """
    checkout = checkout or here()
    portfolio, params, limits = checkout.portfolio, read("parity", ParityParams), read("gates", Gates).parity
    if not portfolio.views:
        return f"{portfolio.name} has no stored column: nothing can differ"
    book = checkout.book
    try:
        since = stamp(datetime.now(UTC) - timedelta(days=params.days))
        drawn = parity.draw(book.records({DECISION}, since=since), params.sample, params.seed)
        columns = parity.compare(portfolio, drawn, checkout.data("featurize", "views"), checkout.online / "pushed.db", params.confidence)
        found = parity_report.findings(drawn, columns, limits.minimum)
        _write(checkout, found, drawn, columns, (params, limits))
        if columns:
            event = _event(drawn, columns, params)
            recorded.once(book, events.entry(event, event.at))
    finally:
        book.close()
    return "\n".join(found)


def _write(checkout: Checkout, found: list[str], drawn: Drawn, columns: list[Column], asked: tuple[ParityParams, Parity]) -> None:
    name, folder = checkout.portfolio.name, checkout.reports / checkout.portfolio.name
    folder.mkdir(parents=True, exist_ok=True)
    params, limits = asked
    (folder / "parity.json").write_bytes(dump({
        "portfolio": name, "checked_at": actions.now(), "verdict": overall(verdict(one, limits) for one in columns), "found": found,
        "decisions": drawn.of, "compared": len(drawn.vectors), "unread": drawn.unread, "since": drawn.since, "settings": params,
        "columns": columns}))
    reports.write(parity_report.page(f"{name}: parity", found, columns, limits.mismatch), folder / "parity.html")


def _event(drawn: Drawn, columns: list[Column], params: ParityParams) -> ParityChecked:
    counted = tuple(ColumnParity(one.column, one.compared, one.mismatched, one.upper, {kind.value: n for kind, n in one.kinds.items()})
                    for one in columns)
    moments = [one.at.isoformat() for one in sorted(drawn.vectors, key=lambda one: one.at)]
    return ParityChecked(by=SELF, at=actions.now(), decisions=len(drawn.vectors), since=drawn.since, confidence=params.confidence,
                         columns=counted, first=moments[0], last=moments[-1], came_at=business_now().isoformat())
