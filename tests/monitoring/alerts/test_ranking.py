"""Findings are told by what they cost: people first, then the dearest, and nothing is left out where no summary says the cost."""

from __future__ import annotations

from governance.limits import Verdict
from governance.release import dump
from monitoring.alerts.alert import Finding, Kind
from monitoring.alerts.ranking import ranked


def finding(kind, subject):
    return Finding(portfolio="p", window="w", kind=kind, subject=subject, verdict=Verdict.ALERT, sentence=subject)


FOUND = [finding(Kind.DRIFT, "cheap"), finding(Kind.DRIFT, "dear"), finding(Kind.PERFORMANCE, "untold"), finding(Kind.FAIRNESS, "group")]
CONCERNS = [{"kind": "drift", "subject": "cheap", "effect": {"value": 5.0}}, {"kind": "drift", "subject": "dear", "effect": {"value": 1.0}},
            {"kind": "drift", "subject": "dear", "effect": {"value": -90.0}}, {"kind": "performance", "subject": "untold", "effect": None}]


def test_people_come_first_and_then_the_dearest_either_way(tmp_path):
    (tmp_path / "summary.json").write_bytes(dump({"concerns": CONCERNS}))
    assert [one.subject for one in ranked(FOUND, tmp_path / "summary.json")] == ["group", "dear", "cheap", "untold"]


def test_without_a_summary_nothing_is_left_out(tmp_path):
    (tmp_path / "broken.json").write_text("{")
    for name in ("none.json", "broken.json"):
        assert [one.subject for one in ranked(FOUND, tmp_path / name)] == ["group", "cheap", "dear", "untold"]
