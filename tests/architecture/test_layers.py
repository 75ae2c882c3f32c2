"""The import rule and one door per vendor, as import-linter sees them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("feature_repo", "governance", "serving", "training", "monitoring", "tally")


def test_every_import_contract_is_kept():
    linter = Path(sys.executable).with_name("lint-imports")

    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


def test_every_code_folder_is_a_package_so_that_the_linter_sees_it():
    folders = {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}

    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_infra_and_tests_hold_no_package():
    assert [*(ROOT / "infra").rglob("*.py"), *(ROOT / "tests").rglob("__init__.py")] == []
