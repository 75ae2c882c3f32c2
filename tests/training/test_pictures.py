"""Every table of evaluate/plots has its picture, which shows what the table holds."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from training import pictures


@pytest.fixture(scope="module")
def drawn(mill_model):
    return pictures.draw(mill_model.evaluate / "plots")


def test_every_table_has_a_picture(drawn, mill_model):
    assert set(drawn) == {path.stem for path in (mill_model.evaluate / "plots").iterdir()}


@pytest.mark.parametrize("table", ["binning", "segments"])
def test_names_of_the_lenders_file_are_drawn_as_they_are(mill_model, tmp_path, table):
    """Two dollars would be mathematics to matplotlib, and a word that is too long nothing at all."""
    shutil.copytree(mill_model.evaluate / "plots", tmp_path / "plots")
    names = pd.read_csv(tmp_path / "plots" / f"{table}.csv")
    names[{"binning": "bin", "segments": "segment"}[table]] = [f"$5%_to_$6%_{'x' * 40}{i}" for i in range(len(names))]
    names.to_csv(tmp_path / "plots" / f"{table}.csv", index=False)

    figure = pictures.draw(tmp_path / "plots")[table]
    figure.savefig(tmp_path / "picture.png")

    shown = [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]
    assert [text for text in shown if text and not text.startswith("$5%_to_$6%_")] == []


def test_a_part_that_is_not_there_has_no_curve(mill_model, tmp_path):
    for path in (mill_model.evaluate / "plots").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    lines = [line.split(",") for line in (tmp_path / "roc.csv").read_text().splitlines()]
    (tmp_path / "roc.csv").write_text("\n".join(",".join([a, b, "" if number else c, d]) for number, (a, b, c, d) in enumerate(lines)))

    legend = pictures.draw(tmp_path)["roc"].axes[0].get_legend()

    assert [text.get_text() for text in legend.get_texts()] == ["development", "test", "chance"]


def test_an_interval_below_zero_is_seen(mill_model, tmp_path):
    for path in (mill_model.evaluate / "plots").iterdir():
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "vintages.csv").write_text("vintage,gini,gini_low,gini_high,part\n2009,-0.2,-0.6,0.3,test\n")

    assert pictures.draw(tmp_path)["vintages"].axes[0].get_ylim()[0] == -0.6
