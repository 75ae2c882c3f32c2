"""The truth of the rejected is known in the simulated portfolio: how near does each way to infer it come? See docs/reject-inference.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from training import pictures

MODELS = ["known", "parcelling", "fuzzy"]
PAGE = Path(__file__).parents[2] / "docs" / "reject-inference.md"


@pytest.fixture(scope="module")
def found(small_project):
    return json.loads(small_project.data("rejects", "rejects.json").read_bytes())


@pytest.fixture(scope="module")
def development(small_project):
    """Everyone who applied in development: what each model says, and the truth, which no stage reads."""
    (path,) = small_project.path.rglob("truth.parquet")
    joined = pd.read_parquet(path).rename(columns={"application_no": "application_id"})
    for table in (("rejects", "pds.parquet"), ("split", "parts.parquet"), ("ingest", "outcome-record.parquet")):
        joined = joined.merge(pd.read_parquet(small_project.data(*table)), on="application_id", validate="one_to_one")
    return joined[joined["period"] == "development"]


def test_who_was_rejected_is_counted_as_the_file_has_it(found, development, small_project):
    raw = pd.read_csv(next(small_project.path.rglob("applications.csv")), dtype=str).set_index("application_no")
    turned_down = raw.loc[development["application_id"], "old_decision"] == "R"

    assert found["applicable"]
    assert found["counts"]["rejected"] == (development["standing"] == "rejected").sum() == turned_down.sum()
    assert found["counts"]["open"] == found["counts"]["unexplained"] == 0


def test_the_model_of_known_outcomes_is_nearest_where_all_that_rejected_is_an_input(development):
    """The old policy saw five inputs and noise, so the known of equal PD are no better than the rejected and prudence only overstates."""
    rejected = development[development["standing"] == "rejected"]
    away = {model: rejected[model].mean() / rejected["true_pd"].mean() - 1 for model in MODELS}

    assert abs(away["known"]) < 0.2
    assert away["parcelling"] > away["known"]
    assert away["fuzzy"] > away["known"]


def test_inferred_outcomes_do_not_improve_the_ranking_through_the_door(development):
    auc = {model: roc_auc_score(development["would_default"], development[model]) for model in MODELS}

    assert auc["known"] > 0.75
    assert all(-0.02 < auc[model] - auc["known"] < 0.005 for model in MODELS)


def test_the_release_and_the_metrics_carry_the_band_and_the_run_its_picture(found, small_project):
    carried = json.loads(small_project.data("evaluate", "release", "rejects.json").read_bytes())
    metrics = json.loads(small_project.data("evaluate", "metrics.json").read_bytes())

    assert carried == found
    assert metrics["rejects_test_gini_low"] <= metrics["test_gini"] <= metrics["rejects_test_gini_high"]
    assert metrics["rejects_approval_rate_low"] <= metrics["approval_rate"] <= metrics["rejects_approval_rate_high"]
    assert found["models"]["known"]["approval_rate"] == pytest.approx(metrics["approval_rate"])
    assert "reject_inference" in pictures.draw_apart((small_project.data("rejects"),))


def test_the_page_says_the_factors_that_params_have(small_project):
    page, factors = PAGE.read_text(), small_project.params["rejects"]["prudence"]

    assert {float(found) for found in re.findall(r"times (\d\.\d+)", page)} == set(factors.values())
