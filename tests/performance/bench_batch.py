"""`tally score` on a Parquet file of a million applications, against scripts that read one, ask XGBoost and write PDs.

Ours checks every value by the contract, derives, encodes, applies policy and rules, and writes in parts, on all cores. The pandas script
derives, encodes, predicts and writes. Polars and mlflow's spark_udf (one core, by rate and per core of ours) are given the finished model
rows: they only read, predict and write. With reasons, ours explains every row that is not approved, exactly; the peer asks XGBoost for
contributions alone, of a slice of the rows, and gives a rate. Gate: the same PDs, bit by bit, as the script; Polars' margins bit by bit;
spark_udf's PDs to 1e-6; contributions to 1e-5 and, but for ties of float32, the same reasons.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import peers
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost
from entries import Entry, Figures, compare
from peer_servers import columns_of, save_for_mlflow
from rounds import interleaved
from scored import Scored, scored

from feature_repo.derive import derive
from governance.release import Release, seal
from serving.scoring import decision
from serving.scoring.batch import arrays
from tally.score import Asked, score

WORKLOADS = ("pd of 1,000,000 rows", "pd and reasons of 100,000 rows")
PORTFOLIO, ROUNDS, SLICE = "consumer_loans", 5, 2_000
FEW = 200_000  # rows for Spark
SCRIPT, CONTRIBUTIONS = "pandas + XGBoost script", "XGBoost pred_contribs"
POLARS, SPARK = "Polars + XGBoost, of finished model rows", "mlflow.pyfunc.spark_udf, of finished model rows, a core"


def run(workload: str) -> list[Entry]:
    model = scored(PORTFOLIO)
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder:
        at = Path(folder)
        (at / "release").mkdir()
        decision.save(model.scorer, at / "release")
        release = seal(at / "release", model.scorer.portfolio, model="trees", validation={}, lineage={})
        if workload == WORKLOADS[0]:
            return against_scripts(workload, model, release, at)
        return [against_contributions(workload, model, release, at)]


def against_scripts(workload: str, model: Scored, release: Release, at: Path) -> list[Entry]:
    """Rows a second of all, file to file."""
    source, rows = written(model, 1_000_000, at / "in.parquet"), 1_000_000
    finished, few = encoded(model, rows, at / "rows.parquet"), encoded(model, FEW, at / "few.parquet")
    model.booster.save_model(at / "model.ubj")
    save_for_mlflow(at / "mlflow", model)
    every = {"ours": lambda: rows / timed(lambda: ours(model, release, source, at / "ours.parquet")),
             SCRIPT: lambda: rows / timed(lambda: script(model, source, at / "theirs.parquet")),
             POLARS: lambda: rows / peers.run("batch_by_polars.py", str(at / "model.ubj"), str(finished), str(at / "polars.parquet"))}
    figures = interleaved(every, ROUNDS)
    figures[SPARK] = [FEW / peers.run("batch_by_spark.py", str(at / "mlflow"), str(few), str(at / "spark"))] * ROUNDS
    figures["a core of ours"] = [rate / (os.cpu_count() or 1) for rate in figures["ours"]]
    gate = alike(model, at)
    pairs = (("ours", SCRIPT, 3.0), ("ours", POLARS, 3.0), ("a core of ours", SPARK, 20.0))
    return [compare("batch", workload, Figures(figures[own], peer, figures[peer], "rows/s", goal), gate=gate) for own, peer, goal in pairs]


def alike(model: Scored, at: Path) -> bool:
    """Whether everybody's file says what ours says."""
    mine, theirs = (pd.read_parquet(at / f"{name}.parquet")["pd"].to_numpy() for name in ("ours", "theirs"))
    margins = pd.read_parquet(at / "polars.parquet")["margin"].to_numpy().astype(np.float64)
    raw = model.booster.inplace_predict(pd.read_parquet(at / "few.parquet").to_numpy())
    return bool(mine.tobytes() == theirs.tobytes() == model.scorer.calibrator.pd(margins).tobytes()
                and np.allclose(np.sort(pd.read_parquet(at / "spark")["pd"].to_numpy()), np.sort(raw), atol=1e-6))


def encoded(model: Scored, many: int, path: Path) -> Path:
    """Finished model rows of the same people, as mlflow's signature names them."""
    frame = model.people.copy()
    fill(model, frame)
    rows = model.rows_of(frame)[np.arange(many) % len(frame)]
    pq.write_table(pa.table(dict(zip(columns_of(model), rows.T, strict=True))), path, row_group_size=1 << 17)
    return path


def against_contributions(workload: str, model: Scored, release: Release, at: Path) -> Entry:
    """Rows a second that are read, scored, explained and written, and rows a second that XGBoost alone has contributions of."""
    source, rows = written(model, 100_000, at / "in.parquet"), 100_000
    asked = model.rows(SLICE)
    model.booster.set_param({"nthread": 0})
    contests = {"ours": lambda: rows / timed(lambda: ours(model, release, source, at / "ours.parquet", reasons=True)),
                CONTRIBUTIONS: lambda: SLICE / timed(lambda: model.booster.predict(xgboost.DMatrix(asked), pred_contribs=True))}
    figures = interleaved(contests, ROUNDS)
    return compare("batch", workload, Figures(figures["ours"], CONTRIBUTIONS, figures[CONTRIBUTIONS], "rows/s", 10.0),
                   gate=explains_alike(model, at / "ours.parquet", source))


def explains_alike(model: Scored, told: Path, source: Path) -> bool:
    """Whether reasons from the file are those that XGBoost's own contributions lead to, but for a few whose weights its float32 parts."""
    scorer, frame = model.scorer, pd.read_parquet(source).head(SLICE)
    at, found = scorer.assess(arrays(scorer.portfolio, frame)), pd.read_parquet(told)["reasons"].head(SLICE)
    theirs = model.booster.predict(xgboost.DMatrix(at.rows), pred_contribs=True)[:, :-1].astype(np.float64)
    near = np.abs(theirs - scorer.kernel.contributions(at.rows)).max()
    differ = 0
    for i in np.flatnonzero(at.severity):
        expected = [reason.text for reason in scorer.principal(at, int(i), theirs[i])]
        differ += [reason["text"] for reason in msgspec.json.decode(found[i])] != expected
    print(f"  contributions at most {near:.1e} apart; {differ} of {int((at.severity > 0).sum())} rows name another order", file=sys.stderr)
    return near < 1e-5 and differ <= SLICE // 1000  # ties that float32 parts


def ours(model: Scored, release: Release, source: Path, target: Path, *, reasons: bool = False) -> None:
    score(Asked(source, target, reasons), model.scorer, release)


def script(model: Scored, source: Path, target: Path) -> None:
    """What somebody would write in an afternoon: no check, no policy, no reasons, and calibration as ours."""
    portfolio, frame = model.scorer.portfolio, pd.read_parquet(source)
    columns = derive(portfolio, {column.name: frame[column.name].to_numpy() for column in portfolio.raw_inputs})
    for column in portfolio.raw_inputs:
        if column.is_level:
            columns[column.name] = frame[column.name].astype("category").map(model.scorer.encoding[column.name]).to_numpy(dtype=np.float64)
    rows = np.column_stack([columns[column.name] for column in portfolio.inputs])
    model.booster.set_param({"nthread": 0})
    margins = model.booster.inplace_predict(rows, predict_type="margin").astype(np.float64)
    pd.DataFrame({"row": np.arange(1, len(rows) + 1), "pd": model.scorer.calibrator.pd(margins)}).to_parquet(target, index=False)


def written(model: Scored, many: int, path: Path) -> Path:
    """Raw inputs of so many people, with all that a request must say."""
    portfolio = model.scorer.portfolio
    frame = model.people[[column.name for column in portfolio.raw_inputs]].copy()
    fill(model, frame)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table.take(pa.array(np.arange(many) % len(frame))), path, row_group_size=1 << 17)
    return path


def fill(model: Scored, frame: pd.DataFrame) -> None:
    """Say what every request has to say."""
    for column in model.scorer.portfolio.requests:
        if not column.nullable:
            frame[column.name] = frame[column.name].fillna(column.level_names[0] if column.is_level else column.low)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
