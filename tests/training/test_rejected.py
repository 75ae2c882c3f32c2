"""Immature is not rejected, and where nobody is known to be the words say so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from feature_repo.portfolios import load
from training import rejected

CONSUMER = load("consumer_loans")


@pytest.fixture
def folder(tmp_path):
    """Where no alternative was adopted."""
    (tmp_path / "alternatives.json").write_text('{"adopted": false}')
    return tmp_path


@pytest.fixture
def frame():
    """Eight in development (two known, three rejected, one open, two young) and one after it."""
    standing = ["good", "bad", "rejected", "rejected", "rejected", "open", "nothing", "nothing", "rejected"]
    ids = [f"a{place}" for place in range(9)]
    applications = pd.DataFrame({"application_id": ids, "bad": [0, 1, *[np.nan] * 7], "period": [*["development"] * 8, "after"]})
    return applications, pd.DataFrame({"application_id": ids[::-1], "standing": standing[::-1]})


def test_open_young_and_rejected_are_counted_apart_in_development_alone(frame, folder):
    here, counts = rejected.of(*frame)

    assert np.flatnonzero(here).tolist() == [2, 3, 4]
    assert (counts.applications, counts.known, counts.rejected, counts.open, counts.unexplained) == (8, 2, 3, 1, 2)
    assert rejected.why_not(CONSUMER, counts, 3, folder) == ""


def test_too_few_rejections_are_not_filled_up_with_young_applications(frame, folder):
    counts = rejected.of(*frame)[1]

    assert "3 of 8 applications of development were rejected, 4 are needed" in rejected.why_not(CONSUMER, counts, 4, folder)
    assert "1 are still open, 2 too young or unexplained, and neither is a rejection" in rejected.why_not(CONSUMER, counts, 4, folder)


def test_a_contract_that_names_no_rejection_is_told_how(frame, folder):
    silent = replace(CONSUMER, outcome=replace(CONSUMER.outcome, rejected=()))

    assert "say which: Outcome(rejected=…)" in rejected.why_not(silent, rejected.of(*frame)[1], 3, folder)


def test_where_all_outcomes_are_known_nobody_was_left_out(frame, folder):
    applications, record = frame
    counts = rejected.of(applications.assign(bad=0.0), record)[1]

    assert counts.rejected == 0
    assert "nobody was left out" in rejected.why_not(CONSUMER, counts, 3, folder)


def test_an_adopted_alternative_is_not_refitted_as_another_model(frame, folder):
    counts = rejected.of(*frame)[1]
    (folder / "alternatives.json").write_text('{"adopted": true}')

    assert "alternative is adopted" in rejected.why_not(CONSUMER, counts, 3, folder)
