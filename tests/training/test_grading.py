"""The calibration evidence agrees with what the release scores, finds a segment whose PDs are wrong, and names its population."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from feature_repo.contract import BAD
from feature_repo.sources import Sampled
from governance.release import verify
from serving.scoring.batch import score
from serving.scoring.decision import load
from training import grading


@pytest.fixture(scope="module")
def scorer(mill, mill_model):
    return load(verify(mill_model.release), mill)


@pytest.fixture(scope="module")
def judged(mill_model, scorer):
    part = pd.read_parquet(mill_model.split / "parts.parquet")["part"]
    return mill_model.frame.assign(part=part.to_numpy(), **score(scorer, mill_model.frame))[part.notna().to_numpy()]


@pytest.fixture(scope="module")
def held(mill_model):
    return json.loads((mill_model.release / "calibration.json").read_bytes())


def found_in(mill, scorer, judged, calibrator=None):
    return grading.evidence(mill, calibrator or scorer.calibrator, scorer.policy, {}, judged)


def test_the_release_says_how_its_calibration_was_chosen_and_of_what_its_pds_are(held, scorer):
    assert held["method"] == scorer.calibrator.method
    assert set(held["tried"]) == {"platt", "beta"}
    assert min(each["behind"] for each in held["tried"].values()) == 0
    assert held["population"]["of"] == "portfolio"
    assert (held["population"]["shift"], held["population"]["source"]) == (0, "")


def test_every_part_is_tested_whole_and_by_band_on_rows_that_add_up(held, judged):
    for part, rows in judged.groupby("part"):
        found = held["parts"][part]
        assert found["whole"]["rows"] == len(rows) == sum(band["rows"] for band in found["bands"])
        assert found["whole"]["bads"] == rows[BAD].sum() == sum(band["bads"] for band in found["bands"])
        assert found["whole"]["mean_pd"] == pytest.approx(rows["pd"].mean())
        assert found["hosmer_lemeshow"]["tenths"]["groups"] == 10
    assert held["parts"]["calibration"]["recalibration"]["in_the_large"]["value"] == pytest.approx(0, abs=1e-3)


def test_segments_are_levels_of_enough_outcomes_and_quarters_of_one_number(held, judged, mill):
    names = {segment["input"] for segment in held["segments"]}
    levels = {column.name for column in mill.inputs if column.is_level}

    assert len(names - levels) == 1
    assert all(segment["rows"] >= held["fewest"] == grading.FEWEST for segment in held["segments"])
    for segment in held["segments"]:
        assert segment["adjusted"] >= segment["jeffreys"]
        if segment["input"] in levels:
            rows = judged[(judged["part"] == "test") & (judged[segment["input"]].fillna("missing") == segment["name"])]
            assert (segment["rows"], segment["bads"]) == (len(rows), rows[BAD].sum())


def test_the_vintages_of_each_part_are_there_and_named(held):
    assert held["vintage"] in {"month", "quarter", "year"}
    assert held["vintages"]["test"]
    assert [vintage["name"] for vintage in held["vintages"]["test"]] == sorted(vintage["name"] for vintage in held["vintages"]["test"])


def test_a_segment_whose_pds_are_too_low_is_found_among_all_of_them(mill, scorer, judged):
    right = found_in(mill, scorer, judged).segments
    chosen = next(one for one in right if one.input in {column.name for column in mill.inputs if column.is_level})
    where = ((judged["part"] == "test") & (judged[chosen.input] == chosen.name)).to_numpy()

    wrong = found_in(mill, scorer, judged.assign(pd=np.where(where, judged["pd"] / 3, judged["pd"]))).segments

    assert not [one for one in right if one.adjusted < 0.01]
    worst = min(wrong, key=lambda one: one.adjusted)
    assert (worst.input, worst.name) == (chosen.input, chosen.name)
    assert worst.adjusted < 1e-6


def test_pds_that_are_too_flat_show_in_the_slope_and_in_hosmer_lemeshow(mill, scorer, judged):
    flat = judged.assign(pd=expit(0.5 * logit(judged["pd"]) + 0.5 * logit(judged[BAD].mean())))
    before, after = (found_in(mill, scorer, rows).parts["test"] for rows in (judged, flat))

    assert before.recalibration.slope.low < 1 < before.recalibration.slope.high
    assert after.recalibration.slope.low > 1
    assert after.hosmer_lemeshow["tenths"].out_of_sample < 1e-4 < before.hosmer_lemeshow["tenths"].out_of_sample


def test_a_sample_of_an_unknown_portfolio_is_named_as_such_in_the_release(mill, scorer, judged):
    sampled = replace(mill, outcome=replace(mill.outcome, sampled=Sampled()))

    population = found_in(sampled, scorer, judged).population
    assert population.of == "sample"
    assert "a PD is of this sample, not of a portfolio" in population.says


def test_a_declared_rate_is_in_the_evidence_and_its_tests_count_the_files_own_outcomes(mill, scorer, judged):
    shift = -1.5
    sampled = replace(mill, outcome=replace(mill.outcome, sampled=Sampled(portfolio_bad_rate=0.04, source="a book")))
    moved = judged.assign(pd=expit(logit(judged["pd"]) + shift))
    before = found_in(mill, scorer, judged).parts["test"]

    found = found_in(sampled, scorer, moved, msgspec.structs.replace(scorer.calibrator, shift=shift))

    after = found.parts["test"]
    assert (found.population.of, found.population.portfolio_bad_rate, found.population.source) == ("portfolio", 0.04, "a book")
    assert (after.whole.rows, after.whole.bads) == (before.whole.rows, before.whole.bads)
    assert after.whole.jeffreys == pytest.approx(before.whole.jeffreys)
    assert after.hosmer_lemeshow["tenths"].statistic == pytest.approx(before.hosmer_lemeshow["tenths"].statistic)
    assert after.recalibration.slope.value == pytest.approx(before.recalibration.slope.value)
    assert after.whole.bad_rate < before.whole.bad_rate / 2


def test_numbers_that_do_not_vary_make_no_quarters(mill, scorer, judged):
    constant = judged.assign(**{column.name: 1.0 for column in mill.inputs if not column.is_level})

    assert grading.strongest(mill, constant) is None
    levels = {column.name for column in mill.inputs if column.is_level}
    assert {segment.input for segment in found_in(mill, scorer, constant).segments} <= levels


def test_the_plots_hold_the_evidence_of_the_test(mill_model, held):
    for name, told in (("grades", held["parts"]["test"]["bands"]), ("segments", held["segments"]),
                       ("calibration_vintages", held["vintages"]["test"])):
        table = pd.read_csv(mill_model.evaluate / "plots" / f"{name}.csv")
        assert table["rows"].tolist() == [one["rows"] for one in told]
        assert table["jeffreys"].tolist() == pytest.approx([one["jeffreys"] for one in told], rel=1e-4)
