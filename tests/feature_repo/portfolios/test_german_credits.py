"""german_credit and south_german_credit, the same credits in two codings: the figures of their README, read as ingest reads them."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from real_files import Real

from feature_repo.contract import APPLICATION_ID, BAD, OTHER
from feature_repo.portfolios import load

NAMES = ("german_credit", "south_german_credit")


@pytest.fixture(scope="module")
def statlog(data_dir):
    return Real("german_credit", data_dir)


@pytest.fixture(scope="module")
def corrected(data_dir):
    return Real("south_german_credit", data_dir)


@pytest.mark.parametrize("name", NAMES)
def test_rows_bad_rate_and_keys_by_position_are_those_of_the_readme(name, data_dir):
    real = Real(name, data_dir)

    real.states("1,000 x 21", "30.0% (300/1,000)", "700/300", "no missing values, no duplicate rows")
    assert real.translated[APPLICATION_ID].tolist() == [str(row) for row in range(1, 1_001)]
    assert real.translated[BAD].value_counts().to_dict() == {0: 700, 1: 300}
    assert not real.translated.isna().to_numpy().any()
    assert not real.written.duplicated().any()


@pytest.mark.parametrize("name", NAMES)
def test_every_level_and_group_of_the_file_is_declared(name, data_dir):
    real = Real(name, data_dir)
    portfolio = load(name)

    for column in portfolio.raw_inputs:
        assert not column.is_level or set(real.translated[column.name]) <= set(column.level_names) - {OTHER}
    for column in portfolio.protected:
        assert set(real.protected[column.name]) <= set(column.group_names)


def test_means_are_those_of_the_readme(statlog):
    statlog.states("mean amount 3,271.258; mean duration 20.903; mean age 35.546")
    assert statlog.column("5").mean() == 3271.258
    assert statlog.column("2").mean() == 20.903
    assert statlog.written["13"].astype(int).mean() == 35.546


def test_the_code_book_knows_every_level_of_the_statlog_coding(statlog, data_dir):
    known = set(re.findall(r"\bA\d{2,3}\b", (data_dir / "german_credit" / "german_doc.txt").read_text()))
    portfolio = load(statlog.name)

    declared = {text for column in (*portfolio.raw_inputs, *portfolio.protected) if column.raw not in {"8", "11", "16", "18"}
                for text in (column.level_of if hasattr(column, "level_of") else column.groups)}
    assert declared == known - {"A47"}  # "does not exist?"


def test_the_corrected_code_book_knows_every_level_of_the_corrected_coding(corrected, data_dir):
    book = (data_dir / "german_credit" / "SouthGermanCredit_codetable.txt").read_text()
    sections = {title.split(" = ")[1]: set(re.findall(r"^ (\d+) :", text, flags=re.MULTILINE))
                for title, text in re.findall(r"\$`([^`]+)`\n(.*?)(?=\n\$|\Z)", book, flags=re.DOTALL)}
    portfolio = load(corrected.name)

    for column in (*portfolio.raw_inputs, *portfolio.protected):
        declared = column.level_of if hasattr(column, "level_of") else column.groups
        assert not declared or set(declared) == sections[column.raw]


def test_both_codings_are_of_the_same_credits_but_ten(statlog, corrected):
    pairs = [(("5", "2"), "13", statlog), (("amount", "duration"), "age", corrected)]
    seen = [zip(*(real.column(header) for header in headers), real.written[age].astype(int), real.translated[BAD], strict=True)
            for headers, age, real in pairs]
    common = (Counter(seen[0]) & Counter(seen[1])).total()

    statlog.states("10 of its 1,000 rows differ in amount or age")
    assert common == 990


def test_foreign_workers_are_few_in_the_corrected_coding_and_nearly_all_in_the_other(statlog, corrected):
    """The code book of 1994 has them the wrong way round."""
    statlog.states("foreign worker is reversed")
    assert statlog.protected["foreign_worker"].value_counts()["foreign worker"] == 963
    assert corrected.protected["foreign_worker"].value_counts()["foreign worker"] == 37
