"""Every report that stands on outcomes says how mature they are."""

from __future__ import annotations

import pandas as pd

from feature_repo.contract import BAD
from monitoring import maturity, pages, window


def test_months_on_book_cover_every_decision_and_the_old_enough_are_counted(watched):
    found = maturity.assess(watched.frame, watched.portfolio)
    assert sum(age.decisions for age in found.ages) == len(watched.frame)
    assert sum(age.matured for age in found.ages) == found.matured == int(window.matured(watched.frame, watched.portfolio).sum())
    young = [age for age in found.ages if age.months_on_book < 2]
    assert young
    assert not any(age.matured for age in young)


def test_a_window_joined_as_of_a_moment_is_as_old_as_it_was_then(watched):
    then = watched.frame[window.DECIDED_AT].max() + pd.Timedelta(days=31)
    found = maturity.assess(watched.frame.assign(observed_until=then), watched.portfolio)
    assert found.seen == f"{then:%Y-%m-%d}"
    assert found.ages[0].months_on_book == 1


def test_outcomes_that_contradict_are_said_with_what_becomes_of_them(watched):
    counted = window.matured(watched.frame, watched.portfolio).nonzero()[0]
    frame = watched.frame.assign(contradicted=watched.frame.index.isin(watched.frame.index[counted[:3]]))
    said = pages.of_window(frame, watched.portfolio, watched.release)[-1]
    assert said.startswith("**Conflicting outcomes: 3** that were seen bad and as something else later. They stay bad")


def test_reports_that_read_outcomes_say_it_and_others_do_not(watched):
    said = pages.of_window(watched.frame, watched.portfolio, watched.release)
    assert "are old enough for one that counts" in said[-1]
    assert len(pages.of_window(watched.frame.drop(columns=BAD), watched.portfolio, watched.release)) == 1
