"""What each input's bins hold of development's outcomes: WOE, information value, points, and why an input does not count.

Of a scorecard the bins are its own, of trees those that drift is counted on. WOE is the log-odds of bad of a bin relative to all, so
that higher is riskier everywhere here (Siddiqi 2006 has it the other way round). The trend found is that of the drift bins, which
nobody bent into the declared direction. Refuses to score or to choose inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from feature_repo.contract import BAD, Derived, Input
from serving.scoring.batch import arrays
from serving.scoring.bins import Bins
from serving.scoring.decision import Scorer
from serving.scoring.scorecard import Scorecard
from training import information
from training.information import Counts
from training.points import per_log_odds
from training.population import withheld

Array = np.ndarray[Any, Any]
Column = Input | Derived
Line = dict[str, Any]
DECLARED = {1: "rises", -1: "falls", 0: "none"}
LEAST = 10  # outcomes that a bin's bads, bad rate, WOE and IV are shown from, or the table would tell what became of a person
ABSENT, CONSTANT = "missing in every development row", "the same in every development row"
UNDIVIDED = "no two bins of it differ in the declared direction"
UNWEIGHTED = "no weight beside the other inputs, or less than half a point"


@dataclass(frozen=True)
class Binned:
    """One input: its bins' names and counts in order (plain ones, special codes, missing), and the points each is worth, if it is."""

    name: str
    counts: Counts
    points: Array | None


def evidence(scorer: Scorer, frozen: dict[str, Bins], development: pd.DataFrame) -> dict[str, Any]:
    """binning.json: of every input a line under `inputs`, the most informative first, and its bins under `bins`.

    frozen: drift bins; development: raw inputs and bad of the rows that made the model.
    """
    at = scorer.assess(arrays(scorer.portfolio, development))
    bad = development[BAD].to_numpy(dtype=np.float64)
    lines, bins = [], []
    for j, column in enumerate(scorer.portfolio.inputs):
        drift = _frozen(frozen[column.name], at.columns[column.name], bad)
        is_card = isinstance(scorer.kernel, Scorecard)
        found = _of_card(scorer, j, at.rows[:, j], bad) if is_card else Binned(column.name, drift, None)
        lines.append(_line(column, found, drift, per_log_odds(scorer.policy)))
        bins.append(_bins(found))
    order = sorted(range(len(lines)), key=lambda j: -lines[j]["iv"])
    return {"of": "scorecard" if isinstance(scorer.kernel, Scorecard) else "drift bins",
            "inputs": [lines[j] for j in order], "bins": [each for j in order for each in bins[j]]}


def tables(found: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Plot tables `information`, a row per input, and `binning`, a row per bin."""
    return {"information": pd.DataFrame(found["inputs"]), "binning": pd.DataFrame(found["bins"])}


def _of_card(scorer: Scorer, j: int, values: Array, bad: Array) -> Binned:
    """The card's own bins; levels in one bin are one name."""
    card, column = scorer.kernel, scorer.portfolio.inputs[j]
    assert isinstance(card, Scorecard)  # noqa: S101 - for the type alone
    first, last = int(card.starts[j]), int(card.starts[j + 1])
    special = slice(int(card.special_starts[j]), int(card.special_starts[j + 1]))
    bins = Bins((), 0, edges=tuple(card.edges[first:last].tolist()), specials=tuple(card.specials[special].tolist()))
    labels = list(bins.labels)
    for k in range(last - first + 1) if column.name in scorer.encoding else ():
        numbers = scorer.encoding[column.name].items()
        labels[k] = ", ".join(level for level, number in numbers if np.searchsorted(bins.edges, number, side="right") == k)
    margins = np.concatenate([card.points[first + j : last + j + 1], card.special_points[special], card.missing[j : j + 1]])
    good, poor = bins.count(values[bad == 0]), bins.count(values[bad == 1])
    points = -np.rint(margins * per_log_odds(scorer.policy)).astype(np.int64)
    return Binned(column.name, Counts(tuple(labels), good + poor, good, poor, last - first + 1), points)


def _frozen(bins: Bins, values: Array, bad: Array) -> Counts:
    good, poor = bins.count(values[bad == 0]), bins.count(values[bad == 1])
    return Counts(bins.labels, good + poor, good, poor, len(bins.names) or len(bins.edges) + 1)


def _line(column: Column, found: Binned, drift: Counts, factor: float) -> Line:
    """One input in figures. gini: of its bins alone, ranked by their bad rate; trend: -1 to 1, of the bad rate over its values.

    weight: log-odds of bad per WOE; spread: standard deviation of its points over development.
    """
    woe, parts = information.evidence(found.counts)
    is_level = isinstance(column, Input) and column.is_level
    line = {"input": column.name, "iv": round(float(parts.sum()), 6), "by_chance": round(information.by_chance(found.counts), 6),
            "gini": round(2 * information.separation(found.counts) - 1, 6), "declared": DECLARED[int(getattr(column, "risk", 0))],
            "trend": None if is_level else information.trend(drift), "bins": int(np.sum(found.counts.people > 0))}
    if found.points is None:
        return {**line, "weight": None, "spread": None, "lowest": None, "highest": None, "dropped": _reason(found, drift)}
    rows, points = found.counts.people, found.points
    woe = np.where(rows > 0, woe, 0.0)
    centred = points - np.average(points, weights=rows)
    variance = np.average((woe - np.average(woe, weights=rows)) ** 2, weights=rows)
    weight = -np.average(centred * woe, weights=rows) / variance / factor if variance > 0 else 0.0
    return {**line, "weight": round(float(weight), 4) + 0.0, "spread": round(float(np.sqrt(np.average(centred**2, weights=rows))), 4),
            "lowest": int(points.min()), "highest": int(points.max()), "dropped": _reason(found, drift)}


def _reason(found: Binned, drift: Counts) -> str:
    """Why the input does not count; nothing where it does."""
    if np.sum(drift.people > 0) == 1:
        return ABSENT if drift.people[-1] else CONSTANT
    if found.points is None or np.any(found.points):
        return ""
    return UNWEIGHTED if found.counts.plain > 1 else UNDIVIDED


def _bins(found: Binned) -> list[Line]:
    woe, parts = information.evidence(found.counts)
    counts, labels = found.counts, found.counts.labels
    rows, every = counts.people, int(counts.people.sum())
    hidden = withheld(dict(zip(labels, rows.tolist(), strict=True)), LEAST)
    told = [dict.fromkeys(("bads", "bad_rate", "woe", "iv")) if not rows[k] or label in hidden else
            {"bads": int(counts.bad[k]), "bad_rate": round(float(counts.bad[k] / rows[k]), 6), "woe": round(float(woe[k]), 6),
             "iv": round(float(parts[k]), 6)} for k, label in enumerate(labels)]
    return [{"input": found.name, "bin": label, "rows": int(rows[k]), "share": round(float(rows[k] / every), 6), **told[k],
             "points": None if found.points is None else int(found.points[k])} for k, label in enumerate(labels)]
