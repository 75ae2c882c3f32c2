"""Decisions as a service records them, each at a moment of business time, for tests that make windows of a ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np
import pandas as pd
from recorded import decisions

from feature_repo.contract import APPLICANT_ID
from feature_repo.portfolio import Portfolio
from governance.ledger.book import Book
from governance.ledger.entries import Entry, canonical
from governance.ledger.writer import Ledger
from governance.release import Release


def entries(made: Release, times: Sequence[datetime], **changes: object) -> list[Entry]:
    """One decision at each of the times, by one of thirty applicants."""
    drawn = [msgspec.json.decode(each.body) for each in decisions(made, min(len(times), 200), 1)]
    found = []
    for number, at in enumerate(times):
        name = f"{made.id[:6]}-{number:05}"
        said = {**drawn[number % len(drawn)], "decision_id": name, "applicant_id": f"person {number % 30}",
                "decided_at": at.isoformat(timespec="milliseconds"), **changes}
        found.append(Entry("decision", name, canonical(said)))
    return found


def scored(frame: pd.DataFrame, portfolio: Portfolio, release: Release) -> list[Entry]:
    """Rows of a window as records of a service."""
    names = [column.name for column in portfolio.inputs]
    found = []
    for row in frame.to_dict("records"):
        values = {name: None if isinstance(row[name], float) and np.isnan(row[name]) else row[name] for name in names}
        said = {"decision_id": row["decision_id"], "portfolio": portfolio.name, "release_id": release.id, "values": values, "pd": row["pd"],
                APPLICANT_ID: row[APPLICANT_ID], "margin": row["margin"], "score": int(row["score"]), "band": row["band"],
                "outcome": row["outcome"], "reasons": json.loads(row["reasons"]), "decided_at": row["decided_at"].isoformat()}
        found.append(Entry("decision", row["decision_id"], canonical(said)))
    return found


def append(book: Book, found: Sequence[Entry]) -> None:
    """Append them together."""
    ledger = Ledger(book)
    ledger.append(found).result(30)
    ledger.close()
