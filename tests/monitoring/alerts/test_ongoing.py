"""A breach goes on until a window was judged and does not flag it; what could not be judged neither ends nor begins one for ever."""

from __future__ import annotations

import pytest

from governance.limits import Verdict
from governance.release import dump
from monitoring.alerts.alert import Finding, Kind
from monitoring.alerts.found import WHOLE
from monitoring.alerts.ongoing import Breaches

RELEASE, MOST = "abc", 3
QUIET = "insufficient"


def since(folder, said, subject="income", verdict=Verdict.ALERT):
    """Of the last of some days, what is said of a column on each; None: no decision by the release."""
    days = [f"2026-11-{day:02}" for day in range(1, len(said) + 1)]
    for day, word in zip(days, said, strict=True):
        if word:
            path = folder / day / RELEASE / "drift.json"
            path.parent.mkdir(parents=True)
            column = {"column": "income", "verdict": word, "quality": "ok"}
            path.write_bytes(dump({"portfolio": "p", "verdict": word, "columns": [] if word == QUIET else [column]}))
    found = Finding(portfolio="p", window=days[-1], release_id=RELEASE, kind=Kind.DRIFT, subject=subject, verdict=verdict, sentence="")
    return Breaches(days, folder, MOST).since(found)


@pytest.mark.parametrize(("said", "first"), [
    (["ok", "alert", "alert", "alert"], 2), (["alert", "ok", "alert"], 3), (["alert", "watch", "alert"], 1), (["alert"], 1),
    (["alert", QUIET, None, QUIET, "alert"], 1), (["alert", *[QUIET] * 4, "alert"], 6), (["alert", None, "ok", "alert"], 4)])
def test_a_breach_begins_where_it_was_not_flagged_before(tmp_path, said, first):
    assert since(tmp_path, said) == f"2026-11-{first:02}"


def test_what_could_not_be_judged_goes_on_as_that(tmp_path):
    assert since(tmp_path, ["alert", QUIET, None, QUIET, QUIET], WHOLE, Verdict.INSUFFICIENT) == "2026-11-02"
