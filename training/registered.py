"""The registered model as MLflow loads it: the release directory inside, scored by the code served in production.

MLflow executes this file from the model's own copy (models from code), so it is the one module that acts on import. A prediction
takes raw inputs by name (request and stored columns) and returns pd, score, band and outcome per row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from feature_repo.portfolios import load
from governance.release import verify
from serving.scoring import batch, decision

ANSWER = ["pd", "score", "band", "outcome"]


class Registered(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """A release behind MLflow's own predict()."""

    def load_context(self, context: Any) -> None:
        release = verify(Path(context.artifacts["release"]))
        self.scorer = decision.load(release, load(release.manifest.portfolio))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002
        return batch.score(self.scorer, model_input)[ANSWER]


mlflow.models.set_model(Registered())
