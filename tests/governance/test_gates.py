"""Guarantees of the gates: each passes on evidence, fails without it, is never skipped, and is judged by what the release was made with."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from evidenced import ROOT

from feature_repo.params import read
from feature_repo.portfolios import load
from governance import gates, packs
from governance.events import Actor, ReleaseCompared
from governance.gate_settings import Gates
from governance.release import MANIFEST, digests, dump, verify

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
NAMES = ("data", "discrimination", "champion", "calibration", "monotonicity", "fairness-strict", "reasons", "fidelity", "stability",
         "people")
NO = False
SLOPE = ("parts", "test", "recalibration", "slope", "value")
WHOLE = ("parts", "test", "whole")
FEMALE = ("sex", "female")
EVIDENCE = {"discrimination": "measures.json", "calibration": "calibration.json", "monotonicity": "monotonicity.json",
            "fairness-strict": "fairness.json", "fidelity": "fidelity.json", "stability": "stability.json"}
HURDLES = {**EVIDENCE, "reasons": "reasons.json"}


@pytest.fixture(scope="module")
def original(make_release, tmp_path_factory):
    """A release that every gate lets through."""
    return make_release(tmp_path_factory.mktemp("made") / "release")


@pytest.fixture
def made(original, tmp_path):
    """A copy of it that a test may change."""
    return dataclasses.replace(original, path=Path(shutil.copytree(original.path, tmp_path / "release")))


def judge(release, compared=None, champion="", at=NOW):
    return {finding.gate: finding for finding in gates.judge(release, compared, champion, at)}


def failed(release, **case):
    return [name for name, finding in judge(release, **case).items() if not finding.passed]


def changed(release, name, change=None, validation=None):
    """The release with one file changed by a function, or without it, sealed again: another release, of the same shape."""
    path, manifest = release.path / name, release.manifest
    if change is None:
        path.unlink()
    else:
        said = json.loads(path.read_bytes())
        path.write_bytes(dump(change(said) or said))
    sealed = msgspec.structs.replace(manifest, files=digests(release.path),
                                     validation=manifest.validation if validation is None else validation)
    (release.path / MANIFEST).write_bytes(dump(sealed))
    return verify(release.path)


def put(*keys_and_value):
    """A change: what stands under the keys becomes the value."""
    *keys, last, value = keys_and_value

    def change(said):
        for key in keys:
            said = said[key]
        said[last] = value
    return change


def against(release, champion="c" * 64, **changes):
    found = {"part": "the test", "rows": 9000, "gini_difference": 0.0, "interval": (-0.015, 0.015), "confidence": 0.95, **changes}
    return ReleaseCompared(by=Actor("compare", "process"), at=NOW.isoformat(), challenger=release.id, champion=champion, **found)


def test_a_release_with_evidence_for_all_passes_all_and_every_gate_is_listed(made):
    findings = judge(made)

    assert tuple(findings) == NAMES
    assert failed(made) == []
    assert all(finding.found and finding.allowed and finding.source for finding in findings.values())


@pytest.mark.parametrize("name", [name for name in NAMES if name != "champion"])
def test_each_gate_fails_alone(make_release, tmp_path, name):
    assert failed(make_release(tmp_path / "release", failing=name)) == [name]


@pytest.mark.parametrize("name", HURDLES)
def test_a_gate_without_its_evidence_is_not_passed(made, name):
    found = judge(changed(made, HURDLES[name]))

    assert not found[name].passed
    assert found[name].found == f"no evidence: the release holds no {HURDLES[name]}"


@pytest.mark.parametrize("name", HURDLES)
@pytest.mark.parametrize("wrong", [[], {}, "text", None, 1])
def test_a_gate_whose_evidence_cannot_be_read_is_not_passed(made, name, wrong):
    found = judge(changed(made, HURDLES[name], lambda _: {"": wrong} if wrong is None else [wrong]))

    assert not found[name].passed
    assert found[name].found.startswith("no evidence: ")


@pytest.mark.parametrize(("name", "keys"), [
    ("discrimination", ("test", "gini_low")), ("discrimination", ("test", "gini")), ("discrimination", ("test", "bads")),
    ("calibration", ("parts", "test", "whole", "bad_rate")), ("calibration", ("parts", "test", "whole", "jeffreys")),
    ("calibration", ("parts", "test", "recalibration", "slope", "value")), ("calibration", ("parts", "test", "recalibration")),
    ("monotonicity", ("scorecard", "holds")), ("fairness-strict", ("sex", "female", "approval_rate")),
    ("fairness-strict", ("sex", "female", "count")), ("reasons", ("baseline",)), ("fidelity", ("helped",)), ("fidelity", ("cases",)),
    ("stability", ("gini_verdict",)), ("stability", ("out_of_time",)),
])
def test_nan_which_a_release_writes_as_null_passes_no_gate(made, name, keys):
    assert not judge(changed(made, HURDLES[name], put(*keys, None)))[name].passed


@pytest.mark.parametrize(("name", "change"), [
    ("discrimination", put("test", "bads", 19)),
    ("discrimination", put("test", "gini_low", 0.2499)),
    ("discrimination", put("test", "gini_low", 0.7)),
    ("calibration", put(*WHOLE, "rows", 199)),
    ("calibration", put(*WHOLE, "bads", 99)),
    ("calibration", put(*WHOLE, "bads", 8901)),
    ("calibration", put(*WHOLE, "mean_pd", 0)),
    ("calibration", put(*SLOPE, 0.79)),
    ("calibration", put(*SLOPE, 1.26)),
    ("calibration", put("parts", {})),
    ("monotonicity", put("scorecard", "holds", NO)),
    ("monotonicity", lambda said: {"trees": said["scorecard"]}),
    ("fairness-strict", put(*FEMALE, {"count": 29, "approval_rate": 0.0})),
    ("fairness-strict", put(*FEMALE, {"count": 100, "approval_rate": 0.605})),
    ("fairness-strict", put("sex", {})),
    ("fairness-strict", lambda said: {name: said[name] for name in said if name != "sex"}),
    ("reasons", lambda said: said["baseline"].pop() and said),
    ("fidelity", lambda said: {**said, "cases": 99, "helped": 99}),
    ("fidelity", put("helped", 1424)),
    ("fidelity", put("helped", 1501)),
    ("stability", put("out_of_time", NO)),
    ("stability", put("results", 0, "verdict", "alert")),
    ("stability", put("results", 1, "verdict", "insufficient")),
    ("stability", put("results", [])),
    ("stability", put("gini_verdict", "insufficient")),
])
def test_evidence_short_of_the_limit_passes_no_gate(made, name, change):
    assert failed(changed(made, HURDLES[name], change)) == [name]


@pytest.mark.parametrize(("name", "change"), [
    ("discrimination", put("test", "gini_low", 0.25)), ("calibration", put(*WHOLE, "bad_rate", 0.11)),
    ("calibration", put(*SLOPE, 0.8)), ("fidelity", put("helped", 1425)),
    ("fairness-strict", put(*FEMALE, {"count": 1000, "approval_rate": 0.48})),
    ("stability", put("results", 0, "verdict", "watch")), ("stability", put("results", 2, "verdict", "alert")),
])
def test_evidence_on_the_limit_passes(made, name, change):
    assert failed(changed(made, HURDLES[name], change)) == []


def test_pds_too_low_hold_it_up_only_where_chance_does_not_explain_them(made):
    low = put(*WHOLE, {"name": "all", "rows": 9000, "bads": 1035, "mean_pd": 0.1, "bad_rate": 0.115, "jeffreys": 0.05})
    assert failed(changed(made, "calibration.json", low)) == []
    assert failed(changed(made, "calibration.json", put(*WHOLE, "jeffreys", 0.049))) == ["calibration"]


def test_bands_are_judged_together_and_small_ones_not_at_all(made):
    band = {"name": "B", "rows": 300, "bads": 45, "mean_pd": 0.1, "bad_rate": 0.15, "jeffreys": 0.02}
    even = {**band, "name": "A", "bad_rate": 0.1, "jeffreys": 0.5}

    assert failed(changed(made, "calibration.json", put("parts", "test", "bands", [band]))) == ["calibration"]
    found = judge(changed(made, "calibration.json", put("parts", "test", "bands", [even, even, band])))["calibration"]
    assert found.passed, "Holm's p-value of three bands is 0.06"
    assert failed(changed(made, "calibration.json", put("parts", "test", "bands", [{**band, "rows": 199}]))) == []


def test_data_that_broke_a_promise_or_were_not_looked_at_pass_not(made):
    assert failed(changed(made, "contract.json", dict, {"success": True, "warnings": [{"rule": "usual"}]})) == []
    for validation in ({"success": False, "warnings": []}, {"warnings": []}, {"success": "true", "warnings": []}, {}):
        assert failed(changed(made, "contract.json", dict, validation)) == ["data"]


def test_a_declared_direction_that_is_proved_the_other_way_round_passes_not(made):
    def turn(said):
        first = said["scorecard"]["inputs"][0]
        first["direction"] = {"rises": "falls", "falls": "rises"}[first["direction"]]

    found = judge(changed(made, "monotonicity.json", turn))["monotonicity"]

    assert found.found.startswith("not proved: ")


@pytest.mark.parametrize(("text", "says"), [
    ("", "no reason"), ("  ", "no reason"), ("Your score  TOO LOW", "says nothing"), ("Score too\nlow", "says nothing"),
    ("Our internal policies", "says nothing"), ("It is our policy", "says nothing"), ("No qualifying score was reached", "says nothing"),
])
def test_an_input_without_a_reason_or_with_an_empty_phrase_cannot_be_promoted(made, text, says):
    found = judge(changed(made, "contract.json", put("inputs", 0, "reason", text)))["reasons"]

    assert (found.passed, found.found) == (False, f"{says}: {load('card_default').inputs[0].name}")


def test_a_rule_needs_a_reason_like_an_input(made):
    found = judge(changed(made, "contract.json", put("rules", 0, "reason", "Internal standards")))["reasons"]
    assert found.found == f"says nothing: {load('card_default').rules[0].code}"


def test_a_phrase_is_found_at_the_beginning_of_a_word_only():
    from governance.gate_evidence import banned

    assert banned("Our Policy", ("our polic",))
    assert not banned("Your policy of insurance", ("our polic",))


def test_where_nothing_serves_or_the_release_itself_does_nothing_is_to_be_compared(made):
    assert failed(made) == failed(made, champion=made.id) == []


def test_against_a_champion_the_lower_bound_of_the_paired_interval_counts(made):
    assert failed(made, compared=against(made, interval=(-0.02, 0.02)), champion="c" * 64) == []
    assert failed(made, compared=against(made, interval=(-0.0201, 0.02)), champion="c" * 64) == ["champion"]


@pytest.mark.parametrize("wrong", [
    {"champion": "d" * 64}, {"rows": 0}, {"confidence": 0.9}, {"interval": (0.02, 0.01)}, {"gini_difference": float("nan")},
    {"interval": (float("nan"), 0.1)}, {"gini_difference": -0.5}, {"confidence": float("nan")},
])
def test_a_comparison_of_another_pair_or_of_figures_that_are_none_passes_not(made, wrong):
    assert failed(made, compared=against(made, **wrong), champion="c" * 64) == ["champion"]


def test_a_champion_nothing_was_compared_with_holds_it_up_and_says_what_to_do(made, make_release, tmp_path):
    assert "dvc repro compare" in judge(made, champion="c" * 64)["champion"].found
    other = make_release(tmp_path / "other", intercept=-2.0)
    assert failed(made, compared=against(other), champion="c" * 64) == ["champion"]


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
