"""What every approve cut-off would bring: approvals, bad rate, profit, adverse impact; and why the policy has the one it has.

Of everyone who applied in development, by PD and rules alone, as the cut-off is set (training.policy); beside it what became of those of
the test whose outcome is known. Expected figures are of PDs: true as far as they are calibrated. Shares of applications
are those of the file, whatever bad rate it was drawn to. Moves no cut-off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from feature_repo.contract import BAD
from feature_repo.derive import holds
from feature_repo.portfolio import Portfolio
from serving.scoring.decision import Scorer
from training.measures import moved, rate_interval, weigh
from training.params import PolicyParams, ProfitParams
from training.policy import approve_cut, cut, rank
from training.population import join
from training.splits import DEVELOPMENT, PART, PERIOD, TEST

Array = np.ndarray[Any, Any]
Line = dict[str, Any]
RULES = {"share": "approve_share", "bad_rate": "approved_bad_rate", "profit": "profit"}
STEPS = 20  # of the share approved
FEWEST = 30  # applicants of a group its approval rate is measured on, as reports have it (fairness.minimum)


@dataclass(frozen=True)
class People:
    """Applications: PD (1 where a rule keeps from approval), amount (the mean where unknown), outcome (NaN where unknown)."""

    pd: Array
    amount: Array
    bad: Array


def evidence(scorer: Scorer, scored: pd.DataFrame, vault: pd.DataFrame, params: PolicyParams) -> dict[str, Any]:
    """cutoffs.json: the rule and its reason, the cut-off of each rule there is, and a line for every twentieth approved.

    scored: as judgement has it, with the inputs by name.
    """
    portfolio, policy, shift = scorer.portfolio, scorer.policy, scorer.calibrator.shift
    applied = scored[scored[PERIOD] == DEVELOPMENT]
    everyone, test = people(portfolio, applied), people(portfolio, scored[scored[PART] == TEST])
    groups = join(applied, vault)
    ranked = rank(everyone.pd, np.zeros(len(applied), dtype=bool))
    by_rule = {rule: approve_cut(ranked, params, rule) for rule in RULES if rule == params.approve_by or _approves(ranked, params, rule)}
    named = {limit: " and ".join(RULES[rule] for rule in by_rule if by_rule[rule] == limit) for limit in by_rule.values()}
    limits = sorted({*named, *(cut(ranked, step / STEPS) for step in range(1, STEPS + 1))})
    lines = {limit: {"pd_below": limit, "rule": named.get(limit, ""), **_of_development(everyone, limit, params.profit),
                     **_of_test(test, limit, params.profit, shift), **_impact(portfolio, everyone, groups, limit)} for limit in limits}
    chosen = lines[policy.approve_below]
    return {"approve_by": params.approve_by, "why": _why(params, chosen, len(applied)), "amount": portfolio.amount,
            "break_even_pd": params.profit.break_even, "decline_from": policy.decline_from, "chosen": chosen,
            "by_rule": {rule: lines[limit] for rule, limit in by_rule.items()}, "table": list(lines.values())}


def table(found: dict[str, Any]) -> pd.DataFrame:
    """Plot table `cutoffs`, a row per cut-off, the strictest first."""
    return pd.DataFrame(found["table"]).assign(chosen=lambda lines: lines["pd_below"] == found["chosen"]["pd_below"])


def people(portfolio: Portfolio, scored: pd.DataFrame) -> People:
    """What the cut-offs are counted on."""
    columns = {column.name: scored[column.name].to_numpy() for column in portfolio.inputs}
    kept = np.any([np.zeros(len(scored), dtype=bool), *(holds(rule, columns) for rule in portfolio.rules)], axis=0)
    amount = scored[portfolio.amount] if portfolio.amount else pd.Series(1.0, index=scored.index)
    bad = scored[BAD].to_numpy(dtype=np.float64)
    return People(np.where(kept, 1.0, scored["pd"]), amount.fillna(amount.mean()).to_numpy(dtype=np.float64), bad)


def _approves(ranked: Array, params: PolicyParams, rule: str) -> bool:
    return bool(ranked[0] < (params.profit.break_even if rule == "profit" else params.approved_bad_rate))


def _of_development(of: People, limit: float, profit: ProfitParams) -> Line:
    approved = of.pd < limit
    return {"approval_rate": _mean(approved), "expected_bad_rate": _mean(of.pd[approved]),
            "expected_profit": _mean(np.where(approved, of.amount * profit.expected(of.pd), 0.0))}


def _of_test(of: People, limit: float, profit: ProfitParams, shift: float) -> Line:
    """What became of the test's approved, at the portfolio's bad rate where rows were drawn by outcome; profit per application."""
    approved = of.pd < limit
    rows, bads = int(approved.sum()), int(of.bad[approved].sum())
    low, high = (_number(moved(bound, shift)) for bound in rate_interval(bads, rows))
    brought = np.where(approved, of.amount * profit.expected(of.bad), 0.0)
    rate = float(moved(bads / rows, shift)) if rows else None
    return {"test_rows": rows, "test_bads": bads, "test_bad_rate": rate, "low": low, "high": high,
            "test_profit": float(np.average(brought, weights=weigh(of.bad, shift))) if len(brought) else None}


def _impact(portfolio: Portfolio, of: People, groups: pd.DataFrame, limit: float) -> Line:
    """The least ratio of a group's approval rate to its reference group's, and whose it is; nothing where none can be told."""
    approved = pd.Series(of.pd < limit, index=groups.index)
    ratios: dict[str, float] = {}
    for column in portfolio.protected:
        found = approved.groupby(groups[column.name].to_numpy()).agg(["size", "mean"])
        rates = found.loc[found["size"] >= FEWEST, "mean"]
        if rates.get(column.reference, 0.0) > 0:
            ratios |= {f"{column.name}: {group}": float(rate / rates[column.reference]) for group, rate in rates.items()
                       if group != column.reference}
    worst = min(ratios, key=lambda name: ratios[name], default="")
    return {"adverse_impact": ratios.get(worst), "adverse_impact_of": worst}


def _why(params: PolicyParams, chosen: Line, applied: int) -> str:
    approves = (f"approves {chosen['approval_rate']:.1%} of the {applied} who applied in development, "
                f"{chosen['expected_bad_rate']:.2%} of them bad by their PDs")
    reasons = {"share": f"approve_share asks for {params.approve_share:.0%}",
               "bad_rate": f"approved_bad_rate allows {params.approved_bad_rate:.2%} bad among the approved",
               "profit": f"a good brings {params.profit.of_good:g}, a bad {params.profit.of_bad:g}: a loan earns below a PD of "
                         f"{params.profit.break_even:.2%}"}
    return f"{reasons[params.approve_by]}: the cut-off {chosen['pd_below']:.4g} {approves}"


def _mean(values: Array) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
