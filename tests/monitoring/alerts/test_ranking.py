"""Findings are told as the summary has them: people first, what has no effect that could be told, then the dearest. None is left out."""

from __future__ import annotations

import pytest

from governance.limits import Verdict
from governance.release import dump
from monitoring.alerts.alert import Finding, Kind
from monitoring.alerts.found import WHOLE
from monitoring.alerts.ranking import ranked


def finding(kind, subject, verdict=Verdict.ALERT):
    return Finding(portfolio="p", window="w", kind=kind, subject=subject, verdict=verdict, sentence=subject)


FOUND = [finding(Kind.DRIFT, "cheap"), finding(Kind.DRIFT, "dear"), finding(Kind.PERFORMANCE, "untold"), finding(Kind.PARITY, "in no list"),
         finding(Kind.FAIRNESS, "group")]
CONCERNS = [{"kind": "drift", "subject": "cheap", "effect": {"value": 5.0}}, {"kind": "drift", "subject": "dear", "effect": {"value": 1.0}},
            {"kind": "drift", "subject": "dear", "effect": {"value": -90.0}}, {"kind": "performance", "subject": "untold", "effect": None}]


def told(folder, found, concerns):
    (folder / "summary.json").write_bytes(dump({"concerns": concerns}))
    return [one.subject for one in ranked(found, folder / "summary.json")]


def test_people_come_first_then_what_is_not_known_to_be_cheap_and_then_the_dearest_either_way(tmp_path):
    assert told(tmp_path, FOUND, CONCERNS) == ["group", "untold", "in no list", "dear", "cheap"]


@pytest.mark.parametrize(("effect", "place"), [({"value": 40.0}, 1), ({"value": 4.0}, 2), (None, 0)])
def test_a_report_as_a_whole_stands_where_the_summary_has_the_first_of_its_findings(tmp_path, effect, place):
    concerns = [*CONCERNS[:3], {"kind": "performance", "subject": "band A", "effect": {"value": 2.0}},
                {"kind": "performance", "subject": "all bands", "effect": effect}]
    assert told(tmp_path, [*FOUND[:2], finding(Kind.PERFORMANCE, WHOLE)], concerns).index(WHOLE) == place


def test_of_equal_effects_the_worst_is_told_first_as_on_the_page(tmp_path):
    found = [finding(Kind.PARITY, "watched", Verdict.WATCH), finding(Kind.PARITY, "alarmed")]
    assert told(tmp_path, found, []) == ["alarmed", "watched"]


def test_without_a_summary_nothing_is_left_out(tmp_path):
    (tmp_path / "broken.json").write_text("{")
    for name in ("none.json", "broken.json"):
        assert [one.subject for one in ranked(FOUND, tmp_path / name)] == ["group", "cheap", "dear", "untold", "in no list"]
