"""NannyML's confidence-based estimate of AUC, as a program of the peers' environment: `reference` and `analysis` are Parquet files.

`calibration`: "its own", as it comes, which recalibrates PDs on the reference where that seems to help; or "none", so that it estimates
from the PDs as they are. Prints, as JSON, the seconds that estimating took (fitting on the reference not counted), and per chunk its AUC.
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml
import numpy as np
import pandas as pd
from nannyml.calibration import Calibrator


class AsTheyAre(Calibrator):
    """Changes no PD."""

    def fit(self, y_pred_proba: np.ndarray, y_true: np.ndarray, *args: object, **kwargs: object) -> None:
        """Learns nothing."""

    def calibrate(self, y_pred_proba: np.ndarray, *_: object, **__: object) -> np.ndarray:
        return y_pred_proba


def main(reference: str, analysis: str, chunk: str, calibration: str) -> None:
    estimator = nannyml.CBPE(metrics=["roc_auc"], y_pred_proba="pd", y_true="bad", problem_type="classification_binary",
                             chunk_size=int(chunk), calibrator=AsTheyAre() if calibration == "none" else None)
    estimator.fit(pd.read_parquet(reference))
    judged = pd.read_parquet(analysis)
    began = perf_counter()
    found = estimator.estimate(judged)
    seconds = perf_counter() - began
    print(json.dumps({"seconds": seconds, "auc": found.filter(period="analysis").to_df()["roc_auc"]["value"].tolist()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
