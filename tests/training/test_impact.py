"""Adverse impact counted by hand, small groups left out, and the inputs behind it found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import APPLICATION_ID
from feature_repo.params import read
from serving.scoring.batch import score
from training import impact
from training.candidates import load_candidate
from training.params import EvaluateParams
from training.release_parts import compose


@pytest.fixture(scope="module")
def scorer(mill, mill_model):
    candidate, encoding = load_candidate(mill_model.train, "scorecard")
    return compose(mill, candidate, encoding, mill_model.frame, read("evaluate", EvaluateParams, mill_model.train.parent / "params.yaml"))


@pytest.fixture(scope="module")
def frame(mill_model):
    return mill_model.frame.iloc[:1_500]


def judged(frame, groups):
    return impact.applicants(frame, pd.DataFrame({APPLICATION_ID: frame[APPLICATION_ID], "guild": groups}))


def test_it_is_the_ratio_of_what_the_service_would_approve(scorer, frame):
    groups = np.where(np.arange(len(frame)) % 3 == 0, "country", "town")
    approved = (score(scorer, frame)["outcome"] == "approve").to_numpy()
    (found,) = impact.measure(scorer, judged(frame, groups), 100, 0.95)

    assert (found.attribute, found.group, found.applications) == ("guild", "country", 500)
    assert found.approved == approved[groups == "country"].sum()
    assert found.ratio == pytest.approx(approved[groups == "country"].mean() / approved[groups == "town"].mean())
    assert found.low < found.ratio < found.high


@pytest.mark.parametrize("few", ["country", "town"])
def test_a_group_of_few_or_a_reference_of_few_gives_no_figure(scorer, frame, few):
    groups = np.where(np.arange(len(frame)) < 99, few, "town" if few == "country" else "country")

    assert impact.measure(scorer, judged(frame, groups), 100, 0.95) == ()
    assert impact.worst(()) is None


def test_people_whose_group_is_not_known_are_in_none(scorer, frame):
    groups = np.where(np.arange(len(frame)) % 3 == 0, "country", "town").astype(object)
    groups[:300] = None

    assert impact.measure(scorer, judged(frame, groups), 100, 0.95)[0].applications == 400


def test_the_input_that_ranks_a_group_worse_is_named_first(scorer, frame):
    high = (frame["ice_days"] > frame["ice_days"].median()).to_numpy()
    groups = judged(frame, np.where(high, "country", "town"))
    found = impact.measure(scorer, groups, 100, 0.95)

    assert found[0].ratio < 0.8
    assert impact.drivers(scorer, groups, impact.worst(found))[0] == "ice_days"
