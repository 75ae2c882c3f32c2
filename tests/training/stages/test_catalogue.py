"""Stage catalogue: as a command, a page and its data; the same bytes again."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
from borrowers import write_inputs, write_params
from served import views_of

from feature_repo.contract import Input
from feature_repo.errors import DataError
from feature_repo.params import read
from feature_repo.portfolios import load
from training import splits
from training.params import SplitParams
from training.stages import catalogue

UNDATED = load("card_default")
ROWS = 800


@pytest.fixture
def left(tmp_path, borrow, monkeypatch):
    """A folder with what the stages before leave, and the paths of a run."""
    at = SimpleNamespace(**{name: tmp_path / name for name in ("assemble", "validate", "vault")})
    frame = borrow(UNDATED, ROWS)
    write_inputs(at, UNDATED, frame)
    write_params(tmp_path / "params.yaml", {})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "split").mkdir()
    views_of(UNDATED, tmp_path / "featurize" / "views")
    splits.cut(UNDATED, frame, read("split", SplitParams)).to_parquet(tmp_path / "split" / "parts.parquet")
    tables = {table.name: {"rows": ROWS, "sha256": "0" * 64, "missing": {column.name: 0.0 for column in table.select(Input)}}
              for table in UNDATED.tables}
    (tmp_path / "ingest.json").write_text(json.dumps({"tables": tables}))
    return [tmp_path / name for name in ("ingest.json", "validate/verdict.json", "featurize", "assemble", "split", "vault")]


def test_it_writes_a_page_and_its_data_and_another_process_the_same(left, tmp_path):
    written = [tmp_path / "first" / f"catalogue.{kind}" for kind in ("json", "html")]
    command = [sys.executable, "-m", "training.stages.catalogue", UNDATED.name, *left, *written]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    again = [tmp_path / "again" / path.name for path in written]
    catalogue.main(UNDATED.name, *left, *again)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("800 applications; columns: ")
    assert [path.read_bytes() for path in written] == [path.read_bytes() for path in again]
    content = json.loads(written[0].read_bytes())
    assert (content["portfolio"], content["time_axis"], content["parts"][0]["applications"]) == (UNDATED.name, False, ROWS)
    assert "<title>card_default: catalogue</title>" in written[1].read_text()


def test_a_split_of_other_applications_is_refused(left, tmp_path):
    pd.DataFrame({"application_id": ["a"], "period": ["after"], "part": ["test"]}).to_parquet(tmp_path / "split" / "parts.parquet")

    with pytest.raises(DataError, match=f"the split has 1 applications, assemble {ROWS}"):
        catalogue.main(UNDATED.name, *left, tmp_path / "x.json", tmp_path / "x.html")
