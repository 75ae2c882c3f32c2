"""A planted redundant proxy: the search finds a model nearly as accurate that approves the groups far more alike, seed after seed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.params import read
from training import adoption, alternatives
from training.params import EvaluateParams, SplitParams, TrainParams
from training.splits import cut

SEEDS = range(10)
ROWS = 8_000
LOSS, GAIN = 0.005, 0.05
RULE = alternatives.AlternativesParams(budget=3, adopt="within", auc_loss=LOSS, air_gain=GAIN, sample=ROWS, minimum=100, confidence=0.95)
SPLIT = SplitParams(develop_until=None, seed=7, calibration_share=0.5, calibration_rows=500, calibration_bad=50, test_share=0.3)


def planted(mill, borrow, seed):
    """Two inputs measure the same ability to pay; one is shifted for a group that pays as well as the other: a redundant proxy."""
    random = np.random.default_rng(seed)
    member, burden = random.random(ROWS) < 0.2, random.normal(0, 1, ROWS)
    frame = borrow(mill, ROWS, seed=seed, unknown=0.0)
    seen = {"ice_days": 100 + 20 * (burden + random.normal(0, 0.25, ROWS)),
            "gauge": 4 + burden + 1.5 * member + random.normal(0, 0.2, ROWS)}
    bad = (random.random(ROWS) < 1 / (1 + np.exp(1.2 - 1.5 * burden))).astype(float)
    frame = frame.assign(**{**{name: np.round(values, 3) for name, values in seen.items()}, BAD: bad})
    protected = pd.DataFrame({APPLICATION_ID: frame[APPLICATION_ID], "guild": np.where(member, "country", "town")})
    return frame.sort_values([EVENT_TIME, APPLICATION_ID], ignore_index=True), protected


def material(mill, borrow, seed):
    frame, protected = planted(mill, borrow, seed)
    parts = cut(mill, frame, SPLIT)
    scope = frame.assign(part=parts["part"].to_numpy(), period=parts["period"].to_numpy())
    return adoption.Material(mill, scope, protected, read("train", TrainParams), read("evaluate", EvaluateParams))


@pytest.fixture(scope="module")
def found(mill, borrow):
    """Per seed what the search recorded, and the model to adopt."""
    return [SimpleNamespace(record=record, adopted=adopted) for record, adopted in
            (adoption.explore(material(mill, borrow, seed), ("scorecard", 50), (), RULE) for seed in SEEDS)]


def test_in_nine_of_ten_seeds_it_finds_a_model_that_costs_little_and_approves_more_alike(found):
    hits = 0
    for seed, each in zip(SEEDS, found, strict=True):
        best = next((member for member in each.record.members if member.name == each.record.proposed), None)
        base = each.record.members[0]
        words = f"{best.name}: AUC loss {best.auc_loss:+.4f}, least AIR {best.worst.ratio:.3f}" if best else "none"
        print(f"seed {seed}: AUC {base.auc:.4f}, least AIR {base.worst.ratio:.3f}; {words}")  # noqa: T201 - shown by pytest -s
        hits += best is not None and best.auc_loss <= LOSS and best.air_gain >= GAIN

    assert hits >= 9
