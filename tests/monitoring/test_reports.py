"""A report is one file that fetches nothing, and keeps a metric's identity when its value changes."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from monitoring import reports
from monitoring.blocks import Block, Page
from monitoring.reports import Figure


@pytest.fixture
def page():
    months = ["2024-01", "2024-02"]
    cells = pd.DataFrame({"column": "x", "month": months, "psi": [0.01, 0.3], "verdict": ["ok", "alert"], "watch": 0.1, "alert": 0.25})
    blocks = (Block("Found", "text", pd.DataFrame({"text": ["**One** </script><script>alert(1)</script>"]})),
              Block("Counts", "counters", pd.DataFrame({"label": ["alert"], "value": ["1"]})),
              Block("Grid", "heatmap", cells), Block("Rows", "table", cells, half=True))
    return Page("x & y", blocks, pd.DataFrame({"column": ["x", "y"], "measure": "PSI", "value": [0.3, None]}))


def test_a_report_is_one_small_file_that_loads_nothing(page, tmp_path):
    reports.write(page, tmp_path / "sub" / "page.html")
    text = (tmp_path / "sub" / "page.html").read_text()
    assert len(text) < 5_000_000
    assert "<title>x &amp; y</title>" in text
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", text[: text.index("</head>")])
    assert not re.search(r"<script[^>]+src=", text)


def test_a_metric_is_the_same_metric_whatever_its_value():
    assert Figure(column="x", measure="PSI").metric_id == Figure(column="x", measure="PSI").metric_id
    assert Figure(column="x", measure="PSI").metric_id != Figure(column="y", measure="PSI").metric_id
    assert set(Figure.__fields__) == {"type", "column", "measure", "tests"}


def test_evidently_holds_our_figures(page):
    run = reports.run(page)
    values = {metric["metric_name"]: metric["value"] for metric in run.dict()["metrics"]}
    assert values["Figure(column=x,measure=PSI)"] == 0.3
    assert "Figure(column=y,measure=PSI)" not in values


def test_the_text_of_a_page_cannot_run(page, tmp_path):
    reports.write(page, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "alert(1)" in text
    assert "</script><script>alert(1)" not in text
