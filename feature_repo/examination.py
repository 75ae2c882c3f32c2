"""Data held against suites: what was found, and its Data Docs.

Refuses to let a raw value out: results keep counts, shares and names, never a value, an example or the text of an exception.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import great_expectations as gx
import msgspec
import numpy as np
import pandas as pd
from great_expectations import expectations as gxe
from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults, ProgressBarsConfig
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

from feature_repo import symptoms, wording
from feature_repo.contract import Severity
from feature_repo.expectations import SEVERITIES
from feature_repo.verdict import Broken, Verdict

COUNTS = ("element_count", "unexpected_count", "unexpected_percent", "missing_count", "missing_percent",
          "unexpected_percent_total", "unexpected_percent_nonmissing")
MEASURED = {"row_count", "type", "columns", "copy", "leakage", "doubtful", "one_sided", "coverage", "recent", "too_few_outcomes", "repeats",
            "break", "levels"}
ORDERED = (gxe.ExpectColumnValuesToBeBetween, gxe.ExpectColumnMedianToBeBetween, gxe.ExpectColumnMaxToBeBetween,
           gxe.ExpectColumnDistinctValuesToContainSet)
SUMMARIES = (gxe.ExpectColumnMedianToBeBetween, gxe.ExpectColumnMaxToBeBetween, gxe.ExpectColumnUniqueValueCountToBeBetween)
FEWEST_TO_VARY = 2


@dataclass(frozen=True)
class Subject:
    """A frame and what is expected of it.

    counts: for a frame of measures, (rows that a broken promise speaks of, rows measured); seen: what was measured, in words. Of a
    measured column only the first broken promise is said: each next one follows from it.
    """

    name: str
    frame: pd.DataFrame
    suite: gx.ExpectationSuite
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)


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
    return Verdict(not failures, checks, failures, warnings, suite, rows), render(pages, failures, warnings)


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
    if frame.empty or not set(names) <= set(frame.columns):
        return False
    if isinstance(expectation, SUMMARIES) and not frame[expectation.column].notna().any():
        return False
    if isinstance(expectation, gxe.ExpectColumnUniqueValueCountToBeBetween) and len(frame) < FEWEST_TO_VARY:
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
    said: set[str] = set()
    for each in sorted(failed, key=lambda each: order[_place(each.expectation_config)]):
        rule, column = _place(each.expectation_config)
        stops = each.expectation_config.severity != SEVERITIES[Severity.WARN]
        if not (subject.counts and column in said):
            found = _mismatched(subject, each) if rule == "columns" else [_one(subject, each, rule, column)]
            yield from ((stops, broken) for broken in found)
        said.add(column)


def _mismatched(subject: Subject, result: Any) -> list[Broken]:
    """A finding for each column that is missing, and for each that is not declared."""
    raw, total = result.expectation_config.meta["raw"], len(subject.frame)
    mismatched = result.result["details"]["mismatched"]
    missing, undeclared = mismatched.get("missing", []), mismatched.get("unexpected", [])
    nearest = {name: symptoms.nearest(raw[name], undeclared) for name in missing}
    return [*(Broken(subject.name, name, "missing_column", total, total, seen=nearest[name]) for name in missing),
            *(Broken(subject.name, name, "undeclared_column", total, total) for name in undeclared)]


def _one(subject: Subject, result: Any, rule: str, column: str) -> Broken:
    total, expected = len(subject.frame), result.expectation_config
    counted = symptoms.later(subject.frame[column], expected.kwargs["max_value"]) if rule == "future" else None
    unexpected = result.result.get("unexpected_count", total) if counted is None else counted
    count, of = subject.counts.get(column, (unexpected, total))
    seen = subject.seen[column] if column in subject.seen else symptoms.describe(rule, subject.frame, column, expected.kwargs)
    return Broken(subject.name, column, rule, int(count), int(of), expected.meta["allowed"], seen)


def _place(config: Any) -> tuple[str, str]:
    """(rule, column): no suite holds a pair twice."""
    return config.meta["rule"], config.kwargs.get("column") or "+".join(config.kwargs.get("column_list", ()))


def render(results: list[Any], failures: tuple[Broken, ...] = (), warnings: tuple[Broken, ...] = ()) -> str:
    """What was found in words, then Data Docs of all suites, by GX's own renderers: one page, with nothing fetched from elsewhere."""
    view = DefaultJinjaPageView()
    view.env.filters["generate_html_element_uuid"] = lambda prefix: prefix
    documents = [ValidationResultsPageRenderer().render(result).to_json_dict() for result in results]
    told = {"Stops the run": failures, "Warnings": warnings}
    found = {word: [text for text, _ in wording.sentences(broken)] for word, broken in told.items() if broken}
    page = view.env.from_string(PAGE).render(documents=documents, found=found)
    return re.sub(r' href="\.\./[^"]*"', "", page)  # pages of a site that is not made


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="UTF-8"><title>Data validation</title>
<style>
body {font: 15px/1.45 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #222}
table {border-collapse: collapse; width: 100%} td, th {border-bottom: 1px solid #ddd; padding: .35em .5em; text-align: left}
.alert h5 {border-bottom: 2px solid #444; margin: 1.6em 0 .4em; font-size: 1.05em} .collapse, a[data-toggle] {display: none}
.fa-check-circle::before, .fa-check::before {content: "\\2713"; color: #1a7f37} .fa-times::before {content: "\\2717"; color: #b3261e}
.fa-exclamation-triangle::before {content: "!"; color: #9a6700} .popover, .fa-question-circle {display: none}
</style></head><body>
{% for word, texts in found.items() %}<h2>{{ word }}</h2><ul>{% for text in texts %}<li>{{ text | e }}</li>{% endfor %}</ul>{% endfor %}
{% for document in documents %}<h2>{{ document.expectation_suite_name }}</h2>
{% for section in document.sections %}{% set section_loop = loop %}{% include 'section.j2' %}{% endfor %}{% endfor %}
</body></html>
"""
