"""The contract as Feast objects, found by Feast's own scanner and its own command."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from feast import Entity, FeatureService, FeatureView
from feast.repo_operations import get_repo_files
from feast.types import Float64, String

from feature_repo import definitions
from feature_repo.contract import APPLICANT_ID, Stored, Table
from feature_repo.errors import FeatureError
from feature_repo.portfolios import load, names
from feature_repo.store import publish
from training.assembly import save, view

REPO = Path(definitions.__file__).parent


def test_feast_scans_one_file_and_runs_nothing_else():
    assert get_repo_files(REPO) == [REPO / "definitions.py"]


def test_each_table_with_stored_columns_is_a_view_that_never_expires_in_feast(harbour, tmp_path):
    made = definitions.objects(harbour, tmp_path)
    views = [thing for thing in made.values() if isinstance(thing, FeatureView)]

    assert [view.name for view in views] == [table.name for table in harbour.views]
    for table, found in zip(harbour.views, views, strict=True):
        assert found.ttl == timedelta(0)
        assert {field.name: field.dtype for field in found.features} == {
            table.as_of: Float64, **{column.name: String if column.is_level else Float64 for column in table.stored}}
        assert [(field.name, field.dtype) for field in found.entity_columns] == [(APPLICANT_ID, String)]
        assert Path(found.batch_source.path).is_absolute()


def test_the_service_is_named_as_the_portfolio_and_holds_every_view(harbour, tmp_path):
    made = definitions.objects(harbour, tmp_path)
    (service,) = [thing for thing in made.values() if isinstance(thing, FeatureService)]
    (entity,) = [thing for thing in made.values() if isinstance(thing, Entity)]

    assert service.name == harbour.name
    assert [projection.name for projection in service.feature_view_projections] == [table.name for table in harbour.views]
    assert entity.join_key == APPLICANT_ID


def test_a_relative_folder_of_views_is_made_absolute(harbour, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    made = definitions.objects(harbour, Path("views"))

    assert {Path(thing.batch_source.path).parent for thing in made.values() if isinstance(thing, FeatureView)} == {tmp_path / "views"}


def test_a_name_that_feasts_join_would_drop_is_refused():
    with pytest.raises(FeatureError, match="salary_y"):
        definitions._view(Table("work", file="", columns=(Stored("salary_y", raw="s"),)), Path("work.parquet"))


def test_importing_the_definitions_makes_nothing_and_listing_them_needs_a_portfolio(monkeypatch):
    monkeypatch.delenv("TALLY_PORTFOLIO", raising=False)
    spec = importlib.util.spec_from_file_location("definitions_of_nobody", definitions.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    with pytest.raises(FeatureError, match="TALLY_PORTFOLIO"):
        dir(module)


@pytest.mark.parametrize("name", names())
def test_every_portfolio_can_be_declared_to_feast(name, tmp_path):
    views = len(load(name).views)

    assert len(definitions.objects(load(name), tmp_path)) == (views + 2 if views else 0)  # with the applicant and the service


def test_plain_feast_lists_and_applies_what_publish_left_and_keeps_its_values(invent, tmp_path):
    portfolio = load("card_default")
    shutil.copytree(REPO, tmp_path / "feature_repo", ignore=shutil.ignore_patterns("__pycache__"))
    tables = invent(portfolio, ["1", "2"])
    views, home = tmp_path / "data" / portfolio.name / "featurize" / "views", tmp_path / "var" / portfolio.name / "feast"
    for table in portfolio.views:
        save(view(portfolio, table, tables[table.name]), views / f"{table.name}.parquet")
    publish(portfolio, views, home)
    before = rows(home, portfolio)

    listed = feast(tmp_path, portfolio.name, "feature-views", "list")
    applied = feast(tmp_path, portfolio.name, "apply")

    assert all(table.name in listed for table in portfolio.views)
    assert "Deleted" not in applied
    assert "Traceback" not in applied
    assert len(before) > 0
    assert rows(home, portfolio) == before


def rows(home: Path, portfolio) -> list:
    with sqlite3.connect(home / "online.db") as connection:
        queries = [f"SELECT entity_key, feature_name, value FROM {portfolio.name}_{table.name} ORDER BY 1, 2" for table in portfolio.views]  # noqa: S608
        return [row for query in queries for row in connection.execute(query)]


def feast(folder: Path, portfolio: str, *command: str) -> str:
    done = subprocess.run([Path(sys.executable).with_name("feast"), "-c", "feature_repo", *command], cwd=folder, check=True,
                          env={**os.environ, "TALLY_PORTFOLIO": portfolio}, capture_output=True, text=True)
    return done.stdout
