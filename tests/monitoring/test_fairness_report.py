"""The fairness report names the group, its ratio and its months; a group that could not be judged never reads like a pass."""

from __future__ import annotations

import msgspec
import pytest

from governance.limits import Floor, Verdict
from monitoring import fairness, fairness_report, reports
from monitoring.fairness import Attribute, Group
from monitoring.intervals import Estimate

MONTHS = ("2024-01", "2024-02", "2024-03")


def group(name, month="all", impact=None, verdict=None):
    opportunity = Verdict.INSUFFICIENT if verdict else None
    return Group("kind", name, month, 100, 50, Estimate(0.5, 0.4, 0.6), impact, 0, 0, 0, 0, None, None, None, verdict, opportunity)


def test_fairness_names_the_group_its_ratio_and_its_months(fairness_params):
    hit = Estimate(0.61, 0.5, 0.7)
    one = Attribute("kind", "a", 7, {}, Verdict.ALERT, (group("a"), group("b", impact=hit, verdict=Verdict.ALERT)),
                    tuple(group("b", month, hit, Verdict.ALERT) for month in MONTHS[:2]))
    said = fairness_report.findings([one], fairness_params)
    assert said[0] == "**1 of 1 groups in alert**:"
    assert "kind: b**, alert below 0.8: adverse impact ratio 0.610 (0.500 to 0.700)" in said[1]
    assert "in alert in 2024-01 to 2024-02" in said[1]
    assert "not a pass: kind: b (100)" in said[2]
    assert "kind (7)" in said[3]


def test_without_protected_attributes_that_is_said(fairness_params):
    assert fairness_report.findings([], fairness_params) == ["This portfolio declares no protected attribute."]


def test_groups_that_could_not_be_judged_are_no_pass(fairness_params):
    small = tuple(group(name, impact=Estimate(0.9, 0.1, 2.0), verdict=Verdict.INSUFFICIENT) for name in "bc")
    none = Attribute("kind", "a", 0, {}, Verdict.INSUFFICIENT, (group("a"), *small), ())
    assert fairness_report.findings([none], fairness_params)[0] == (
        "**Fairness: insufficient.** None of 2 groups could be judged, which is not a pass.")
    some = msgspec.structs.replace(none, groups=(*none.groups, group("d", impact=Estimate(1.0, 0.9, 1.1), verdict=Verdict.OK)))
    assert fairness_report.findings([some], fairness_params)[0] == "**0 of 1 groups in alert**; 2 more could not be judged."


def test_a_window_nobody_of_which_is_in_the_vault_is_insufficient_in_words(fairness_params):
    (said,) = fairness_report.findings([Attribute("kind", "a", 40, {}, Verdict.INSUFFICIENT, (), ())], fairness_params)
    assert said.startswith("**Fairness: insufficient.** No decision of this window has protected attributes in the vault")


@pytest.mark.parametrize("alert", [0.8, 0.75])
def test_the_dotted_line_is_the_limit_and_its_title_says_which(watched, fairness_params, alert):
    attributes = fairness.assess(watched.frame, watched.portfolio, {}, fairness_params)
    page = fairness_report.page("p", [], attributes, Floor(watch=0.9, alert=alert))
    dotted = [block for block in page.blocks if "dotted" in block.title]
    assert len(dotted) == 2 * len(attributes)
    assert all(block.title.endswith(f"dotted: {alert:g}") and set(block.table["line"]) == {alert} for block in dotted)


def test_every_figure_of_a_group_is_in_a_table_and_what_was_found_comes_first(watched, fairness_params):
    attributes = fairness.assess(watched.frame, watched.portfolio, {}, fairness_params)
    page = fairness_report.page("p", ["said"], attributes, fairness_params.adverse_impact)
    assert (page.blocks[0].title, list(page.blocks[0].table["text"])) == ("p: what was found", ["said"])
    assert len({block.title for block in page.blocks}) == len(page.blocks)
    tables = [block.table for block in page.blocks if block.kind == "table"]
    assert [list(table["group"]) for table in tables] == [[group.group for group in one.groups] for one in attributes for _ in range(2)]


def test_no_protected_attribute_still_makes_a_page(fairness_params, tmp_path):
    reports.write(fairness_report.page("p", ["none"], (), fairness_params.adverse_impact), tmp_path / "p.html")
    assert "1607.4(D)" in (tmp_path / "p.html").read_text()
