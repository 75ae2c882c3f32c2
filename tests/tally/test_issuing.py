"""A report is issued once for each content, and the record can prove what it said."""

from __future__ import annotations

import hashlib
import json

from feature_repo.portfolios import load
from governance import events
from tally import issuing
from tally.checkout import Checkout


def test_a_report_is_issued_once_for_each_content_and_by_its_digest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkout = Checkout(load("card_default"), tmp_path / "var")
    path = checkout.reports / "card_default" / "drift.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"found": ["1 of 24 columns drifted"]}))

    assert [issuing.issue(checkout), issuing.issue(checkout)] == [["drift"], []]
    path.write_text(json.dumps({"found": ["none drifted"]}))
    assert issuing.issue(checkout) == ["drift"]

    said = [event for _, event in events.every(checkout.book.events())]
    assert [event.found for event in said] == [("1 of 24 columns drifted",), ("none drifted",)]
    assert said[-1].digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_report_that_is_not_there_is_not_issued(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert issuing.issue(Checkout(load("card_default"), tmp_path / "var")) == []
