"""A monitoring setting that would make verdicts wrong is refused in one line that names it."""

from __future__ import annotations

import pytest
from borrowers import write_params

from feature_repo.errors import ParamsError
from feature_repo.params import read
from monitoring.params import BaselineParams, DriftParams, FairnessParams, PerformanceParams

KINDS = {"baseline": BaselineParams, "drift": DriftParams, "performance": PerformanceParams, "fairness": FairnessParams}


@pytest.mark.parametrize(("section", "change", "said"), [
    ("baseline", {"rows_at_once": 0}, "rows_at_once"),
    ("drift", {"minimum": 0}, "minimum"),
    ("drift", {"psi": {"watch": 0.25, "alert": 0.1}}, "watch is 0.25, above alert, 0.1"),
    ("drift", {"psi": {"watch": float("nan")}}, "psi.watch"),
    ("performance", {"confidence": 95}, "confidence"),
    ("performance", {"confidence": 0.05}, "confidence"),
    ("performance", {"minimum_bad": 0}, "minimum_bad"),
    ("performance", {"gini_loss": {"watch": 10, "alert": 20}}, "gini_loss.alert"),
    ("performance", {"excess_bad": {"watch": 0}}, "excess_bad.watch"),
    ("fairness", {"least": 9}, "least"),
    ("fairness", {"packs": []}, "packs"),
    ("fairness", {"as_of": "soon"}, "as_of"),
    ("fairness", {"adverse_impact": 0.9}, "adverse_impact"),
])
def test_a_setting_out_of_bounds_or_order_is_refused(tmp_path, section, change, said):
    write_params(tmp_path / "params.yaml", {section: change})
    with pytest.raises(ParamsError, match=f"section {section}") as refused:
        read(section, KINDS[section], tmp_path / "params.yaml")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("section", KINDS)
def test_the_settings_of_the_platform_are_within_them(tmp_path, section):
    write_params(tmp_path / "params.yaml", {})
    assert read(section, KINDS[section], tmp_path / "params.yaml")
