"""Faults, the door and what moved the log-odds are said in sentences that name column, months and size."""

from __future__ import annotations

import numpy as np
import passed
import pytest

from governance.limits import Verdict
from monitoring import attribution, drift, drift_sections, population
from serving.scoring import decision
from serving.scoring.bins import Bins


@pytest.fixture(scope="module")
def bins(watched):
    return watched.release.read("bins.json", dict[str, Bins])


@pytest.fixture(scope="module")
def stored(watched):
    return next(column.name for column in watched.portfolio.stored if not column.is_level)


@pytest.fixture(scope="module")
def broken(watched, bins, stored, drift_params):
    """A stored number that is not recorded any more in the second half."""
    late = np.arange(len(watched.frame)) >= len(watched.frame) // 2
    frame = watched.frame.assign(**{stored: np.where(late, np.nan, watched.frame[stored])})
    return drift.assess(frame, watched.portfolio, bins, drift_params)


def test_a_break_in_the_recording_is_a_fault_of_data_with_its_months_and_what_validation_saw(broken, stored):
    said = drift_sections.of_quality(broken, {stored: "0% missing until 2020"})
    assert said[0].startswith("**1 fault of data:**")
    assert f"**{stored}** in 2024-01 to 2024-12" in said[1]
    assert "100.0% missing" in said[1]
    assert "in the data the model is from: 0% missing until 2020" in said[1]
    assert said[1].endswith("(alert)")


def test_no_fault_is_said_to_be_none_and_nothing_where_nothing_could_be_judged(watched, bins, drift_params):
    assert drift_sections.of_quality(drift.assess(watched.frame, watched.portfolio, bins, drift_params), {}) == ["**No fault of data.**"]
    assert drift_sections.of_quality(drift.assess(watched.frame.head(30), watched.portfolio, bins, drift_params), {}) == []


def moved(watched, frame, params):
    samples = passed.samples(frame, watched.portfolio, params.attribution.sample)
    return attribution.assess(samples, decision.load(watched.release, watched.portfolio), params)


def test_the_door_and_the_moves_are_said_with_development_beside(watched, bins, drift_params):
    doors = passed.doors(watched.frame, watched.portfolio)
    (said,) = drift_sections.of_door(doors, population.development(bins), drift_params.minimum)
    enough = [door.outcomes["approve"] for door in doors if door.decisions >= drift_params.minimum]
    assert f"approve {min(enough):.1%} to {max(enough):.1%}" in said
    moves = moved(watched, watched.frame, drift_params)
    (said,) = drift_sections.of_attribution(moves)
    assert said.startswith("The mean log-odds of bad moved by ")
    few = moved(watched, watched.frame.head(40), drift_params)
    assert "enough decisions" in drift_sections.of_attribution(few)[0]
    assert "not told" in drift_sections.of_attribution(())[0]


def test_the_page_has_a_table_of_each_and_none_of_what_is_not_there(watched, bins, broken, drift_params):
    doors = passed.doors(watched.frame, watched.portfolio)
    moves = moved(watched, watched.frame, drift_params)
    blocks = drift_sections.blocks(broken, doors, moves)
    assert [len(block.table) for block in blocks] == [
        sum(len(cell.faults) for column in broken for cell in column.months), len(doors), len(moves)]
    assert Verdict.ALERT.value in set(blocks[0].table["verdict"])
    whole = drift.assess(watched.frame, watched.portfolio, bins, drift_params)
    assert [block.title for block in drift_sections.blocks(whole, doors, ())] == ["Who came through the door"]
