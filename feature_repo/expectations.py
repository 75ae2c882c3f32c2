"""The contract as Great Expectations suites, what they found, and its Data Docs. The only importer of great_expectations.

Refuses to let a raw value out: results keep counts, shares and names, never a value, an example or the text of an exception.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME, Application, Input, Severity, Table
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime
from feature_repo.verdict import Broken, Verdict

os.environ["GX_ANALYTICS_ENABLED"] = "False"  # read when the library is imported

import great_expectations as gx
from great_expectations import expectations as gxe
from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults, ProgressBarsConfig
from great_expectations.expectations.row_conditions import Column
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

SEVERITIES = {Severity.STOP: "critical", Severity.WARN: "warning"}
BIGGEST = sys.float_info.max
COUNTS = ("element_count", "unexpected_count", "unexpected_percent", "missing_count", "missing_percent",
          "unexpected_percent_total", "unexpected_percent_nonmissing")
MEASURED = {"row_count", "type", "columns", "leakage", "doubtful", "coverage", "recent", "too_few_outcomes"}
ORDERED = (gxe.ExpectColumnValuesToBeBetween, gxe.ExpectColumnMedianToBeBetween, gxe.ExpectColumnMaxToBeBetween,
           gxe.ExpectColumnDistinctValuesToContainSet)
SUMMARIES = (gxe.ExpectColumnMedianToBeBetween, gxe.ExpectColumnMaxToBeBetween)


@dataclass(frozen=True)
class Subject:
    """A frame and what is expected of it. counts: for a frame of measures, (rows that a broken promise speaks of, rows measured)."""

    name: str
    frame: pd.DataFrame
    suite: gx.ExpectationSuite
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def of_table(portfolio: Portfolio, table: Table) -> gx.ExpectationSuite:
    """What the contract promises of a table, in the order a reader wants it: its shape, its keys, its columns, its outcome."""
    fewest, most = table.rows
    rows = _expect(gxe.ExpectTableRowCountToBeBetween, "row_count", min_value=fewest, max_value=most)
    expected = [_columns(portfolio, table), rows, *_keys(portfolio, table), *_time(portfolio, table)]
    for column in table.select(Input):
        expected += _level(column) if column.is_level else _number(column)
    if table is portfolio.applications:
        expected += [_of_type(BAD, "float", "float64"),
                     _expect(gxe.ExpectColumnDistinctValuesToContainSet, "one_class", column=BAD, value_set=[0.0, 1.0])]
    return gx.ExpectationSuite(name=table.name, expectations=expected)


def of_vault(portfolio: Portfolio) -> gx.ExpectationSuite:
    """Every protected attribute is there, and every value in a declared group."""
    names = [APPLICATION_ID, *(column.name for column in portfolio.protected)]
    groups = [_expect(gxe.ExpectColumnValuesToBeInSet, "group", column=column.name, value_set=list(column.group_names))
              for column in portfolio.protected if column.group_names]
    return gx.ExpectationSuite(name="vault", expectations=[_expect(gxe.ExpectTableColumnsToMatchSet, "columns", column_set=names), *groups])


def of_leakage(inputs: Iterable[str], *, doubtful: float, leaking: float) -> gx.ExpectationSuite:
    """No single input alone ranks the outcome better than `leaking` (AUC; stop), and preferably not better than `doubtful` (warn)."""
    limits = (("leakage", leaking, Severity.STOP), ("doubtful", doubtful, Severity.WARN))
    enough = _expect(gxe.ExpectTableRowCountToBeBetween, "too_few_outcomes", Severity.WARN, min_value=1)
    return gx.ExpectationSuite(name="leakage", expectations=[enough, *(
        _expect(gxe.ExpectColumnMaxToBeBetween, rule, severity, column=name, max_value=limit)
        for name in inputs for rule, limit, severity in limits)])


def of_coverage(tables: Iterable[str], *, least: float) -> gx.ExpectationSuite:
    """Each stored table reaches the worst tenth of applications at least `least` times as often as the best tenth."""
    return gx.ExpectationSuite(name="coverage", expectations=[
        _expect(gxe.ExpectColumnMinToBeBetween, "coverage", column=name, min_value=least) for name in tables])


def of_recency(*, least: float) -> gx.ExpectationSuite:
    """The last days whose outcomes count have at least `least` of the applications that as many days have on average."""
    return gx.ExpectationSuite(name="recency", expectations=[
        _expect(gxe.ExpectColumnMinToBeBetween, "recent", column=EVENT_TIME, min_value=least)])


def _expect(kind: Any, rule: str, severity: Severity = Severity.STOP, **expected: Any) -> Any:
    return kind(**expected, severity=SEVERITIES[severity], meta={"rule": rule})


def _of_type(column: str, *types: str) -> Any:
    return _expect(gxe.ExpectColumnValuesToBeInTypeList, "type", column=column, type_list=list(types))


def _columns(portfolio: Portfolio, table: Table) -> Any:
    first = table is portfolio.applications
    keys = [APPLICATION_ID] if first or table.select(Application) else []
    names = [*keys, APPLICANT_ID, EVENT_TIME, *(column.name for column in table.select(Input)), *([BAD] if first else [])]
    return _expect(gxe.ExpectTableColumnsToMatchSet, "columns", column_set=names)


def _keys(portfolio: Portfolio, table: Table) -> list[Any]:
    present = [_expect(gxe.ExpectColumnValuesToNotBeNull, "not_null", column=name) for name in (APPLICANT_ID, EVENT_TIME)]
    if table is portfolio.applications:
        return [_expect(gxe.ExpectColumnValuesToNotBeNull, "not_null", column=APPLICATION_ID),
                _expect(gxe.ExpectColumnValuesToBeUnique, "unique", column=APPLICATION_ID), *present]
    return [*present, _expect(gxe.ExpectCompoundColumnsToBeUnique, "unique", column_list=[APPLICANT_ID, EVENT_TIME])]


def _time(portfolio: Portfolio, table: Table) -> list[Any]:
    """Nothing happened after the data was observed, or after now where the contract does not say when that was."""
    of_type = _of_type(EVENT_TIME, "Timestamp", "datetime64[us]")
    if not isinstance(table.time, EventTime):
        return [of_type]
    until = portfolio.outcome.observed_until
    latest = until.astimezone(UTC).replace(tzinfo=None) if until else {"$PARAMETER": "now"}
    # The maximum, not each value: over times, GX compares values one by one in Python (2 s for 200,000 rows).
    return [of_type, _expect(gxe.ExpectColumnMaxToBeBetween, "future", column=EVENT_TIME, max_value=latest)]


def _number(column: Input) -> list[Any]:
    low, high = (-BIGGEST if column.low is None else column.low), (BIGGEST if column.high is None else column.high)
    checks = [_of_type(column.name, "float", "float64"), _filled(column),
              _expect(gxe.ExpectColumnValuesToBeBetween, "range", column.severity, column=column.name, min_value=low, max_value=high)]
    if column.usual:
        low, high = column.usual
        codes = {"row_condition": Column(column.name).is_not_in(list(column.special))} if column.special else {}
        usual = {"column": column.name, "min_value": low, "max_value": high, **codes}
        checks += [_expect(gxe.ExpectColumnMedianToBeBetween, "usual_median", column.severity, **usual),
                   _expect(gxe.ExpectColumnValuesToBeBetween, "usual", Severity.WARN, **usual)]
    return checks


def _level(column: Input) -> list[Any]:
    seen = _expect(gxe.ExpectColumnValuesToBeInSet, "level", column.severity, column=column.name, value_set=list(column.level_names))
    return [_filled(column), seen]


def _filled(column: Input) -> Any:
    if column.nullable:
        return _expect(gxe.ExpectColumnProportionOfNonNullValuesToBeBetween, "all_missing", column.severity, column=column.name,
                       min_value=0, strict_min=True)
    return _expect(gxe.ExpectColumnValuesToNotBeNull, "not_null", column.severity, column=column.name)


def examine(subjects: Iterable[Subject], now: datetime) -> tuple[Verdict, str]:
    """Evaluate every suite. Returns the verdict and its Data Docs, one HTML page that needs no other file."""
    context = gx.get_context(mode="ephemeral", project_config=DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False), progress_bars=ProgressBarsConfig(globally=False)))
    source = context.data_sources.add_pandas("ingest")
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # its messages may quote values
    broken: list[tuple[bool, Broken]] = []
    pages, expected, rows, checks = [], [], dict[str, int](), 0
    for subject in subjects:
        result = _evaluate(source, subject, now)
        broken += _broken(subject, result)
        pages.append(result)
        expected.append(_expected(subject.suite))
        rows |= {} if subject.counts else {subject.name: len(subject.frame)}
        checks += len(result.results)
    failures = tuple(item for stops, item in broken if stops)
    warnings = tuple(item for stops, item in broken if not stops)
    suite = hashlib.sha256(msgspec.json.encode(expected, order="deterministic")).hexdigest()
    return Verdict(not failures, checks, failures, warnings, suite, rows), render(pages)


def _expected(suite: gx.ExpectationSuite) -> dict[str, Any]:
    described = suite.to_json_dict()
    return {key: described[key] for key in ("name", "expectations")}


def _evaluate(source: Any, subject: Subject, now: datetime) -> Any:
    """Results of the expectations that can be evaluated: a column that is missing or of the wrong type is said once, by that rule."""
    asset = source.add_dataframe_asset(subject.name)
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": subject.frame})
    runnable = [expectation for expectation in subject.suite.expectations if _can_run(expectation, subject.frame)]
    suite = gx.ExpectationSuite(name=subject.name, expectations=runnable)
    result = batch.validate(suite, result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
                            expectation_parameters={"now": now.astimezone(UTC).replace(tzinfo=None)})
    for each in result.results:
        _strip(each)
    result.success = all(each.success or each.expectation_config.severity == SEVERITIES[Severity.WARN] for each in result.results)
    result.meta = {}
    return result


def _can_run(expectation: Any, frame: pd.DataFrame) -> bool:
    if isinstance(expectation, gxe.ExpectTableColumnsToMatchSet | gxe.ExpectTableRowCountToBeBetween):
        return True
    names = getattr(expectation, "column_list", None) or [expectation.column]
    if not set(names) <= set(frame.columns):
        return False
    if isinstance(expectation, SUMMARIES) and not frame[expectation.column].notna().any():
        return False
    return not (isinstance(expectation, ORDERED) and frame[names[0]].dtype == object)


def _strip(result: Any) -> None:
    """Keep counts and what was measured by us; drop values, examples and exception texts."""
    measured = ("observed_value", "details") if result.expectation_config.meta["rule"] in MEASURED else ()
    kept = {key: result.result[key] for key in (*COUNTS, *measured) if key in result.result}
    result.result = {key: value.item() if isinstance(value, np.generic) else value for key, value in kept.items()}
    result.exception_info = {"raised_exception": False, "exception_traceback": None, "exception_message": None}


def _broken(subject: Subject, result: Any) -> Iterable[tuple[bool, Broken]]:
    """(whether it stops the run, what is broken), in the order of the suite."""
    order = {_place(expectation.configuration): at for at, expectation in enumerate(subject.suite.expectations)}
    failed = [each for each in result.results if not each.success]
    for each in sorted(failed, key=lambda each: order[_place(each.expectation_config)]):
        rule, column = _place(each.expectation_config)
        stops, total = each.expectation_config.severity != SEVERITIES[Severity.WARN], len(subject.frame)
        if rule == "columns":
            mismatched = each.result["details"]["mismatched"]
            yield from ((stops, Broken(subject.name, name, f"{kind}_column", total, total))
                        for kind, key in (("missing", "missing"), ("undeclared", "unexpected")) for name in mismatched.get(key, ()))
            continue
        unexpected = _later(subject.frame, each) if rule == "future" else each.result.get("unexpected_count", total)
        count, of = subject.counts.get(column, (unexpected, total))
        yield stops, Broken(subject.name, column, rule, int(count), int(of))


def _later(frame: pd.DataFrame, result: Any) -> int:
    """How many rows are later than a maximum allows."""
    expected = result.expectation_config.kwargs
    return int((frame[expected["column"]] > pd.Timestamp(expected["max_value"])).sum())


def _place(config: Any) -> tuple[str, str]:
    """(rule, column): no suite holds a pair twice."""
    return config.meta["rule"], config.kwargs.get("column") or "+".join(config.kwargs.get("column_list", ()))


def render(results: list[Any]) -> str:
    """Data Docs of all suites on one page, by GX's own renderers, with nothing fetched from elsewhere."""
    view = DefaultJinjaPageView()
    view.env.filters["generate_html_element_uuid"] = lambda prefix: prefix
    documents = [ValidationResultsPageRenderer().render(result).to_json_dict() for result in results]
    return re.sub(r' href="\.\./[^"]*"', "", view.env.from_string(PAGE).render(documents=documents))  # pages of a site that is not made


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="UTF-8"><title>Data validation</title>
<style>
body {font: 15px/1.45 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #222}
table {border-collapse: collapse; width: 100%} td, th {border-bottom: 1px solid #ddd; padding: .35em .5em; text-align: left}
.alert h5 {border-bottom: 2px solid #444; margin: 1.6em 0 .4em; font-size: 1.05em} .collapse, a[data-toggle] {display: none}
.fa-check-circle::before, .fa-check::before {content: "\\2713"; color: #1a7f37} .fa-times::before {content: "\\2717"; color: #b3261e}
.fa-exclamation-triangle::before {content: "!"; color: #9a6700} .popover, .fa-question-circle {display: none}
</style></head><body>
{% for document in documents %}<h2>{{ document.expectation_suite_name }}</h2>
{% for section in document.sections %}{% set section_loop = loop %}{% include 'section.j2' %}{% endfor %}{% endfor %}
</body></html>
"""
