"""Stage vintages: its evidence and its tables are what the outcomes as recorded say, and the release carries the evidence."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from training import maturity, pictures
from training.stages import vintages


def test_the_default_portfolio_has_a_bad_rate_per_month_in_its_release(small_project):
    folders = (("vintages",), ("evaluate", "release"))
    written, carried = (json.loads(small_project.data(*folder, "vintages.json").read_bytes()) for folder in folders)
    parts = pd.read_parquet(small_project.data("split", "parts.parquet"))
    rates = pd.read_csv(small_project.data("vintages", "vintage_rates.csv"))

    assert written == carried
    assert (written["unit"], written["followed"], len(written["vintages"])) == ("month", False, 36)
    assert rates["applications"].sum() == len(parts)
    assert rates["booked"].sum() < rates["applications"].sum(), "the rejected were never booked"
    assert set(pictures.draw_apart((small_project.data("vintages"),))) == {"vintage_rates"}


@pytest.fixture(scope="module")
def sba(data_dir, tmp_path_factory):
    """What the stage writes of the real file, from what ingest makes of it."""
    from feature_repo.portfolios import load
    from training import raw, standing, tables

    declared, folder = load("sba_504"), tmp_path_factory.mktemp("sba")
    read = raw.read(declared.applications, raw.find(declared, declared.applications))
    translated = tables.translate(declared, declared.applications, read)
    tables.write(translated, folder / "applications.parquet")
    tables.write(standing.of(declared, read, translated), folder / standing.FILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(vintages.__file__.rsplit("/training/", 1)[0])
        vintages.main("sba_504", folder / standing.FILE, folder, folder / "out")
    return folder / "out", maturity.table(declared, read)


def test_a_window_that_sees_little_of_what_goes_bad_is_told(sba):
    """Debentures of ten and twenty years: of what failed in ten years, seven in ten did after the five that the outcome counts."""
    found = json.loads((sba[0] / "vintages.json").read_bytes())

    assert 0.2 < found["by_window"] < 0.4
    assert found["found"][-1].startswith("Loans still open on 2014-01-31 are absent")


def test_curves_agree_with_the_outcome_window_where_they_cross_it(sba):
    """At 60 months a curve has what `tally portfolio maturity` counts as bad within 1,826 days."""
    curves = pd.read_csv(sba[0] / "vintage_curves.csv").astype({"vintage": str}).set_index(["vintage", "months"])
    within = sba[1].set_index("vintage")["within"]

    for year in ("1990", "2000", "2007"):
        assert abs(curves.loc[(year, 60), "bads"] - within[year]) <= 1
    assert curves.loc["2008"].index.max() == 60
    assert len(curves.loc["2013"]) <= 4


def test_curves_are_drawn_one_colour_per_vintage(sba):
    axes = pictures.draw_apart((sba[0],))["vintage_curves"].axes[0]

    assert len({line.get_color() for line in axes.lines}) == len(axes.lines) >= 20
