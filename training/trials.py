"""The search for better settings of the trees: Optuna's TPE, seeded, trial after trial. Only importer of optuna.

The first trial has the settings of params.yaml, so the search never ends with worse ones by its own measure: the mean log loss over folds
of development, in each of which boosting stops early as it does in training, and by the same loss, which looks past the level. Dated
portfolios are folded forwards in time, others by applicant. A trial whose best mean so far is worse than the median that finished
trials had at that fold is pruned. No time limit ends a search, so the clock has no say in what it finds. The calibration and test parts
are never seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import optuna
import pandas as pd
from optuna.trial import FrozenTrial, Trial, TrialState
from tqdm import tqdm

from feature_repo.contract import APPLICANT_ID, BAD, EVENT_TIME
from feature_repo.errors import DataError, ParamsError
from feature_repo.portfolio import Portfolio
from training.encoding import Sample
from training.models import least_loss
from training.params import TrainParams, TreesParams
from training.recipe import Fold, early_samples, folds, risks_of
from training.search import COLUMNS, Best, Found, Search, Space
from training.splits import require_outcomes

STARTUP = 5  # trials before any is pruned, Optuna's own default
LOGARITHMIC = ("rate", "smallest_leaf", "ridge")
DIGITS = ".4g"


def search(portfolio: Portfolio, development: pd.DataFrame, params: TrainParams, wanted: Search) -> tuple[Found, str]:
    """What was found, and every trial as CSV. Raises ParamsError where params.yaml's own settings are outside the space."""
    require_inside(params.trees, wanted.space)
    parted = forwards(development, wanted.folds) if portfolio.is_dated else folds(development, wanted.folds, wanted.seed)
    samples = [early_samples(portfolio, development, fold, params) for fold in parted]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=wanted.seed), pruner=optuna.pruners.MedianPruner(STARTUP))
    study.enqueue_trial({name: getattr(params.trees, name) for name in Space.__struct_fields__})
    for _ in tqdm(range(wanted.trials), desc="search", unit="trial", disable=None):
        study.optimize(lambda trial: _loss(trial, samples, risks_of(portfolio), params.trees, wanted), n_trials=1)
    return _found(study), _table(study.trials)


def require_inside(trees: TreesParams, space: Space) -> None:
    """Raise ParamsError unless the settings the search begins with are in its space, and the space is one."""
    for name in Space.__struct_fields__:
        (low, high), value = getattr(space, name), getattr(trees, name)
        if not low <= value <= high:
            raise ParamsError(f"params.yaml, search.space.{name} is {low:g} to {high:g}, and train.trees.{name} is {value:g}: the search "
                              "begins with the settings it is to better. Let the space hold them, lowest first")


def forwards(development: pd.DataFrame, count: int) -> Iterator[Fold]:
    """Folds forwards in time: whole days, each stretch judged by what came before it; nobody judges who was learnt from."""
    days = pd.to_datetime(development[EVENT_TIME], utc=True).dt.floor("D")
    cuts = pd.unique(days.quantile(np.arange(1, count + 1) / (count + 1), interpolation="higher"))
    if len(cuts) < count:
        raise DataError(f"development has too few days for {count} folds in time: {days.nunique()}. Lower search.folds in params.yaml")
    for cut, end in zip(cuts, [*cuts[1:], None], strict=True):
        fits = (days < cut).to_numpy()
        known = development[APPLICANT_ID].isin(development.loc[fits, APPLICANT_ID]).to_numpy()
        kept = (days >= cut).to_numpy() & ~known & (True if end is None else (days < end).to_numpy())
        for rows in (fits, kept):
            require_outcomes("search fold of the development", development.loc[rows, BAD].to_numpy(), rows=2, bad_rows=1)
        yield np.flatnonzero(fits), np.flatnonzero(kept)


def _loss(trial: Trial, samples: list[tuple[Sample, Sample]], risks: tuple[int, ...], trees: TreesParams, wanted: Search) -> float:
    for name in Space.__struct_fields__:
        _suggest(trial, name, *getattr(wanted.space, name))
    settings = msgspec.structs.replace(trees, **_settings(trial.params))
    losses: list[float] = []
    for step, early in enumerate(samples):
        losses.append(least_loss(early, risks, settings, wanted.seed))
        trial.report(float(np.mean(losses)), step)
        if step + 1 < len(samples) and trial.should_prune():
            raise optuna.TrialPruned
    return float(np.mean(losses))


def _suggest(trial: Trial, name: str, low: float, high: float) -> None:
    if name == "depth":
        trial.suggest_int(name, int(low), int(high))
    else:
        trial.suggest_float(name, low, high, log=name in LOGARITHMIC)


def _settings(drawn: dict[str, Any]) -> dict[str, int | float]:
    """What a trial drew, in as many digits as anybody will copy into params.yaml."""
    return {name: drawn[name] if isinstance(drawn[name], int) else float(format(drawn[name], DIGITS)) for name in Space.__struct_fields__}


def _found(study: optuna.Study) -> Found:
    first, best = study.trials[0], study.best_trial
    pruned = sum(trial.state == TrialState.PRUNED for trial in study.trials)
    return Found(len(study.trials), pruned, Best(best.number, _value(best), _value(first), _settings(best.params)))


def _value(trial: FrozenTrial) -> float:
    return float(trial.value) if trial.value is not None else np.nan


def _table(trials: list[FrozenTrial]) -> str:
    losses = [_value(trial) if trial.state == TrialState.COMPLETE else np.nan for trial in trials]
    known = [[trial.number, trial.state.name.lower(), loss, best] for trial, loss, best
             in zip(trials, losses, np.fmin.accumulate(losses), strict=True)]
    drawn = pd.DataFrame([_settings(trial.params) for trial in trials])
    return pd.DataFrame(known, columns=list(COLUMNS)).join(drawn).to_csv(index=False, lineterminator="\n")
