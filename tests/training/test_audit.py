"""Parts that may not judge a model are found: overlap, times out of order, outcomes and stored values that could not be known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.verdict import Broken
from training import audit
from training.params import SplitParams
from training.proxies import ProxiesParams, Tell, Told
from training.splits import cut

PARAMS = audit.AuditParams(twins=0.005, looked_up=500, proxies=ProxiesParams(
    copy_auc=0.95, strong_auc=0.75, sample=500, least=30, folds=3, seed=7))
SPLIT = SplitParams(develop_until=None, seed=7, calibration_share=0.2, calibration_rows=50, calibration_bad=5, test_share=0.3)


@pytest.fixture
def scope(mill, borrow):
    """2,000 assembled applications with their parts."""
    frame = borrow(mill, 2_000).drop_duplicates([APPLICANT_ID, EVENT_TIME], ignore_index=True)
    if mill.outcome.observed_until is not None:
        frame.loc[frame[EVENT_TIME] + mill.outcome.matures_after > mill.outcome.observed_until, BAD] = np.nan
    return frame.assign(part=cut(mill, frame, SPLIT)["part"].to_numpy())


@pytest.fixture
def views(mill, scope, tmp_path):
    """What featurize leaves: the stored values that each applicant has in the frame, from before their first application."""
    for table in mill.views:
        stored = [column.name for column in table.stored]
        rows = scope[[APPLICANT_ID, EVENT_TIME, *stored]].assign(**{EVENT_TIME: lambda row: row[EVENT_TIME] - pd.Timedelta(hours=1)})
        rows.assign(**{EVENT_TIME: rows[EVENT_TIME].dt.as_unit("us")}).to_parquet(tmp_path / f"{table.name}.parquet")
    return tmp_path


def found(mill, scope, views, *, alone=(), told=()):
    return audit.of(mill, scope, views, audit.Evidence(alone, told), PARAMS)


def stops(seen):
    return [each.words for each in seen.findings if each.severity == "stop"]


def test_parts_as_split_makes_them_hold(mill, scope, views):
    seen = found(mill, scope, views)

    assert (seen.success, seen.findings) == (True, ())
    assert (seen.overlap.applications, seen.overlap.applicants, seen.overlap.twins) == (0, 0, 0)
    assert (seen.times.out_of_order, seen.times.immature, seen.times.unknown) == (0, 0, 0)
    assert seen.times.looked_up == PARAMS.looked_up
    assert set(seen.times.unknown_then) == {table.name for table in mill.views if table is not mill.applications}


@pytest.mark.parametrize(("key", "word"), [(APPLICANT_ID, "applicants"), (APPLICATION_ID, "applications")])
def test_whoever_is_in_two_parts_stops_the_run(mill, scope, views, key, word):
    at = scope.index[scope["part"] == "test"][:3]
    scope.loc[at, key] = scope.loc[scope["part"] == "development", key].to_numpy()[:3]

    assert f"3 {word} are in two parts, allowed none" in stops(found(mill, scope, views))[0]


def test_test_rows_copied_from_development_are_counted(mill, scope, views):
    inputs = [column.name for column in mill.raw_inputs]
    at = scope.index[scope["part"] == "test"][:20]
    scope.loc[at, inputs] = scope.loc[scope["part"] == "development", inputs].to_numpy()[:20]
    seen = audit.overlapping(mill, scope)

    assert (seen.twins, seen.by_chance) == (20, 0)
    assert "20 of" in next(audit._of_overlap(seen, PARAMS)).words


def test_rows_that_repeat_by_nature_are_no_finding(mill, scope, views):
    inputs = [column.name for column in mill.raw_inputs]
    few = scope[inputs].iloc[np.random.default_rng(1).integers(0, 30, len(scope))].to_numpy()
    scope[inputs] = pd.DataFrame(few, columns=inputs).infer_objects().to_numpy()
    seen = audit.overlapping(mill, scope)

    assert seen.twins > 100
    assert list(audit._of_overlap(seen, PARAMS)) == []


def test_a_test_row_from_before_the_end_of_development_stops_the_run(mill, scope, views):
    at = scope.index[scope["part"] == "test"][:4]
    scope.loc[at, EVENT_TIME] = scope.loc[scope["part"] == "development", EVENT_TIME].min()

    assert any(words.startswith("4 rows are not later than the part before them") for words in stops(found(mill, scope, views)))


def test_a_judged_row_without_an_outcome_stops_the_run(mill, scope, views):
    scope.loc[scope.index[scope["part"] == "calibration"][:2], BAD] = np.nan

    assert stops(found(mill, scope, views))[0].startswith("2 rows of a part have no known outcome")


def test_an_outcome_that_had_not_matured_stops_the_run(mill, scope, views):
    from dataclasses import replace

    last = scope.loc[scope["part"].notna(), EVENT_TIME].max()
    seen = replace(mill.outcome, observed_until=(last + mill.outcome.matures_after - pd.Timedelta(seconds=1)).to_pydatetime())

    assert "had not matured" in stops(found(replace(mill, outcome=seen), scope, views))[0]


@pytest.mark.parametrize("kind", ["number", "level"])
def test_a_stored_value_from_after_the_application_stops_the_run(mill, scope, views, kind):
    table = next(table for table in mill.views if any(column.is_level == (kind == "level") for column in table.stored))
    column = next(column for column in table.stored if column.is_level == (kind == "level"))
    path = views / f"{table.name}.parquet"
    rows = pd.read_parquet(path)
    late = rows.assign(**{EVENT_TIME: rows[EVENT_TIME] + pd.Timedelta(hours=2)})  # what the frame has, said after the application
    rows[column.name] = column.level_names[0] if kind == "level" else 0.125
    rows = pd.concat([rows, late]).assign(**{EVENT_TIME: lambda row: row[EVENT_TIME].dt.as_unit("us")})
    rows.to_parquet(path)

    assert f"have a stored value of {table.name} that is not the one known when they were made" in stops(found(mill, scope, views))[0]


def test_values_too_old_to_count_are_no_violation(mill, scope, views):
    table = next(table for table in mill.views if table is not mill.applications)
    scope[[column.name for column in table.stored]] = None

    assert found(mill, scope, views).times.unknown_then[table.name] == 0


def test_a_copy_of_a_protected_attribute_stops_and_a_strong_proxy_warns(mill, scope, views):
    name, other = (column.name for column in mill.raw_inputs[:2])
    told = (Told("guild", 500, ("country", "town"), 0, "", Tell("", "country", 0.99),
                 (Tell(name, "country", 0.97, 0.3), Tell(other, "country", 0.8, 0.01)), (name,), (name, other)),)
    seen = found(mill, scope, views, told=told)

    assert [(each.severity, each.column) for each in seen.findings] == [("stop", name), ("warn", other)]
    assert not seen.success
    assert "allowed below 0.95" in seen.findings[0].words


def test_a_copy_that_a_rule_permits_warns_with_the_rule(mill, scope, views):
    age, other = mill.requests[:2]
    table = replace(mill.applications, columns=tuple(replace(column, permitted="12 CFR 1002.6(b)(2)") if column is age else column
                                                     for column in mill.applications.columns))
    lawful = replace(mill, tables=tuple(table if each is mill.applications else each for each in mill.tables))
    both = (age.name, other.name)
    told = (Told("guild", 500, ("country", "town"), 0, "", Tell("", "country", 0.99),
                 (Tell(age.name, "country", 0.97, 0.3), Tell(other.name, "country", 0.96, 0.3)), both, both),)
    seen = found(lawful, scope, views, told=told)

    assert [(each.severity, each.column) for each in seen.findings] == [("warn", age.name), ("stop", other.name)]
    assert "permitted: 12 CFR 1002.6(b)(2)" in seen.findings[0].words


def test_what_is_derived_from_a_permitted_input_is_permitted_by_the_same_rule(mill, scope, views):
    ratio = mill.derived_columns[0]
    told = (Told("guild", 500, ("country", "town"), 0, "", Tell("", "country", 0.99), (Tell(ratio.name, "country", 0.97, 0.3),),
                 (ratio.name,), (ratio.name,)),)
    table = replace(mill.applications, columns=tuple(replace(column, permitted="the rule") if getattr(column, "name", "") in ratio.arguments
                                                     else column for column in mill.applications.columns))
    lawful = replace(mill, tables=tuple(table if each is mill.applications else each for each in mill.tables))
    for function in mill.derived_columns:
        lawful.derived(risk=function.risk, reason=function.reason, unit=function.unit)(function.function)

    assert [each.severity for each in found(mill, scope, views, told=told).findings] == ["stop"]
    assert [each.severity for each in found(lawful, scope, views, told=told).findings] == ["warn"]


def test_what_only_all_inputs_together_tell_warns(mill, scope, views):
    told = (Told("guild", 500, ("country", "town"), 0, "", Tell("", "country", 0.8), (Tell("x", "country", 0.6),)),)

    assert [each.words for each in found(mill, scope, views, told=told).findings] == [
        "no input alone tells guild, all together do: AUC 0.800 for country"]


def test_what_validate_found_of_single_inputs_is_carried(mill, scope, views):
    alone, other = Broken("leakage", "x", "doubtful", 1, 1), Broken("applications", "y", "usual", 1, 1)

    assert found(mill, scope, views, alone=audit.of_alone((), (alone, other))).alone == (alone,)


def test_an_undated_portfolio_has_no_times_to_hold(mill, scope, views):
    from feature_repo.portfolios import load

    undated = load("german_credit")
    seen = audit.timed(undated, scope, views, PARAMS)

    assert (seen.out_of_order, seen.immature, seen.unknown_then) == (None, None, {})
