"""The binning table counts every row of development once, in the bins that score, and says what each input is worth or why nothing."""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd
import pytest
import yaml

from serving.scoring.batch import arrays
from training import binning
from training.candidates import load_candidate
from training.panels import draw
from training.params import EvaluateParams
from training.points import points_table
from training.release_parts import compose, frozen_bins


@pytest.fixture(scope="module")
def development(mill_model):
    return mill_model.frame[(pd.read_parquet(mill_model.split / "parts.parquet")["part"] == "development").to_numpy()]


@pytest.fixture(scope="module")
def scored(mill, mill_model, development):
    """The card's scorer on development."""
    params = msgspec.convert(yaml.safe_load((mill_model.evaluate.parent / "params.yaml").read_text())["evaluate"], EvaluateParams)
    candidate, encoding = load_candidate(mill_model.train, "scorecard")
    scorer = compose(mill, candidate, encoding, development, params)
    return scorer, frozen_bins(mill, scorer.policy, scorer.assess(arrays(mill, development)), 10)


@pytest.fixture(scope="module")
def found(scored, development):
    return binning.evidence(*scored, development)


@pytest.fixture(scope="module")
def bins(found):
    return pd.DataFrame(found["bins"])


def test_every_row_and_bad_of_development_is_in_one_bin_of_every_input(mill, bins, development):
    sums = bins.groupby("input")[["rows", "bads"]].sum()

    assert set(sums.index) == {column.name for column in mill.inputs}
    assert sums.drop_duplicates().to_numpy().tolist() == [[len(development), int(development["bad"].sum())]]


def test_the_points_of_a_bin_are_those_of_the_printed_table(scored, bins):
    printed = points_table(scored[0], scored[0].kernel)

    for name, rows in bins.groupby("input"):
        assert set(rows["points"]) == set(printed.loc[printed["input"] == name, "points"])


def test_a_bin_of_levels_is_named_by_those_that_get_its_points(mill, scored, bins):
    printed = points_table(scored[0], scored[0].kernel).set_index(["input", "value"])["points"]
    column = next(column for column in mill.raw_inputs if column.is_level)
    rows = bins[(bins["input"] == column.name) & (bins["bin"] != "missing")]

    assert sorted(level for names in rows["bin"] for level in names.split(", ")) == sorted(column.level_names)
    assert all(printed[column.name, level] == row["points"] for _, row in rows.iterrows() for level in row["bin"].split(", "))


def test_mean_points_of_the_rows_are_mean_points_of_the_bins(scored, bins, development):
    scorer, _ = scored
    at = scorer.assess(arrays(scorer.portfolio, development))
    start = points_table(scorer, scorer.kernel).loc[0, "points"]

    assert start + (bins["points"] * bins["share"]).sum() == pytest.approx(at.score.mean(), abs=0.01)


def test_woe_and_iv_follow_from_the_counts_as_by_hand(found, bins):
    rows = bins[(bins["bads"] > 0) & (bins["bads"] < bins["rows"])]
    bads, goods = rows["bads"], rows["rows"] - rows["bads"]
    of_bad, of_good = (side / side.groupby(rows["input"]).transform("sum") for side in (bads, goods))
    whole = rows.groupby("input")["rows"].transform("sum") == bins.groupby("input")["rows"].sum().iloc[0]

    assert rows["woe"][whole].to_numpy() == pytest.approx(np.log(of_bad / of_good)[whole].to_numpy(), abs=1e-5)
    sums = bins.groupby("input")["iv"].sum()
    assert all(line["iv"] == pytest.approx(sums[line["input"]], abs=1e-4) for line in found["inputs"])
    assert whole.any()


def test_inputs_stand_by_information_with_what_was_declared_and_found(mill, found):
    lines = found["inputs"]
    declared = {column.name: {1: "rises", -1: "falls", 0: "none"}[int(column.risk)] for column in mill.inputs}

    assert [line["iv"] for line in lines] == sorted((line["iv"] for line in lines), reverse=True)
    assert {line["input"]: line["declared"] for line in lines} == declared
    strong = [line for line in lines if line["iv"] > 5 * line["by_chance"] and line["declared"] != "none"]
    assert all((line["trend"] > 0) == (line["declared"] == "rises") for line in strong)
    assert strong


def test_the_weight_is_what_a_woe_of_one_adds(scored, found):
    factor = scored[0].policy.pdo / np.log(2)
    table = pd.DataFrame(found["bins"])
    line = next(line for line in found["inputs"] if line["weight"] > 0.3)
    rows = table[(table["input"] == line["input"]) & (table["share"] > 0.1)]

    steepness = np.polyfit(rows["woe"], -rows["points"] / factor, 1)[0]
    assert line["weight"] == pytest.approx(steepness, abs=0.1)


@pytest.mark.parametrize(("spoil", "said"), [
    (lambda values: values * np.nan, binning.ABSENT), (lambda values: values.fillna(0) * 0 + 0.5, binning.CONSTANT),
], ids=["all missing", "constant"])
def test_an_input_that_cannot_count_is_dropped_with_its_reason(mill, scored, development, spoil, said):
    scorer, _ = scored
    name = next(column.name for column in mill.raw_inputs if not column.is_level and not column.special)
    frame = development.assign(**{name: spoil(development[name])})
    found = binning.evidence(scorer, frozen_bins(mill, scorer.policy, scorer.assess(arrays(mill, frame)), 10), frame)

    assert {line["input"]: line["dropped"] for line in found["inputs"]}[name] == said


def test_an_input_of_special_codes_alone_is_constant(mill, scored, development):
    scorer, _ = scored
    column = next(column for column in mill.raw_inputs if column.special)
    frame = development.assign(**{column.name: float(column.special[0])})
    found = binning.evidence(scorer, frozen_bins(mill, scorer.policy, scorer.assess(arrays(mill, frame)), 10), frame)

    assert {line["input"]: line["dropped"] for line in found["inputs"]}[column.name] == binning.CONSTANT
    assert [each["rows"] for each in found["bins"] if each["input"] == column.name and each["rows"]] == [len(frame)]


def test_a_bin_of_few_people_tells_no_outcome_and_neither_does_the_rest(mill, scored, development):
    scorer, _ = scored
    column = next(column for column in mill.raw_inputs if not column.is_level and not column.special)
    values = development[column.name].fillna(1.0)
    values.iloc[:3] = np.nan
    frame = development.assign(**{column.name: values})
    found = binning.evidence(scorer, frozen_bins(mill, scorer.policy, scorer.assess(arrays(mill, frame)), 10), frame)
    bins = [each for each in found["bins"] if each["input"] == column.name]

    assert (bins[-1]["bin"], bins[-1]["rows"], bins[-1]["bads"]) == ("missing", 3, None)
    assert sum(each["bads"] is None and each["rows"] > 0 for each in bins) == 2


def test_trees_have_their_drift_bins_and_no_points(mill_model, mill):
    import json

    found = json.loads((mill_model.release / "binning.json").read_bytes())

    assert found["of"] == "drift bins"
    assert len(found["inputs"]) == len(mill.inputs)
    assert {each["points"] for each in found["bins"]} == {None}


def test_the_picture_has_a_panel_per_input_and_a_bar_per_bin(found, mill, tmp_path):
    table = binning.tables(found)["binning"]
    figure = draw(table)

    assert [axes.get_title(loc="left").split()[0] for axes in figure.axes] == [line["input"] for line in found["inputs"]]
    assert sum(len(axes.patches) for axes in figure.axes) == len(table[(table["rows"] > 0) | (table["points"] != 0)])
