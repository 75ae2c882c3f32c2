"""sba_504 with and without its outcome window and maturity rule: the models that docs/out-of-time.md tells of."""

from __future__ import annotations

import importlib
import json
from itertools import takewhile
from pathlib import Path

import pytest
from invented import brought
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]


def run(portfolio, home, data_dir):
    """The stages of dvc.yaml up to evaluate, in this process; the metrics of the test."""
    stages = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
    (home / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    with pytest.MonkeyPatch.context() as patch, brought():
        patch.chdir(home)
        patch.setenv("TALLY_DATA_DIR", str(data_dir))
        for stage in takewhile("register".__ne__, stages):
            _, _, module, *arguments = stages[stage]["cmd"].replace("${portfolio}", portfolio).split()
            importlib.import_module(module).main(arguments[0], *map(Path, arguments[1:]))
    return json.loads((home / "data" / portfolio / "evaluate" / "metrics.json").read_bytes())


@pytest.fixture(scope="module")
def metrics(tmp_path_factory, data_dir):
    return {name: run(name, tmp_path_factory.mktemp(name), data_dir) for name in ("sba_504", "sba_504_as_recorded")}


def test_the_documented_models_are_those_the_pipeline_makes(metrics):
    document = (ROOT / "docs" / "out-of-time.md").read_text()

    for name, measured in metrics.items():
        row = (f"| `{name}` | {measured['development_bad_rate']:.1%} | {measured['test_bad_rate']:.1%} | {measured['test_mean_pd']:.1%} "
               f"| {measured['test_auc']:.3f} |")
        assert row in document


def test_without_the_rules_the_test_is_three_times_as_bad_as_any_five_years_were(metrics):
    ruled, recorded = metrics["sba_504"], metrics["sba_504_as_recorded"]

    assert ruled["test_rows"] == recorded["test_rows"] == 9_339
    assert recorded["test_bad_rate"] > 2.9 * ruled["test_bad_rate"]
    assert recorded["development_bad_rate"] > 4 * ruled["development_bad_rate"]
