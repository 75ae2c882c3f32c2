"""The folds of a search run forwards in time, share nobody, and a search finds the settings that are better."""

from __future__ import annotations

import msgspec
import pandas as pd
import pytest
import yaml
from borrowers import ROOT

from feature_repo.contract import APPLICANT_ID, BAD, EVENT_TIME
from feature_repo.errors import DataError
from feature_repo.portfolios import load
from training.params import TrainParams
from training.search import Search
from training.trials import forwards, search

SECTIONS = yaml.safe_load((ROOT / "params.yaml").read_text())


@pytest.fixture(scope="module")
def development(mill, borrow):
    return borrow(mill, 3000, unknown=0)


def test_a_fold_is_judged_by_later_days_and_by_nobody_it_learnt_from(development):
    times = pd.to_datetime(development[EVENT_TIME], utc=True).dt.floor("D")
    parted = list(forwards(development, 3))

    assert len(parted) == 3
    for fits, kept in parted:
        assert times.iloc[fits].max() < times.iloc[kept].min()
        assert not set(development[APPLICANT_ID].iloc[fits]) & set(development[APPLICANT_ID].iloc[kept])
    assert [len(fits) for fits, _ in parted] == sorted(len(fits) for fits, _ in parted)
    assert not set(parted[0][1]) & set(parted[1][1])


def test_days_too_few_for_the_folds_are_refused(development):
    with pytest.raises(DataError, match=r"too few days for 3 folds in time: 1\. Lower search\.folds"):
        list(forwards(development.assign(**{EVENT_TIME: development[EVENT_TIME].iloc[0]}), 3))


def test_a_fold_of_one_kind_of_outcome_is_refused(development):
    late = pd.to_datetime(development[EVENT_TIME], utc=True) > pd.Timestamp("2024-01-01", tz="UTC")
    with pytest.raises(DataError, match=r"the search fold of the development part has .* 0 bad"):
        list(forwards(development.assign(**{BAD: development[BAD].where(~late, 0.0)}), 3))


@pytest.mark.parametrize("name", ["mill", "german_credit"])
def test_a_search_betters_settings_that_can_be_bettered(name, mill, borrow):
    """A learner of one round per patience and hardly any rate learns nothing; the search leaves it, dated or not."""
    portfolio = mill if name == "mill" else load(name)
    trees = SECTIONS["train"]["trees"] | {"rounds": 25, "patience": 25, "rate": 0.01, "smallest_leaf": 200.0}
    params = msgspec.convert(SECTIONS["train"] | {"trees": trees}, TrainParams)
    wanted = msgspec.convert(SECTIONS["search"] | {"trials": 8, "folds": 2}, Search)

    found, _ = search(portfolio, borrow(portfolio, 2500, unknown=0), params, wanted)

    assert found.best.trial > 0
    assert found.best.log_loss < found.best.log_loss_of_params
    assert found.best.trees["rate"] != 0.01
    assert found.settings(params.trees).rate == found.best.trees["rate"]
    assert found.settings(params.trees).rounds == 25
