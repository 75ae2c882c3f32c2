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
from feature_repo.portfolios.consumer_loans_simulator import planted, simulate
from feature_repo.portfolios.consumer_loans_vintage_simulator import plan

PORTFOLIO = load("consumer_loans")
MOST_MEMORY_GROWTH_MB = 48
CURRENT = "2023-07"


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
    code = ("import resource, sys; from pathlib import Path; from feature_repo.portfolios.consumer_loans_simulator import simulate; "
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
    outcome = {PORTFOLIO.outcome.raw} if table is PORTFOLIO.applications else set()

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
    assert (matured == (simulated.month < CURRENT)).all()
    assert simulated.outcome[booked & matured].notna().all()
    assert simulated.outcome[~matured].isna().all()


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


def test_every_planted_column_drifts_in_every_planted_month(simulated, inputs):
    live = simulated.month >= simulated.planted["drift"]["from"]

    for name in simulated.planted["drift"]["columns"]:
        found = monthly_psi(simulated, inputs[name])
        assert found[found.index >= simulated.planted["drift"]["from"]].min() >= 0.25, name
        assert found[found.index < simulated.planted["drift"]["from"]].max() < 0.10, name
    assert live.sum() > 9_000


@pytest.mark.parametrize("reference", ["all", "booked"])
def test_no_other_raw_column_drifts_in_any_month(simulated, inputs, reference):
    """Against all development applications and, harder, against the booked ones alone: the incumbent's choice must not look like drift."""
    booked = simulated.applications["old_decision"] == "A"
    rows = booked if reference == "booked" else None
    others = [column.name for column in PORTFOLIO.raw_inputs if column.name not in simulated.planted["drift"]["columns"]]
    worst = {name: monthly_psi(simulated, inputs[name], rows).max() for name in others}

    assert max(worst.values()) < 0.10, worst


def test_no_derived_column_drifts_but_those_of_planted_columns(simulated, inputs):
    planted = set(simulated.planted["drift"]["columns"])
    others = [column.name for column in PORTFOLIO.derived_columns if not planted & set(column.arguments)]

    assert others
    assert all(monthly_psi(simulated, inputs[name]).max() < 0.10 for name in others)


def test_planted_are_one_request_number_one_stored_number_and_one_level_from_july_2023_on():
    named = {column.name: column for column in PORTFOLIO.raw_inputs}
    kinds = [(type(named[name]).__name__, named[name].is_level) for name in planted()["drift"]["columns"]]

    assert planted()["drift"]["from"] == CURRENT
    assert sorted(kinds) == [("Request", False), ("Request", True), ("Stored", False)]


def test_the_unit_error_hits_one_vintage_above_the_usual_and_inside_the_bounds(simulated, inputs):
    fault = simulated.planted["unit_error"]
    column = next(column for column in PORTFOLIO.requests if column.name == fault["column"])
    hit, live = simulated.truth["unit_error"], simulated.month == fault["month"]

    assert live[hit].all()
    assert hit.sum() == pytest.approx(0.02 * live.sum(), abs=1)
    assert (inputs.loc[hit, column.name] > column.usual[1]).all()
    assert (inputs.loc[hit, column.name] <= column.high).all()
    assert monthly_psi(simulated, inputs[column.name])[fault["month"]] < 0.05


def test_one_outlier_lies_a_thousand_times_too_high_in_a_drifting_column_and_hides_no_drift(simulated, inputs):
    fault = simulated.planted["outlier"]
    column = next(column for column in PORTFOLIO.raw_inputs if column.name == fault["column"])
    hit = simulated.truth["outlier"]

    assert hit.sum() == 1
    assert simulated.month[hit].tolist() == [fault["month"]]
    assert fault["column"] in simulated.planted["drift"]["columns"]
    assert column.usual[1] < inputs.loc[hit, column.name].item() <= column.high
    assert inputs.loc[~hit, column.name].max() < inputs.loc[hit, column.name].item()


def test_the_proxy_keeps_its_group_below_four_fifths_and_sex_above(simulated):
    """Under a cut-off on the true PD that approves 60% of the development applications; 95% intervals of the ratio."""
    development = simulated.day <= pd.Timestamp(PORTFOLIO.applications.time.develop_until, tz="UTC")
    approved = simulated.truth["true_pd"] < simulated.truth["true_pd"][development].quantile(0.60)
    proxy = simulated.planted["proxy"]

    assert impact_ratio(simulated, approved[~development], proxy["attribute"], proxy["group"])[1] < 0.80
    assert impact_ratio(simulated, approved[~development], "sex", "female")[0] >= 0.80
    for column in PORTFOLIO.protected:
        for group in set(column.group_names) - {column.reference, proxy["group"]}:
            assert impact_ratio(simulated, approved[~development], column.name, group)[0] >= 0.80, group


def test_the_proxy_is_predictive_and_within_its_levels_groups_are_alike(simulated, inputs):
    proxy = simulated.planted["proxy"]
    log_odds = np.log(simulated.truth["true_pd"] / (1 - simulated.truth["true_pd"]))
    member = protected(simulated, proxy["attribute"]) == proxy["group"]
    there = inputs[proxy["column"]] == proxy["level"]

    assert log_odds[there].mean() - log_odds[~there].mean() > 0.5
    for rows in (there, ~there):
        inside, outside = log_odds[rows & member], log_odds[rows & ~member]
        error = np.sqrt(inside.var() / len(inside) + outside.var() / len(outside))
        assert abs(inside.mean() - outside.mean()) < 4 * error


def protected(simulated, name):
    column = next(column for column in PORTFOLIO.protected if column.name == name)
    raw = simulated.applications[column.raw]
    if not column.edges:
        return raw.map(column.groups)
    bounds, groups = zip(*column.edges, strict=True)
    return pd.Series(np.array(groups)[np.searchsorted(bounds, raw.astype(float), side="right")])


def impact_ratio(simulated, approved, name, group):
    """The 95% interval of a group's approval rate over the reference group's (log method, Katz 1978)."""
    column = next(column for column in PORTFOLIO.protected if column.name == name)
    groups = protected(simulated, name)[approved.index]
    own, reference = approved[groups == group], approved[groups == column.reference]
    error = np.sqrt((1 - own.mean()) / own.sum() + (1 - reference.mean()) / reference.sum())
    return own.mean() / reference.mean() * np.exp(np.array([-1.96, 1.96]) * error)


def monthly_psi(simulated, values, rows=None):
    """PSI of each vintage against the development rows on their deciles, with a bin for missing; levels are their own bins."""
    development = (simulated.day <= pd.Timestamp(PORTFOLIO.applications.time.develop_until, tz="UTC"))
    development = development if rows is None else development & rows
    cuts = None if values.dtype == object else np.unique(values[development].quantile(np.arange(0.1, 1, 0.1)))
    bins = values if cuts is None else pd.Series(np.searchsorted(cuts, values, side="right")).where(values.notna(), -1)
    expected = bins[development].value_counts(normalize=True)
    return bins.groupby(simulated.month.to_numpy()).apply(lambda month: psi(month, expected))


def psi(month, expected):
    found = month.value_counts(normalize=True).reindex(expected.index, fill_value=0.0).clip(lower=0.5 / len(month))
    return float(((found - expected) * np.log(found / expected)).sum())


def auc(bad, score):
    """The share of pairs of a bad and a good that are in order (Mann-Whitney)."""
    ranks = score.rank()
    n = int(bad.sum())
    return (ranks[bad == 1].sum() - n * (n + 1) / 2) / (n * (len(bad) - n))
