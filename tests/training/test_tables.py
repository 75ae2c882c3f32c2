"""A raw table in the platform's columns: named, cast, judged by nobody, and equal bytes for equal values."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from invented import brought

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME, NO_TIME
from feature_repo.portfolios import load
from training import raw, tables

ROWS = [
    "p1 03.02.2020 g1 12.5 A C 4 39 N x lost",
    "p2 30.06.2020 g2 -9 P L -1 40 S x kept",
    "p3 01.07.2020 g3 40 P ? 9 80 N x kept",
    "p4 03.02.2020 g4 50 A C 1 20 S x open",
]


@pytest.fixture
def orchard():
    with brought():
        yield load("orchard")


def translate(portfolio, tmp_path, rows):
    (tmp_path / "plots.txt").write_text("\n".join(rows) + "\n")
    return tables.translate(portfolio, portfolio.applications, raw.read(portfolio.applications, tmp_path / "plots.txt"))


def test_a_headerless_file_of_odd_text_becomes_named_columns(orchard, tmp_path):
    read = translate(orchard, tmp_path, ROWS).to_pydict()
    acres, fruit, soil, slope = (read[column.name] for column in orchard.requests)

    assert list(read) == [APPLICATION_ID, APPLICANT_ID, EVENT_TIME, *(column.name for column in orchard.requests), BAD]
    assert read[APPLICATION_ID] == ["p1", "p2", "p3", "p4"]
    assert read[EVENT_TIME][1] == datetime(2020, 6, 30, tzinfo=UTC)
    assert acres == [12.5, None, 40.0, 50.0]
    assert fruit == ["apple", "pear", "pear", "apple"]
    assert soil == ["clay", "other", None, "clay"]
    assert slope == [4.0, -1.0, 9.0, 1.0]


def test_an_outcome_counts_only_once_it_has_matured(orchard, tmp_path):
    """p3 is a day too young at `observed_until`; p4 is known to be open."""
    assert translate(orchard, tmp_path, ROWS)[BAD].to_pylist() == [1.0, 0.0, None, None]


@pytest.mark.parametrize(("position", "text", "kept"), [(3, "many", None), (1, "31.02.2020", EVENT_TIME), (10, "LOST", BAD)])
def test_one_value_that_cannot_be_cast_leaves_the_whole_column_as_it_was_written(orchard, tmp_path, position, text, kept):
    fields = ROWS[1].split()
    fields[position] = text
    read = translate(orchard, tmp_path, [ROWS[0], " ".join(fields)])

    name = kept or orchard.requests[0].name
    assert read.schema.field(name).type == pa.string()
    assert read[name].to_pylist() == [ROWS[0].split()[position], text]


def test_undeclared_columns_keep_their_raw_name_and_never_take_the_place_of_a_declared_one(orchard, tmp_path):
    harvests = orchard.views[0]
    (stored,) = harvests.stored
    text = f"grower;day;{stored.raw};{stored.name};surprise\ng1;2020-01-01 00:00:00+0100;1.234;5;6\n"
    (tmp_path / "harvests.csv.gz").write_bytes(gzip.compress(text.encode("latin-1")))
    read = raw.read(harvests, tmp_path / "harvests.csv.gz")
    translated = tables.translate(orchard, harvests, read)

    assert translated[stored.name].to_pylist() == [1234.0]
    assert translated[f"{stored.name} (raw)"].to_pylist() == ["5"]
    assert translated["surprise"].to_pylist() == ["6"]
    assert tables.undeclared(orchard, harvests, read) == [stored.name, "surprise"]
    assert translated[EVENT_TIME].to_pylist() == [datetime(2019, 12, 31, 23, tzinfo=UTC)]


def test_a_column_that_is_missing_is_absent(orchard, tmp_path):
    read = translate(orchard, tmp_path, [" ".join(row.split()[:3]) for row in ROWS])

    assert read.column_names == [APPLICATION_ID, APPLICANT_ID, EVENT_TIME]


def test_a_table_without_time_happened_at_no_time():
    portfolio = load("card_default")
    table = portfolio.applications
    read = tables.translate(portfolio, table, pa.table({column.raw: ["1"] for column in table.columns}))

    assert read[EVENT_TIME].to_pylist() == [NO_TIME]
    assert read[APPLICATION_ID] == read[APPLICANT_ID]


def test_equal_values_give_equal_bytes_however_they_were_chunked(tmp_path):
    whole = pa.table({"a": ["x", None, "z"], "b": [1.0, 2.0, None]})
    tables.write(whole, tmp_path / "whole")
    tables.write(pa.concat_tables([whole.slice(0, 1), whole.slice(1)]).replace_schema_metadata({"made": "elsewhere"}), tmp_path / "parts")

    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()


def test_the_description_holds_counts_and_no_value(orchard, tmp_path):
    read = translate(orchard, tmp_path, ROWS)
    described = tables.describe(read, ["surprise"], "digest")

    assert described["rows"] == len(ROWS)
    assert described["missing"][orchard.requests[0].name] == 0.25
    assert not {"p1", "g1", "apple"} & set(str(described).replace("'", " ").split())
