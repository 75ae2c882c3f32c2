"""From simulated files to verdicts through the real stages: what was planted is found where it was planted, and nothing else is."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from borrowers import write_params
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from feature_repo.contract import APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.params import read
from feature_repo.portfolio import Portfolio
from feature_repo.portfolios import load
from feature_repo.sources import EARLY
from governance import gates
from governance.limits import Verdict
from governance.release import verify
from monitoring import drift, scored, window
from monitoring.drift import Column
from monitoring.params import DriftParams
from serving.scoring.bins import Bins
from serving.scoring.decision import load as load_scorer

NAME, ROWS = "consumer_loans", 60_000


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Every stage but register, in order; the figures of the three reports, what release and data documentation say, and the truth."""
    from monitoring.stages import baseline, fairness, performance
    from monitoring.stages import drift as drift_stage
    from training.stages import assemble, evaluate, featurize, ingest, search, split, train, validate

    root = tmp_path_factory.mktemp("journey")
    write_params(root / "params.yaml", {"ingest": {"rows": ROWS}})
    d, reports = Path("data") / NAME, Path("reports") / NAME
    release, decided = d / "evaluate" / "release", d / "baseline" / "window.parquet"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.delenv("TALLY_DATA_DIR", raising=False)
        ingest.main(NAME, d / "ingest", d / "vault")
        validate.main(NAME, d / "ingest", d / "vault", d / "validate")
        featurize.main(NAME, d / "validate" / "verdict.json", d / "ingest", d / "featurize")
        assemble.main(NAME, d / "featurize", d / "assemble")
        split.main(NAME, d / "assemble", d / "split")
        search.main(NAME, d / "assemble", d / "split", d / "search")
        train.main(NAME, d / "assemble", d / "split", d / "search", d / "train")
        evaluate.main(NAME, d / "assemble", d / "split", d / "train", d / "validate" / "verdict.json", d / "vault", d / "evaluate")
        baseline.main(NAME, d / "assemble", d / "split", release, d / "baseline")
        drift_stage.main(NAME, decided, release, reports / "drift.json", reports / "drift.html")
        performance.main(NAME, decided, release, d / "ingest" / "outcome-record.parquet", reports / "performance.json",
                         reports / "performance.html", d / "performance")
        fairness.main(NAME, decided, release, d / "vault", reports / "fairness.json", reports / "fairness.html")
        found = {stage: json.loads((reports / f"{stage}.json").read_bytes()) for stage in ("drift", "performance", "fairness")}
        manifest = json.loads((release / "release.json").read_bytes())
        docs = re.sub(r"(\s|<[^>]+>)+", " ", (d / "validate" / "docs" / "index.html").read_text())
        sizes = [path.stat().st_size for path in reports.glob("*.html")]
        (truth,) = Path("data").rglob("truth/planted.json")
        planted = json.loads(truth.read_bytes())
        young = true_bad_rate(d / "ingest" / "outcome-record.parquet", decided, truth.parent / "truth.parquet")
        judged = {found.gate: found for found in gates.judge(verify(release), None, "", datetime.now(UTC))}
        vintages = every_vintage(d / "assemble" / "applications.parquet", release)
        recalibrated = against_the_truth(d / "assemble" / "applications.parquet", release, truth.parent / "truth.parquet", planted)
    return SimpleNamespace(portfolio=load(NAME), young=young, planted=planted, recalibrated=recalibrated, vintages=vintages,
                           manifest=manifest, judged=judged, docs=docs, sizes=sizes, **found)


def true_bad_rate(record: Path, decisions: Path, truth: Path) -> float:
    """What only the simulator knows: how many of the booked loans whose outcome nobody has seen yet will default."""
    signs, decided = pd.read_parquet(record).set_index(APPLICATION_ID), pd.read_parquet(decisions, columns=[APPLICATION_ID, BAD])
    unseen = decided[decided[BAD].isna() & decided[APPLICATION_ID].map(signs[EARLY]).notna()]
    return float(unseen[APPLICATION_ID].map(pd.read_parquet(truth).set_index("application_no")["would_default"]).mean())


def against_the_truth(applications: Path, release: Path, truth: Path, planted: dict) -> LogisticRegression:
    """The log-odds of everyone's true PD by those of the PD the release gives them, out of time and before the planted drift."""
    from serving.scoring.batch import score

    frame = pd.read_parquet(applications)
    month = frame[EVENT_TIME].dt.strftime("%Y-%m")
    after = pd.Timestamp(load(NAME).applications.time.out_of_time_from).strftime("%Y-%m")
    frame = frame[(month >= after) & (month < planted["drift"]["from"])]
    said = logit(score(load_scorer(verify(release), load(NAME)), frame)["pd"].to_numpy()).reshape(-1, 1)
    true = pd.read_parquet(truth).set_index("application_no")["true_pd"].loc[frame[APPLICATION_ID]].to_numpy()
    both = np.repeat([1.0, 0.0], len(true))  # a share of bad and the rest of good per applicant, in place of one drawn outcome
    return LogisticRegression(C=np.inf).fit(np.vstack([said, said]), both, sample_weight=np.concatenate([true, 1 - true]))


def every_vintage(applications: Path, release: Path) -> tuple[Column, ...]:
    """Drift of every month of the data, those of development among them."""
    verified = verify(release)
    decided = scored.decisions(pd.read_parquet(applications), load_scorer(verified, load(NAME)), verified)
    return drift.assess(decided.sort_values(window.DECIDED_AT, ignore_index=True), load(NAME), verified.read("bins.json", dict[str, Bins]),
                        read("drift", DriftParams))


def descendants(portfolio: Portfolio, planted: list[str]) -> set[str]:
    """The planted columns, and every derived column that follows from one."""
    found = set(planted)
    for column in portfolio.derived_columns:
        if found.intersection(column.arguments):
            found.add(column.name)
    return found


def cells(journey: SimpleNamespace) -> dict[tuple[str, str], str]:
    return {(column["column"], cell["month"]): cell["verdict"] for column in journey.drift["columns"] for cell in column["months"]}


def test_the_planted_drift_is_found_in_every_planted_column_and_month(journey):
    start = journey.planted["drift"]["from"]
    expected = {at for at in cells(journey) if at[0] in journey.planted["drift"]["columns"] and at[1] >= start}
    assert len(expected) == 6 * len(journey.planted["drift"]["columns"])
    assert {cells(journey)[at] for at in expected} == {"alert"}


def test_no_other_column_and_no_earlier_month_alarms(journey):
    start = journey.planted["drift"]["from"]
    allowed = descendants(journey.portfolio, journey.planted["drift"]["columns"]) | {"pd", "score", "band", "outcome"}
    alarmed = {at for at, verdict in cells(journey).items() if verdict in {"alert", "watch"}}
    assert {at for at in alarmed if at[0] not in allowed or at[1] < start} == set()
    assert "insufficient" not in cells(journey).values()


def test_over_all_36_vintages_and_columns_nothing_alarms_but_what_was_planted(journey):
    """Results and derived columns follow from the planted ones, so they may move from the planted month on; nothing else may at all."""
    start = journey.planted["drift"]["from"]
    allowed = descendants(journey.portfolio, journey.planted["drift"]["columns"]) | {"pd", "score", "band", "outcome"}
    months = [(column.column, cell) for column in journey.vintages for cell in column.months]
    alarmed = {(name, cell.month) for name, cell in months if cell.verdict is not Verdict.OK}
    assert len(months) == 36 * len(journey.vintages)
    assert {at for at in alarmed if at[0] not in allowed or at[1] < start} == set()
    assert {at for at in alarmed if at[0] in journey.planted["drift"]["columns"]} == {
        (name, cell.month) for name, cell in months if name in journey.planted["drift"]["columns"] and cell.month >= start}


def test_the_planted_unit_error_is_the_only_fault_of_data_and_its_factor_is_guessed(journey):
    planted = journey.planted["unit_error"]
    faults = {(column.column, cell.month, fault.kind.value, fault.factor)
              for column in journey.vintages for cell in column.months for fault in cell.faults}
    assert faults == {(planted["column"], planted["month"], "outside the usual range", None),
                      (planted["column"], planted["month"], "another unit", 12.0)}


def test_the_planted_outlier_does_not_hide_the_drift_in_its_column_and_month(journey):
    outlier = journey.planted["outlier"]
    assert outlier["month"] >= journey.planted["drift"]["from"]
    assert outlier["column"] in journey.planted["drift"]["columns"]
    assert cells(journey)[outlier["column"], outlier["month"]] == "alert"


def test_the_planted_unit_error_and_outlier_are_named_with_their_month_and_nothing_else_is(journey):
    """Few rows move no PSI; they lie outside the contract's usual range."""
    found = {(column["column"], cell["month"]) for column in journey.drift["columns"] for cell in column["months"] if cell["unusual"]}
    assert found == {(fault["column"], fault["month"]) for fault in (journey.planted["unit_error"], journey.planted["outlier"])}
    said = " ".join(journey.drift["found"])
    assert all(re.search(rf"{column} \d+ in {month}", said) for column, month in found)


def test_the_planted_faults_are_warnings_in_the_release_and_in_the_data_documentation(journey):
    faults = {journey.planted[kind]["column"] for kind in ("unit_error", "outlier")}
    warned = {one["column"]: one["count"] for one in journey.manifest["validation"]["warnings"] if one["rule"] == "usual"}
    assert warned.keys() == faults
    for column in journey.portfolio.inputs:
        if column.name in faults:
            low, high = map(float, column.usual)
            promised = f"greater than or equal to {low} and less than or equal to {high} . {warned[column.name]:,} unexpected values found"
            assert promised in journey.docs[journey.docs.index(f" {column.name} Status"):]


def test_a_report_is_small_enough_to_send(journey):
    assert len(journey.sizes) == 3
    assert max(journey.sizes) < 5_000_000


def test_the_planted_proxy_shows_as_adverse_impact_on_its_group_alone(journey):
    proxy = journey.planted["proxy"]
    found = {(one["attribute"], group["group"]): group for one in journey.fairness["attributes"] for group in one["groups"]}
    assert {at for at, group in found.items() if group["impact_verdict"] == "alert"} == {(proxy["attribute"], proxy["group"])}
    impact = found[proxy["attribute"], proxy["group"]]["adverse_impact"]
    assert impact["low"] < impact["value"] < impact["high"] < 1
    assert impact["value"] < 0.80


def test_only_the_months_whose_loans_have_lived_their_term_are_measured(journey):
    portfolio = journey.portfolio
    last = (portfolio.outcome.observed_until - portfolio.outcome.matures_after).strftime("%Y-%m")
    months = {month["month"]: month for month in journey.performance["performance"]["months"]}
    assert all((month["matured"] > 0) == (at <= last) for at, month in months.items())
    assert {month["note"] for at, month in months.items() if at > last} == {"no outcome has matured"}


def test_the_reports_say_it_in_words(journey):
    said = " ".join(journey.drift["found"])
    for column in journey.planted["drift"]["columns"]:
        assert f"**{column}** in {journey.planted['drift']['from']} to 2023-12" in said
    assert any(journey.planted["proxy"]["group"] in sentence and "alert" in sentence for sentence in journey.fairness["found"])


def test_pds_follow_the_true_pds_out_of_time_until_the_planted_drift(journey):
    """At the default number of applications; 36,000 leave the slope uncertain by 0.04 (standard error)."""
    assert 0.95 <= journey.recalibrated.coef_[0, 0] <= 1.05


def test_the_planted_unfair_proxy_is_held_up_by_the_strict_pack(journey):
    fairness = journey.judged["fairness-strict"]

    assert not fairness.passed
    assert "minority B: 0.6" in fairness.found


def test_what_is_told_of_loans_without_outcomes_holds_what_will_become_of_them(journey):
    estimate, sign = journey.performance["estimate"], journey.performance["early"]

    for told in (estimate["young"]["bad_rate"], sign["young"]["projected"]):
        assert told["low"] < journey.young < told["high"]
    assert {(record["measure"], record["vintages"], record["holds"]) for record in (estimate["record"][1], sign["record"])} == {
        ("bad rate", 12, True), ("bad rate by the early sign", 12, True)}
    assert sign["young"]["verdict"] == "ok"
