"""Guarantees of findings: what a real report flags is told by name with the report's own sentence, and `tally alerts` tells it once."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from click.testing import CliRunner
from exits import receiver

from feature_repo.errors import DataError
from governance.limits import Verdict
from governance.release import dump
from monitoring.alerts.alert import Kind
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
    found = {one.subject: one for one in findings(path, Kind.DRIFT, WINDOW)}
    flagged = {one["column"] for one in json.loads(path.read_bytes())["columns"] if {one["verdict"], one["quality"]} & {"watch", "alert"}}

    assert found.keys() == flagged
    assert found[column].verdict is Verdict.ALERT
    assert found[column].figure > 0.25
    assert found[column].sentence.startswith(column)
    assert "**" not in found[column].sentence


def test_a_group_is_told_by_its_worst_measure_and_a_withheld_figure_is_none(tmp_path):
    group = {"attribute": "sex", "group": "female", "adverse_impact": None, "impact_verdict": None, "opportunity_verdict": "watch"}
    fair = {"attribute": "sex", "group": "other", "adverse_impact": {"value": 0.97}, "impact_verdict": "ok"}
    (tmp_path / "f.json").write_bytes(dump({"portfolio": "p", "verdict": "watch", "found": ["head", "- **sex: female**, watch: 0.07"],
                                            "attributes": [{"groups": [group, fair]}]}))
    (found,) = findings(tmp_path / "f.json", Kind.FAIRNESS, WINDOW)

    assert (found.subject, found.verdict, found.figure, found.sentence) == ("sex: female", Verdict.WATCH, None, "sex: female, watch: 0.07")


@pytest.mark.parametrize(("verdict", "subjects"), [("alert", [WHOLE]), ("insufficient", [WHOLE]), ("ok", [])])
def test_a_report_that_is_not_ok_and_names_nobody_is_told_of_as_a_whole(tmp_path, verdict, subjects):
    (tmp_path / "p.json").write_bytes(dump({"portfolio": "p", "verdict": verdict, "found": ["**Ranking: alert.** Gini 0.2"], "gini": 0.2}))

    assert [one.subject for one in findings(tmp_path / "p.json", Kind.PERFORMANCE, WINDOW)] == subjects
    assert sentence(("**Ranking: alert.** Gini 0.2",), WHOLE) == "Ranking: alert. Gini 0.2"


@pytest.mark.parametrize("said", ["**Calibration of band B: alert.** 2.4% bad", "Ranking in alert: 2024-01."])
def test_an_alert_is_told_by_the_sentence_that_says_it_and_not_by_one_that_is_ok(tmp_path, said):
    (tmp_path / "p.json").write_bytes(dump({"portfolio": "p", "verdict": "alert", "found": ["**Ranking: ok.** Gini 0.6", said]}))
    (found,) = findings(tmp_path / "p.json", Kind.PERFORMANCE, WINDOW)

    assert found.sentence == said.replace("**", "")


def test_a_report_that_cannot_be_read_is_an_error_and_not_a_pass(tmp_path):
    (tmp_path / "p.json").write_bytes(b'{"portfolio": 1')
    with pytest.raises(DataError, match="tally monitor"):
        list(findings(tmp_path / "p.json", Kind.PERFORMANCE, WINDOW))


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


def rules() -> bytes:
    return b"alerts: {windows: 1, rules: [{verdict: alert, severity: ticket, owner: models, days: 10}], silences: []}\n"
