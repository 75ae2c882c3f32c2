"""What a check of stored values found is judged column by column; a window that no check compared is not passed."""

from __future__ import annotations

import json
from datetime import datetime

import msgspec
import pytest
from approved import unsigned

from governance import gate_evidence
from governance.events import ColumnParity, ParityChecked
from governance.gate_evidence import Case, Decided
from governance.gate_settings import Parity
from governance.limits import Verdict
from governance.release import verify
from monitoring import parity, parity_window
from monitoring.parity import Kind

LIMITS = Parity(mismatch=0.01, confidence=0.95, minimum=300, days=31)


@pytest.mark.parametrize(("compared", "apart", "verdict"), [
    (300, 0, Verdict.OK), (299, 0, Verdict.INSUFFICIENT), (300, 1, Verdict.ALERT), (5_000, 20, Verdict.WATCH), (5_000, 60, Verdict.ALERT),
    (40, 1, Verdict.WATCH), (40, 20, Verdict.ALERT), (0, 0, Verdict.INSUFFICIENT)])
def test_what_would_hold_up_a_promotion_is_an_alert_and_few_decisions_are_no_pass(compared, apart, verdict):
    column = parity.counted("balance", "accounts", compared, {Kind.VALUE: apart} if apart else {}, 0.95)
    assert parity_window.verdict(column, LIMITS) is verdict


@pytest.mark.parametrize(("verdicts", "come_to"), [
    ("ok ok", "ok"), ("ok insufficient", "insufficient"), ("insufficient watch ok", "watch"), ("", "insufficient")])
def test_a_column_that_could_not_be_judged_is_no_pass_of_the_others(verdicts, come_to):
    assert parity_window.overall(map(Verdict, verdicts.split())) == come_to


def checked(*columns):
    return ParityChecked(by=unsigned("parity"), at="", decisions=400, since="", confidence=0.95, columns=columns,
                         first="2023-01-02T00:00:00+00:00", last="2023-01-09T00:00:00+00:00", came_at="2023-01-10T00:00:00+00:00")


def test_the_report_names_the_column_and_how_it_differs_and_says_where_nothing_was_compared(at_home, mill, tmp_path):
    name = mill.views[0].stored[0].name
    check = tmp_path / "check.json"
    for seen, verdict in ((checked(ColumnParity(name, 400, 40, 0.13, {"only online": 40})), "alert"), (None, "insufficient")):
        check.write_bytes(msgspec.json.encode(seen))
        parity_window.main(mill.name, at_home.release, check, tmp_path / "parity.json", tmp_path / "parity.html")
        found = json.loads((tmp_path / "parity.json").read_bytes())
        assert found["verdict"] == verdict
        assert f"- **{name}** in 40 (10.0%): only online 40" in found["found"] or "run: tally parity" in found["found"][-1]
        assert (tmp_path / "parity.html").stat().st_size < 5_000_000


@pytest.mark.parametrize("compared", [400, 40, None])
def test_a_stored_column_that_was_not_compared_often_enough_is_named_and_passes_nothing_as_at_the_gate(at_home, mill, tmp_path, compared):
    release, check, figures = verify(at_home.release), tmp_path / "check.json", tmp_path / "parity.json"
    first, *others = parity_window.stored(release)
    assert {first, *others} == {column.name for table in mill.views for column in table.stored}
    columns = [ColumnParity(first, compared, 0, 0.009, {})] if compared else []
    seen = checked(*columns, *(ColumnParity(name, 400, 0, 0.009, {}) for name in others))
    check.write_bytes(msgspec.json.encode(seen))
    parity_window.main(mill.name, at_home.release, check, figures, tmp_path / "parity.html")
    found = json.loads(figures.read_bytes())
    decided = Decided(ever=True, checked=msgspec.structs.replace(seen, at=seen.came_at))
    gate = gate_evidence.parity(Case(release, None, "", datetime.fromisoformat(seen.came_at), decided), LIMITS)

    assert (found["verdict"], gate.passed) == (("ok", True) if compared == 400 else ("insufficient", False))
    assert (f"Compared in fewer than 300 decisions, which is no pass: {first}." in found["found"]) is (compared != 400)
    assert {one["column"]: one["compared"] for one in found["parity"]} == {first: compared or 0, **dict.fromkeys(others, 400)}
