"""The door shows everybody decided on, month by month, beside everybody who applied in development."""

from __future__ import annotations

import numpy as np
import pytest
from passed import doors

from monitoring import population, window
from serving.scoring.bins import Bins


def test_shares_of_a_month_are_those_of_its_decisions(watched):
    found = doors(watched.frame, watched.portfolio)
    months = [month for month, _ in window.slices(watched.frame, watched.portfolio)]
    assert [door.month for door in found] == months
    _, rows = next(window.slices(watched.frame, watched.portfolio))
    first = watched.frame.iloc[rows]
    assert found[0].outcomes["approve"] == pytest.approx((first["outcome"] == "approve").mean())
    assert found[0].bands == pytest.approx(first["band"].value_counts(normalize=True).to_dict())
    assert found[0].mean_pd == pytest.approx(first["pd"].mean())
    assert sum(door.decisions for door in found) == len(watched.frame)


def test_a_stored_value_that_must_be_there_and_is_not_is_in_doubt(watched):
    stored = next(column for column in watched.portfolio.stored if not column.nullable)
    gone = watched.frame.assign(**{stored.name: None if stored.is_level else np.nan})
    assert {door.degraded for door in doors(gone, watched.portfolio)} == {1.0}


def test_development_is_what_the_release_froze_and_has_no_bands_where_it_froze_none(watched):
    bins = watched.release.read("bins.json", dict[str, Bins])
    door = population.development(bins)
    assert sum(door.outcomes.values()) == pytest.approx(1)
    assert set(door.bands) <= set(watched.frame["band"]) | set(bins["band"].names)
    assert population.development({"outcome": bins["outcome"]}).bands == {}
