"""Scoring in process, 300 trees of depth 5, on one core: PDs and exact contributions beside XGBoost's own on the same model and rows.

`one row`: a margin against `Booster.inplace_predict`, contributions against `pred_contribs` and shap's TreeExplainer, the whole decision
(derivation, policy, rules, reasons, texts) against nothing but those contributions. `10,000 rows`: the same two in one call. Gate: equal
margins bit by bit, contributions to 1e-5.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from itertools import cycle

import numpy as np
import peers
import xgboost
from entries import Entry, Figures, compare
from rounds import interleaved
from scored import Scored, scored

WORKLOADS = ("one row", "10,000 rows")
PORTFOLIO, ROUNDS, MANY = "consumer_loans", 9, 10_000
INPLACE, CONTRIBUTIONS, SHAP = "XGBoost inplace_predict", "XGBoost pred_contribs", "shap TreeExplainer"


def run(workload: str) -> list[Entry]:
    model = scored(PORTFOLIO)
    model.booster.set_param({"nthread": 1})
    rows = model.rows(MANY)
    right = same(model, rows)
    return one_row(workload, model, rows, gate=right) if workload == WORKLOADS[0] else many_rows(workload, model, rows, gate=right)


def one_row(workload: str, model: Scored, rows: np.ndarray, *, gate: bool) -> list[Entry]:
    """Microseconds a row, each call with another one."""
    kernel, booster = model.scorer.kernel, model.booster
    names, kinds = ([column.name for column in columns] for columns in (model.scorer.portfolio.raw_inputs, model.scorer.portfolio.inputs))
    people = [{name: None if isinstance(value, float) and np.isnan(value) else value for name, value in zip(names, person, strict=True)}
              for person in model.people[names].head(2_000).itertuples(index=False)]
    explained = [person for person in people if any(reason.feature in kinds for reason in model.scorer.decide(person).reasons)]
    some = [rows[i : i + 1] for i in range(2_000)]
    figures = interleaved({
        "margin": calls(kernel.margins, some, 1_000), INPLACE: calls(booster.inplace_predict, some, 200),
        "contributions": calls(kernel.contributions, some, 300), "decision": calls(model.scorer.decide, explained, 300),
        CONTRIBUTIONS: calls(lambda row: booster.predict(xgboost.DMatrix(row, nthread=1), pred_contribs=True), some, 50),
    }, ROUNDS)
    figures[SHAP], shown = by_shap(model, rows[:2_000])
    gate = gate and bool(np.abs(kernel.contributions(rows[:len(shown)]) - shown).max() < 1e-5)
    pairs = (("margin", INPLACE, 30.0), ("contributions", CONTRIBUTIONS, 15.0), ("contributions", SHAP, 15.0),
             ("decision", CONTRIBUTIONS, 5.0))
    return [compare("scoring", workload, Figures(figures[own], peer if own != "decision" else f"{peer}, nothing else", figures[peer],
                                                 f"µs a {own}", goal), gate=gate) for own, peer, goal in pairs]


def by_shap(model: Scored, rows: np.ndarray) -> tuple[list[float], np.ndarray]:
    """Microseconds a row, after our own rounds, and the contributions of the first rows."""
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as at:
        model.booster.save_model(f"{at}/model.ubj")
        np.save(f"{at}/rows.npy", rows)
        told = peers.run("explained_by_shap.py", f"{at}/model.ubj", f"{at}/rows.npy", str(ROUNDS))
    return told["microseconds"], np.array(told["contributions"])


def many_rows(workload: str, model: Scored, rows: np.ndarray, *, gate: bool) -> list[Entry]:
    """Rows a second; XGBoost's contributions are of a slice."""
    kernel, booster, slice_ = model.scorer.kernel, model.booster, rows[:500]
    figures = interleaved({
        "margins": rate(lambda: kernel.margins(rows), len(rows)), INPLACE: rate(lambda: booster.inplace_predict(rows), len(rows)),
        "contributions": rate(lambda: kernel.contributions(rows), len(rows)),
        CONTRIBUTIONS: rate(lambda: booster.predict(xgboost.DMatrix(slice_, nthread=1), pred_contribs=True), len(slice_)),
    }, ROUNDS)
    return [compare("scoring", workload, Figures(figures[own], peer, figures[peer], f"{own}/s", goal), gate=gate)
            for own, peer, goal in (("margins", INPLACE, 5.0), ("contributions", CONTRIBUTIONS, 5.0))]


def same(model: Scored, rows: np.ndarray) -> bool:
    """Whether both say the same, one row and many; this also warms all of them."""
    kernel, booster, few = model.scorer.kernel, model.booster, rows[:200]
    margins = booster.inplace_predict(rows, predict_type="margin").astype(np.float64)
    theirs = booster.predict(xgboost.DMatrix(few, nthread=1), pred_contribs=True)[:, :-1]
    alone = np.vstack([kernel.contributions(few[i : i + 1]) for i in range(len(few))])
    return bool(np.array_equal(kernel.margins(rows), margins) and np.abs(kernel.contributions(rows)[:200] - theirs).max() < 1e-5
                and np.array_equal(alone, kernel.contributions(few))
                and all(kernel.margins(few[i : i + 1])[0] == margins[i] for i in range(len(few))))


def calls(work: Callable[[object], object], asked: list, times: int) -> Callable[[], float]:
    """Microseconds a call, over so many calls."""
    questions = cycle(asked)

    def contest() -> float:
        start = time.perf_counter()
        for _ in range(times):
            work(next(questions))
        return (time.perf_counter() - start) / times * 1e6

    return contest


def rate(work: Callable[[], object], rows: int) -> Callable[[], float]:
    """Rows a second of one call."""
    def contest() -> float:
        start = time.perf_counter()
        work()
        return rows / (time.perf_counter() - start)

    return contest
