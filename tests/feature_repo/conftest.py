"""A toy with a history, shared by what joins and what publishes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feature_repo.portfolio import Portfolio


@pytest.fixture
def toy(harbour) -> Portfolio:
    """One view with one number column: the smallest portfolio with a history."""
    table = harbour.views[0]
    kept = tuple(column for column in table.columns if getattr(column, "name", None) in {None, harbour.stored[0].name})
    return replace(harbour, tables=(harbour.tables[0], replace(table, columns=kept)))
