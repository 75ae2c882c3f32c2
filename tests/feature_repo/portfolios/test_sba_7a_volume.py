"""sba_7a_volume on the real file: the figures of its README, through the reading path of ingest."""

from __future__ import annotations

import pandas as pd
import pytest
from real_files import Real
from sklearn.metrics import roc_auc_score

from feature_repo.contract import APPLICANT_ID, BAD, OTHER
from feature_repo.portfolios import load


@pytest.fixture(scope="module")
def sba(data_dir):
    return Real("sba_7a_volume", data_dir)


def test_rows_bad_rate_and_keys_are_those_of_the_readme(sba):
    bad = sba.translated[BAD]

    sba.states("443,912 x 9", "21.47% (95,308)", "no missing cells", "rows from 22,428 on")
    assert (len(bad), int(bad.sum()), f"{bad.mean():.2%}") == (443_912, 95_308, "21.47%")
    assert sba.translated[APPLICANT_ID].astype(int).min() == 22_428
    assert sba.translated[APPLICANT_ID].is_unique
    assert not sba.translated.isna().to_numpy().any()


def test_every_level_of_the_file_is_declared(sba):
    sba.states("NaicsSector (20 levels")
    for column in load("sba_7a_volume").raw_inputs:
        if column.is_level:
            assert set(sba.translated[column.name]) == set(column.level_names) - {OTHER}
    assert sba.column("NaicsSector").nunique() == 20


def test_the_term_that_leaks_is_that_of_the_readme_and_no_input(sba, data_dir):
    portfolio = load("sba_7a_volume")
    term = pd.read_csv(data_dir / portfolio.applications.file, usecols=["Term"])["Term"]
    bad = sba.translated[BAD]

    sba.states("Term alone has AUC about 0.82", "median 47 against 84 months")
    assert round(roc_auc_score(bad, -term), 2) == 0.82
    assert (term[bad == 1].median(), term[bad == 0].median()) == (47, 84)
    assert "Term" not in {column.raw for column in portfolio.raw_inputs}
