"""Who of development was rejected, if they are enough for inference, and how what was inferred is told: plain data, light to import."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import APPLICATION_ID, BAD
from feature_repo.portfolio import Portfolio
from training.splits import DEVELOPMENT, PERIOD
from training.standing import OPEN, REJECTED, STANDING

Array = np.ndarray[Any, Any]
KNOWN, PARCELLING, FUZZY = "known", "parcelling", "fuzzy"
IN_WORDS = ("test_gini", "mean_pd", "approval_rate", "approved_pd")
IN_METRICS = ("test_auc", "test_ks", "test_ece", *IN_WORDS)


class Prudence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many times as often the rejected are taken to go bad as the known of equal PD."""

    parcelling: Annotated[float, msgspec.Meta(ge=1)]
    fuzzy: Annotated[float, msgspec.Meta(ge=1)]


class Rejects(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `rejects` of params.yaml."""

    fewest: Annotated[int, msgspec.Meta(ge=1)]
    parcels: Annotated[int, msgspec.Meta(ge=2)]
    smoothing: Annotated[float, msgspec.Meta(gt=0)]
    prudence: Prudence
    seed: int


class Figures(msgspec.Struct, frozen=True):
    """What one model says. test_: of the test's known outcomes; the others of everyone who applied in development.

    approval_rate: at the cut-offs of the known-outcome model; approved_pd: the bad rate expected of those approved; rejected_pd: mean PD
    of the rejected; score_shift: mean points above the known-outcome model, negative where it is stricter.
    """

    test_auc: float
    test_gini: float
    test_ks: float
    test_ece: float
    mean_pd: float
    approval_rate: float
    approved_pd: float
    rejected_pd: float
    score_shift: float


class Counts(msgspec.Struct, frozen=True):
    """Of those who applied in development. open: booked, not ended; unexplained: too young to count, or no word why there is no outcome."""

    applications: int
    known: int
    rejected: int
    open: int
    unexplained: int


Models = Mapping[str, Figures]
NOTHING: Models = {}


def of(frame: pd.DataFrame, record: pd.DataFrame) -> tuple[Array, Counts]:
    """Which rows are rejected applications of development, and the counts. frame: with period, `bad` where it counts."""
    standing = frame[APPLICATION_ID].map(record.set_index(APPLICATION_ID)[STANDING]).to_numpy()
    develops, known = (frame[PERIOD] == DEVELOPMENT).to_numpy(), frame[BAD].notna().to_numpy()
    rejected = develops & ~known & (standing == REJECTED)
    still_open = develops & ~known & (standing == OPEN)
    applications, of_known, of_rejected, of_open = (int(each.sum()) for each in (develops, develops & known, rejected, still_open))
    return rejected, Counts(applications, of_known, of_rejected, of_open, applications - of_known - of_rejected - of_open)


def why_not(portfolio: Portfolio, counts: Counts, fewest: int, alternatives: Path) -> str:
    """Why inference is not applicable; "" where it is. alternatives: the folder with the record of the search for them."""
    of = f"of {counts.applications} applications of development"
    others = f"{counts.open} are still open, {counts.unexplained} too young or unexplained, and neither is a rejection"
    if counts.known == counts.applications:
        return f"not applicable: {counts.known} {of} have a known outcome, so nobody was left out"
    if portfolio.outcome.sampled:
        return f"not applicable: {counts.known} {of} have a known outcome, and rows were drawn by outcome: the others stand for nobody"
    if not portfolio.outcome.rejected:
        return (f"not applicable: {counts.applications - counts.known} {of} have no outcome, and the contract names no text of a "
                f"rejection; {others}. If some were rejected, say which: Outcome(rejected=…), with an empty text where what is old enough "
                "and has no outcome was rejected")
    if counts.rejected < fewest:
        return f"not applicable: {counts.rejected} {of} were rejected, {fewest} are needed (rejects.fewest in params.yaml); {others}"
    if json.loads((alternatives / "alternatives.json").read_bytes())["adopted"]:
        return "not applicable: a less discriminatory alternative is adopted, and what is refitted is the model of train"
    return ""


def told(found: Models) -> dict[str, Any]:
    """For rejects.json: the figures of the models, their band, and what metrics.json takes; nothing where nothing was inferred."""
    return {"models": found, "band": band(found) if found else {}, "metrics": flat(found) if found else {}}


def band(found: Models) -> dict[str, dict[str, float]]:
    """Figure -> low and high over the models, that of known outcomes included."""
    each = {name: [getattr(figures, name) for figures in found.values()] for name in Figures.__struct_fields__}
    return {name: {"low": min(values), "high": max(values)} for name, values in each.items()}


def flat(found: Models) -> dict[str, float]:
    """The few of them that stand beside the headline figures: name -> value."""
    bands = band(found)
    return {f"rejects_{name}_{side}": bands[name][side] for name in IN_METRICS for side in ("low", "high")}


def words(found: Models) -> str:
    """The few figures as ranges, for people."""
    bands = band(found)
    return ", ".join(f"{name.replace('_', ' ')} {bands[name]['low']:.4f} to {bands[name]['high']:.4f}" for name in IN_WORDS)


def table(found: Models) -> pd.DataFrame:
    """One line per figure and model."""
    lines = [(name, model, getattr(figures, name)) for name in Figures.__struct_fields__ for model, figures in found.items()]
    return pd.DataFrame(lines, columns=["figure", "model", "value"])
