"""Contributions of one row at a time by shap's TreeExplainer, as a program of the peers' environment. `rows`: a NumPy file.

Prints, as JSON, the microseconds a row, for each of some rounds, and the contributions of the first rows.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter

import numpy as np
import shap
import xgboost

TIMES, SHOWN = 200, 20


def main(model: str, rows: str, rounds: str) -> None:
    booster, some = xgboost.Booster(model_file=model), np.load(rows)
    booster.set_param({"nthread": 1})
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    shown = [explainer.shap_values(some[at : at + 1])[0].tolist() for at in range(SHOWN)]
    taken = []
    for _ in range(int(rounds)):
        began = perf_counter()
        for at in range(TIMES):
            explainer.shap_values(some[at : at + 1])
        taken.append((perf_counter() - began) / TIMES * 1e6)
    print(json.dumps({"microseconds": taken, "contributions": shown}))


if __name__ == "__main__":
    main(*sys.argv[1:])
