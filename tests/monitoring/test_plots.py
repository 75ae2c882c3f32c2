"""Pictures show the figures they are given, at a height that holds them."""

from __future__ import annotations

import doctest

import numpy as np
import pandas as pd
import pytest

from monitoring import plots

CELLS = pd.DataFrame({"column": ["a", "a", "b", "b"], "month": ["2024-01", "2024-02"] * 2, "psi": [0.01, 0.3, 0.9, 0.02],
                      "verdict": ["ok", "alert", "insufficient", "ok"], "watch": 0.1, "alert": 0.25})
LINES = pd.DataFrame({"label": ["2024-01", "2024-02"], "series": "s", "value": [0.4, 0.5], "low": [0.3, np.nan],
                      "high": [0.6, np.nan], "line": 0.8})


def test_the_examples_hold():
    assert doctest.testmod(plots).failed == 0


def test_the_map_leaves_out_what_got_no_verdict():
    grid = plots.heatmap(CELLS).data[0]
    at = dict(zip(grid.y, np.asarray(grid.z), strict=True))
    assert np.isnan(at["b"][0])
    assert at["a"][1] == 0.3
    assert dict(zip(grid.y, np.asarray(grid.text), strict=True))["a"].tolist() == ["", "0.30"]


def test_a_picture_of_many_columns_grows():
    many = pd.concat([CELLS.assign(column=f"c{k}") for k in range(40)]).drop_duplicates(["column", "month"])
    assert plots.heatmap(many).layout.height > plots.heatmap(CELLS).layout.height + 700
    assert plots.ranking(many).layout.height > 700


@pytest.mark.parametrize("name", ["over_time", "estimates"])
def test_points_carry_their_intervals_and_the_level_to_compare_with(name):
    figure = plots.CHARTS[name](LINES)
    assert list(figure.data[0].y) == [0.4, 0.5]
    assert figure.data[0].error_y.array[0] == pytest.approx(0.2)
    assert figure.layout.shapes[0].y0 == 0.8


def test_distributions_draw_development_beside_the_month():
    table = pd.DataFrame({"column": "a", "month": "2024-02", "label": ["below 1", "1 and over"], "expected": 0.5, "actual": [0.2, 0.8]})
    figure = plots.distributions(table)
    assert [list(bar.y) for bar in figure.data] == [[0.5, 0.5], [0.2, 0.8]]
    assert "a, 2024-02" in [note.text for note in figure.layout.annotations]


def test_a_limit_above_the_usual_scale_is_still_drawn():
    assert plots.heatmap(CELLS.assign(watch=0.4, alert=0.9)).data[0].zmax > 0.9
