"""What runs again, and what does not: `dvc repro` on a real checkout, release ids and the registry's alias included."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "architecture"))
import closures

ALWAYS = ["ingest", "register", "compare", "gates"]
AFTER_TRAIN = ["train", "alternatives", "rejects", "evaluate", "register", "compare", "gates", "baseline", "drift", "performance",
               "fairness", "summary", "document"]


@pytest.fixture(scope="module")
def project(small_project):
    return small_project


def release_id(project):
    return json.loads(project.data("register", "card.json").read_text())["release_id"]


def registry(project):
    """Versions in order, and the version that `challenger` names, as MLflow says."""
    ask = ("from training import tracking\n"
           "import json\n"
           f"with tracking.connected() as client:\n"
           f"    versions = client.search_model_versions(\"name = '{project.portfolio}'\")\n"
           f"    alias = client.get_model_version_by_alias('{project.portfolio}', tracking.CHALLENGER)\n"
           "    print(json.dumps([sorted(int(found.version) for found in versions), int(alias.version)]))")
    answer = project.run("python", "-c", ask)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


def test_unchanged_inputs_run_nothing_after_ingest_and_register_nothing(project):
    before = registry(project), release_id(project)

    assert project.repro() == ALWAYS
    assert (registry(project), release_id(project)) == before


def test_a_new_seed_reruns_train_and_what_follows_and_the_old_one_brings_its_release_and_version_back(project):
    old, seed = release_id(project), project.params["train"]["seed"]
    old_version = registry(project)[1]
    project.change("train", seed=seed + 1)

    assert project.repro() == ["ingest", *AFTER_TRAIN]
    assert release_id(project) != old
    assert registry(project)[1] != old_version
    versions = registry(project)[0]

    project.change("train", seed=seed)
    project.repro()
    assert release_id(project) == old
    assert registry(project) == [versions, old_version]


def test_a_changed_source_file_reruns_the_stages_that_hold_it_and_no_other(project):
    changed = "monitoring/fairness.py"
    holding = [name for name, stage in closures.pipeline()["stages"].items() if changed in stage["deps"] or name in ALWAYS]
    with (project.path / changed).open("a") as file:
        file.write("\n# a comment\n")

    assert sorted(project.repro()) == sorted(holding)
    assert {"baseline", "drift", "performance"}.isdisjoint(holding)


def test_the_same_data_params_and_code_give_the_same_release_id_in_another_folder(project, make_project):
    other = make_project(ingest={"rows": project.params["ingest"]["rows"]})

    other.repro("evaluate")

    manifests = [each.data("evaluate", "release", "release.json").read_bytes() for each in (project, other)]
    assert manifests[0] == manifests[1]


def test_metrics_and_plots_show_something(project):
    metrics = json.loads(project.run("dvc", "metrics", "show", "--json").stdout)
    plots = project.run("dvc", "plots", "show", "--out", "plots")

    assert "test_gini" in json.dumps(metrics)
    assert plots.returncode == 0, plots.stderr
    page = (project.path / "plots" / "index.html").read_text()
    assert all(title in page for title in ("ROC", "Calibration", "Scores by outcome", "Gini by vintage", "Score bands",
                                           "From estimate to truth"))
