"""card_default on the real file: the figures its README states, and the model it must reach.

The figures are those of the data set's README: 30,000 rows, 22.12% bad, by sex 24.2% and 20.8%. The targets: test AUC of at least 0.770 and
expected calibration error (10 quantile bins) under 0.02.
"""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest
from borrowers import brought, write_params

from feature_repo.contract import APPLICATION_ID, BAD
from feature_repo.portfolios import load

CARD = load("card_default")


@pytest.fixture(scope="module")
def run(data_dir, tmp_path_factory):
    from training.stages import assemble, evaluate, featurize, ingest, split, train

    folder = tmp_path_factory.mktemp("card")
    write_params(folder / "params.yaml", {})
    with brought(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("TALLY_DATA_DIR", str(data_dir))
        at = {name: folder / name for name in ("ingest", "vault", "featurize", "assemble", "split", "train", "evaluate")}
        verdict = folder / "verdict.json"
        verdict.write_text(json.dumps({"success": True}))
        ingest.main(CARD.name, at["ingest"], at["vault"])
        featurize.main(CARD.name, verdict, at["ingest"], at["featurize"])
        assemble.main(CARD.name, at["featurize"], at["assemble"])
        split.main(CARD.name, at["assemble"], at["split"])
        train.main(CARD.name, at["assemble"], at["split"], at["train"])
        evaluate.main(CARD.name, at["assemble"], at["split"], at["train"], verdict, at["vault"], at["evaluate"])
    return at


@pytest.fixture(scope="module")
def applications(run):
    return pd.read_parquet(run["assemble"] / "applications.parquet")


def test_rows_and_bad_rate_are_those_of_the_readme(applications, data_dir):
    stated = (data_dir / "README.md").read_text()

    assert len(applications) == 30_000
    assert int(applications[BAD].sum()) == 6_636
    assert "22.12% (6,636)" in stated
    assert f"{applications[BAD].mean():.2%}" == "22.12%"


def test_bad_rates_by_sex_are_those_of_the_readme(applications, run, data_dir):
    sex = next(column for column in CARD.protected if set(column.group_names) == {"male", "female"})
    vault = pd.read_parquet(run["vault"] / "protected.parquet").set_index(APPLICATION_ID)[sex.name]
    rates = applications.set_index(APPLICATION_ID)[BAD].groupby(vault).mean()

    assert vault.value_counts().to_dict() == {"female": 18_112, "male": 11_888}
    assert [round(100 * rates[group], 1) for group in ("male", "female")] == [24.2, 20.8]
    assert re.search(r"SEX: 24\.2% \(1\), 20\.8% \(2\)", (data_dir / "README.md").read_text().replace("\n", " "))


def test_duplicates_without_the_key_are_those_of_the_readme(applications):
    declared = [column.name for column in CARD.raw_inputs]

    assert not applications[APPLICATION_ID].duplicated().any()
    assert applications.duplicated([*declared, BAD]).sum() >= 35, "35 rows in the file repeat another one, protected columns included"


def test_the_chosen_model_reaches_its_targets_on_the_test(run):
    metrics = json.loads((run["evaluate"] / "metrics.json").read_bytes())

    assert metrics["test_auc"] >= 0.770
    assert metrics["test_ece"] < 0.02
    assert metrics["test_rows"] == pytest.approx(9_000, abs=5)


def test_both_candidates_beat_the_measured_plain_scorecard(run):
    measured = json.loads((run["train"] / "choice.json").read_bytes())["measured"]

    assert measured["trees"]["calibration"]["auc"] > 0.77
    assert measured["scorecard"]["calibration"]["auc"] > 0.755
