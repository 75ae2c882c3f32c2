"""What was planted in the simulated files is there, and nothing else is: drift, unit error, outlier, proxy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from feature_repo.portfolios import load
from feature_repo.portfolios.consumer_loans_simulator import planted

PORTFOLIO = load("consumer_loans")
DRIFT_FROM = "2023-07"


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

    assert planted()["drift"]["from"] == DRIFT_FROM
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
