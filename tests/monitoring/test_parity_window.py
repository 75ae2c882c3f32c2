"""What a check of stored values found is judged column by column; a window that no check compared is not passed."""

from __future__ import annotations

import json

import msgspec
import pytest
from approved import unsigned

from governance.events import ColumnParity, ParityChecked
from governance.gate_settings import Parity
from governance.limits import Verdict
from monitoring import parity, parity_window
from monitoring.parity import Kind

LIMITS = Parity(mismatch=0.01, confidence=0.95, minimum=300, days=31)


@pytest.mark.parametrize(("compared", "apart", "verdict"), [
    (300, 0, Verdict.OK), (299, 0, Verdict.INSUFFICIENT), (300, 1, Verdict.ALERT), (5_000, 20, Verdict.WATCH), (5_000, 60, Verdict.ALERT),
    (40, 1, Verdict.WATCH), (40, 20, Verdict.ALERT), (0, 0, Verdict.INSUFFICIENT)])
def test_what_would_hold_up_a_promotion_is_an_alert_and_few_decisions_are_no_pass(compared, apart, verdict):
    column = parity.counted("balance", "accounts", compared, {Kind.VALUE: apart} if apart else {}, 0.95)
    assert parity_window.verdict(column, LIMITS) is verdict


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
