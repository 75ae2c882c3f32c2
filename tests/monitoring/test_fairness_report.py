"""The fairness report names the group, its ratio and its months; a group that could not be judged never reads like a pass."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from governance import packs
from governance.limits import Floor, Verdict
from governance.packs import Ruling
from monitoring import fairness, fairness_page, fairness_report, group_counts, in_force, reports, rulings
from monitoring.fairness import Attribute, Development, Month
from monitoring.fairness_found import Found
from monitoring.group_figures import Group
from monitoring.group_reasons import GroupReason
from monitoring.intersections import Cell, Intersection
from monitoring.intervals import Estimate
from monitoring.rulings import Flag, PackRuling

MONTHS = ("2024-01", "2024-02", "2024-03")
JUDGES = (packs.load("strict", date(2024, 4, 1)),)


def group(name, impact=None, verdict=None, withheld=""):
    opportunity = Verdict.INSUFFICIENT if verdict else None
    if withheld:
        return Group("kind", name, withheld, withheld, impact_verdict=verdict, opportunity_verdict=opportunity)
    return Group("kind", name, "", "", 100, 50, Estimate(0.5, 0.4, 0.6), 7, Estimate(0.07, 0.03, 0.13), impact, impact_verdict=verdict,
                 opportunity_verdict=opportunity)


def attribute(*groups, unknown=0, months=(), verdict=Verdict.ALERT):
    return Attribute("kind", "a", unknown, {}, verdict, (group("a"), *groups), tuple(months))


def shown(attributes, **also):
    return Found(**{"attributes": attributes, "rulings": (), "intersections": (), "bands": (), "cut_offs": (), "reasons": (), **also})


def test_fairness_names_the_group_its_ratio_and_its_months():
    hit = Estimate(0.61, 0.5, 0.7)
    months = [Month("kind", "b", month, "100 or more", hit, Verdict.ALERT) for month in MONTHS[:2]]
    said = fairness_report.findings([attribute(group("b", hit, Verdict.ALERT), unknown=7, months=months)], JUDGES)
    assert said[0] == "**1 of 1 groups in alert**:"
    assert "kind: b**, alert below 0.8: adverse impact ratio 0.610 (0.500 to 0.700); 50.0% approved, 50.0% of a" in said[1]
    assert "in alert in 2024-01 to 2024-02" in said[1]
    assert "not a pass: kind: b." in said[2]
    assert "kind (7)" in said[3]


def test_without_protected_attributes_that_is_said():
    assert fairness_report.findings([], JUDGES) == ["This portfolio declares no protected attribute."]


def test_groups_that_could_not_be_judged_are_no_pass():
    small = [group(name, Estimate(0.9, 0.1, 2.0), Verdict.INSUFFICIENT) for name in "bc"]
    none = attribute(*small, verdict=Verdict.INSUFFICIENT)
    said = fairness_report.findings([none], JUDGES)[0]
    assert said == "**Fairness: insufficient.** None of 2 groups could be judged, which is not a pass."
    some = msgspec.structs.replace(none, groups=(*none.groups, group("d", Estimate(1.0, 0.9, 1.1), Verdict.OK)))
    assert fairness_report.findings([some], JUDGES)[0] == "**0 of 1 groups in alert**; 2 more could not be judged."


def test_a_window_nobody_of_which_is_in_the_vault_is_insufficient_in_words():
    (said,) = fairness_report.findings([Attribute("kind", "a", 40, {}, Verdict.INSUFFICIENT, (), ())], JUDGES)
    assert said.startswith("**Fairness: insufficient.** No decision of this window has protected attributes in the vault")


def test_a_withheld_group_is_named_without_a_figure(tmp_path):
    one = attribute(group("b", verdict=Verdict.INSUFFICIENT, withheld="fewer than 30"),
                    group("c", verdict=Verdict.ALERT, withheld="its figures would tell of a withheld group"), unknown=None)
    said = fairness_report.findings([one], JUDGES)
    assert "- **kind: c**, alert below 0.8: adverse impact ratio withheld" in said
    assert "Withheld: kind: b (fewer than 30), kind: c (its figures would tell of a withheld group)." in said
    assert "left out, and withheld: kind." in said[-1]
    approvals, _, outcomes = (block.table.set_index("group") for block in fairness_page.page("p", said, shown([one]), JUDGES).blocks[2:5])
    assert list(approvals.loc["b"]) == ["withheld", "-", "-", "-", "-", "insufficient"]
    assert set(outcomes.loc["c"]) == {"withheld", "-", "insufficient"}


def flag(measure, verdict, *, blocks):
    return Flag(measure, "kind", "b", verdict, blocks)


@pytest.mark.parametrize(("ruling", "flags", "judged", "said"), [
    (Ruling.PASSES, (), 4, "passes: nothing it judges is flagged. words"),
    (Ruling.BLOCKS, (), 0, "would hold a promotion up, for nothing could be judged. words"),
    (Ruling.BLOCKS, (flag("a_ratio", Verdict.ALERT, blocks=True), flag("b_ratio", Verdict.ALERT, blocks=False)), 4,
     "would hold a promotion up (kind b: a ratio alert). words"),
    (Ruling.REPORTS, (flag("b_ratio", Verdict.INSUFFICIENT, blocks=False),), 4,
     "reports, and holds nothing up (kind b: b ratio insufficient). words"),
])
def test_what_a_pack_comes_to_is_said_with_what_holds_it_up(ruling, flags, judged, said):
    version = msgspec.structs.replace(JUDGES[0].version, says="words")
    (found,) = fairness_report.ruled([PackRuling("strict", "no law", "t", date(2024, 4, 1), version, ruling, judged, flags)])
    assert found == f"Policy pack **strict** (no law), as of 2024-04-01: {said}"
    (undated,) = fairness_report.ruled([PackRuling("strict", "no law", "t", None, version, ruling, judged, flags)])
    assert undated == f"Policy pack **strict** (no law): {said}"


def test_intersections_and_reasons_are_told():
    cells = (Cell(("a", "x"), "100 or more", Estimate(0.6, 0.5, 0.7), Verdict.ALERT),
             Cell(("b", "y"), "fewer than 30", None, Verdict.INSUFFICIENT))
    reason = GroupReason("kind", "b", "income", "Your income is low", 0.4, 0.2, 0.001, differs=True)
    said = fairness_report.beyond([Intersection(("kind", "sort"), ("a", "y"), Verdict.ALERT, cells)], [reason])
    assert said[0] == "Where two attributes meet, 1 of 2 groups are in alert, and 1 are too small to tell:"
    assert said[1] == "- **a and x**, alert: adverse impact ratio 0.60 (0.50 to 0.70) against a and y"
    assert said[2].startswith("Of 1 comparisons of how often declines name a reason, 1 differ")


def watched_found(watched, params):
    grouped = group_counts.grouped(watched.frame, watched.portfolio)
    by = fairness.judges(watched.frame, watched.portfolio, in_force.read(params, watched.portfolio))
    return shown(fairness.assess(grouped, Development({}), by, params), rulings=rulings.assess(grouped, by.newest, date(2024, 1, 1)))


@pytest.mark.parametrize("alert", [0.8, 0.75])
def test_the_dotted_line_is_the_limit_and_its_title_says_which(watched, fairness_params, alert):
    adverse, *others = JUDGES[0].version.measures
    limited = msgspec.structs.replace(adverse, limits=Floor(0.9, alert))
    judges = (msgspec.structs.replace(JUDGES[0], version=msgspec.structs.replace(JUDGES[0].version, measures=(limited, *others))),)
    blocks = fairness_page.page("p", ["said"], watched_found(watched, fairness_params), judges).blocks
    dotted = [block for block in blocks if f"dotted: {alert:g}" in block.title]
    assert dotted
    assert all(set(block.table["line"]) == {alert} for block in dotted)


def test_every_figure_of_a_group_is_in_a_table_and_what_was_found_comes_first(watched, fairness_params):
    found = watched_found(watched, fairness_params)
    page = fairness_page.page("p", ["said"], found, JUDGES)
    assert (page.blocks[0].title, list(page.blocks[0].table["text"])) == ("p: what was found", ["said"])
    assert len({block.title for block in page.blocks}) == len(page.blocks)
    tables = [block.table for block in page.blocks if block.kind == "table" and "group" in block.table]
    groups = [[group.group for group in one.groups] for one in found.attributes]
    assert [list(table["group"]) for table in tables] == [names for names in groups for _ in range(3)]


def test_every_limit_on_the_page_has_its_source(watched, fairness_params):
    text = {block.title: "\n".join(block.table["text"]) for block in
            fairness_page.page("p", ["said"], watched_found(watched, fairness_params), JUDGES).blocks if block.kind == "text"}
    assert all(measure.source in text["Where limits come from"] for measure in JUDGES[0].version.measures)


def test_no_protected_attribute_still_makes_a_page(tmp_path):
    reports.write(fairness_page.page("p", ["none"], shown(()), JUDGES), tmp_path / "p.html")
    assert "1607.4(D)" in (tmp_path / "p.html").read_text()
