"""Who of development was rejected, and whether enough of them were for inference; plain counts and words, cheap to import."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import APPLICATION_ID, BAD
from feature_repo.portfolio import Portfolio
from training.splits import DEVELOPMENT, PERIOD
from training.standing import OPEN, REJECTED, STANDING

Array = np.ndarray[Any, Any]


class Counts(msgspec.Struct, frozen=True):
    """Of those who applied in development. open: booked, not ended; unexplained: too young to count, or no word why there is no outcome."""

    applications: int
    known: int
    rejected: int
    open: int
    unexplained: int


def of(frame: pd.DataFrame, record: pd.DataFrame) -> tuple[Array, Counts]:
    """Which rows are rejected applications of development, and the counts. frame: with period, `bad` where it counts."""
    standing = frame[APPLICATION_ID].map(record.set_index(APPLICATION_ID)[STANDING]).to_numpy()
    develops, known = (frame[PERIOD] == DEVELOPMENT).to_numpy(), frame[BAD].notna().to_numpy()
    rejected = develops & ~known & (standing == REJECTED)
    still_open = develops & ~known & (standing == OPEN)
    applications, of_known, of_rejected, of_open = (int(each.sum()) for each in (develops, develops & known, rejected, still_open))
    return rejected, Counts(applications, of_known, of_rejected, of_open, applications - of_known - of_rejected - of_open)


def why_not(portfolio: Portfolio, counts: Counts, fewest: int) -> str:
    """Why inference is not applicable; "" where it is."""
    of = f"of {counts.applications} applications of development"
    others = f"{counts.open} are still open, {counts.unexplained} too young or unexplained, and neither is a rejection"
    if counts.known == counts.applications:
        return f"not applicable: {counts.known} {of} have a known outcome, so nobody was left out"
    if portfolio.outcome.sampled:
        return f"not applicable: {counts.known} {of} have a known outcome, and rows were drawn by outcome: the others stand for nobody"
    if not portfolio.outcome.rejected:
        return (f"not applicable: {counts.applications - counts.known} {of} have no outcome, and the contract names no text of a "
                f"rejection; {others}. If some were rejected, say which: Outcome(rejected=…), with an empty text where what is old enough and "
                "has no outcome was rejected")
    if counts.rejected < fewest:
        return f"not applicable: {counts.rejected} {of} were rejected, {fewest} are needed (rejects.fewest in params.yaml); {others}"
    return ""
