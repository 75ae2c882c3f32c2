"""Stage split: as a command, one file out, one line where it cannot."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
from borrowers import write_params

from feature_repo.portfolios import load

UNDATED = load("card_default")


def run(folder, frame):
    (folder / "assemble").mkdir()
    frame.to_parquet(folder / "assemble" / "applications.parquet")
    write_params(folder / "params.yaml", {})
    command = [sys.executable, "-m", "training.stages.split", UNDATED.name, "assemble", "split"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_it_writes_a_period_and_a_part_for_every_application(tmp_path, borrow):
    frame = borrow(UNDATED, 600)

    done = run(tmp_path, frame)

    assert done.returncode == 0, done.stderr
    parts = pd.read_parquet(tmp_path / "split" / "parts.parquet")
    assert list(parts.columns) == ["application_id", "period", "part"]
    assert parts["application_id"].tolist() == frame["application_id"].tolist()


def test_twenty_rows_end_in_one_line_and_exit_code_1(tmp_path, borrow):
    done = run(tmp_path, borrow(UNDATED, 20, unknown=0).assign(bad=0.0))

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("DataError: the development part has")
