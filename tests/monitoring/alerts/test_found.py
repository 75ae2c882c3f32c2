"""Guarantees of findings: what a real report flags is told by name with the report's own sentence, and `tally alerts` tells it once."""

from __future__ import annotations

import hashlib
import json
import shutil

import pandas as pd
import pytest
from click.testing import CliRunner
from exits import receiver

from feature_repo.errors import DataError
from governance.limits import Verdict
from governance.release import dump
from monitoring.alerts.beside import UNKNOWN_YET
from monitoring.alerts.found import WHOLE, findings, sentence
from monitoring.alerts.textfile import FILE
from monitoring.stages import drift
from tally.__main__ import tally

WINDOW, RELEASE = "2023-12", "0123456789ab"


@pytest.fixture
def moved(at_home, tmp_path, mill):
    """The drift report on a window whose first number is three times what it was, where `tally monitor --as-of` leaves it."""
    column = next(one.name for one in mill.inputs if not one.is_level)
    frame = pd.read_parquet(at_home.window)
    frame.assign(**{column: frame[column] * 3}).to_parquet(tmp_path / "moved.parquet", index=False)
    folder = tmp_path / "reports" / mill.name / "monitoring" / WINDOW / RELEASE
    drift.main(mill.name, tmp_path / "moved.parquet", at_home.release, folder / "drift.json", folder / "drift.html")
    return column, folder / "drift.json"


def test_a_column_that_drifted_is_told_by_its_name_with_the_report_s_sentence_and_figure(moved):
    column, path = moved
    found = {one.subject: one for one in findings(path, WINDOW)}
    flagged = {one["column"] for one in json.loads(path.read_bytes())["columns"] if {one["verdict"], one["quality"]} & {"watch", "alert"}}

    assert found.keys() == flagged
    assert found[column].verdict is Verdict.ALERT
    assert found[column].figure > 0.25
    assert found[column].sentence.startswith(column)
    assert "**" not in found[column].sentence


def test_a_group_is_told_by_its_worst_measure_and_a_withheld_figure_is_none(tmp_path):
    group = {"attribute": "sex", "group": "female", "adverse_impact": None, "impact_verdict": None, "opportunity_verdict": "watch"}
    fair = {"attribute": "sex", "group": "other", "adverse_impact": {"value": 0.97}, "impact_verdict": "ok"}
    said = {"portfolio": "p", "verdict": "watch", "found": ["head", "- **sex: female**, watch: 0.07"]}
    (tmp_path / "fairness.json").write_bytes(dump({**said, "attributes": [{"groups": [group, fair]}]}))
    (found,) = findings(tmp_path / "fairness.json", WINDOW)

    assert (found.subject, found.verdict, found.figure, found.sentence) == ("sex: female", Verdict.WATCH, None, "sex: female, watch: 0.07")


@pytest.mark.parametrize(("verdict", "subjects"), [("alert", [WHOLE]), ("insufficient", [WHOLE]), ("ok", [])])
def test_a_report_that_is_not_ok_and_names_nobody_is_told_of_as_a_whole(tmp_path, verdict, subjects):
    said = {"portfolio": "p", "verdict": verdict, "found": ["**Ranking: alert.** Gini 0.2"], "gini": 0.2}
    (tmp_path / "performance.json").write_bytes(dump(said))

    assert [one.subject for one in findings(tmp_path / "performance.json", WINDOW)] == subjects
    assert sentence(("**Ranking: alert.** Gini 0.2",), WHOLE) == "Ranking: alert. Gini 0.2"


@pytest.mark.parametrize("said", ["**Calibration of band B: alert.** 2.4% bad", "Ranking in alert: 2024-01."])
def test_an_alert_is_told_by_the_sentence_that_says_it_and_not_by_one_that_is_ok(tmp_path, said):
    (tmp_path / "performance.json").write_bytes(dump({"portfolio": "p", "verdict": "alert", "found": ["**Ranking: ok.** Gini 0.6", said]}))
    (found,) = findings(tmp_path / "performance.json", WINDOW)

    assert found.sentence == said.replace("**", "")


MOVED = [{"month": "2023-11", "shift": 0.4, "low": None, "high": None, "verdict": "insufficient"},
         {"month": "2023-12", "shift": -0.31, "low": -0.35, "high": -0.27, "verdict": "alert"}]
YOUNG = {"month": "without outcomes", "verdict": "watch", "projected": {"value": 0.05, "low": 0.04, "high": 0.06}, "mean_pd": 0.03}


def test_an_input_that_moved_the_log_odds_is_told_beside_its_drift_and_alone(tmp_path):
    still = {"column": "rate", "verdict": "ok", "months": [{**MOVED[1], "shift": 0.0, "verdict": "ok"}]}
    (tmp_path / "drift.json").write_bytes(dump({"portfolio": "p", "verdict": "alert", "drift_verdict": "ok", "found": ["nothing drifted"],
                                                "attribution": [{"column": "income", "verdict": "alert", "months": MOVED}, still]}))
    (found,) = findings(tmp_path / "drift.json", WINDOW)
    assert (found.kind, found.subject, found.verdict, found.figure) == ("attribution", "income", Verdict.ALERT, -0.31)
    assert found.sentence == "income moved the mean log-odds of bad -0.31 (-0.35 to -0.27) in 2023-12"


@pytest.mark.parametrize(("young", "spans", "told"), [
    (YOUNG, [{**YOUNG, "month": "2023-11"}], "loans without outcomes: 5.0% (4.0% to 6.0%) will be bad by the early sign, PDs said 3.0%"),
    ({**YOUNG, "verdict": "ok"}, [{**YOUNG, "month": "2023-10", "bad_rate": {"value": 0.03}}, {**YOUNG, "month": "2023-11"}],
     "loans without outcomes, of 2023-11: 5.0%"), ({**YOUNG, "verdict": "ok"}, [{**YOUNG, "bad_rate": {"value": 0.03}}], None)])
def test_an_early_sign_above_the_pds_is_told_unless_outcomes_have_replaced_it(tmp_path, young, spans, told):
    (tmp_path / "performance.json").write_bytes(dump({"portfolio": "p", "verdict": "watch", "outcomes_verdict": "ok",
                                                      "early": {"young": young, "spans": spans}}))
    assert [(one.kind, one.verdict) for one in findings(tmp_path / "performance.json", WINDOW)] == [("early sign", "watch")] * bool(told)
    assert all(one.sentence.startswith(told) for one in findings(tmp_path / "performance.json", WINDOW))


def test_a_stored_column_that_was_another_online_is_told_with_how_often(tmp_path):
    apart = {"column": "balance", "verdict": "alert", "compared": 300, "mismatched": 30, "share": 0.1, "low": 0.07, "high": 0.14}
    same = {"column": "b", "verdict": "ok"}
    (tmp_path / "parity.json").write_bytes(dump({"portfolio": "p", "verdict": "alert", "parity": [apart, same]}))
    (found,) = findings(tmp_path / "parity.json", WINDOW)
    assert (found.kind, found.subject, found.figure) == ("parity", "balance", 0.1)
    assert found.sentence == "balance online: another value in 30 of 300 decisions: 10.0% (7.0% to 14.0%)"


def test_a_report_that_cannot_be_read_is_an_error_and_not_a_pass(tmp_path):
    (tmp_path / "performance.json").write_bytes(b'{"portfolio": 1')
    with pytest.raises(DataError, match="tally monitor"):
        list(findings(tmp_path / "performance.json", WINDOW))


def test_tally_alerts_tells_what_the_newest_windows_found_once(moved, mill, tmp_path, monkeypatch):
    column, _ = moved
    (tmp_path / "params.yaml").write_bytes(b"".join([f"portfolio: {mill.name}\n".encode(), rules()]))
    reports = [{"report": "drift", "release_id": RELEASE, "verdict": "alert"}, {"report": "decisions", "release_id": RELEASE}]
    (tmp_path / "reports" / mill.name / "verdict.json").write_bytes(dump({"windows": [{"window": WINDOW, "reports": reports}]}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "var"))
    with receiver() as server:
        monkeypatch.setenv("TALLY_ALERT_WEBHOOK", server.url)
        monkeypatch.setenv("TALLY_ALERT_WEBHOOK_SECRET", "s")
        first, second = (CliRunner().invoke(tally, ["alerts"], catch_exceptions=False).stdout for _ in range(2))
    bodies = [json.loads(body) for _, body in server.taken]

    assert column in [body["subject"] for body in bodies]
    assert f"webhook: {len(bodies)} delivered" in first
    assert "webhook: 0 delivered" in second
    assert f'subject="{column}"' in (tmp_path / "reports" / mill.name / FILE).read_text()


def test_the_next_day_of_a_breach_raises_nothing_and_an_early_sign_of_the_pipeline_is_told_beside(moved, mill, tmp_path, monkeypatch):
    column, path = moved
    home, days = tmp_path / "reports" / mill.name, ("2023-12-30", "2023-12-31")
    (tmp_path / "params.yaml").write_bytes(b"".join([f"portfolio: {mill.name}\n".encode(), rules()]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "var"))
    spans = [{**YOUNG, "month": "2023-10", "verdict": "ok"}, {**YOUNG, "month": "2023-11"}]
    sign = dump({"portfolio": mill.name, "verdict": "watch", "outcomes_verdict": "ok", "early": {"young": YOUNG, "spans": spans}})
    (home / "performance.json").write_bytes(sign)
    pipeline = [{"report": "performance", "digest": hashlib.sha256(sign).hexdigest()}]
    judged = [{"window": day, "reports": [{"report": "drift", "release_id": RELEASE, "verdict": "alert"}]} for day in days]
    with receiver() as server:
        monkeypatch.setenv("TALLY_ALERT_WEBHOOK", server.url)
        monkeypatch.setenv("TALLY_ALERT_WEBHOOK_SECRET", "s")
        for place, day in enumerate(days):
            shutil.copytree(path.parent.parent, home / "monitoring" / day)
            (home / "verdict.json").write_bytes(dump({"windows": judged[: place + 1], "pipeline": pipeline}))
            CliRunner().invoke(tally, ["alerts"], catch_exceptions=False)
    told = [(body["window"], body["kind"], body["subject"]) for body in map(json.loads, (body for _, body in server.taken))]

    assert ("pipeline to 2023-11", "early sign", UNKNOWN_YET) in told
    assert (days[0], "drift", column) in told
    assert days[1] not in {window for window, _, _ in told}
    standing = (home / FILE).read_text()
    assert f'window="{days[1]}"' in standing
    assert 'window="pipeline to 2023-11"' in standing


@pytest.mark.parametrize("now", [None, b"{", dump({"portfolio": "p", "early": {"young": YOUNG}})], ids=["gone", "torn", "made again"])
def test_a_report_of_the_pipeline_at_work_stops_no_other_alert_and_is_told_under_no_other_release(moved, mill, tmp_path, monkeypatch, now):
    column, _ = moved
    home = tmp_path / "reports" / mill.name
    (tmp_path / "params.yaml").write_bytes(b"".join([f"portfolio: {mill.name}\n".encode(), rules()]))
    if now:
        (home / "performance.json").write_bytes(now)
    reports = [{"report": "drift", "release_id": RELEASE, "verdict": "alert"}]
    (home / "verdict.json").write_bytes(dump({"windows": [{"window": WINDOW, "reports": reports}], "pipeline": [
        {"report": "performance", "digest": "0" * 64, "release_id": RELEASE}]}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "var"))
    told = CliRunner().invoke(tally, ["alerts"], catch_exceptions=False).stdout
    assert "early sign not told: performance.json of the pipeline is not the one that verdict.json names" in told
    assert f'subject="{column}"' in (home / FILE).read_text()
    assert "early sign" not in (home / FILE).read_text()


def rules() -> bytes:
    return b"""alerts: {windows: 1, silences: [], rules: [{verdict: alert, severity: ticket, owner: models, days: 10},
        {kind: early sign, verdict: watch, severity: note, owner: models, days: 30}]}
"""
