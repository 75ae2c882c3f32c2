"""Fidelity of reasons: one move at a time gives the same counts, a wrong reason is found out, and the evidence is that of the release."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from borrowers import brought

from governance.release import verify
from serving.scoring import decision
from serving.scoring.batch import arrays
from training import fidelity
from training.fidelity import Asked, Fidelity
from training.splits import PART, PERIOD, align


@pytest.fixture(scope="module")
def scorer(mill, mill_model):
    with brought():
        return decision.load(verify(mill_model.release), mill)


@pytest.fixture(scope="module")
def asked(scorer, mill, mill_model):
    """60 applications that missed the cut-off, and 15 approved ones."""
    at = scorer.assess(arrays(mill, mill_model.frame))
    missed, below = np.flatnonzero(at.pd >= scorer.policy.approve_below)[:60], np.flatnonzero(at.severity == 0)[:15]
    return Asked(mill_model.frame.iloc[missed], mill_model.frame.iloc[below])


def one_by_one(scorer, asked):
    """cases, helped, pairs and ahead by single rows and the decisions themselves."""
    texts = list(dict.fromkeys(spec["reason"] for spec in scorer.texts.inputs))
    factor = {text: [j for j, spec in enumerate(scorer.texts.inputs) if spec["reason"] == text] for text in texts}
    rows, below = (scorer.assess(arrays(scorer.portfolio, frame)).rows for frame in (asked.missed, asked.below))
    found = np.zeros(4, dtype=int)
    for i, row in enumerate(rows):
        given = asked.missed.iloc[i][[column.name for column in scorer.portfolio.raw_inputs]]
        said = {reason.text for reason in scorer.decide({name: None if pd.isna(value) else value for name, value in given.items()}).reasons}
        gain = {}
        for text in texts:
            moved = [np.array([other[j] if j in factor[text] else row[j] for j in range(len(row))]) for other in below]
            gain[text] = float(scorer.kernel.margins(row[None])[0] - np.mean([scorer.kernel.margins(each[None])[0] for each in moved]))
        named = [text for text in texts if text in said]
        found += [len(named), sum(gain[text] > 0 for text in named), len(named) * (len(texts) - len(named)),
                  sum(gain[text] > gain[other] for text in named for other in texts if other not in said)]
    return tuple(found.tolist())


def test_moving_one_row_at_a_time_gives_the_same_counts(scorer, asked):
    found = fidelity.measure(scorer, asked)

    assert (found.cases, found.helped, found.pairs, found.ahead) == one_by_one(scorer, asked)
    assert found.applications == 60
    assert sum(each.cases for each in found.reasons) == found.cases
    assert sum(each.helped for each in found.reasons) == found.helped


def test_true_reasons_help_and_a_method_that_names_the_wrong_factors_is_found_out(scorer, asked):
    honest = fidelity.measure(scorer, asked)
    apart = np.random.default_rng(1).exponential(1.0, len(scorer.baseline))
    wrong = fidelity.measure(replace(scorer, baseline=scorer.baseline - apart), asked)

    assert honest.helped >= 0.95 * honest.cases
    assert wrong.helped < 0.95 * wrong.cases
    assert wrong.ahead / wrong.pairs < honest.ahead / honest.pairs


def test_inputs_that_share_a_text_are_moved_together(scorer, asked):
    shared = tuple({**spec, "reason": "one for all"} for spec in scorer.texts.inputs)
    together = replace(scorer, texts=replace_texts(scorer.texts, shared))
    found = fidelity.measure(together, asked)

    assert (found.cases, found.pairs) == (60, 0)
    assert [each.text for each in found.reasons] == ["one for all"]
    below = scorer.assess(arrays(scorer.portfolio, asked.below)).margin.mean(dtype=np.float64)
    assert found.helped == (scorer.assess(arrays(scorer.portfolio, asked.missed)).margin > below).sum()


def replace_texts(texts, inputs):
    import msgspec

    return msgspec.structs.replace(texts, inputs=inputs)


def test_where_nobody_missed_the_cut_off_nothing_is_counted(scorer, asked):
    assert fidelity.measure(scorer, Asked(asked.missed.iloc[:0], asked.below)) == Fidelity(0, 0, 0, 0, 0, ())


def test_the_release_carries_what_is_found_of_applications_after_development(scorer, mill, mill_model):
    frame = mill_model.frame
    parts = align(frame, pd.read_parquet(mill_model.split / "parts.parquet"))
    at = scorer.assess(arrays(mill, frame))
    after = (parts[PERIOD] == "after").to_numpy()
    carried = verify(mill_model.release).read("fidelity.json", Fidelity)

    assert carried.applications == min(500, int((after & (at.pd >= scorer.policy.approve_below)).sum())) > 100
    assert carried.cases >= carried.helped >= 0.95 * carried.cases
    assert (parts[PART] == "test").any()


def test_the_same_applications_give_the_same_evidence(scorer, asked):
    assert fidelity.measure(scorer, asked) == fidelity.measure(scorer, asked)
