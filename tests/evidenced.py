"""Evidence of a release that was never trained: enough for every gate to pass, or for one of them to fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from feature_repo.params import read
from feature_repo.portfolio import Portfolio
from governance.gate_settings import Gates, frozen

ROOT = Path(__file__).parents[1]
MEASURES = {"rows": 9000, "bads": 900, "gini": 0.6, "gini_low": 0.57, "gini_high": 0.63, "ece": 0.005}
WHOLE = {"rows": 9000, "bads": 900, "mean_pd": 0.1, "bad_rate": 0.1, "jeffreys": 0.5}
SLOPE = {"value": 1.0, "low": 0.95, "high": 1.05}
FAITHFUL = {"applications": 500, "cases": 1500, "helped": 1490, "pairs": 9000, "ahead": 8900, "reasons": []}
VALIDATION = {"success": True, "warnings": []}


def evidence(portfolio: Portfolio, model: str, failing: str = "") -> dict[str, Any]:
    """File name -> what it holds. failing: the gate that does not let the release through."""
    declared = {column.name: {1: "rises", -1: "falls"}[int(column.risk)] for column in portfolio.inputs if column.risk}
    proved = {} if failing == "monotonicity" else declared
    measures = {**MEASURES, "gini_low": 0.1} if failing == "discrimination" else MEASURES
    whole = {**WHOLE, "bads": 1500, "bad_rate": 0.15, "jeffreys": 0.0} if failing == "calibration" else WHOLE
    return {
        "gates.json": limits(portfolio, failing), "measures.json": {"test": measures},
        "calibration.json": {"parts": {"test": {"whole": {"name": "all", **whole}, "bands": [{"name": "A", **WHOLE}],
                                                "recalibration": {"slope": SLOPE}}}},
        "monotonicity.json": {model: {"holds": True, "comparisons": 100, "inputs": [
            {"input": name, "direction": direction, "comparisons": 1} for name, direction in proved.items()]}},
        "fairness.json": {column.name: {group: {"count": 1000, "approval_rate": rate(group, column.reference, failing)}
                                        for group in column.group_names} for column in portfolio.protected},
        "fidelity.json": {**FAITHFUL, "helped": 900} if failing == "fidelity" else FAITHFUL,
        "stability.json": {"out_of_time": True, "found": ["nothing moved", "the Gini is what it was"],
                           "results": [{"column": name, "psi": 0.02, "verdict": "ok"} for name in ("score", "pd", "outcome")],
                           "gini_verdict": "alert" if failing == "stability" else "ok"},
    }


def limits(portfolio: Portfolio, failing: str) -> dict[str, Any]:
    """gates.json, of params.yaml."""
    found = frozen(read("gates", Gates, ROOT / "params.yaml"))
    if failing == "reasons":
        found["reasons"] = {"banned": [portfolio.inputs[0].reason]}
    return {**found, "people": 3} if failing == "people" else found


def rate(group: str, reference: str, failing: str) -> float:
    return 0.3 if group != reference and failing.startswith("fairness") else 0.6


def validation(failing: str = "") -> dict[str, Any]:
    """What the manifest says of the data."""
    return {**VALIDATION, "success": failing != "data"}
