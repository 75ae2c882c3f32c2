"""No tool reports home: each switch is off where that tool reads it, in a process that no test runner or CI has already silenced."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ask(tmp_path):
    """Runs a line of Python as an operator would: without any variable that switches telemetry off."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "TALLY_HOME": str(tmp_path / "var")}

    def run(code, folder=ROOT):
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.split()

    return run


def test_dvc_is_off_by_the_configuration_of_the_project(ask, tmp_path):
    code = "from dvc.analytics import is_enabled; print(is_enabled())"

    assert ask(code) == ["False"]
    assert ask(code, tmp_path) == ["True"], "elsewhere it is on: the project's configuration is what switches it off"


def test_mlflow_is_off_before_it_is_imported(ask):
    code = ("import training.tracking; from mlflow.environment_variables import MLFLOW_DISABLE_TELEMETRY; "
            "from mlflow.telemetry.client import get_telemetry_client; print(MLFLOW_DISABLE_TELEMETRY.get(), get_telemetry_client())")

    assert ask(code) == ["True", "None"]


def test_evidently_is_off_once_a_report_is_made(ask):
    code = ("import pandas as pd; from monitoring.blocks import Block, Page; from monitoring.reports import run; "
            "text = Block('Found', 'text', pd.DataFrame({'text': ['x']})); "
            "run(Page('x', (text,), pd.DataFrame({'column': ['x'], 'measure': 'PSI', 'value': [0.3]}))); "
            "from evidently.telemetry import event_logger; print(event_logger.is_enabled())")

    assert ask(code) == ["False"]


def test_great_expectations_has_nothing_to_switch_off_and_would_be_off(ask):
    """1.24 sends nothing; a version that does again reads this variable, when it is imported."""
    assert ask("import feature_repo.expectations, os; print(os.environ['GX_ANALYTICS_ENABLED'])") == ["False"]
    assert importlib.util.find_spec("great_expectations.analytics") is None


def test_feast_has_nothing_to_switch_off():
    """0.67 sends nothing; a version that has it again must be switched off at the door first."""
    assert importlib.util.find_spec("feast.usage") is None
