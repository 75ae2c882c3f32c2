"""Metrics are flat and of disjoint parts; plot tables are small, complete and named."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from training.measures import gini_interval


@pytest.fixture(scope="module")
def metrics(mill_model):
    return json.loads((mill_model.evaluate / "metrics.json").read_bytes())


def plot(mill_model, name):
    return pd.read_csv(mill_model.evaluate / "plots" / f"{name}.csv")


def test_metrics_are_one_level_of_plain_numbers_and_a_model_name(metrics):
    assert all(isinstance(value, int | float) for name, value in metrics.items() if name != "model")
    assert {f"{part}_{name}" for part in ("development", "calibration", "test")
            for name in ("auc", "gini", "gini_low", "gini_high", "ks", "brier", "log_loss", "ece")} < set(metrics)
    assert metrics["approval_rate"] + metrics["refer_rate"] + metrics["decline_rate"] == pytest.approx(1)


def test_the_test_gini_is_of_the_test_part_as_the_release_scores_it(mill, mill_model, metrics):
    from governance.release import verify
    from serving.scoring.batch import score
    from serving.scoring.decision import load

    part = pd.read_parquet(mill_model.split / "parts.parquet")["part"].to_numpy() == "test"
    test = mill_model.frame[part]
    pds = score(load(verify(mill_model.release), mill), test)["pd"]

    assert metrics["test_rows"] == len(test)
    assert metrics["test_gini"] == pytest.approx(gini_interval(test["bad"].to_numpy(), pds.to_numpy())[0])


def test_parts_stand_side_by_side_with_how_far_their_scores_lie_from_development(mill_model, metrics):
    parts = plot(mill_model, "parts").set_index("part")

    assert parts.index.tolist() == ["development", "calibration", "test"]
    assert parts.loc["development", "psi"] == 0
    assert 0 < parts.loc["test", "psi"] < 0.1
    assert parts.loc["test", ["gini", "ks", "ece", "brier", "psi"]].tolist() == pytest.approx(
        [metrics[f"test_{name}"] for name in ("gini", "ks", "ece", "brier", "psi")], rel=1e-5)


def test_the_roc_rises_from_corner_to_corner_for_each_part(mill_model):
    for curve in dict(plot(mill_model, "roc").drop(columns="false_positive_rate")).values():
        assert curve.iloc[[0, -1]].tolist() == pytest.approx([0, 1], abs=0.2)
        assert (np.diff(curve) >= 0).all()


def test_the_score_distribution_adds_up_to_one_per_outcome(mill_model):
    scores = plot(mill_model, "scores")

    assert scores[["good", "bad"]].sum().tolist() == pytest.approx([1, 1], abs=1e-4)
    assert (np.diff(scores["score"]) == 10).all()


def test_bands_and_calibration_count_the_test_once(mill_model, metrics):
    assert plot(mill_model, "bands")["rows"].sum() == plot(mill_model, "calibration")["rows"].sum() == metrics["test_rows"]


def test_every_month_with_a_part_is_a_vintage(mill_model):
    vintages = plot(mill_model, "vintages")

    assert vintages["vintage"].nunique() == 24
    assert vintages["rows"].sum() == pd.read_parquet(mill_model.split / "parts.parquet")["part"].notna().sum()


def test_an_undated_portfolio_says_that_it_has_no_time_axis(borrow, make_model):
    from feature_repo.portfolios import load

    undated = load("card_default")
    made = make_model(undated, borrow(undated, 2500), train={"trees": {"rounds": 40}}, split={"calibration_rows": 200})

    assert set(plot(made, "vintages")["vintage"]) == {"no time axis"}
