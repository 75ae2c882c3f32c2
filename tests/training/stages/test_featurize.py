"""Stage featurize: only validated data, the same bytes for the same data, one view per table with stored columns."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from feature_repo.errors import DataError
from training.stages.featurize import main


@pytest.fixture
def ingested(brought_harbour, invent, tmp_path):
    (tmp_path / "ingest").mkdir()
    for name, table in invent(brought_harbour, ["p", "q"]).items():
        table.to_parquet(tmp_path / "ingest" / f"{name}.parquet")
    (tmp_path / "verdict.json").write_text(json.dumps({"success": True}))
    return tmp_path


def run(portfolio, folder, out="featurize"):
    main(portfolio.name, folder / "verdict.json", folder / "ingest", folder / out)
    return {path.relative_to(folder / out).as_posix(): path.read_bytes() for path in (folder / out).rglob("*.parquet")}


def test_applications_and_a_view_per_table_with_stored_columns(brought_harbour, ingested):
    views = {f"views/{table.name}.parquet" for table in brought_harbour.views}

    assert set(run(brought_harbour, ingested)) == {"applications.parquet", *views}


def test_equal_data_gives_equal_bytes_whatever_its_order(brought_harbour, ingested):
    before = run(brought_harbour, ingested)
    for path in (ingested / "ingest").iterdir():
        pd.read_parquet(path).sample(frac=1, random_state=1).to_parquet(path, compression="gzip")

    assert run(brought_harbour, ingested, "again") == before


def test_data_that_did_not_pass_makes_no_features(brought_harbour, ingested):
    (ingested / "verdict.json").write_text(json.dumps({"success": False}))
    with pytest.raises(DataError, match="validate"):
        run(brought_harbour, ingested)

    assert not (ingested / "featurize").exists()
