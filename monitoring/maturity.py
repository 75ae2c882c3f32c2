"""How mature the outcomes behind a figure are: how many decisions are old enough to have one, how many do, by months on book.

Every report that stands on outcomes says it, so that a bad rate of few early outcomes is not read as that of a vintage. Judges nothing.
"""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import BAD
from feature_repo.portfolio import Portfolio
from monitoring import window

DAYS_A_MONTH = 365.25 / 12


class Age(msgspec.Struct, frozen=True):
    """Decisions that were so many whole months on book when outcomes were last observed."""

    months_on_book: int
    decisions: int
    matured: int


class Maturity(msgspec.Struct, frozen=True):
    """seen: when outcomes were last observed, empty without a time axis; old_enough: whose outcome would count; matured: whose does.

    contradicted: of them bad, though something else was seen later.
    """

    seen: str
    decisions: int
    old_enough: int
    matured: int
    ages: tuple[Age, ...]
    contradicted: int = 0


def assess(frame: pd.DataFrame, portfolio: Portfolio) -> Maturity:
    """Of a window read with bad."""
    counts = window.matured(frame, portfolio)
    if not portfolio.is_dated and window.OBSERVED_UNTIL not in frame:
        return Maturity("", len(frame), len(frame), int(counts.sum()), ())
    seen = window.observed_until(frame, portfolio)
    ages = np.floor((seen - frame[window.DECIDED_AT]).dt.total_seconds().to_numpy() / 86_400 / DAYS_A_MONTH).astype(np.int64)
    by_age = tuple(Age(int(age), int((ages == age).sum()), int(counts[ages == age].sum())) for age in np.unique(ages))
    old = int(window.old_enough(frame, portfolio, portfolio.outcome.matures_after).sum())
    contradicted = int((frame[window.CONTRADICTED] & counts).sum()) if window.CONTRADICTED in frame else 0
    return Maturity(f"{seen:%Y-%m-%d}", len(frame), old, int(counts.sum()), by_age, contradicted)


def sentences(found: Maturity) -> list[str]:
    """What a reader must know of the outcomes: how many there are, of how many that there could be, and how old the decisions are."""
    if not found.seen:
        return [f"Outcomes: {found.matured:,} of {found.decisions:,} decisions have one."]
    share = f" ({found.matured / found.old_enough:.0%})" if found.old_enough else ""
    ages = f"; {found.ages[0].months_on_book} to {found.ages[-1].months_on_book} whole months on book" if found.ages else ""
    old = f"{found.old_enough:,} are old enough for one that counts, {found.matured:,} of those{share} have it"
    against = (f"**Conflicting outcomes: {found.contradicted:,}** that were seen bad and as something else later. They stay bad; a mistake "
               "is corrected by a later file with the same observed_at.")
    return [f"Outcomes, seen until {found.seen}: of {found.decisions:,} decisions {old}{ages}.", *([against] if found.contradicted else [])]


def joined(frame: pd.DataFrame, portfolio: Portfolio) -> list[str]:
    """`sentences` where a window was read with its outcomes; none where it was not."""
    return sentences(assess(frame, portfolio)) if BAD in frame else []
