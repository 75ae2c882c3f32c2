"""Killed at its worst moments and run again, the pipeline ends where an undisturbed one does: same release, one version, same bytes."""

from __future__ import annotations

import pytest
from killing import at, complaint, kill, run_again


@pytest.fixture(scope="module")
def project(make_project, small_project):
    """The undisturbed project's twin, which has not run yet."""
    return make_project(ingest={"rows": small_project.params["ingest"]["rows"]})


def test_killed_in_ingest_in_train_and_in_register_it_ends_as_if_nobody_had(project, small_project):
    raw, artefacts = project.path / "data" / "raw", project.path / "var" / "mlflow" / "artifacts"
    moments = {
        "ingest": at("ingest", lambda: [*raw.rglob("*.csv")] and not [*raw.rglob("simulated.json")]),
        "train": at("train", lambda: project.data("train").is_dir()),
        "register": at("register", lambda: [*artefacts.rglob("release.json")]),
    }
    for stage, moment in moments.items():
        killed = kill(project, moment)
        assert (killed.after[-1], killed.ended) == (stage, False)

    run_again(project)

    assert complaint(project, small_project) is None
