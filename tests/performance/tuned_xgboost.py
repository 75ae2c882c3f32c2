"""The peer: what an expert writes in an afternoon. XGBoost without constraints, tuned by Optuna, calibrated by the better of two ways."""

from __future__ import annotations

import numpy as np
import optuna
import xgboost
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split

TRIALS, ROUNDS, PATIENCE, FOLDS = 25, 1500, 40, 5
WAYS = {"predict_proba": LogisticRegression(C=np.inf), "predict": IsotonicRegression(out_of_bounds="clip", y_min=1e-4, y_max=1 - 1e-4)}


def tune(rows, bad, trials=TRIALS, seed=0):
    """Settings and number of rounds, by the log loss of a stratified fifth."""
    fit_rows, stop_rows, fit_bad, stop_bad = train_test_split(rows, bad, test_size=0.2, stratify=bad, random_state=seed)
    fit, stop = xgboost.DMatrix(fit_rows, fit_bad, nthread=1), xgboost.DMatrix(stop_rows, stop_bad, nthread=1)

    def loss(trial):
        settings = {
            "max_depth": trial.suggest_int("max_depth", 2, 8), "eta": trial.suggest_float("eta", 0.01, 0.2, log=True),
            "min_child_weight": trial.suggest_float("min_child_weight", 0.5, 100, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1), "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1),
            "lambda": trial.suggest_float("lambda", 0.1, 50, log=True), "alpha": trial.suggest_float("alpha", 1e-3, 10, log=True),
            "objective": "binary:logistic", "eval_metric": "logloss", "nthread": 1, "seed": seed,
        }
        found = xgboost.train(settings, fit, ROUNDS, evals=[(stop, "stop")], early_stopping_rounds=PATIENCE, verbose_eval=False)
        trial.set_user_attr("tuned", (settings, found.best_iteration + 1))
        return found.best_score

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(loss, n_trials=trials)
    return study.best_trial.user_attrs["tuned"]


def predict(tuned, fit, calibrate, rows):
    """PDs of `rows`. fit, calibrate: (rows, outcomes); without rows to calibrate on, margins of `fit` out of fold take their place."""
    margins = boosted(tuned, *fit)
    seen, bad = (margins(calibrate[0]), calibrate[1]) if calibrate else (np.empty((len(fit[1]), 1)), fit[1])
    for fits, kept in () if calibrate else StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(*fit):
        seen[kept] = boosted(tuned, fit[0][fits], bad[fits])(fit[0][kept])
    method = min(WAYS, key=lambda name: log_loss(bad, cross_val_predict(WAYS[name], seen, bad, cv=FOLDS, method=name)))
    said = getattr(WAYS[method].fit(seen, bad), method)(margins(rows))
    return said[:, 1] if said.ndim > 1 else said


def boosted(tuned, rows, bad):
    """The margins of a model fitted on rows, as a function of rows."""
    booster = xgboost.train(tuned[0], xgboost.DMatrix(rows, bad, nthread=1), tuned[1])
    return lambda of: booster.predict(xgboost.DMatrix(of, nthread=1), output_margin=True).astype(float).reshape(-1, 1)
