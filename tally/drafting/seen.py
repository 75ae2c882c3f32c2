"""One column held against the outcome: its numbers, how well it alone ranks who goes bad, which way bad outcomes go.

Responsible for measures, each taken once and as validation takes it. Decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from feature_repo.sources import Csv, Parquet
from tally.drafting import values, vocabulary
from tally.drafting.profiles import Profile
from training import power
from training.subjects import Validate

Array = np.ndarray[Any, Any]
SAMPLE = 30_000  # rows an AUC is measured on
CLEAR = 0.02     # rank correlation from which a direction is worth a word
ALIKE = 0.995    # share of numbers among the texts that are neither missing nor codes


@dataclass(frozen=True, eq=False)
class Outlook:
    """What a column is held against. bad: 1, 0 or NaN per row of the table; word: Request, or Stored with the arguments they share."""

    bad: Array
    names: dict[str, str]
    reader: Csv | Parquet
    limits: Validate
    seconds: Array | None = None  # when each row happened, where that is known
    word: str = "Request"
    shared: tuple[tuple[str, Any], ...] = ()

    @cached_property
    def rows(self) -> Array:
        """Rows with an outcome, an even sample of them where they are many."""
        known = np.flatnonzero(~np.isnan(self.bad))
        at: Array = known[np.linspace(0, len(known) - 1, min(SAMPLE, len(known))).astype(int)] if len(known) else known
        return at

    @cached_property
    def can_tell(self) -> bool:
        """Whether there are outcomes enough of both kinds to measure an AUC on."""
        bad = self.bad[self.rows]
        return bool(min(bad.sum(), len(bad) - bad.sum()) >= self.limits.least_outcomes)


@dataclass(frozen=True, eq=False)
class Seen:
    """A column and what it is held against, each measure of it taken once."""

    column: Profile
    outlook: Outlook

    @property
    def name(self) -> str:
        return self.outlook.names[self.column.raw]

    @cached_property
    def figures(self) -> values.Figures | None:
        return values.read(self.column, self.outlook.reader)

    @property
    def is_number(self) -> bool:
        """Nearly all of its texts that are there are numbers, and more than one."""
        filled, figures = self.column.rows - self.column.empty, self.figures
        return figures is not None and figures.lowest < figures.highest and self.column.count(set(figures.others)) <= (1 - ALIKE) * filled

    @cached_property
    def auc(self) -> float:
        """How well it alone ranks the outcome, as validation measures it; 0.5 where that cannot be told."""
        column, outlook = self.column, self.outlook
        bad = outlook.bad[outlook.rows]
        if not outlook.can_tell:
            return 0.5
        if self.figures and self.is_number:
            return power.of_number(column.spread(self.figures.of_texts)[outlook.rows], bad, seed=outlook.limits.seed)
        return power.of_level(pd.Series(column.places[outlook.rows]).astype(str), bad, seed=outlook.limits.seed)

    @cached_property
    def one_sided(self) -> str:
        """In words, whether it is filled for one outcome alone."""
        absent = set(self.figures.missing) if self.figures else {text for text in self.column.listed if text.lower() in vocabulary.MISSING}
        filled = self.column.spread(np.array([float(text not in absent) for text in self.column.listed]))[self.outlook.rows] == 1
        bad = self.outlook.bad[self.outlook.rows]
        return power.one_sided(filled, bad, self.outlook.limits.least_outcomes) if self.outlook.can_tell else ""

    @property
    def strength(self) -> str:
        return f"; alone it ranks the outcome with AUC {self.auc:.2f}" if self.outlook.can_tell else ""

    @property
    def direction(self) -> str:
        """Which way bad outcomes go, as seen here: a hint for risk, which is a decision about reasons."""
        rows, figures = self.outlook.rows, self.figures
        if figures is None:
            return ""
        seen, bad = self.column.spread(figures.of_texts)[rows], self.outlook.bad[rows]
        there = ~np.isnan(seen)
        if len(np.unique(bad[there])) < 2 or len(np.unique(seen[there])) < 2:
            return ""
        moves = float(np.corrcoef(rankdata(seen[there]), bad[there])[0, 1])
        told = "rise with it (Risk.RISES?)" if moves > 0 else "fall with it (Risk.FALLS?)"
        return "" if abs(moves) < CLEAR else f"; bad outcomes {told}"
