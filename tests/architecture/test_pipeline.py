"""Stage = module = section of params.yaml = folder = test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

sys.path.insert(0, str(Path(__file__).parent))
import closures

ROOT = closures.ROOT
STAGES = closures.pipeline()["stages"]
READS_TOO = {"alternatives": ["train", "evaluate.policy"],  # how a model is made, and what turns it into approvals
             "search": ["train.encoding", "train.trees"],  # what it is to better, and nothing that is chosen after it
             "rejects": ["train", "evaluate"],  # it fits as train did, and approves as evaluate will
             "evaluate": ["stability", "gates"],  # the limits of a noun of its own, and those the release is to be held to
             "compare": ["evaluate.policy"],  # what a good brings and a bad costs
             "summary": ["alerts.rules", "drift.false_alarms", "evaluate.policy"],  # whose a finding is, how sure, what a bad loan costs
             "document": ["drift", "performance", "fairness", "train"]}  # what it shows of the settings
REPORT_OF = {"compare": "comparison", "document": "model"}  # reports named by what they are of
MONITORING = ("baseline", "drift", "performance", "fairness", "summary")


def test_the_stages_are_the_promised_ones_in_order():
    before = ["ingest", "validate", "featurize", "assemble", "split", "catalogue"]
    after = ["audit", "vintages", "search", "train", "alternatives", "rejects", "evaluate", "register", "compare",
             "gates"]

    assert list(STAGES) == [*before, *after, *MONITORING, "document"]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_has_its_module_its_section_its_folder_and_its_test(name):
    package = "monitoring" if name in MONITORING else "training"
    params = YAML(typ="safe").load((ROOT / "params.yaml").read_text())

    assert closures.module_of(STAGES[name]) == f"{package}.stages.{name}"
    assert (ROOT / package / "stages" / f"{name}.py").is_file()
    assert (ROOT / "tests" / package / "stages" / f"test_{name}.py").is_file()
    assert name in params
    assert STAGES[name]["params"] == [name, *READS_TOO.get(name, [])]
    assert all(Path(out).parts[2].split(".")[0] in {name, REPORT_OF.get(name), "vault"} for out in closures.outputs(STAGES[name]))


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_module_only_reads_calls_and_writes(name):
    lines = (ROOT / Path(*closures.module_of(STAGES[name]).split("."))).with_suffix(".py").read_text().splitlines()

    assert len(lines) <= 60


def test_protected_attributes_are_never_cached_nor_pushed_to_a_remote():
    vaults = [out for out in STAGES["ingest"]["outs"] if "vault" in str(out)]

    assert [list(out.values()) for out in vaults] == [[{"cache": False, "push": False}]]


def test_a_release_is_made_anew_where_a_policy_pack_changes():
    packs = {path.relative_to(ROOT).as_posix() for path in (ROOT / "governance" / "packs").glob("*.yaml")}

    assert packs
    assert packs <= set(STAGES["evaluate"]["deps"])
