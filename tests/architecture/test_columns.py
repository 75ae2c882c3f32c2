"""A column is named in its portfolio's file and nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from feature_repo.portfolios import load, names
from feature_repo.sources import ROW

ROOT = Path(__file__).parents[2]
PACKAGES = ("feature_repo", "governance", "serving", "training", "monitoring", "tally")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path.parent.name != "portfolios")


def columns() -> set[str]:
    portfolios = [load(name) for name in names()]
    named = {column.name for portfolio in portfolios for column in (*portfolio.inputs, *portfolio.protected)}
    raw = {column.raw for portfolio in portfolios for table in portfolio.tables for column in table.columns if len(column.raw) > 3}
    return named | {header for header in raw if header != ROW and not (header.isalpha() and header.islower())}  # "status" is anyone's word


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_outside_the_portfolios_names_a_column(path):
    tree = ast.parse(path.read_text())
    literals = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}

    assert literals & (columns() - PLATFORM) == set()


PLATFORM = {"application_id", "applicant_id", "bad"}
