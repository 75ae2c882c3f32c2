"""What is said of what was published: of everybody's newest row, and of nobody."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from viewed import NOON, featurized, known

from feature_repo import statistics, summaries
from feature_repo.contract import APPLICANT_ID, EVENT_TIME
from feature_repo.errors import FeatureError
from feature_repo.publishing import latest
from feature_repo.store import publish
from feature_repo.writers import view_of


def test_a_publish_leaves_figures_of_everybodys_newest_row(harbour, invent, tmp_path):
    views = featurized(harbour, invent(harbour, [f"p{i}" for i in range(500)]), tmp_path)
    publish(harbour, views, tmp_path / "home")
    found = statistics.read(tmp_path / "home" / statistics.FILE)

    assert set(found.columns) == {column.name for column in harbour.stored}
    for table in harbour.views:
        newest = pd.read_parquet(views / f"{table.name}.parquet").sort_values(EVENT_TIME).groupby(APPLICANT_ID).nth(-1)
        assert found.views[table.name].applicants == 500
        assert found.views[table.name].as_of["0.5"] == newest[table.as_of].quantile(0.5)
        for column in table.stored:
            assert found.columns[column.name].missing == pytest.approx(newest[column.name].isna().mean(), abs=1e-6)
            assert found.columns[column.name].quantiles == ({} if column.is_level else pytest.approx(
                {f"{share:g}": newest[column.name].quantile(share) for share in summaries.SHARES}))


def test_a_quantile_beyond_which_few_people_lie_is_not_told(toy, tmp_path):
    (table,) = toy.views
    views = known(toy, tmp_path, [(f"p{i}", NOON - timedelta(days=i), float(i) if i < 40 else np.nan) for i in range(199)])
    found = measured(toy, views)

    assert [*found.columns[table.stored[0].name].quantiles] == ["0.25", "0.5", "0.75"]
    assert [*found.views[table.name].as_of] == ["0.25", "0.5", "0.75"]
    assert measured(toy, known(toy, tmp_path / "none", [])).columns[table.stored[0].name] == statistics.OfColumn(0.0, {})


def measured(portfolio, views):
    newest = {table.name: latest(view_of(portfolio, table), views / f"{table.name}.parquet") for table in portfolio.views}
    return summaries.measure(portfolio, newest)


@pytest.mark.parametrize("written", [None, b"", b"{}", b'{"columns": 1, "views": {}}'])
def test_a_file_that_cannot_be_read_is_said_so(tmp_path, written):
    if written is not None:
        (tmp_path / statistics.FILE).write_bytes(written)
    with pytest.raises(FeatureError, match="publish the features again"):
        statistics.read(tmp_path / statistics.FILE)
