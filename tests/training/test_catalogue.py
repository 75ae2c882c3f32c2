"""Every column of a contract once, with what is declared of it, what its data show, and what validate warned of it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from borrowers import brought
from ruamel.yaml import YAML

from feature_repo import params, portfolios, wording
from feature_repo.contract import BAD, Action, Applicant, Ignored, Input, Outcome, Protected, Request, Risk, Rule, Table, days
from feature_repo.errors import ParamsError
from feature_repo.portfolio import Portfolio
from feature_repo.verdict import Broken
from training import catalogue, population
from training.information import AGAINST, AGREES, UNDECLARED

PARAMS = catalogue.Catalogue(bins=10, least=10, direction=0.5)


@pytest.fixture(scope="module")
def orchard():
    with brought():
        return portfolios.load("orchard")


def evidence(portfolio, frame, warnings=()):
    random = np.random.default_rng(2)
    part = random.choice(["development", "test"], len(frame), p=[0.7, 0.3]).astype(object)
    parts = pd.DataFrame({"period": np.where(part == "test", "after", part), "part": np.where(frame[BAD].isna(), None, part)})
    groups = {column.name: random.choice([*column.group_names, None], len(frame)) for column in portfolio.protected}
    ingested = {table.name: {"rows": 77, "sha256": "ab" * 32, "missing": {column.name: 0.25 for column in table.select(Input)}}
                for table in portfolio.tables}
    return catalogue.Evidence(portfolio, PARAMS, frame, parts, frame[["application_id"]].assign(**groups), ingested, tuple(warnings))


def entries(seen):
    return [entry for sheet in catalogue.sheets(seen) for entry in sheet.columns]


def test_every_column_of_the_contract_is_there_once(orchard, borrow):
    found = entries(evidence(orchard, borrow(orchard, 600)))
    declared = [(table.name, column.raw) for table in orchard.tables for column in table.columns]

    assert sorted((entry.table, entry.raw) for entry in found) == sorted([*declared, ("plots", "2"), ("plots", "11"), ("harvests", "day")])
    assert len({entry.id for entry in found}) == len(found)
    kinds = {entry.raw: entry.kind for entry in found if entry.table == "plots"}
    assert kinds == {"1": "application's key", "2": "time", "3": "applicant's key", **dict.fromkeys("4567", "request"),
                     **dict.fromkeys("89", "protected"), "10": "ignored", "11": "outcome"}


def test_derived_features_have_their_own_sheet_with_formula_and_arguments(mill, borrow):
    *_, derived = catalogue.sheets(evidence(mill, borrow(mill, 600)))

    assert derived.name == "derived features"
    assert {entry.name: entry.facts["formula"] for entry in derived.columns} == {
        "sacks_per_stone": "sacks / stones", "log_flow": "np.log(np.maximum(flow, 0.5))"}
    assert derived.columns[0].facts["computed from"] == "sacks, stones"


def test_a_stored_column_says_its_view_its_age_and_both_missing_rates(mill, borrow):
    frame = borrow(mill, 600)
    seen = evidence(mill, frame)
    (flow,) = [entry for entry in entries(seen) if entry.name == "flow"]

    assert flow.facts["source"] == "feature store, view rivers"
    assert flow.facts["as of"] == "the newest row not after the application (rivers_as_of)"
    assert (flow.facts["usable for"], flow.facts["when stale"], flow.in_file) == ("60 days", "refer", 0.25)
    develops = (seen.parts["period"] == "development").to_numpy()
    assert flow.figures.missing == pytest.approx(frame.loc[develops, "flow"].isna().mean(), abs=1e-6)


def test_inputs_are_ranked_by_information_and_hold_their_direction(mill, borrow):
    sheets = catalogue.sheets(evidence(mill, borrow(mill, 4_000)))
    ranked = catalogue.by_information(sheets)
    said = {entry.name: entry.direction for entry in ranked}

    assert [entry.figures.information for entry in ranked] == sorted((entry.figures.information for entry in ranked), reverse=True)
    assert {entry.name for entry in ranked} == {column.name for column in mill.inputs}
    assert (said["sacks"], said["gauge"], said["grain"]) == (AGREES, UNDECLARED, "")


def test_a_bad_rate_against_the_declared_direction_is_found(mill, borrow):
    frame = borrow(mill, 4_000)
    turned = frame.assign(sacks=1_001 - frame["sacks"])
    sheets = catalogue.sheets(seen := evidence(mill, turned))

    assert {entry.direction for sheet in sheets for entry in sheet.columns if entry.name == "sacks"} == {AGAINST}
    found = catalogue.findings(sheets, population.by_part(mill, turned, seen.parts), [])
    assert "The bad rate runs against the declared direction: sacks." in found


def test_a_warning_stands_beside_its_column_and_none_is_lost(mill, borrow):
    warnings = (Broken("orders", "sacks", "usual", 3, 1_200), Broken("leakage", "flow", "doubtful", 9, 1_000, seen="AUC 0.81"),
                Broken("rivers", "event_timestamp", "future", 1, 50), Broken("coverage", "rivers", "coverage", 5, 50),
                Broken("rivers", "", "row_count", 1, 50))
    sheets = catalogue.sheets(evidence(mill, borrow(mill, 600), warnings))
    beside = {(entry.table, entry.name): entry.warnings for sheet in sheets for entry in sheet.columns if entry.warnings}

    assert beside == {("orders", "sacks"): ("unusual values (3 of 1,200 rows)",),
                      ("rivers", "flow"): ("alone ranks the outcome very well (AUC 0.81)",),
                      ("rivers", "event_timestamp"): ("later than the data can be (1 of 50 rows)",)}
    assert catalogue.elsewhere(sheets, warnings) == [sentence for sentence, _ in wording.sentences(warnings[3:])]


def test_the_findings_count_the_columns_and_name_the_strongest_and_the_empty(orchard, borrow):
    frame = borrow(orchard, 600).assign(tons=np.nan)
    sheets = catalogue.sheets(seen := evidence(orchard, frame))
    counted, strongest, empty = catalogue.findings(sheets, population.by_part(orchard, frame, seen.parts), [])

    assert counted == "600 applications; columns: 4 request, 1 stored, 2 protected, 1 ignored."
    assert strongest.startswith(f"Strongest alone, by information value: {catalogue.by_information(sheets)[0].name} ")
    assert empty == "Without any value in development: tons."


def wide(columns):
    """Undated, without a stored column, as many requests as are asked for."""
    return Portfolio(name="wide", title="Wide", outcome=Outcome(raw="o", bad=("1",), good=("0",), matures_after=days(1)), tables=(
        Table("people", file="p.csv", columns=(
            Applicant(raw="id"), Ignored(raw="z", because="later"), Protected("side", raw="s", groups={"l": "left"}, reference="left"),
            *(Request(f"x{place}", raw=f"X{place}", low=0, high=1, risk=Risk.RISES, reason="It is high") for place in range(columns)))),),
        rules=(Rule("high", when=lambda x0: x0 > 0.99, action=Action.DECLINE, reason="It is very high"),))


def test_an_undated_portfolio_with_many_columns_and_none_stored(borrow):
    portfolio = wide(60)
    frame = borrow(portfolio, 500)
    seen = evidence(portfolio, frame)

    assert len(catalogue.by_information(catalogue.sheets(seen))) == 60
    assert {part.months for part in population.by_part(portfolio, frame, seen.parts)} == {""}
    assert catalogue.rules(portfolio) == [{"code": "high", "when": "x0 > 0.99", "action": "decline", "reason": "It is very high"}]


def test_outcomes_of_one_kind_are_said(borrow):
    portfolio = wide(2)
    frame = borrow(portfolio, 300).assign(bad=0.0)
    sheets = catalogue.sheets(seen := evidence(portfolio, frame))

    found = catalogue.findings(sheets, population.by_part(portfolio, frame, seen.parts), [])
    assert "No information values: all known outcomes of development are alike." in found


def test_the_section_of_the_platform_is_read_and_an_unknown_key_refused(tmp_path):
    section = YAML(typ="safe").load(params.PARAMS.read_text())["catalogue"]
    (tmp_path / "params.yaml").write_text(f"catalogue: {({**section, 'bnis': 3})!r}")

    assert SimpleNamespace(**section).least == params.read("catalogue", catalogue.Catalogue).least
    with pytest.raises(ParamsError, match="bnis"):
        params.read("catalogue", catalogue.Catalogue, tmp_path / "params.yaml")
