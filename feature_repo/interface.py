"""The contract as data, and the hash of the part a scoring service must share with a release."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from feature_repo.contract import Derived, Input, Stored
from feature_repo.errors import ContractError
from feature_repo.portfolio import Portfolio


def describe(portfolio: Portfolio) -> dict[str, Any]:
    """The whole contract as JSON-ready data: columns, texts, bounds, groups, outcome, rules. No function, no path."""
    return {
        "name": portfolio.name,
        "title": portfolio.title,
        "dated": portfolio.is_dated,
        "inputs": [_input(column) for column in portfolio.inputs],
        "protected": [msgspec.to_builtins(column, enc_hook=str) for column in portfolio.protected],
        "outcome": msgspec.to_builtins(portfolio.outcome, enc_hook=str),
        "rules": [{"code": rule.code, "action": rule.action.value, "reason": rule.reason} for rule in portfolio.rules],
        "attribution": [table.attribution for table in portfolio.tables if table.attribution],
    }


def _input(column: Input | Derived) -> dict[str, Any]:
    kind = type(column).__name__.lower()
    if isinstance(column, Derived):
        return {"kind": kind, "name": column.name, "unit": column.unit, "risk": int(column.risk), "reason": column.reason,
                "outside": column.outside}
    return {"kind": kind, **msgspec.to_builtins(column, enc_hook=str), "level_names": list(column.level_names)}


def interface_hash(portfolio: Portfolio) -> str:
    """SHA-256 (hex) of what scoring code and release must agree on.

    Covers request and stored columns (name, levels, missing policy) and the source of derived features and rules; texts and bounds
    are not part of it, so a new reason text does not orphan the champion.
    """
    agreed = {
        "inputs": [_agreed(column) for column in portfolio.raw_inputs],
        "derived": [(column.name, meaning(column.function)) for column in portfolio.derived_columns],
        "rules": [(rule.code, meaning(rule.when)) for rule in portfolio.rules],
    }
    return hashlib.sha256(json.dumps(agreed, sort_keys=True).encode()).hexdigest()


@cache
def meaning(function: Callable[..., Any]) -> str:
    """A function's arguments and body, without decorators, comments or layout; of a lambda, nothing of the call it stands in.

    Parsed once: Python 3.11 fails now and then while two threads parse (python/cpython#106905).
    """
    code = function.__code__
    arguments = list(inspect.signature(function).parameters)
    for node in ast.walk(ast.parse("".join(inspect.findsource(function)[0]))):
        if isinstance(node, ast.FunctionDef | ast.Lambda) and [argument.arg for argument in node.args.args] == arguments:
            if isinstance(node, ast.Lambda) and node.lineno == code.co_firstlineno:
                return ast.unparse(node)
            if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
                node.decorator_list = []
                return ast.unparse(node)
    raise ContractError(f"the source of {function.__name__} cannot be read; rules and derived features are functions in a portfolio's file")


def _agreed(column: Input) -> list[Any]:
    stale = [str(column.fresh_for), column.when_stale] if isinstance(column, Stored) else []
    return [type(column).__name__, column.name, list(column.level_names), column.nullable, *stale]
