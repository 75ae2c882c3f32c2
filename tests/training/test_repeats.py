"""Rows that say the same as another are counted, but for tables whose nature it is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from feature_repo.portfolios import load
from training import raw, repeats

ROWS = 300


@pytest.fixture
def boats():
    """Every row another tonnage, a flag or none."""
    flags = [None if at % 3 == 0 else "none" for at in range(ROWS)]
    return pa.table({"no": [f"a{at}" for at in range(ROWS)], "skipper": [f"s{at}" for at in range(ROWS)],
                     "t": np.arange(ROWS) * 1.0, "f": flags, "gone": ["1", "0"] * (ROWS // 2)})


def again(table, rows):
    """The first rows once more, under keys of their own."""
    more = table.slice(0, rows)
    keys = [f"b{at}" for at in range(rows)]
    return pa.concat_tables([table, more.set_column(0, "no", [keys]).set_column(1, "skipper", [keys])])


def test_a_row_that_repeats_another_apart_from_its_keys_is_counted(harbour, boats):
    assert repeats.count(harbour.applications, boats) == 0
    assert repeats.count(harbour.applications, again(boats, 7)) == 7
    assert repeats.count(harbour.applications, again(boats, ROWS)) == ROWS


def test_a_row_that_differs_in_one_column_is_no_repeat(harbour, boats):
    twice = again(boats, 7)
    changed = twice.set_column(4, "gone", [["1", "0"] * (ROWS // 2) + ["0"] * 7])

    assert repeats.count(harbour.applications, changed) == 3  # of the seven, those that were 0 already


def test_where_few_coarse_columns_make_rows_alike_repeating_is_nature(harbour, boats):
    coarse = boats.set_column(2, "t", [np.arange(ROWS) % 4 * 1.0])

    assert repeats.count(harbour.applications, coarse) == 0


def test_a_table_of_no_rows_repeats_nothing(harbour, boats):
    assert repeats.count(harbour.applications, boats.slice(0, 0)) == 0


def test_what_repeats_in_the_real_file_is_what_its_description_says(data_dir):
    for name, expected in (("card_default", {"used": 35, "whole": 35}), ("sba_504", {"used": 238, "whole": 7})):
        table = load(name).applications
        path = data_dir / table.file
        assert repeats.describe(table, raw.read(table, path), path) == expected
