"""A break in how something was recorded is told with its periods and shares; clean histories and small samples tell nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import BAD, EVENT_TIME
from training import recording

JUMP, LEAST = 0.2, 100
YEARS = [str(year) for year in range(1990, 2000)]


def jumps(shares, rows=1_000):
    """What is said of a column with these missing shares, one a year."""
    counts = [rows] * len(shares) if isinstance(rows, int) else rows
    periods = np.repeat(np.arange(len(shares)), counts)
    missing = np.concatenate([np.arange(count) < round(share * count) for share, count in zip(shares, counts, strict=True)])
    return recording.jumps_of(missing, periods, YEARS[: len(shares)], jump=JUMP, least=LEAST)


@pytest.mark.parametrize(("shares", "words"), [
    ([1, 1, 1, 0.77, 0.08, 0.11, 0, 0], "100% missing until 1992, 77% missing in 1993, 5% missing from 1994"),
    ([0.6, 0.58, 0.56, 0.38, 0.3, 0, 0], "53% missing until 1993, 30% missing in 1994, 0% missing from 1995"),
    ([0, 0, 0, 1, 0, 0, 0], "0% missing until 1992, 100% missing in 1993, 0% missing from 1994"),
    ([0, 0, 0.3, 0.3, 0.9, 0.9], "0% missing until 1991, 30% missing 1992 to 1993, 90% missing from 1994"),
])
def test_a_break_says_from_which_period_to_which_and_the_shares(shares, words):
    assert jumps(shares).words == words


def test_the_last_stretch_goes_on_though_its_last_periods_have_too_few_rows_to_be_judged():
    assert jumps([1, 1, 0, 0, 0], rows=[500, 500, 500, 9, 9]).words == "100% missing until 1991, 0% missing from 1992"


def test_a_break_has_its_size_and_its_rows():
    found = jumps([1, 1, 0.1, 0.1])

    assert (found.size, found.rows, found.of) == (0.9, 2_200, 4_000)


@pytest.mark.parametrize("shares", [[0] * 6, [1] * 6, [0.3, 0.35, 0.28, 0.4, 0.31], [0.1, 0.25, 0.2]])
def test_steady_shares_are_no_break(shares):
    found = jumps(shares)

    assert (found.size < JUMP, found.words) == (True, "")


def test_periods_with_too_few_rows_are_not_judged():
    assert jumps([0, 0, 1, 0, 0], rows=[500, 500, LEAST - 1, 500, 500]).words == ""
    assert jumps([0, 0, 1, 0, 0], rows=[500, 500, LEAST, 500, 500]).words != ""
    assert jumps([0, 1], rows=[LEAST - 1, LEAST - 1]) == recording.Finding(0.0, LEAST - 1, 2 * LEAST - 2, "")


@pytest.fixture
def ingest(harbour, tmp_path):
    """Surveys of `years` years, a hundred and fifty a month, changed by `change`; the other tables have no time that was read."""
    rng = np.random.default_rng(5)

    def write(change=lambda frame: frame, *, years=3, rows=150):
        boats, surveys, moorings = harbour.tables
        times = pd.date_range("2015-01-01", periods=years * 12, freq="MS", tz="UTC").repeat(rows)
        values = {column.name: rng.choice(column.level_names, len(times)) if column.is_level else rng.uniform(size=len(times))
                  for column in surveys.stored}
        frame = change(pd.DataFrame({EVENT_TIME: times, **values}))
        frame.assign(**{EVENT_TIME: frame[EVENT_TIME].dt.as_unit("us")}).to_parquet(tmp_path / f"{surveys.name}.parquet")
        for table in (boats, moorings):
            pd.DataFrame({EVENT_TIME: ["yesterday"]}).to_parquet(tmp_path / f"{table.name}.parquet")
        return tmp_path

    return write


def measure(harbour, ingest):
    return recording.measure(harbour, ingest, jump=JUMP, least=LEAST)


def blank(name, until):
    return lambda frame: frame.assign(**{name: frame[name].where(frame[EVENT_TIME] >= pd.Timestamp(until, tz="UTC"))})


def test_a_short_history_is_told_by_month_and_a_long_one_by_year(harbour, ingest):
    wear, rust, refits = (column.name for column in harbour.tables[1].stored)

    monthly = measure(harbour, ingest(blank(wear, "2016-03-01"))).jumps
    assert monthly[wear].words == "100% missing until 2016-02, 0% missing from 2016-03"
    yearly = measure(harbour, ingest(blank(rust, "2019-01-01"), years=8)).jumps
    assert yearly[rust].words == "100% missing until 2018, 0% missing from 2019"
    assert (monthly[refits].words, yearly[refits].words) == ("", "")


def test_thin_months_are_told_by_year_and_a_small_table_not_at_all(harbour, ingest):
    name = harbour.tables[1].stored[0].name

    assert measure(harbour, ingest(blank(name, "2016-01-01"), rows=30)).jumps[name].words == "100% missing until 2015, 0% missing from 2016"
    assert measure(harbour, ingest(blank(name, "2016-01-01"), rows=3)).jumps == {}


def test_a_level_that_begins_late_or_ends_early_is_named_and_one_that_is_rare_is_not(harbour, ingest):
    rust = harbour.tables[1].stored[1]
    first, second, third = rust.level_names

    def begins(frame):
        late = frame[EVENT_TIME] >= pd.Timestamp("2017-01-01", tz="UTC")
        return frame.assign(**{rust.name: np.where(late, third, np.where(frame[rust.name] == third, first, frame[rust.name]))})

    found = measure(harbour, ingest(begins)).levels[rust.name]
    assert (found.size, found.words) == (3, f"{first} until 2016-12, {second} until 2016-12, {third} from 2017-01")

    def rare(frame):
        return frame.assign(**{rust.name: [third] * (LEAST - 1) + [first] * (len(frame) - LEAST + 1)})

    assert measure(harbour, ingest(rare)).levels[rust.name].words == ""
    assert measure(harbour, ingest()).levels[rust.name] == recording.Finding(0, 0, 36 * 150, "")


def test_undeclared_levels_and_rows_without_a_time_are_left_to_the_rules_that_say_so(harbour, ingest):
    rust = harbour.tables[1].stored[1]

    def odd(frame):
        at = np.arange(len(frame))
        return frame.assign(**{rust.name: np.where(at % 2, "zinc", frame[rust.name]), EVENT_TIME: frame[EVENT_TIME].where(at % 3 > 0)})

    seen = measure(harbour, ingest(odd))
    assert (seen.jumps[rust.name].words, seen.levels[rust.name].words) == ("", "")
    assert seen.jumps[rust.name].of == 36 * 100


def test_a_column_that_is_absent_or_could_not_be_cast_is_left_out(harbour, ingest):
    wear, rust, refits = (column.name for column in harbour.tables[1].stored)

    assert set(measure(harbour, ingest(lambda frame: frame.drop(columns=wear).assign(**{refits: "many"}))).jumps) == {rust}


def test_outcomes_that_are_settled_less_often_in_some_vintages_are_told_of_those_old_enough(harbour, ingest):
    folder = ingest()
    times = pd.date_range("2023-01-01", periods=24, freq="MS", tz="UTC").repeat(150).as_unit("us")
    at = np.arange(len(times)) % 150
    later, young = (times >= pd.Timestamp(day, tz="UTC") for day in ("2024-01-01", "2024-12-01"))
    open_still = young | (at < np.where(later, 75, 15))
    boats = pd.DataFrame({EVENT_TIME: times, BAD: np.where(open_still, np.nan, at % 2)})
    boats.to_parquet(folder / f"{harbour.applications.name}.parquet")

    assert measure(harbour, folder).jumps[BAD].words == "10% missing until 2023-12, 50% missing from 2024-01"  # December is not old enough
    boats.assign(**{BAD: at % 2 * 1.0}).to_parquet(folder / f"{harbour.applications.name}.parquet")
    assert measure(harbour, folder).jumps[BAD].words == ""
