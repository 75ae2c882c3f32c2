"""Guarantees of the gates: each passes on evidence, fails without it, is never skipped, and is judged by what the release was made with."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from approved import checked
from judged import FEMALE, HURDLES, NAMES, NO, NOW, SLOPE, WHOLE, against, changed, failed, judge, put

from feature_repo.portfolios import load
from governance.gate_evidence import Decided


def test_a_release_with_evidence_for_all_passes_all_and_every_gate_is_listed(made):
    findings = judge(made)

    assert tuple(findings) == NAMES
    assert failed(made) == []
    assert all(finding.found and finding.allowed and finding.source for finding in findings.values())


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"champion", "parity"}])
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


def decided(**changes):
    names = [column.name for column in load("card_default").stored]
    return Decided(ever=True, checked=checked(names, **{"at": (NOW - timedelta(days=3)).isoformat(), **changes}))


def test_stored_values_have_to_be_shown_the_same_once_something_was_decided(made):
    assert "nothing has been decided" in judge(made)["parity"].found
    assert failed(made, decided=decided()) == []
    assert failed(made, decided=Decided(ever=True, checked=None)) == ["parity"]


@pytest.mark.parametrize(("wrong", "said"), [
    ({"decisions": 299}, "fewer than 300"), ({"confidence": 0.9}, ""), ({"columns": ()}, "not compared"),
    ({"at": (NOW - timedelta(days=32)).isoformat()}, "32 days old"), ({"at": (NOW + timedelta(days=1)).isoformat()}, "tally parity"),
    ({"at": "yesterday"}, "no evidence"),
])
def test_a_check_that_is_small_old_or_of_other_columns_passes_not(made, wrong, said):
    found = judge(made, decided=decided(**wrong))["parity"]

    assert not found.passed
    assert said in found.found


@pytest.mark.parametrize("wrong", [
    {"mismatched": 20, "upper": 0.0101}, {"mismatched": 20, "upper": 0.001}, {"compared": 299}, {"compared": 1_001}, {"mismatched": -1},
    {"upper": float("nan")},
])
def test_a_column_with_other_values_or_figures_that_are_none_passes_not(made, wrong):
    seen = decided().checked
    first, *others = seen.columns
    worse = msgspec.structs.replace(seen, columns=(msgspec.structs.replace(first, **wrong), *others))
    found = judge(made, decided=Decided(ever=True, checked=worse))["parity"]

    assert not found.passed
    assert first.column in found.found


def test_a_portfolio_without_stored_columns_has_nothing_to_show(made):
    bare = changed(made, "contract.json", lambda said: {**said, "inputs": [{**each, "kind": "request"} for each in said["inputs"]]})

    assert judge(bare, decided=Decided(ever=True, checked=None))["parity"].passed
