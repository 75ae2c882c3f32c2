"""A model is proved for every declared direction, and one that disobeys is refused by input, tree, leaves, values and paths."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from feature_repo.errors import ReleaseError
from serving.scoring.parts import Calibrator
from training.candidates import Candidate, load_candidate
from training.monotonicity import Proof, prove, require_rising


@pytest.fixture(scope="module")
def candidates(mill_model):
    return {name: load_candidate(mill_model.train, name)[0] for name in ("scorecard", "trees")}


def test_both_candidates_of_a_training_run_are_proved_for_every_declared_direction(mill, mill_model, candidates):
    declared = {column.name: {1: "rises", -1: "falls"}[int(column.risk)] for column in mill.inputs if column.risk}
    kept = msgspec.json.decode((mill_model.train / "monotonicity.json").read_bytes())

    for name, candidate in candidates.items():
        proof = prove(mill, candidate)
        assert proof.holds
        assert {each.input: each.direction for each in proof.inputs} == declared
        assert proof.comparisons == sum(each.comparisons for each in proof.inputs) > 0
        assert msgspec.convert(kept[name], Proof) == proof


def test_a_planted_leaf_is_refused_by_input_tree_leaves_values_and_paths(mill, candidates):
    trees = candidates["trees"].kernel
    sacks = next(j for j, column in enumerate(mill.inputs) if column.name == "sacks")
    splits = np.flatnonzero((trees.left >= 0) & (trees.feature == sacks))
    node = next(at for at in splits if trees.left[trees.right[at]] < 0)
    tree = int(np.searchsorted(trees.roots, node, side="right")) - 1
    value = trees.value.copy()
    value[trees.right[node]] = -5.0
    planted = Candidate("trees", dataclasses.replace(trees, value=value), candidates["trees"].calibrator, candidates["trees"].native)

    with pytest.raises(ReleaseError) as caught:
        prove(mill, planted)

    said = str(caught.value)
    assert f"sacks disobeys its direction in mill's file (PD rises): tree {tree} adds" in said
    assert "and -5 in leaf" in said
    assert f"sacks >= {trees.threshold[node]:.6g}" in said
    assert "train again" in said


def test_a_planted_bin_is_refused(mill, candidates):
    card = candidates["scorecard"].kernel
    stones = next(j for j, column in enumerate(mill.inputs) if column.name == "stones")
    points = card.points.copy()
    points[card.starts[stones] + stones] = -5.0

    with pytest.raises(ReleaseError, match=r"stones disobeys its direction in mill's file \(PD falls\): scorecard, below .* -5 log-odds"):
        prove(mill, dataclasses.replace(candidates["scorecard"], kernel=dataclasses.replace(card, points=points)))


@pytest.mark.parametrize("calibrator", [
    Calibrator("platt", slope=-0.1), Calibrator("platt", slope=float("nan")),
    Calibrator("beta", slope=-0.1), Calibrator("beta", slope_above=-0.1), Calibrator("beta", slope_above=float("nan")),
    Calibrator("isotonic", margins=[0.0, 1.0, 2.0], pds=[0.1, 0.3, 0.2]),
    Calibrator("isotonic", margins=[0.0, 2.0, 1.0], pds=[0.1, 0.2, 0.3]),
])
def test_a_calibrator_whose_pd_falls_is_refused(mill, candidates, calibrator):
    with pytest.raises(ReleaseError, match="the calibrator's PD falls as the margin rises"):
        prove(mill, dataclasses.replace(candidates["trees"], calibrator=calibrator))


def test_a_rising_calibrator_counts_its_steps():
    assert require_rising(Calibrator("platt", slope=0.7)) == 1
    assert require_rising(Calibrator("beta", slope=0.7, slope_above=0.0)) == 2
    assert require_rising(Calibrator("isotonic", margins=[0.0, 1.0, 2.0], pds=[0.1, 0.1, 0.2])) == 2


def test_a_kernel_that_no_proof_is_known_for_is_refused(mill, candidates):
    with pytest.raises(ReleaseError, match="no proof of its directions is known for a int"):
        prove(mill, dataclasses.replace(candidates["trees"], kernel=3))
