"""The search where there is little to search with: nobody protected, no budget, one group, too few outcomes for a calibration part."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import msgspec
import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import APPLICATION_ID
from feature_repo.params import read
from training import adoption
from training.alternatives import AlternativesParams
from training.params import EvaluateParams, TrainParams

RULE = AlternativesParams(budget=1, adopt="within", auc_loss=0.4, air_gain=0.01, sample=2_000, minimum=30, confidence=0.95)


@pytest.fixture(scope="module")
def material(mill, mill_model):
    frame, path = mill_model.frame, mill_model.train.parent / "params.yaml"
    parts = pd.read_parquet(mill_model.split / "parts.parquet")
    groups = np.where(frame["ice_days"].fillna(0) > 80, "country", "town")
    scope = frame.assign(part=parts["part"].to_numpy(), period=parts["period"].to_numpy())
    return adoption.Material(mill, scope, pd.DataFrame({APPLICATION_ID: frame[APPLICATION_ID], "guild": groups}),
                             read("train", TrainParams, path), read("evaluate", EvaluateParams, path))


def explore(material, **changes):
    return adoption.explore(material, ("scorecard", 5), (), msgspec.structs.replace(RULE, **changes))


def test_nobody_protected_nothing_searched(material):
    record, adopted = explore(replace(material, portfolio=SimpleNamespace(protected=())))

    assert (record.members, record.why, adopted) == ((), "no protected attribute is declared: there is no disparity to measure", None)


def test_no_budget_nothing_searched(material):
    assert explore(material, budget=0)[0].why == "nothing was searched: alternatives.budget is 0"


@pytest.mark.parametrize("groups", ["town", "country", None])
def test_one_group_has_nobody_to_be_compared_with(material, groups):
    record, adopted = explore(replace(material, protected=material.protected.assign(guild=groups)))

    assert (record.proposed, adopted) == (None, None)
    assert record.why.startswith("nothing was compared")


def test_a_small_development_is_judged_out_of_fold_and_what_is_adopted_keeps_what_a_choice_must_say(material, mill_model, tmp_path):
    development = material.scope["part"] == "development"
    scope = material.scope.assign(part=material.scope["part"].mask(material.scope["part"] == "calibration", None))
    small = replace(material, scope=scope[~development | (development.cumsum() <= 600)])
    record, adopted = explore(small)
    adoption.keep(tmp_path / "kept", mill_model.train, record, adopted, small)

    assert record.adopted
    assert len(adopted.apart) == small.train.cross_validation.folds
    found = msgspec.json.decode((tmp_path / "kept" / "choice.json").read_bytes())["measured"]["scorecard"]["cross_validation"]
    assert found["auc_low"] < found["auc"] < found["auc_high"]
    assert {"gini", "gini_low", "gini_high", "ece", "ece_by_chance", "rows", "bads", "folds", "repeats"} <= set(found)


def test_a_large_development_is_sampled_and_what_is_adopted_is_fitted_on_all(material):
    record, adopted = explore(material, sample=800)

    assert (record.rows, record.applications) == (800, 800)
    assert adopted.change.name == record.proposed
    assert adopted.encoding != material.bench(5, 800).whole.encoding
