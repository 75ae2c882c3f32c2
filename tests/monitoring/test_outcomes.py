"""A loan is bad that ever was, within the contract's window: what is seen of it later undoes nothing, and says that it contradicts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from feature_repo.contract import BAD
from feature_repo.portfolios import load
from monitoring import outcomes, window
from monitoring.outcomes import BAD_ON, OBSERVED_AT, Outcomes

CONTRACT = load("sba_504")
DECIDED = pd.Timestamp("2010-01-01", tz="UTC")
WITHIN = CONTRACT.outcome.within
assert WITHIN is not None
INSIDE, BEYOND, MATURE = (DECIDED + WITHIN + timedelta(days=days) for days in (-30, 30, 400))
NEVER = pd.NaT


def amount_to(*seen):
    """What counts of one decision, and whether it is contradicted. seen: (bad, bad on, observed at), in the order in which they came."""
    rows = pd.DataFrame([("d", *each) for each in seen], columns=[window.DECISION_ID, BAD, BAD_ON, OBSERVED_AT])
    rows[[BAD_ON, OBSERVED_AT]] = rows[[BAD_ON, OBSERVED_AT]].astype("datetime64[us, UTC]")
    known = Outcomes(datetime(2030, 1, 1, tzinfo=UTC), outcomes.ever(rows.sort_values(OBSERVED_AT, kind="stable")))
    frame = pd.DataFrame({window.DECISION_ID: ["d", "another"], window.DECIDED_AT: [DECIDED] * 2, BAD: [np.nan] * 2})
    (bad, other), (contradicted, _) = (outcomes.joined(frame, known, CONTRACT)[name] for name in (BAD, window.CONTRADICTED))
    assert np.isnan(other)
    return bad, contradicted


def test_a_bad_outcome_within_the_window_stays_and_one_beyond_it_is_good():
    assert amount_to((1.0, INSIDE, INSIDE)) == (1.0, False)
    assert amount_to((1.0, INSIDE, INSIDE), (0.0, NEVER, BEYOND)) == (1.0, True)
    assert amount_to((1.0, INSIDE, INSIDE), (0.0, NEVER, BEYOND), (1.0, BEYOND, MATURE)) == (1.0, False)
    assert amount_to((1.0, INSIDE, INSIDE), (np.nan, NEVER, MATURE)) == (1.0, True)
    assert amount_to((1.0, BEYOND, BEYOND), (0.0, NEVER, MATURE)) == (0.0, False)
    assert amount_to((0.0, NEVER, INSIDE), (1.0, INSIDE, BEYOND)) == (1.0, False)


def test_the_same_moment_said_again_corrects_and_nothing_else_does():
    assert amount_to((1.0, INSIDE, MATURE), (0.0, NEVER, MATURE)) == (0.0, False)
    assert amount_to((1.0, INSIDE, BEYOND), (0.0, NEVER, MATURE), (0.0, NEVER, BEYOND)) == (0.0, False)
