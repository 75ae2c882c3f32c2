"""What the simulated files promise: the same bytes, constant memory, the planted and nothing else, and a truth kept apart."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import OTHER, Applicant, Ignored
from feature_repo.errors import ParamsError
from feature_repo.portfolios import load
from feature_repo.portfolios.consumer_loans_simulator import simulate
from feature_repo.portfolios.consumer_loans_vintage_simulator import plan

PORTFOLIO = load("consumer_loans")
MOST_MEMORY_GROWTH_MB = 48
FIRST_NOT_MATURED = "2023-07"


def digests(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_rows_and_seed_give_the_same_bytes_also_over_older_files(tmp_path):
    simulate(tmp_path / "a", 1_500, 11)
    simulate(tmp_path / "b", 2_000, 12)
    simulate(tmp_path / "b", 1_500, 11)

    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_another_seed_gives_other_rows_in_every_file(tmp_path):
    simulate(tmp_path / "a", 1_500, 11)
    simulate(tmp_path / "b", 1_500, 12)
    first, second = digests(tmp_path / "a"), digests(tmp_path / "b")

    assert [name for name in first if first[name] == second[name]] == ["truth/planted.json"]


def test_memory_does_not_grow_with_rows(tmp_path):
    """Chunks of a thousand, so that the many have six to a vintage and the few two."""
    code = ("import resource, sys; from pathlib import Path; from feature_repo.portfolios.consumer_loans_simulator import simulate; "
            "from feature_repo.portfolios import consumer_loans_vintage_simulator as vintages; vintages.CHUNK = 1_000; "
            "assert {index for _, index in vintages.plan(int(sys.argv[2]))} >= {0, 1}; "
            "simulate(Path(sys.argv[1]), int(sys.argv[2]), 1); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)")
    commands = ([sys.executable, "-c", code, str(tmp_path / rows), rows] for rows in ("50000", "200000"))
    few, many = (int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for command in commands)

    assert (many - few) / 1024 < MOST_MEMORY_GROWTH_MB


@pytest.mark.parametrize(("rows", "seed"), [(999, 1), (10_000_001, 1), (1_000, -1)])
def test_sizes_and_seeds_out_of_range_are_refused_before_anything_is_written(tmp_path, rows, seed):
    with pytest.raises(ParamsError, match="rows is from 1000 to 10000000"):
        simulate(tmp_path / "new", rows, seed)

    assert not (tmp_path / "new").exists()


def test_an_interrupted_run_leaves_older_files_as_they_were(tmp_path, monkeypatch):
    simulate(tmp_path, 1_000, 1)
    before = digests(tmp_path)
    chunks = plan(1_000)
    monkeypatch.setattr("feature_repo.portfolios.consumer_loans_simulator.plan", lambda _: {**chunks, (99, 0): None})

    with pytest.raises(AttributeError):
        simulate(tmp_path, 1_000, 2)

    assert digests(tmp_path) == before


def test_the_smallest_size_has_all_that_was_planted(tmp_path):
    simulate(tmp_path, 1_000, 1)
    truth = pd.read_parquet(tmp_path / "truth" / "truth.parquet")

    assert len(truth) == 1_000
    assert truth["unit_error"].sum() == 1
    assert truth["outlier"].sum() == 1


def test_the_files_are_those_of_the_contract_and_the_truth(simulated):
    assert set(digests(simulated.folder)) == {*(table.file for table in PORTFOLIO.tables), "truth/truth.parquet", "truth/planted.json"}


@pytest.mark.parametrize("table", PORTFOLIO.tables, ids=lambda table: table.name)
def test_every_raw_column_is_declared_and_every_declared_one_is_there(simulated, table):
    outcome = {*PORTFOLIO.outcome.raws} if table is PORTFOLIO.applications else set()

    assert set(simulated.raw[table.name].columns) == {column.raw for column in table.columns} | {table.time.raw} | outcome


def test_the_truth_reaches_no_input_column(simulated, inputs):
    kept = set(simulated.truth.columns) & {column for frame in simulated.raw.values() for column in frame.columns}
    numbers = inputs.select_dtypes("number")
    ranks = numbers.rank().corrwith(simulated.truth["true_pd"].rank()).abs()

    assert kept == {PORTFOLIO.application_key.raw, PORTFOLIO.applications.select(Applicant)[0].raw}
    assert not [table.file for table in PORTFOLIO.tables if "truth" in table.file]
    assert ranks.max() < 0.7, ranks.idxmax()


def test_keys_occur_once_and_one_applicant_in_twenty_applies_again(simulated):
    assert simulated.applications[PORTFOLIO.application_key.raw].is_unique
    assert np.mean(simulated.applicant.value_counts() == 2) == pytest.approx(0.05, abs=0.01)
    for table in PORTFOLIO.views:
        assert not simulated.raw[table.name].duplicated([table.select(Applicant)[0].raw, table.time.raw]).any()


def test_there_are_36_vintages_of_much_the_same_size(simulated):
    sizes = simulated.month.value_counts()

    assert len(sizes) == 36
    assert (simulated.month.min(), simulated.month.max()) == ("2021-01", "2023-12")
    assert sizes.max() / sizes.min() < 1.2
    assert simulated.day.is_monotonic_increasing


@pytest.mark.parametrize("column", PORTFOLIO.raw_inputs, ids=lambda column: column.name)
def test_values_keep_the_contract_and_only_planted_ones_are_unusual(simulated, inputs, column):
    values = inputs[column.name]
    if column.is_level:
        assert set(values) <= set(column.level_names)
        assert (OTHER in set(values)) == column.other
        return
    planted = simulated.truth["unit_error"] | simulated.truth["outlier"]
    known = values[values.notna() & ~planted]

    assert values.dropna().between(column.low, column.high).all()
    assert known.between(*column.usual).all()
    assert set(column.special) <= set(known)
    assert known.nunique() > 5


@pytest.mark.parametrize("column", PORTFOLIO.raw_inputs, ids=lambda column: column.name)
def test_only_nullable_columns_have_missing_values_in_their_table(simulated, column):
    if column in PORTFOLIO.requests:
        values = simulated.said(column)
    else:
        table = next(table for table in PORTFOLIO.views if column in table.stored)
        values = simulated.raw[table.name][column.raw]

    assert (0.03 < values.isna().mean() < 0.3) if column.nullable else values.notna().all()


def test_a_missing_request_value_is_the_declared_text(simulated):
    for column in (column for column in PORTFOLIO.requests if column.nullable):
        assert simulated.applications[column.raw].isin(column.missing).sum() == simulated.said(column).isna().sum()


@pytest.mark.parametrize("table", PORTFOLIO.views, ids=lambda table: table.name)
def test_stored_rows_are_month_ends_few_per_application_mostly_fresh_some_late_some_absent(simulated, table):
    age = simulated.newest(table)["age"]
    fresh_for = table.stored[0].fresh_for.days
    day = simulated.raw[table.name][table.time.raw]

    assert (day.dt.is_month_end & (day == day.dt.normalize())).all()
    assert 3.5 < len(day) / len(age) < 4.5
    assert 0.90 < np.mean(age <= 31) < 0.97
    assert not age.between(32, fresh_for).any()
    assert 0.02 < np.mean(age > fresh_for) < 0.06
    assert 0.02 < age.isna().mean() < 0.06
    assert age.min() >= 1, "no snapshot is of the day of the application"


def test_the_incumbent_rejects_about_a_third_and_their_outcome_is_blank(simulated):
    rejected = simulated.applications["old_decision"] == "R"

    assert 0.30 < rejected.mean() < 0.35
    assert simulated.outcome[rejected].isna().all()


def test_outcomes_are_known_for_every_matured_loan_and_blank_before(simulated):
    declared = PORTFOLIO.outcome
    booked = simulated.applications["old_decision"] == "A"
    matured = simulated.day + declared.matures_after <= declared.observed_until

    assert simulated.month[matured].max() == "2023-06"
    assert (matured == (simulated.month < FIRST_NOT_MATURED)).all()
    assert simulated.outcome[booked & matured].notna().all()
    assert simulated.outcome[~matured].isna().all()


def test_an_early_sign_is_known_of_loans_whose_outcome_is_not_and_most_who_show_it_default(simulated):
    declared, sign = PORTFOLIO.outcome, PORTFOLIO.outcome.early
    early = simulated.applications[sign.raw].map({sign.yes[0]: 1.0, sign.no[0]: 0.0})
    old_enough = simulated.day + sign.matures_after <= declared.observed_until
    booked = simulated.applications["old_decision"] == "A"
    of_those = simulated.outcome.groupby(early).mean()

    assert (early.notna() == (booked & old_enough)).all()
    assert (early.notna() & simulated.outcome.isna()).sum() > 5_000
    assert of_those[1.0] > 8 * of_those[0.0]


def test_what_is_ignored_is_blank_where_it_cannot_be_known(simulated):
    later = [column.raw for column in PORTFOLIO.applications.select(Ignored) if column.because.startswith(("known only after", "priced"))]
    rejected = simulated.applications["old_decision"] == "R"

    assert len(later) == 3
    assert (simulated.applications.loc[rejected, later] == "").all(axis=None)


def test_booked_loans_default_as_a_lender_would_expect_and_as_the_truth_says(simulated):
    known = simulated.outcome.notna()
    expected, found = simulated.truth["true_pd"][known], simulated.outcome[known]

    assert 0.06 < found.mean() < 0.09
    assert found.mean() == pytest.approx(expected.mean(), abs=4 * np.sqrt((expected * (1 - expected)).sum()) / known.sum())


def test_a_good_model_can_separate_within_reason(simulated):
    known = simulated.outcome.notna() & (simulated.day >= pd.Timestamp(PORTFOLIO.applications.time.out_of_time_from, tz="UTC"))

    assert 0.80 < auc(simulated.outcome[known], simulated.truth["true_pd"][known]) < 0.84


def test_the_cycle_moves_out_of_time_default_rates_mildly(simulated):
    known = simulated.outcome.notna()
    quarter = simulated.day[known].dt.strftime("%Y-%m").map(lambda month: f"{month[:4]}Q{(int(month[5:]) + 2) // 3}")
    rates = simulated.truth["true_pd"][known].groupby(quarter).mean()
    ratio = rates[rates.index >= "2022Q3"] / rates[rates.index < "2022Q3"].mean()

    assert ratio.max() > 1.1
    assert ratio.between(0.7, 1.3).all()


def auc(bad, score):
    """The share of pairs of a bad and a good that are in order (Mann-Whitney)."""
    ranks = score.rank()
    n = int(bad.sum())
    return (ranks[bad == 1].sum() - n * (n + 1) / 2) / (n * (len(bad) - n))
