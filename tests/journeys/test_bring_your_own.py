"""A stranger's file, from `tally portfolio new` to a scored decision and a report: the edits its own messages ask for, and no other.

Three files at once, each in a checkout of its own: dated with leaks and protected columns; undated, headerless and small; two tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest
import strangers
from projects import Project

from feature_repo.contract import APPLICANT_ID
from serving.openapi import APPLICATION

DECIDED = {"is bad": "-", "is good": "+"}  # what the person knows of the cards
QUICK = {"folds": 3, "repeats": 1}  # how a small sample is judged; the default takes a minute
LIVED = "2022-06-10T00:00:00+00:00"  # within the days that the overdrafts' balances are fresh


@dataclass(frozen=True)
class Walk:
    """One stranger's way: what the command said first, what it said once edited, and the pipeline's run."""

    project: Project
    name: str
    first: CompletedProcess[str]
    last: CompletedProcess[str]
    ran: CompletedProcess[str]

    @property
    def contract(self) -> Path:
        return self.project.path / "feature_repo" / "portfolios" / f"{self.name}.py"


@pytest.fixture(scope="module")
def walks(make_project: Callable[..., Project], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Walk]:
    """Each file's way, as far as the report it is asked for."""
    folder = tmp_path_factory.mktemp("strangers")
    asked = {"instalment": ([strangers.instalment(folder / "loans 2018-2021.csv", 3_000)], ["fairness"]),
             "cards": ([strangers.cards(folder / "crx.dat")], ["drift"]),
             "overdraft": ([*strangers.overdraft(folder)], ["register", "performance"])}
    projects = {name: make_project(train={"cross_validation": QUICK}) for name in asked}
    with ThreadPoolExecutor(len(asked)) as pool:
        begun = {name: pool.submit(walk, projects[name], name, files, stages) for name, (files, stages) in asked.items()}
        return {name: way.result() for name, way in begun.items()}


def walk(project: Project, name: str, files: list[Path], stages: list[str]) -> Walk:
    """new, check, the edits check asks for, check, dvc repro."""
    drafted = project.run("tally", "portfolio", "new", name, *(word for file in files for word in ("--from", str(file))))
    assert drafted.returncode == 0, drafted.stderr
    first = project.run("tally", "portfolio", "check", name)
    decide(project, first.stdout)
    last = project.run("tally", "portfolio", "check", name) if first.returncode else first
    assert last.returncode == 0, last.stdout + last.stderr
    project.put("portfolio", name)
    return Walk(project, name, first, last, project.run("dvc", "repro", *stages))


def decide(project: Project, said: str) -> None:
    """Put an answer where a line of `check` says that one is missing."""
    for file, number, question in re.findall(r"^ *\d+\. (\S+\.py), line (\d+): (.*)$", said, flags=re.MULTILINE):
        lines = (project.path / file).read_text().split("\n")
        answer = next(text for pattern, text in DECIDED.items() if f" {pattern}." in question)
        lines[int(number) - 1] = re.sub(r'"DECIDE: [^"]*"', f'"{answer}"', lines[int(number) - 1], count=1)
        (project.path / file).write_text("\n".join(lines))


@pytest.fixture(scope="module", params=["instalment", "cards", "overdraft"])
def way(request: pytest.FixtureRequest, walks: dict[str, Walk]) -> Walk:
    """Each of them."""
    return walks[request.param]


def test_what_its_messages_ask_for_is_enough_to_run(way):
    assert way.ran.returncode == 0, way.ran.stdout + way.ran.stderr
    assert f"{way.name}: nothing is missing" in way.last.stdout


def test_only_what_a_person_must_decide_was_asked_for(walks):
    assert [way.first.returncode for way in walks.values()] == [0, 1, 0]
    assert walks["cards"].first.stdout.count("Decide, and write it") == 2


def test_the_contract_and_its_name_in_params_are_all_that_changed(way):
    changed = way.project.run("git", "status", "--porcelain", "--untracked-files=all").stdout.splitlines()
    differs = way.project.run("git", "diff", "--unified=0", "--ignore-all-space", "--", "params.yaml").stdout

    ours = {line for line in changed if not line.endswith(("dvc.lock", "dvc.lock.bak")) and " .dvc/" not in line}
    assert ours == {f"?? feature_repo/portfolios/{way.name}.py", " M params.yaml"}
    assert f"+portfolio: {way.name}" in differs


def test_it_has_a_release_that_ranks_better_than_chance(way):
    metrics = json.loads(way.project.data("evaluate", "metrics.json").read_text())

    assert max(value for key, value in flat(metrics).items() if key.endswith("auc")) > 0.6


def flat(metrics: dict, prefix: str = "") -> dict[str, float]:
    """Nested figures by their path."""
    found = {}
    for key, value in metrics.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return {key: value for key, value in found.items() if isinstance(value, float)}


@pytest.mark.parametrize(("name", "stage"), [("instalment", "fairness"), ("cards", "drift"), ("overdraft", "performance")])
def test_it_has_a_report(walks, name, stage):
    folder = walks[name].project.path / "reports" / name

    assert json.loads((folder / f"{stage}.json").read_text())["found"]
    assert (folder / f"{stage}.html").stat().st_size > 10_000


def test_groups_of_protected_columns_are_judged_though_no_model_saw_them(walks):
    report = json.loads((walks["instalment"].project.path / "reports" / "instalment" / "fairness.json").read_text())
    release = json.loads((walks["instalment"].project.data("evaluate", "release", "contract.json")).read_text())

    assert {attribute["attribute"] for attribute in report["attributes"]} == {"gender", "age", "marital_status"}
    assert {column["name"] for column in release["inputs"]} == {"loan_amount", "income", "employment", "inquiries"}


SCORE = """
import json, sys
from feature_repo.portfolios import load
from governance.release import verify
from serving.openapi import APPLICATION, example
from serving.scoring import decision
from pathlib import Path
portfolio = load(sys.argv[1])
scorer = decision.load(verify(Path("data", sys.argv[1], "evaluate", "release")), portfolio)
answer = scorer.decide(example(portfolio)[APPLICATION])
print(json.dumps({"pd": answer.pd, "outcome": answer.outcome, "reasons": [reason.text for reason in answer.reasons]}))
"""


@pytest.mark.parametrize("name", ["instalment", "cards"])
def test_it_scores_a_decision_in_process(walks, name):
    done = walks[name].project.run("python", "-c", SCORE, name)

    answer = json.loads(done.stdout)
    assert 0 < answer["pd"] < 1
    assert answer["outcome"] == "approve" or answer["reasons"]


def test_the_real_service_decides_with_stored_balances(walks, free_port):
    project = walks["overdraft"].project
    lived = {"TALLY_PORT": str(free_port), "TALLY_BUSINESS_TIME": LIVED}
    for command in (["publish"], ["promote", "--demo"]):
        done = project.run("tally", *command)
        assert done.returncode == 0, done.stderr
    try:
        served = project.run("tally", "serve", **lived)
        assert served.returncode == 0, served.stderr
        request = {APPLICANT_ID: "K02999", APPLICATION: {"betrag": 6000, "einkommen": 2500, "beschaftigung": "full time"}}
        answer = httpx.post(f"{served.stdout.strip()}/v1/decisions", json=request, timeout=60)
    finally:
        project.run("tally", "stop", **lived)

    assert answer.status_code == 200, answer.text
    assert answer.json()["portfolio"] == "overdraft"
    assert not answer.json()["degraded"]
    assert 0 < answer.json()["pd"] < 1
