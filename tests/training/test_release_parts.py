"""What stands beside the scorer in a release: of all who applied in development, with no person in it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID
from governance.release import verify
from serving.scoring import decision
from serving.scoring.batch import arrays
from serving.scoring.bins import Bins, psi
from training.release_parts import mixed


@pytest.fixture(scope="module")
def release(mill_model):
    return verify(mill_model.release)


@pytest.fixture(scope="module")
def scorer(release, mill):
    return decision.load(release, mill)


@pytest.fixture(scope="module")
def everyone(mill_model):
    parts = pd.read_parquet(mill_model.split / "parts.parquet")
    return mill_model.frame[(parts["period"] == "development").to_numpy()]


def test_the_pds_of_the_wanted_share_of_everyone_pass_and_those_in_doubt_are_not_approved(mill, scorer, everyone):
    at = scorer.assess(arrays(mill, everyone))
    passed = (at.pd < scorer.policy.approve_below) & ~np.any(at.broken, axis=0)

    assert everyone["bad"].isna().any(), "some were never booked"
    assert np.mean(passed) == pytest.approx(0.6, abs=0.001)
    assert np.array_equal(at.severity == 0, passed & ~at.doubtful)
    assert at.doubtful.any()


def test_drift_bins_are_of_every_input_and_result_and_everyone_against_itself_has_not_moved(mill, release, scorer, everyone):
    at = scorer.assess(arrays(mill, everyone))
    bins = release.read("bins.json", dict[str, Bins])

    assert set(bins) == {*(column.name for column in mill.inputs), "pd", "score", "band", "outcome"}
    for name, values in {**at.columns, "pd": at.pd, "score": at.score}.items():
        assert bins[name].rows == len(everyone)
        assert psi(bins[name].count(values), bins[name].shares) == pytest.approx(0, abs=1e-9)


def test_special_codes_have_their_drift_bin(mill, release):
    bins = release.read("bins.json", dict[str, Bins])

    assert all(bins[column.name].specials == tuple(column.special) for column in mill.inputs)


def test_the_fairness_baseline_counts_everyone_once_per_attribute(mill, release, scorer, everyone):
    rates = release.read("fairness.json")
    approved = int(np.sum(scorer.assess(arrays(mill, everyone)).severity == 0))

    assert set(rates) == {column.name for column in mill.protected}
    for groups in rates.values():
        assert sum(group["count"] for group in groups.values()) == len(everyone)
        assert sum(group["count"] * group["approval_rate"] for group in groups.values()) == pytest.approx(approved)


def test_golden_answers_hold_each_outcome_and_rule_and_are_answered_alike(mill, release, scorer):
    import msgspec

    golden = release.read("golden.json", list)

    assert {one["decision"]["outcome"] for one in golden} == {"approve", "refer", "decline"}
    assert {rule.code for rule in mill.rules} <= {reason["code"] for one in golden for reason in one["decision"]["reasons"]}
    assert 15 <= len(golden) <= 25
    for one in golden:
        assert msgspec.json.decode(msgspec.json.encode(scorer.decide(one["values"], tuple(one["doubtful"])))) == one["decision"]


def test_no_golden_value_set_is_a_persons(mill, mill_model, release):
    people = {tuple(None if pd.isna(value) else value for value in row)
              for row in mill_model.frame[[column.name for column in mill.raw_inputs]].itertuples(index=False)}

    for one in release.read("golden.json", list):
        assert tuple(one["values"][column.name] for column in mill.raw_inputs) not in people


def test_mixed_columns_hold_the_same_values_no_two_of_one_row():
    rows = mixed({name: np.arange(50.0) for name in "abc"})

    assert all(sorted(column) == list(range(50)) for column in rows.values())
    assert all(len({*values}) == 3 for values in zip(*rows.values(), strict=True))


def test_reasons_are_measured_against_the_approved_nearest_to_the_cut_off(mill, scorer, everyone):
    at = scorer.assess(arrays(mill, everyone))
    approved = np.flatnonzero(at.severity == 0)
    nearest = approved[np.argsort(-at.pd[approved], kind="stable")][: round(0.05 * len(everyone))]

    assert np.allclose(scorer.baseline, scorer.kernel.contributions(at.rows[nearest]).mean(axis=0))
    assert at.pd[nearest].min() > np.median(at.pd[approved])


def test_no_id_of_a_person_or_application_is_in_any_file(mill_model, release):
    ids = {*mill_model.frame[APPLICATION_ID].head(500), *mill_model.frame[APPLICANT_ID].head(500)}
    for name in release.manifest.files:
        raw = (release.path / name).read_bytes()
        assert not [one for one in ids if one.encode() in raw], name
        assert APPLICATION_ID.encode() not in raw


def test_numbers_in_json_are_plain_and_finite(release):
    for name in release.manifest.files:
        if name.endswith(".json"):
            json.loads((release.path / name).read_bytes(), parse_constant=lambda word, name=name: pytest.fail(f"{word} in {name}"))
