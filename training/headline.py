"""The few numbers that tell one run from another: what `dvc metrics` and `dvc exp show` show. Measures nothing itself.

Everything that was measured is in metrics.json, in the release and in the MLflow run.
"""

from __future__ import annotations

from typing import Any

from training.candidates import Measured
from training.splits import DEVELOPMENT

TOLD = ("model", "test_gini", "test_gini_low", "test_gini_high", "test_auc", "test_ks", "test_ece", "development_gini",
        "approval_rate", "refer_rate")
BANDED = ("test_gini", "approval_rate")  # the bands of all headline figures are in metrics.json


def headline(metrics: dict[str, Any], measured: Measured) -> dict[str, Any]:
    """Chosen from the flat metrics, and the Gini of each candidate where the choice is made, so that work on one not chosen shows too.

    Beside a figure that the rejected might change stands the band of what it would be (`training.reject_inference`).
    measured: candidate -> part -> measure, of what is used before the test.
    """
    rivals = {f"{part}_gini_{name}": found["gini"] for name, parts in measured.items() for part, found in parts.items()
              if part != DEVELOPMENT}
    bands = {name: metrics[name] for told in BANDED for name in (f"rejects_{told}_low", f"rejects_{told}_high") if name in metrics}
    return {name: metrics[name] for name in TOLD} | bands | rivals
