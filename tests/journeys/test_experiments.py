"""Experiments: queued ones run apart, share the registry, and compare by few numbers, pictures and MLflow; one becomes the challenger.

They run below .dvc/tmp in a copy of what git tracks; the checkout itself stays as it is until one is applied.
"""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest
from projects import copy_of_its_results

TRIED = {"shallow": ("train.trees.depth=2",), "trees": ("train.choice.prefer=trees", "train.choice.unless_better_by=1")}
NUMBER = re.compile(r"-?[0-9.]+(e[-+][0-9]+)?")
SPEC = re.compile(r"var spec = (\{.*?\});$", re.MULTILINE)


def did(project, *command):
    done = project.run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def registered(project):
    """Versions with their runs, and which one `challenger` names, as MLflow says."""
    ask = ("import json\nfrom training import tracking\n"
           "with tracking.connected() as client:\n"
           f"    found = client.search_model_versions(\"name = '{project.portfolio}'\")\n"
           "    runs = {version.version: client.get_run(version.run_id) for version in found}\n"
           f"    alias = client.get_model_version_by_alias('{project.portfolio}', tracking.CHALLENGER).version\n"
           "print(json.dumps({'challenger': alias, 'runs': {str(version): {'name': run.info.run_name, 'params': run.data.params,\n"
           "    'metrics': run.data.metrics, 'tags': run.data.tags} for version, run in runs.items()}}))")
    return json.loads(did(project, "python", "-c", ask).splitlines()[-1])


@pytest.fixture(scope="module")
def tried(small_project, tmp_path_factory):
    """Two experiments, queued and run, in a checkout with a history and a registry of its own."""
    project = copy_of_its_results(small_project, tmp_path_factory.mktemp("tried") / "project")
    project.repro()
    for name, value in (("user.name", "test"), ("user.email", "test@localhost")):
        did(project, "git", "config", name, value)
    did(project, "git", "add", "-A")
    did(project, "git", "commit", "-q", "--allow-empty", "-m", "Before experiments")
    before = registered(project)
    for name, settings in TRIED.items():
        did(project, "dvc", "exp", "run", "--queue", "--name", name, *(part for value in settings for part in ("-S", value)), "register")
    did(project, "dvc", "exp", "run", "--run-all")
    return SimpleNamespace(project=project, before=before, after=registered(project))


def run_of(tried, name):
    (run,) = [run for run in tried.after["runs"].values() if run["name"] == name]
    return run


def test_each_is_a_run_and_a_version_of_its_own_in_the_checkouts_registry_and_moves_no_alias(tried):
    assert len(tried.after["runs"]) == len(tried.before["runs"]) + len(TRIED)
    assert tried.after["challenger"] == tried.before["challenger"]
    assert {run_of(tried, name)["tags"]["dvc.experiment"] for name in TRIED} == set(TRIED)
    head = did(tried.project, "git", "rev-parse", "HEAD").strip()
    assert {run_of(tried, name)["tags"]["git.commit"] for name in TRIED} == {head}


def test_mlflow_compares_them_by_single_settings_and_measures(tried):
    shallow, trees = (run_of(tried, name) for name in TRIED)

    assert (shallow["params"]["train.trees.depth"], trees["params"]["train.trees.depth"]) == ("2", "4")
    assert trees["params"]["train.choice.prefer"] == "trees"
    assert shallow["metrics"]["test_gini"] != trees["metrics"]["test_gini"]
    assert {"development_log_loss", "test_brier", "approval_rate"} < set(trees["metrics"])


def test_the_checkout_is_untouched_and_no_data_and_no_services_are_in_an_experiment(tried):
    changed = did(tried.project, "git", "status", "--porcelain", "--", "params.yaml", "dvc.lock")
    references = did(tried.project, "git", "for-each-ref", "refs/exps", "--format=%(refname)").split()
    ours = [each for each in references if each.endswith(tuple(TRIED))]
    tracked = {did(tried.project, "git", "ls-tree", "-r", "--name-only", each) for each in ["HEAD", *ours]}

    assert not changed
    assert len(ours) == len(TRIED)
    assert len(tracked) == 1  # not a file more than git had
    assert not list((tried.project.path / ".dvc" / "tmp" / "exps").rglob("mlflow.db"))


def test_a_setting_of_the_candidate_that_was_not_chosen_shows_in_the_metrics(tried):
    found = json.loads(did(tried.project, "dvc", "metrics", "diff", "--json", "HEAD", "shallow"))

    (changed,) = found.values()
    assert {name for name in changed if name.endswith("_gini_trees")}
    assert len(changed) <= 12
    assert "train.trees.depth" in did(tried.project, "dvc", "params", "diff", "HEAD", "shallow")


def test_the_table_of_experiments_is_short_enough_to_read(tried):
    table = did(tried.project, "dvc", "exp", "show", "--only-changed", "--csv", "--drop", "data/.*").splitlines()

    assert len(table[0].split(",")) <= 25
    assert all(any(name in line.split(",") for line in table) for name in TRIED)


def drawn_on_a_wrong_axis(spec):
    """Whether x is text on an axis of numbers, where Vega draws an empty panel without a word."""
    axis = spec.get("spec", spec)["encoding"]["x"]
    return axis["type"] == "quantitative" and not all(NUMBER.fullmatch(value[axis["field"]]) for value in spec["data"]["values"])


def test_plots_of_two_revisions_are_drawn_over_each_other_with_something_in_each(tried):
    did(tried.project, "dvc", "plots", "diff", "HEAD", "trees", "--out", "compared")

    drawn = [json.loads(spec) for spec in SPEC.findall((tried.project.path / "compared" / "index.html").read_text())]
    specs = [spec for spec in drawn if spec]  # a table without rows, such as swaps without a champion, is drawn as nothing
    values = {spec["title"]["text"]: spec["data"]["values"] for spec in specs}
    assert {"Development and out-of-time", "ROC", "Calibration", "Scores by outcome", "Gini by vintage", "Score bands"} <= set(values)
    assert all({value["rev"] for value in each} == {"HEAD", "trees"} for each in values.values())
    assert [spec["title"]["text"] for spec in specs if drawn_on_a_wrong_axis(spec)] == []
    assert {"gini", "gini_low", "gini_high"} <= set(values["Gini by vintage"][0]) & {*values["Development and out-of-time"][0]}
    assert {"bad_rate", "low", "high", "mean_pd"} <= set(values["Score bands"][0]) & {*values["Calibration"][0]}


def test_one_that_is_applied_becomes_the_challenger_and_can_be_a_branch(tried):
    did(tried.project, "dvc", "exp", "branch", "trees", "as-a-branch")
    did(tried.project, "dvc", "exp", "apply", "trees")
    tried.project.repro("register")

    now = registered(tried.project)
    assert now["runs"][str(now["challenger"])]["name"] == "trees"
    assert len(now["runs"]) == len(tried.after["runs"])
    assert "as-a-branch" in did(tried.project, "git", "branch", "--list")
