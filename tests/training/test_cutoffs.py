"""Every approve cut-off with what it would bring, by figures that can be counted again; no other earns more than the break-even PD."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from feature_repo.errors import ContractError, ParamsError
from feature_repo.portfolios import load
from governance.release import verify
from serving.scoring.batch import arrays
from serving.scoring.decision import load as load_scorer
from serving.scoring.parts import Band
from training import cutoffs
from training.params import PolicyParams, ProfitParams
from training.policy import set_policy

PROFIT = ProfitParams(0.06, -0.45)


@pytest.fixture(scope="module")
def found(mill_model):
    return json.loads((mill_model.release / "cutoffs.json").read_bytes())


@pytest.fixture(scope="module")
def scored(mill, mill_model):
    """Everyone with PD and whether a rule holds, and the parts."""
    at = load_scorer(verify(mill_model.release), mill).assess(arrays(mill, mill_model.frame))
    parts = pd.read_parquet(mill_model.split / "parts.parquet")
    return mill_model.frame.assign(pd=at.pd, kept=np.any(at.broken, axis=0), part=parts["part"].to_numpy(),
                                   period=parts["period"].to_numpy())


def test_the_chosen_cut_off_is_the_releases_and_the_reason_says_by_what_rule(mill_model, found):
    policy = json.loads((mill_model.release / "policy.json").read_bytes())

    assert found["chosen"]["pd_below"] == policy["approve_below"]
    assert found["by_rule"]["share"] == found["chosen"]
    assert found["why"].startswith("approve_share asks for 60%")


def test_every_line_can_be_counted_again(found, scored):
    applied, test = scored[scored["period"] == "development"], scored[scored["part"] == "test"]
    for line in found["table"]:
        approved, lent = (rows[(rows["pd"] < line["pd_below"]) & ~rows["kept"]] for rows in (applied, test))

        assert line["approval_rate"] == pytest.approx(len(approved) / len(applied))
        assert (line["test_rows"], line["test_bads"]) == (len(lent), lent["bad"].sum())
        if len(approved):
            assert line["expected_bad_rate"] == pytest.approx(approved["pd"].mean())
            assert line["expected_profit"] == pytest.approx((0.06 - 0.51 * approved["pd"]).sum() / len(applied))


def test_no_cut_off_is_expected_to_earn_more_than_the_break_even_pd(found):
    best = found["by_rule"]["profit"]

    assert best["pd_below"] == pytest.approx(0.06 / 0.51)
    assert max(line["expected_profit"] for line in found["table"]) == best["expected_profit"]


def test_the_least_adverse_impact_is_of_a_group_against_its_reference(mill, mill_model, found, scored):
    applied = scored[scored["period"] == "development"]
    vault = pd.read_parquet(mill_model.vault / "protected.parquet")
    groups = applied[["application_id"]].merge(vault, on="application_id")
    line = found["chosen"]
    attribute, _, group = line["adverse_impact_of"].partition(": ")
    reference = next(column.reference for column in mill.protected if column.name == attribute)
    approved = ((applied["pd"] < line["pd_below"]) & ~applied["kept"]).to_numpy()
    rates = {name: approved[(groups[attribute] == name).to_numpy()].mean() for name in (group, reference)}

    assert line["adverse_impact"] == pytest.approx(rates[group] / rates[reference])


def test_what_became_of_rows_drawn_by_outcome_is_told_at_the_portfolios_bad_rate():
    people = cutoffs.People(np.full(1_000, 0.1), np.ones(1_000), np.repeat([1.0, 0.0], [400, 600]))
    profit = ProfitParams(of_good=0.06, of_bad=-0.45)
    shift = float(logit(0.04) - logit(0.4))

    line = cutoffs._of_test(people, 0.5, profit, shift)

    assert line["test_bad_rate"] == pytest.approx(0.04)
    assert line["low"] < 0.04 < line["high"] < 0.05
    assert line["test_profit"] == pytest.approx(0.96 * 0.06 - 0.04 * 0.45)


def test_profit_weighs_each_loan_by_the_contracts_amount(borrow):
    loans = load("consumer_loans")
    frame = borrow(loans, 500, unknown=0).assign(pd=0.02)

    amounts = cutoffs.people(loans, frame).amount
    known = frame[loans.amount].notna().to_numpy()

    assert amounts[known].tolist() == frame.loc[known, loans.amount].tolist()
    assert set(amounts[~known]) == {frame[loans.amount].mean()}


@pytest.mark.parametrize(("by", "expected"), [("bad_rate", 0.05), ("profit", 0.06 / 0.51)])
def test_each_rule_sets_the_policy_by_its_own_measure(by, expected):
    pds, nobody = np.random.default_rng(0).beta(1, 6, size=10_000), np.zeros(10_000, dtype=bool)
    params = PolicyParams(by, 0.6, 0.05, PROFIT, 0.1, (Band("A", 0.1), Band("B", 1.0)), 600, 50, 20)
    policy = set_policy(pds, nobody, params)
    approved = pds[pds < policy.approve_below]

    assert (approved.mean() if by == "bad_rate" else policy.approve_below) == pytest.approx(expected, abs=1e-4)
    assert np.mean((pds >= policy.approve_below) & (pds < policy.decline_from)) == pytest.approx(0.1)


def test_a_rule_that_approves_nobody_is_a_message_with_its_place():
    pds, nobody = np.linspace(0.3, 0.6, 100), np.zeros(100, dtype=bool)
    for by, said in (("bad_rate", "approved_bad_rate is 0.05"), ("profit", "profit breaks even at a PD of 0.1176")):
        params = PolicyParams(by, 0.6, 0.05, PROFIT, 0.1, (Band("A", 0.1), Band("B", 1.0)), 600, 50, 20)

        with pytest.raises(ParamsError, match=f"{said}, and approves none of 100 .* lowest PD is 0.3"):
            set_policy(pds, nobody, params)


def test_an_amount_that_is_no_requested_number_is_refused():
    loans = load("consumer_loans")
    level = next(column.name for column in loans.requests if column.is_level)

    with pytest.raises(ContractError, match=f"amount: {level} is no requested number"):
        dataclasses.replace(loans, amount=level)
