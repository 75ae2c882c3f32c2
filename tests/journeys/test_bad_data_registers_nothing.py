"""Bad data stops the whole pipeline: nothing after validate runs, nothing is registered, and mended data goes through."""

from __future__ import annotations

import pandas as pd
import pytest

from feature_repo.portfolios import load


@pytest.fixture(scope="module")
def project(make_project):
    project = make_project(ingest={"rows": 4_000})
    project.repro("ingest")
    return project


def test_a_spoiled_raw_file_stops_dvc_repro_with_one_line_and_registers_nothing(project):
    raw = project.path / "data" / "raw" / project.portfolio / "applications.csv"
    good = raw.read_bytes()
    spoiled = pd.read_csv(raw, dtype=str)
    column = next(column for column in load(project.portfolio).requests if not column.is_level)
    spoiled.iloc[:5, spoiled.columns.get_loc(column.raw)] = "-1"
    spoiled.to_csv(raw, index=False)

    stopped = project.run("dvc", "repro")

    ran = [line for line in stopped.stdout.splitlines() if line.startswith("Running stage")]
    said = [line for line in stopped.stderr.splitlines() if line.startswith("DataError: ")]
    assert stopped.returncode != 0
    assert [line.split("'")[1] for line in ran] == ["ingest", "validate"]
    assert len(said) == 1
    assert all(word in said[0] for word in (column.name, "outside the bounds", "5 of 4000", "validate/docs/index.html"))
    assert not project.data("register").exists()
    assert not (project.path / "var" / "mlflow").exists()

    raw.write_bytes(good)
    assert project.repro("featurize") == ["ingest", "validate", "featurize"]
