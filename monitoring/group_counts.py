"""Decisions of a window counted by group, and by whatever else they are told apart by.

Counts are whole numbers (`governance.groups.Tally`): counted in shards and added up, they are those of the whole. Refuses nothing; a
decision whose group is unknown is in no count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from feature_repo.contract import BAD, Action, Protected
from feature_repo.portfolio import Portfolio
from governance.groups import BILLIONTHS, NOBODY, Compared, Tally
from monitoring import disclosure, window
from monitoring.disclosure import UNKNOWN
from serving.scoring.kernel import Array
from training import measures

At = tuple[str, ...]
COUNTED = tuple(Tally.__struct_fields__)


def facts(frame: pd.DataFrame, portfolio: Portfolio, shift: float = 0.0) -> pd.DataFrame:
    """A row per decision of a window with the vault joined: what a `Tally` adds up, in whole numbers.

    shift: what a declared bad rate added to the log-odds of PDs; outcomes of rows drawn by outcome are foreseen without it.
    """
    bad = frame[BAD].where(window.matured(frame, portfolio)).to_numpy(dtype=np.float64)
    approved, score = (frame["outcome"] == Action.APPROVE).to_numpy(), frame["score"].to_numpy(dtype=np.int64)
    pd_ = frame["pd"].to_numpy(dtype=np.float64)
    foreseen = np.where(np.isfinite(bad), measures.moved(pd_, -shift) if shift else pd_, 0.0)
    return pd.DataFrame({
        "decisions": np.int64(1), "approved": approved, "referred": (frame["outcome"] == Action.REFER).to_numpy(), "good": bad == 0,
        "good_approved": approved & (bad == 0), "bad": bad == 1, "foreseen": np.rint(foreseen * BILLIONTHS), "scored": np.int64(1),
        "scores": score, "squares": score**2,
    }, columns=list(COUNTED), index=frame.index).astype(np.int64)


@dataclass(frozen=True)
class Grouped:
    """A window with the vault joined, and what is counted of each of its decisions."""

    frame: pd.DataFrame
    portfolio: Portfolio
    counted: pd.DataFrame

    def by(self, *keys: Any) -> dict[At, Tally]:
        """Counts per combination of keys: names of columns, or arrays as long as the window."""
        return count(self.counted, *(self.of(key) if isinstance(key, str) else key for key in keys))

    def of(self, name: str) -> Array:
        """One column of the window."""
        return self.frame[name].to_numpy()


def grouped(frame: pd.DataFrame, portfolio: Portfolio, shift: float = 0.0) -> Grouped:
    """A window that `window.with_vault` joined, counted once; shift as for `facts`."""
    return Grouped(frame, portfolio, facts(frame, portfolio, shift))


def withheld(of: Grouped, column: Protected, least: int) -> dict[str, str]:
    """Group -> why nothing of it is shown in any table of the window."""
    tallies = of.by(column.name)
    counts = {name: tallies.get((name,), NOBODY).decisions for name in column.group_names}
    return disclosure.withheld({**counts, UNKNOWN: len(of.frame) - sum(counts.values())}, least)


def count(counted: pd.DataFrame, *keys: Any) -> dict[At, Tally]:
    """Per combination of keys that occurs (arrays as long as `counted`, null: in no count)."""
    by = {str(position): pd.Series(np.asarray(key), index=counted.index) for position, key in enumerate(keys)}
    sums = counted.assign(**by).groupby(list(by), sort=True)[list(COUNTED)].sum()
    return {cast("At", at if isinstance(at, tuple) else (at,)): Tally(*row)
            for at, row in zip(sums.index.tolist(), sums.to_numpy().tolist(), strict=True)}


def merge(shards: Iterable[Mapping[At, Tally]]) -> dict[At, Tally]:
    """The counts of all shards together."""
    total: dict[At, Tally] = {}
    for shard in shards:
        for at, tally in shard.items():
            total[at] = total.get(at, NOBODY) + tally
    return total


def compared(attribute: str, tallies: Mapping[str, Tally], names: Sequence[str], reference: str) -> tuple[Compared, ...]:
    """Every group but the reference beside the reference group, in the contract's order; none where nobody's group is known.

    A group that nobody is of is among them: were it left out, whoever is the only one of theirs could be found by where they are told.
    """
    other = tallies.get(reference, NOBODY)
    return tuple(Compared(attribute, name, tallies.get(name, NOBODY), reference, other) for name in names if tallies and name != reference)


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them added up."""
    return sum(tallies, NOBODY)
