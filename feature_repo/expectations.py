"""The contract as Great Expectations suites: what is promised of each table, and what params.yaml wants of what was measured on them.

Looks at no data; `examination` does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import UTC
from typing import Any

from feature_repo.contract import (
    APPLICANT_ID,
    APPLICATION_ID,
    BAD,
    EVENT_TIME,
    UNDATED_BAD,
    Applicant,
    Application,
    Input,
    Severity,
    Table,
)
from feature_repo.portfolio import Portfolio
from feature_repo.sources import Csv, EventTime

os.environ["GX_ANALYTICS_ENABLED"] = "False"  # read when the library is imported

import great_expectations as gx
from great_expectations import expectations as gxe
from great_expectations.expectations.row_conditions import Column

SEVERITIES = {Severity.STOP: "critical", Severity.WARN: "warning"}
BIGGEST = sys.float_info.max


def of_table(portfolio: Portfolio, table: Table) -> gx.ExpectationSuite:
    """What the contract promises of a table, in the order a reader wants it: its shape, its keys, its columns, its outcome."""
    fewest, most = table.rows
    rows = _expect(gxe.ExpectTableRowCountToBeBetween, "row_count", min_value=fewest, max_value=most,
                   allowed=f"allowed {_between(fewest, most)}")
    expected = [_columns(portfolio, table), rows, *_keys(portfolio, table), *_time(portfolio, table)]
    for column in table.select(Input):
        expected += _level(column) if column.is_level else _number(table, column)
    if table is portfolio.applications:
        expected += [*_outcome(portfolio),
                     _expect(gxe.ExpectColumnDistinctValuesToContainSet, "one_class", column=BAD, value_set=[0.0, 1.0])]
    return gx.ExpectationSuite(name=table.name, expectations=expected)


def of_vault(portfolio: Portfolio) -> gx.ExpectationSuite:
    """Every protected attribute is there, and every value in a declared group."""
    names = [APPLICATION_ID, *(column.name for column in portfolio.protected)]
    groups = [_expect(gxe.ExpectColumnValuesToBeInSet, "group", column=column.name, value_set=list(column.group_names))
              for column in portfolio.protected if column.group_names]
    return gx.ExpectationSuite(name="vault", expectations=[_expect(gxe.ExpectTableColumnsToMatchSet, "columns", column_set=names), *groups])


def of_leakage(inputs: Iterable[Input], *, doubtful: float, leaking: float, copying: float) -> gx.ExpectationSuite:
    """No input alone ranks the outcome better than `copying` (AUC), nor than `leaking`, nor preferably than `doubtful` (warn).

    Where the contract says how a value is known before the decision, `leaking` warns too.
    """
    enough = _expect(gxe.ExpectTableRowCountToBeBetween, "too_few_outcomes", Severity.WARN, min_value=1)
    limits = [(column, rule, limit, severity) for column in inputs for rule, limit, severity in (
        ("copy", copying, Severity.STOP), ("leakage", leaking, _unless_known(column)), ("doubtful", doubtful, Severity.WARN))]
    return gx.ExpectationSuite(name="leakage", expectations=[enough, *(
        _expect(gxe.ExpectColumnMaxToBeBetween, rule, severity, column=column.name, max_value=limit,
                allowed=f"allowed {limit:g}" + ("; known_before is declared" if column.known_before.strip() else ""))
        for column, rule, limit, severity in limits)])


def of_sides(inputs: Iterable[Input]) -> gx.ExpectationSuite:
    """No input is filled, or missing, for one outcome alone (stop, or warn where the contract says how it is known before the decision)."""
    return gx.ExpectationSuite(name="sides", expectations=[
        _expect(gxe.ExpectColumnMaxToBeBetween, "one_sided", _unless_known(column), column=column.name, max_value=0,
                allowed="known_before is declared" if column.known_before.strip() else "") for column in inputs])


def of_repeats(table: str) -> gx.ExpectationSuite:
    """No application repeats another in everything but its key."""
    return gx.ExpectationSuite(name="repeats", expectations=[
        _expect(gxe.ExpectColumnMaxToBeBetween, "repeats", Severity.WARN, column=table, max_value=0)])


def of_recording(inputs: Iterable[str], *, jump: float) -> gx.ExpectationSuite:
    """From one stretch of time to the next, the missing share of no input changes by `jump` or more."""
    return gx.ExpectationSuite(name="recording", expectations=[
        _expect(gxe.ExpectColumnMaxToBeBetween, "break", Severity.WARN, column=name, max_value=jump, strict_max=True) for name in inputs])


def of_levels(inputs: Iterable[str]) -> gx.ExpectationSuite:
    """Every level that is recorded is recorded from the first period to the last."""
    return gx.ExpectationSuite(name="levels", expectations=[
        _expect(gxe.ExpectColumnMaxToBeBetween, "levels", Severity.WARN, column=name, max_value=0) for name in inputs])


def of_coverage(tables: Iterable[str], *, least: float) -> gx.ExpectationSuite:
    """Each stored table reaches the worst tenth of applications at least `least` times as often as the best tenth."""
    return gx.ExpectationSuite(name="coverage", expectations=[
        _expect(gxe.ExpectColumnMinToBeBetween, "coverage", column=name, min_value=least) for name in tables])


def of_recency(*, least: float) -> gx.ExpectationSuite:
    """The last days whose outcomes count have at least `least` of the applications that as many days have on average."""
    return gx.ExpectationSuite(name="recency", expectations=[
        _expect(gxe.ExpectColumnMinToBeBetween, "recent", column=EVENT_TIME, min_value=least)])


def _expect(kind: Any, rule: str, severity: Severity = Severity.STOP, *, allowed: str = "", **expected: Any) -> Any:
    return kind(**expected, severity=SEVERITIES[severity], meta={"rule": rule, "allowed": allowed})


def _unless_known(column: Input) -> Severity:
    return Severity.WARN if column.known_before.strip() else Severity.STOP


def _outcome(portfolio: Portfolio) -> list[Any]:
    """Every outcome is a declared text, and says in an outcome window when it went bad."""
    if portfolio.outcome.bad_on is None:
        return [_of_type(BAD, _texts(portfolio), "float", "float64")]
    known = {"row_condition": Column(BAD).is_not_in([UNDATED_BAD])}
    return [_of_type(BAD, _texts(portfolio), "float", "float64", **known),
            _expect(gxe.ExpectColumnValuesToNotBeInSet, "bad_on", column=BAD, value_set=[UNDATED_BAD],
                    allowed=f"declared {portfolio.outcome.bad_on.raw}, {portfolio.outcome.bad_on.format}")]


def _of_type(column: str, allowed: str, *types: str, **where: Any) -> Any:
    return _expect(gxe.ExpectColumnValuesToBeInTypeList, "type", column=column, type_list=list(types), allowed=allowed, **where)


def _columns(portfolio: Portfolio, table: Table) -> Any:
    columns = _expect(gxe.ExpectTableColumnsToMatchSet, "columns", column_set=list(headers := _headers(portfolio, table)))
    columns.meta["raw"] = headers
    return columns


def _headers(portfolio: Portfolio, table: Table) -> dict[str, str]:
    """Column -> raw header, in order."""
    first = table is portfolio.applications
    own = [portfolio.application_key] if first else table.select(Application)
    keys = [*((APPLICATION_ID, key.raw) for key in own), *((APPLICANT_ID, key.raw) for key in table.select(Applicant)),
            (EVENT_TIME, table.time.raw if isinstance(table.time, EventTime) else "")]
    return {**dict(keys), **{column.name: column.raw for column in table.select(Input)}, **({BAD: portfolio.outcome.raw} if first else {})}


def _keys(portfolio: Portfolio, table: Table) -> list[Any]:
    present = [_expect(gxe.ExpectColumnValuesToNotBeNull, "not_null", column=name) for name in (APPLICANT_ID, EVENT_TIME)]
    if table is portfolio.applications:
        return [_expect(gxe.ExpectColumnValuesToNotBeNull, "not_null", column=APPLICATION_ID),
                _expect(gxe.ExpectColumnValuesToBeUnique, "unique", column=APPLICATION_ID), *present]
    return [*present, _expect(gxe.ExpectCompoundColumnsToBeUnique, "unique", column_list=[APPLICANT_ID, EVENT_TIME])]


def _time(portfolio: Portfolio, table: Table) -> list[Any]:
    """Nothing happened after the data was observed, or after now where the contract does not say when that was."""
    written = table.time.format if isinstance(table.time, EventTime) else ""
    of_type = _of_type(EVENT_TIME, f"declared {written}", "Timestamp", "datetime64[us]")
    if not written:
        return [of_type]
    until = portfolio.outcome.observed_until
    latest = until.astimezone(UTC).replace(tzinfo=None) if until else {"$PARAMETER": "now"}
    # The maximum, not each value: over times, GX compares values one by one in Python (2 s for 200,000 rows).
    return [of_type, _expect(gxe.ExpectColumnMaxToBeBetween, "future", column=EVENT_TIME, max_value=latest,
                             allowed=f"observed until {until:%Y-%m-%d}" if until else "it is not yet then")]


def _number(table: Table, column: Input) -> list[Any]:
    low, high = (-BIGGEST if column.low is None else column.low), (BIGGEST if column.high is None else column.high)
    checks = [_of_type(column.name, _written(table), "float", "float64"), _filled(column), _varied(column),
              _expect(gxe.ExpectColumnValuesToBeBetween, "range", column.severity, column=column.name, min_value=low, max_value=high,
                      allowed=f"allowed {_between(column.low, column.high)} {column.unit}".strip())]
    if column.usual:
        low, high = column.usual
        codes = {"row_condition": Column(column.name).is_not_in(list(column.special))} if column.special else {}
        allowed = f"usual is {low:.15g} to {high:.15g} {column.unit}".strip()
        usual = {"column": column.name, "min_value": low, "max_value": high, "allowed": allowed, **codes}
        checks += [_expect(gxe.ExpectColumnMedianToBeBetween, "usual_median", column.severity, **usual),
                   _expect(gxe.ExpectColumnValuesToBeBetween, "usual", Severity.WARN, **usual)]
    return checks


def _level(column: Input) -> list[Any]:
    return [_filled(column), _varied(column),
            _expect(gxe.ExpectColumnValuesToBeInSet, "level", column.severity, column=column.name, value_set=list(column.level_names),
                    allowed=f"{len(column.level_names)} levels are declared")]


def _varied(column: Input) -> Any:
    return _expect(gxe.ExpectColumnUniqueValueCountToBeBetween, "constant", Severity.WARN, column=column.name, min_value=2)


def _filled(column: Input) -> Any:
    if column.nullable:
        return _expect(gxe.ExpectColumnProportionOfNonNullValuesToBeBetween, "all_missing", column.severity, column=column.name,
                       min_value=0, strict_min=True)
    return _expect(gxe.ExpectColumnValuesToNotBeNull, "not_null", column.severity, column=column.name)


def _written(table: Table) -> str:
    reader = table.reader if isinstance(table.reader, Csv) else Csv()
    marks = [f'thousands "{reader.thousands}"'] if reader.thousands else []
    marks += [f'decimal "{reader.decimal}"'] if reader.decimal != "." else []
    return f"declared {' and '.join(marks)}" if marks else ""


def _texts(portfolio: Portfolio) -> str:
    declared = portfolio.outcome
    said = {"bad": declared.bad, "good": declared.good, "neither": declared.neither, "rejected": declared.rejected}
    return "; ".join(f"{side} is {', '.join(map(repr, texts))}" for side, texts in said.items() if texts)


def _between(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "any number" if low is None and high is None else f"{low:.15g} or more" if high is None else f"{high:.15g} or less"
    return f"{low:.15g} to {high:.15g}"
