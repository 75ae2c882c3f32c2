"""What validation looks at is what ingest wrote, with the faults still in their rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from invented import brought

from feature_repo.contract import APPLICANT_ID, BAD, EVENT_TIME
from feature_repo.portfolios import load
from training import evidence, tables


@pytest.fixture(scope="module")
def orchard():
    with brought():
        return load("orchard")


def look(orchard, tmp_path, **columns):
    table = orchard.applications
    tables.write(pa.table(columns), tmp_path / f"{table.name}.parquet")
    return evidence.of_table(orchard, table, tmp_path)


def test_good_columns_are_floats_plain_utc_times_and_categories(orchard, tmp_path):
    acres, fruit, *_ = (column.name for column in orchard.requests)
    moment = pd.Timestamp("2999-01-01", tz="UTC").as_unit("us")
    frame = look(orchard, tmp_path, **{APPLICANT_ID: ["a", None], EVENT_TIME: pa.array([moment, None], pa.timestamp("us", "UTC")),
                                       acres: [1.0, None], fruit: ["apple", "apple"], BAD: [1.0, None]})

    assert [str(kind) for kind in frame.dtypes] == ["object", "datetime64[us]", "float64", "category", "float64"]
    assert frame[EVENT_TIME][0] == moment.tz_localize(None)


@pytest.mark.parametrize(("column", "texts", "expected"), [
    (lambda o: o.requests[0].name, ["1.5", "-9", "", "many"], [1.5, None, None, "many"]),
    (lambda _: EVENT_TIME, ["01.02.2020", "", "2020-02-01", None], [pd.Timestamp("2020-02-01", tz="UTC"), None, "2020-02-01", None]),
    (lambda _: BAD, ["lost", "kept", "open", "LOST"], [1.0, 0.0, None, "LOST"]),
])
def test_a_column_that_could_not_be_cast_shows_which_rows_were_why(orchard, tmp_path, column, texts, expected):
    name = column(orchard)
    frame = look(orchard, tmp_path, **{name: pa.array(texts, pa.string())})

    assert frame[name].dtype == np.dtype(object)
    assert frame[name].tolist() == expected
