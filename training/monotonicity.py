"""Proof that a model obeys the contract's directions: exact, on the trained model itself, for every number an input can be. No sampling.

Trees: two leaves of a tree are compared where some row moves from one to the other by a declared input alone, every other input staying
as it is, number or missing. If each tree obeys, the margin does: float32 sums of ordered terms in one order are ordered. It is also what
XGBoost promises: it bounds the leaves on either side of every split on a constrained input. A tree that disobeys is therefore refused as
altered or trained without the constraint, even where the other trees might make up for it.

What a missing value does is not ordered, nor what a scorecard's special code does: neither is more or less than a number. A derived
input is an input like any other here: what moves its sources moves several inputs at once. PDs are ordered to within the rounding of
the calibrator's last bit.
"""

from __future__ import annotations

from typing import Any, Literal, NoReturn

import msgspec
import numpy as np

from feature_repo.errors import ReleaseError
from feature_repo.portfolio import Portfolio
from serving.scoring.parts import Calibrator
from serving.scoring.scorecard import Scorecard
from serving.scoring.trees import Trees
from training.candidates import Candidate
from training.leaves import Reversal, compare_leaves, path

Array = np.ndarray[Any, Any]
DIRECTIONS: dict[int, Literal["rises", "falls"]] = {1: "rises", -1: "falls"}
REMEDY = "No model is kept. The file was altered, or something trained it without the constraint: train again with the locked versions"


class Direction(msgspec.Struct, frozen=True):
    """A declared direction of the PD with an input, and how many pairs of leaves or neighbouring bins were compared for it."""

    input: str
    direction: Literal["rises", "falls"]
    comparisons: int


class Proof(msgspec.Struct, frozen=True):
    """monotonicity.json, per candidate: it exists only where every direction holds.

    parts: trees, or bins; calibrator: how many steps of it were seen not to fall.
    """

    holds: bool
    parts: int
    comparisons: int
    calibrator: int
    inputs: tuple[Direction, ...]


def prove(portfolio: Portfolio, candidate: Candidate) -> Proof:
    """Hold every declared direction against the model. Raises ReleaseError naming the input and the two leaves or bins that disobey."""
    kernel = candidate.kernel
    risks = np.array([int(column.risk) for column in portfolio.inputs])
    steps = require_rising(candidate.calibrator)
    if isinstance(kernel, Trees):
        counts, reversal = compare_leaves(kernel, risks)
        if reversal:
            _refuse_leaves(portfolio, kernel, reversal)
        parts = len(kernel.roots)
    elif isinstance(kernel, Scorecard):
        counts, parts = compare_bins(portfolio, kernel, risks), len(kernel.points)
    else:
        raise ReleaseError(f"{candidate.name}: no proof of its directions is known for a {type(kernel).__name__}; "
                           "training.monotonicity proves trees and scorecards")
    inputs = tuple(Direction(column.name, DIRECTIONS[risk], count)
                   for column, risk, count in zip(portfolio.inputs, risks.tolist(), counts.tolist(), strict=True) if risk)
    return Proof(holds=True, parts=parts, comparisons=sum(each.comparisons for each in inputs), calibrator=steps, inputs=inputs)


def compare_bins(portfolio: Portfolio, card: Scorecard, risks: Array) -> Array:
    """How many neighbouring bins each input's direction orders. Raises ReleaseError for two in the wrong order."""
    counts = np.zeros(len(risks), dtype=np.int64)
    for j, risk in enumerate(risks):
        first, last = int(card.starts[j]), int(card.starts[j + 1])
        edges, points = card.edges[first:last], card.points[first + j : last + j + 1]
        wrong = np.flatnonzero(~((risk * np.diff(points) >= 0) & np.isfinite(edges) & (np.diff(edges, prepend=-np.inf) > 0)))
        if risk and len(wrong):
            at = int(wrong[0])
            _refuse(portfolio, j, f"scorecard, below {edges[at]:.6g} it has {points[at]:.6g} log-odds of bad, and {points[at + 1]:.6g} "
                                  "from there")
        counts[j] = len(edges) if risk else 0
    return counts


def require_rising(calibrator: Calibrator) -> int:
    """How many steps of the calibrator were compared. Raises ReleaseError where the PD falls as the margin rises."""
    if calibrator.method != "isotonic":
        slopes = (calibrator.slope,) if calibrator.method == "platt" else (calibrator.slope, calibrator.slope_above)
        wrong_slopes = [slope for slope in slopes if not slope >= 0]
        if wrong_slopes:
            raise ReleaseError(f"the calibrator's PD falls as the margin rises: its slope is {wrong_slopes[0]:.6g}. {REMEDY}")
        return len(slopes)
    margins, pds = np.array(calibrator.margins), np.array(calibrator.pds)
    wrong = np.flatnonzero(~((np.diff(margins) > 0) & (np.diff(pds) >= 0)))
    if len(wrong):
        at = int(wrong[0])
        raise ReleaseError(f"the calibrator's PD falls as the margin rises: {pds[at]:.6g} at margin {margins[at]:.6g}, {pds[at + 1]:.6g} "
                           f"at {margins[at + 1]:.6g}. {REMEDY}")
    return len(pds) - 1


def _refuse_leaves(portfolio: Portfolio, trees: Trees, found: Reversal) -> NoReturn:
    names = [column.name for column in portfolio.inputs]
    root = int(trees.roots[found.tree])
    below, above = (f"{trees.value[leaf]:.6g} in leaf {leaf - root} ({path(trees, root, leaf, names)})"
                    for leaf in (found.below, found.above))
    _refuse(portfolio, found.input, f"tree {found.tree} adds {below}, and {above}, though a row can move from the first to the second by a "
                                    "higher value of that input alone")


def _refuse(portfolio: Portfolio, j: int, what: str) -> NoReturn:
    column = portfolio.inputs[j]
    direction = DIRECTIONS[int(column.risk)]
    raise ReleaseError(f"{column.name} disobeys its direction in {portfolio.name}'s file (PD {direction}): {what}. {REMEDY}")
