"""`tally parity` over a service's own decisions: its report, its event in the record, and what the gate makes of that."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from asking import api, brought, decide, home, make_api, request_of, settings  # noqa: F401

from feature_repo.contract import APPLICANT_ID
from governance import events, gates
from governance.events import ParityChecked
from governance.ledger.book import Book
from governance.release import verify
from tally import parity
from tally.checkout import Checkout

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(settings, home, brought, tmp_path, monkeypatch) -> Checkout:  # noqa: F811
    work = tmp_path / "work"
    (work / "data" / brought.name / "featurize").mkdir(parents=True)
    (work / "data" / brought.name / "featurize" / "views").symlink_to(home / "views")
    (work / "params.yaml").symlink_to(ROOT / "params.yaml")
    monkeypatch.chdir(work)
    return Checkout(brought, settings.home)


def judged(checkout: Checkout, book: Book, at: datetime | None = None) -> events.GateFinding:
    """The parity gate of what serves, by the record."""
    release = verify(next((checkout.services / "releases").glob("[0-9a-f]*[0-9a-f]")))
    found = gates.judge(release, None, "", at or datetime.now(UTC), gates.decided(book, gates.checked(book.events())))
    return next(one for one in found if one.gate == "parity")


def test_from_the_first_decision_on_a_check_has_to_show_that_columns_are_the_same(checkout, api, request_of):  # noqa: F811
    book = checkout.book
    assert judged(checkout, book).found == "nothing has been decided yet, so there is nothing to compare"

    assert decide(api, request_of("fresh")).is_success
    assert "run tally parity" in judged(checkout, book).found
    assert not judged(checkout, book).passed

    few, lacking, *_ = parity.check(checkout).splitlines()
    assert few == "**0 of 8 columns are known to be the same** online and offline."
    assert lacking.startswith("Compared in fewer than 300 decisions, which is no pass: ")
    assert "of 1 decisions; fewer than 300" in judged(checkout, book).found
    assert not judged(checkout, book).passed

    for _ in range(300):
        decide(api, request_of("doubted"))
    assert "**All 8 columns were the same** online and offline." in parity.check(checkout)
    assert judged(checkout, book).passed, judged(checkout, book).found
    assert not judged(checkout, book, datetime.now(UTC) + timedelta(days=32)).passed
    assert not judged(checkout, book, datetime.now(UTC) - timedelta(days=1)).passed


def test_a_column_that_is_another_offline_is_named_on_the_page_and_by_the_gate(checkout, api, request_of):  # noqa: F811
    table = checkout.portfolio.views[0]
    column, path = table.stored[0].name, checkout.data("featurize", "views", f"{table.name}.parquet")
    for _ in range(301):
        decide(api, request_of("fresh"))
    kept, frame = path.read_bytes(), pd.read_parquet(path)
    try:
        frame.loc[frame[APPLICANT_ID] == "fresh", column] += 1
        frame.to_parquet(path)
        said = parity.check(checkout)
    finally:
        path.write_bytes(kept)
    written = json.loads((checkout.reports / checkout.portfolio.name / "parity.json").read_bytes())
    (event,) = [one for _, one in events.every(checkout.book.events()) if isinstance(one, ParityChecked)]

    assert f"- **{column}** in 301 (100.0%): another value 301" in said.splitlines()
    assert column in (checkout.reports / checkout.portfolio.name / "parity.html").read_text()
    assert written["compared"] == event.decisions == 301
    assert {one.column: (one.mismatched, one.kinds) for one in event.columns if one.mismatched} == {column: (301, {"another value": 301})}
    assert event.first <= event.last <= event.came_at
    assert written["verdict"] == "alert"
    assert judged(checkout, checkout.book).found.startswith(f"other values online than offline: {column} in 301 (at most 100.0%)")


def test_where_nothing_was_compared_nothing_is_recorded(checkout):
    assert "Nothing to compare" in parity.check(checkout)
    assert [one for _, one in events.every(checkout.book.events()) if isinstance(one, ParityChecked)] == []
