"""The limits a release was made with judge it: frozen, strict, and the pack of the day."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest
from evidenced import ROOT
from judged import FEMALE, HURDLES, NAMES, NOW, changed, failed, judge, put

from feature_repo.params import read
from governance import gates, packs
from governance.gate_settings import Gates
from governance.release import dump


def test_a_release_from_before_gates_fails_every_gate_and_says_to_evaluate_again(made):
    findings = judge(changed(made, "gates.json"))

    assert set(NAMES) - {"fairness-strict"} | {"fairness"} == set(findings)
    assert not any(finding.passed for finding in findings.values())
    assert {finding.found for finding in findings.values()} == {gates.AGAIN}
    assert "run evaluate again" in gates.AGAIN


@pytest.mark.parametrize("name", [name.split("-")[0] for name in NAMES])
@pytest.mark.parametrize("wrong", ["missing", "unknown key", "not settings"])
def test_limits_that_are_missing_or_unknown_fail_their_gate_and_no_other(made, name, wrong):
    def change(said):
        if wrong == "missing":
            del said[name]
        else:
            said[name] = {**said[name], "surprise": 1} if wrong == "unknown key" and name != "people" else "surprise"

    found = failed(changed(made, "gates.json", change))

    assert [gate.split("-")[0] for gate in found] == [name]


def test_a_gate_this_version_does_not_know_is_not_passed(made):
    found = judge(changed(made, "gates.json", put("telepathy", {})))["telepathy"]
    assert (found.passed, found.found) == (False, "no evidence: this version knows no such gate")


def test_settings_that_are_no_settings_fail_every_gate(made):
    assert len(failed(changed(made, "gates.json", lambda _: ["surprise"]))) == len(NAMES)


def test_the_limits_of_the_release_count_and_not_those_of_params(made):
    found = judge(changed(made, "gates.json", put("discrimination", "gini", 0.58)))["discrimination"]

    assert not found.passed
    assert "0.58" in found.allowed


def test_the_policy_pack_of_the_release_counts_in_the_version_of_the_day_of_judging(made):
    def federal(said):
        return {**said, "fairness": {"packs": ["us_federal"]}, "packs": {"us_federal": json.loads(dump(packs.read("us_federal")))}}

    release = changed(made, "fairness.json", put(*FEMALE, {"count": 1000, "approval_rate": 0.3}))
    release = changed(release, "gates.json", federal)
    before, after = (judge(release, at=datetime(2026, 7, day, 12, tzinfo=UTC))["fairness-us_federal"] for day in (20, 21))

    assert (before.passed, after.passed) == (False, True)
    assert "sex female: 0.50 (0.45 to 0.56) against male" in before.found
    assert "reported, does not block" in after.found
    assert "22 April 2026" in after.source


def test_a_measure_that_blocks_and_that_no_release_counts_is_not_passed(made):
    def strictest(said):
        pack = json.loads(dump(packs.read("strict")))
        (measure,) = (each for each in pack["versions"][0]["measures"] if each["name"] == "equal_opportunity_difference")
        measure["blocks"] = True
        return {**said, "packs": {"strict": pack}}

    found = judge(changed(made, "gates.json", strictest))["fairness-strict"]

    assert not found.passed
    assert "equal opportunity difference sex female: nothing to compare against male" in found.found
    assert "equal opportunity difference above -0.1" in found.allowed


def test_a_release_made_when_packs_had_one_measure_is_judged_by_that_one(made):
    def before(said):
        pack = json.loads(dump(packs.read("strict")))
        pack["versions"][0]["measures"] = pack["versions"][0]["measures"][:1]
        return {**said, "packs": {"strict": pack}}

    now = judge(made)["fairness-strict"]
    found = judge(changed(made, "gates.json", before))["fairness-strict"]

    assert (now.passed, found.passed) == (True, True)
    assert "reported on decisions: equal opportunity difference" in now.allowed
    assert "reported on decisions" not in found.allowed


def test_every_named_pack_is_a_gate_of_its_own(made):
    several = ("strict", "us_new_jersey", "eu_ai_act")
    def change(said):
        return {**said, "fairness": {"packs": several}, "packs": {name: json.loads(dump(packs.read(name))) for name in several}}

    release = changed(made, "gates.json", change)
    release = changed(release, "fairness.json", put(*FEMALE, {"count": 1000, "approval_rate": 0.3}))

    assert failed(release) == ["fairness-strict", "fairness-us_new_jersey"]
    assert "fairness-eu_ai_act" in judge(release)
    assert "no version for 2025-01-01" in judge(release, at=datetime(2025, 1, 1, tzinfo=UTC))["fairness-us_new_jersey"].found


def test_a_portfolio_without_protected_attributes_has_no_evidence_of_fairness(made):
    found = judge(changed(made, "contract.json", put("protected", [])))["fairness-strict"]
    assert (found.passed, found.found.split(", ")[0]) == (False, "no evidence: the contract declares no protected attribute")


def test_a_group_nobody_of_whom_applied_is_insufficient(made):
    def leave_out(said):
        del said["sex"]["female"]

    assert "sex female: nothing to compare against male, 0 applications in the smaller of both: insufficient" in judge(
        changed(made, "fairness.json", leave_out))["fairness-strict"].found


def test_a_release_that_asks_for_more_people_than_the_record_counts_is_not_let_through(made):
    found = judge(changed(made, "gates.json", put("people", 3)))["people"]
    assert (found.passed, "3 people must sign" in found.found) == (False, True)


def test_no_damage_to_the_evidence_makes_judging_crash(made):
    """300 random wounds: a value anywhere in any file becomes something else."""
    draw = random.Random(5)  # noqa: S311 - wounds, no secrets
    files = sorted({*HURDLES.values(), "gates.json", "contract.json"})
    kept = {name: json.loads((made.path / name).read_bytes()) for name in files}
    for _ in range(300):
        name = draw.choice(files)
        hurt = json.loads(json.dumps(kept[name]))
        place, key = draw.choice(list(places(hurt)))
        place[key] = draw.choice([None, "x", -1, [], {}, 1e308, [None]])
        (made.path / name).write_bytes(dump(hurt))
        findings = gates.judge(made, None, "", NOW)
        assert len(findings) >= len(NAMES)
        assert all(finding.passed in {True, False} and "nan" not in finding.found for finding in findings)
        (made.path / name).write_bytes(dump(kept[name]))


def places(value):
    """Every (container, key) in JSON."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def test_what_is_frozen_is_the_section_of_params_with_its_packs():
    from governance.gate_settings import frozen

    settings = read("gates", Gates, ROOT / "params.yaml")
    found = json.loads(dump(frozen(settings)))

    assert set(found) == {*Gates.__struct_fields__, "packs"}
    assert list(found["packs"]) == ["strict"]
    assert found["people"] == 2
