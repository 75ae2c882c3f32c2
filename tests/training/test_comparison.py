"""Two real releases on the same applicants: measured alike, honest about what the champion has seen, silent where it cannot be scored."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from borrowers import brought
from sklearn.metrics import roc_auc_score

from governance.release import Release, verify
from serving.scoring import decision
from serving.scoring.batch import arrays
from training import comparison, comparison_report, measures
from training.comparison import Compare, Subject
from training.params import ProfitParams
from training.splits import align

PARAMS = Compare(confidence=0.95, least=10)


@pytest.fixture(scope="module")
def plain(mill, mill_model, make_model):
    """A scorecard on the same applications, as the champion before the trees."""
    return make_model(mill, mill_model.frame, train={"choice": {"prefer": "scorecard", "unless_better_by": 1.0}})


@pytest.fixture(scope="module")
def subject(mill, mill_model):
    parts = align(mill_model.frame, pd.read_parquet(mill_model.split / "parts.parquet"))
    return Subject(mill, mill_model.frame, parts, pd.read_parquet(mill_model.vault / "protected.parquet"), PARAMS,
                   ProfitParams(of_good=0.06, of_bad=-0.45))


@pytest.fixture(scope="module")
def releases(plain, mill_model):
    return verify(plain.release), verify(mill_model.release)


@pytest.fixture(scope="module")
def compared(subject, releases):
    with brought():
        return comparison.compare(subject, *releases)


def with_lineage(release: Release, **digests: str) -> Release:
    manifest = release.manifest
    lineage = {f"data/{manifest.portfolio}/{stage}": digest for stage, digest in digests.items()}
    return dataclasses.replace(release, manifest=type(manifest)(**{**{name: getattr(manifest, name) for name in manifest.__struct_fields__},
                                                                   "lineage": lineage}))


def test_both_are_measured_on_the_test_and_the_difference_is_that_of_their_aucs(subject, mill, releases, compared):
    rows = subject.frame[subject.tested]
    aucs = [roc_auc_score(rows["bad"], decision.load(release, mill).assess(arrays(mill, rows)).pd) for release in releases]
    found = compared["test"]["all"]

    assert found["auc_difference"]["value"] == pytest.approx(aucs[1] - aucs[0])
    assert {name: found["challenger"][name] for name in ("gini", "ks", "ece", "rows")} == pytest.approx(
        {name: releases[1].read("measures.json")["test"][name] for name in ("gini", "ks", "ece", "rows")})
    assert found["champion"]["gini"] == pytest.approx(2 * aucs[0] - 1)


def test_the_swap_set_is_of_everyone_who_applied_in_the_tests_time(subject, compared):
    tested = subject.frame.loc[subject.tested, "event_timestamp"]
    applied = subject.frame["event_timestamp"].between(tested.min(), tested.max()) & (subject.parts["period"] == "after")
    swap = compared["swap"]

    assert swap["applicants"] == applied.sum() > swap["known"]
    assert swap["known"] == subject.tested.sum()
    assert sum(side.applicants for side in swap["sides"]) == swap["applicants"]
    assert sum(move.applicants for move in swap["bands"]) == sum(move.applicants for move in swap["outcomes"]) == swap["applicants"]
    changed = sum(side.applicants for side in swap["sides"][1:3])
    assert swap["attribution"].changed == changed > 0


def test_on_one_split_the_champion_has_seen_nothing_of_the_test(subject, releases):
    found, rows = comparison.seen(subject, *(with_lineage(release, split="d1") for release in releases))

    assert (found.rows, rows.any()) == (0, np.False_)


def test_a_champion_that_learnt_later_may_have_seen_the_early_test(subject, releases, tmp_path):
    tested = subject.frame.loc[subject.tested, "event_timestamp"]
    until = tested.sort_values().iloc[len(tested) // 3].date()
    (tmp_path / "parts.json").write_text(json.dumps({"development": {"rows": 9, "first": "2023-01-01", "last": "2024-01-31"},
                                                     "calibration": {"rows": 9, "first": "2024-02-01", "last": until.isoformat()}}))
    late = dataclasses.replace(with_lineage(releases[0], split="d1"), path=tmp_path)
    found, rows = comparison.seen(subject, late, with_lineage(releases[1], split="d2"))

    assert found.rows == rows.sum() == (tested.dt.date <= until).sum() > 0
    assert until.isoformat() in found.why


def test_what_the_champion_cannot_have_seen_is_measured_apart(subject, mill, releases):
    rows = subject.tested & (np.arange(len(subject.frame)) % 2 == 0)
    scorers = [decision.load(release, mill) for release in releases]
    found = comparison.measured(subject, *scorers, rows)["unseen"]

    assert found["champion"]["rows"] == (subject.tested & ~rows).sum()
    assert comparison.measured(subject, *scorers, subject.tested)["unseen"] is None


def test_a_champion_whose_release_does_not_say_what_made_it_is_not_acquitted(subject, releases, compared):
    mute = dataclasses.replace(releases[0], manifest=type(releases[0].manifest)(
        **{**{name: getattr(releases[0].manifest, name) for name in releases[0].manifest.__struct_fields__}, "files": {}}))
    found, _ = comparison.seen(subject, mute, releases[1])

    assert found.rows is None
    assert any("cannot be told" in line for line in comparison_report.findings({**compared, "seen": found}))


def test_profit_is_that_of_the_approved_of_each(subject, mill, releases, compared):
    rows = subject.frame[subject.tested]
    bad, earned = rows["bad"].to_numpy(), []
    for release in releases:
        approved = decision.load(release, mill).assess(arrays(mill, rows)).severity == 0
        earned.append(0.06 * (approved & (bad == 0)).sum() - 0.45 * (approved & (bad == 1)).sum())
    found = compared["swap"]["profit"]

    assert (found[2].champion, found[2].challenger) == pytest.approx(tuple(earned))
    assert [each.applicants for each in found] == [compared["swap"]["applicants"]] * 2 + [compared["swap"]["known"]]
    assert all(each.difference == pytest.approx(each.challenger - each.champion) for each in found)


def test_the_sentences_say_the_figures(compared):
    told = " ".join(comparison_report.findings(compared))
    gap, swap = compared["test"]["all"]["auc_difference"], compared["swap"]

    assert f"AUC {gap['value']:+.4f}" in told
    assert f"{swap['attribution'].changed:,} change sides" in told
    assert f"Swapped in: {swap['sides'][1].applicants:,}; of {swap['sides'][1].known:,} known outcomes" in told


def test_the_table_of_the_plot_has_the_sides_with_outcomes_and_is_empty_without_a_champion(compared):
    lines = comparison_report.table(compared).splitlines()

    assert lines[0].split(",")[:3] == ["side", "applicants", "share"]
    assert len(lines) == 1 + sum(side.known > 0 for side in compared["swap"]["sides"])
    assert comparison_report.table(None).splitlines() == lines[:1]


def test_another_interface_is_told_in_words(make_release, tmp_path):
    first, second = make_release(tmp_path / "first"), make_release(tmp_path / "second", "german_credit")
    told = "; ".join(comparison.differences(first, second))

    assert not comparison.same_interface(first, second)
    assert "inputs only the champion has: " in told
    assert first.read("contract.json")["inputs"][0]["name"] in told
    assert comparison.differences(first, first) == ["a derived feature or a rule is computed otherwise"]


def test_equal_models_differ_by_nothing(subject, releases):
    with brought():
        found = comparison.compare(subject, releases[1], releases[1])

    assert found["test"]["all"]["auc_difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found["swap"]["attribution"].changed == 0
    assert measures.has_both(subject.frame.loc[subject.tested, "bad"].to_numpy())
