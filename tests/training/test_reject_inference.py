"""Two ways to infer what the rejected would have done: each does what its name says, and no more than its assumption allows."""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd
import pytest

from feature_repo.params import read
from training import reject_inference
from training.candidates import load_candidate
from training.params import EvaluateParams, TrainParams
from training.reject_inference import Subject, dealt, infer, parcelled
from training.rejected import FUZZY, IN_METRICS, KNOWN, PARCELLING, Prudence, Rejects, band, flat, table

PLAIN = Prudence(1, 1)


@pytest.fixture(scope="module")
def settings():
    return msgspec.structs.replace(read("rejects", Rejects), prudence=PLAIN)


@pytest.fixture(scope="module")
def train():
    return read("train", TrainParams)


@pytest.fixture(scope="module")
def parts(mill_model):
    """The mill's applications with parts; a tenth have no outcome."""
    split = pd.read_parquet(mill_model.split / "parts.parquet")
    return mill_model.frame.assign(part=split["part"].to_numpy(), period=split["period"].to_numpy())


@pytest.fixture(scope="module", params=["scorecard", "trees"])
def subject(request, mill, mill_model, parts):
    rejected = ((parts["period"] == "development") & parts["bad"].isna()).to_numpy()
    assert rejected.sum() > 150
    return Subject(mill, *load_candidate(mill_model.train, request.param), parts, rejected)


@pytest.fixture(scope="module")
def inferred(subject, train, settings):
    harsh = msgspec.structs.replace(settings, prudence=Prudence(2, 2))
    evaluate = read("evaluate", EvaluateParams)
    return {1: infer(subject, train, evaluate, settings), 2: infer(subject, train, evaluate, harsh)}


def test_the_known_outcome_model_is_the_one_that_is_released(subject, inferred, mill, mill_model):
    """Its PDs are those of serving.scoring for the candidate that evaluate takes."""
    from governance.release import verify
    from serving.scoring.batch import score
    from serving.scoring.decision import load

    if subject.candidate.name == verify(mill_model.release).manifest.model:
        released = score(load(verify(mill_model.release), mill), subject.frame)["pd"]
        assert inferred[1][1][KNOWN].tolist() == released.tolist()
    assert inferred[1][0][KNOWN].score_shift == 0


def test_without_prudence_the_rejected_say_nothing_new(inferred):
    """They are dealt what the model says of them, so the mean PD stays where it was, to what two small refits move."""
    found = inferred[1][0]

    for method in (PARCELLING, FUZZY):
        assert found[method].mean_pd == pytest.approx(found[KNOWN].mean_pd, rel=0.08)
        assert abs(found[method].test_gini - found[KNOWN].test_gini) < 0.06


def test_prudence_raises_the_pds_of_the_rejected_and_approves_fewer(inferred):
    for method in (PARCELLING, FUZZY):
        plain, harsh = (inferred[factor][0][method] for factor in (1, 2))

        assert harsh.rejected_pd > plain.rejected_pd
        assert harsh.mean_pd > plain.mean_pd
        assert harsh.approval_rate < plain.approval_rate
        assert harsh.score_shift < plain.score_shift


def test_what_the_known_say_is_measured_on_the_same_test_for_all(inferred):
    found = inferred[2][0]

    assert len({round(each.test_auc * 2 - 1 - each.test_gini, 12) for each in found.values()}) == 1
    assert all(0 <= each.test_ece < 0.2 for each in found.values())


def test_the_band_holds_every_model_and_the_flat_figures_are_its_ends(inferred):
    found = inferred[2][0]
    bands, few = band(found), flat(found)

    for name, ends in bands.items():
        assert ends["low"] <= getattr(found[KNOWN], name) <= ends["high"]
    assert few["rejects_mean_pd_high"] == bands["mean_pd"]["high"]
    assert set(few) == {f"rejects_{name}_{end}" for name in IN_METRICS for end in ("low", "high")}
    assert len(table(found)) == 3 * len(bands)


def test_equal_seeds_give_equal_pds(subject, inferred, train, settings):
    again = infer(subject, train, read("evaluate", EvaluateParams), settings)[1]

    pd.testing.assert_frame_equal(again, inferred[1][1], check_exact=True)


@pytest.mark.parametrize("subject", ["trees"], indirect=True)
def test_a_small_development_is_calibrated_out_of_fold(subject, parts, train, settings):
    few = Subject(subject.portfolio, subject.candidate, subject.encoding, parts.replace({"part": {"calibration": "development"}}),
                  subject.rejected)

    labels = np.full(int(few.rejected.sum()), 0.4)
    candidate, _ = reject_inference.refit(few, labels, train)

    assert candidate.calibrator.method == few.candidate.calibrator.method


def test_a_parcel_has_the_bad_rate_of_the_known_there_times_the_factor(settings):
    random = np.random.default_rng(0)
    of_known, of_rejected = random.uniform(0.01, 0.6, 20_000), np.sort(random.uniform(0.1, 0.4, 5_000))
    bad = (random.random(20_000) < 1.5 * of_known).astype(float)

    for factor in (1, 1.6):
        labels = parcelled(of_rejected, of_known, bad, msgspec.structs.replace(settings, prudence=Prudence(factor, 1)))
        for parcel, pds in zip(np.split(labels, 5), np.split(of_rejected, 5), strict=True):
            assert parcel.mean() == pytest.approx(1.5 * factor * pds.mean(), rel=0.12)


def test_a_parcel_without_known_outcomes_has_the_pd_of_its_rejected(settings):
    labels = parcelled(np.full(1_000, 0.3), np.full(500, 0.01), np.zeros(500), settings)

    assert labels.mean() == pytest.approx(0.3, abs=0.002)


def test_dealt_outcomes_hold_in_any_stretch_what_the_shares_add_up_to():
    random = np.random.default_rng(0)
    margins, shares = random.normal(size=3_000), random.uniform(0.05, 0.6, 3_000)
    shares[:1_000] = random.integers(0, 2, 1_000)
    found = dealt(margins, shares)
    order = np.argsort(margins)

    assert set(np.unique(found)) == {0, 1}
    assert (found[:1_000] == shares[:1_000]).all(), "known outcomes are never dealt anew"
    assert np.abs(np.cumsum(found[order]) - np.cumsum(shares[order])).max() < 1
