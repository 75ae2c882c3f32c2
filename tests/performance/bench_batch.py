"""`tally score` on a Parquet file of a million applications, against a script that reads it with pandas, asks XGBoost and writes PDs.

Both have all cores. Ours also checks every value by the contract, applies policy and rules, and writes in parts. The script does none
of that: it derives, encodes, predicts and writes. With reasons, ours explains every row that is not approved, exactly; the peer asks
XGBoost for contributions alone, of a slice of the rows, and gives a rate. Gate: the same PDs, bit by bit; contributions to 1e-5 and, but
for ties of float32, the same reasons. Polars is no dependency and not installed, so a script of it is not measured.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost
from entries import Entry, Figures, compare
from rounds import interleaved
from scored import Scored, scored

from feature_repo.derive import derive
from governance.release import Release, seal
from serving.scoring import decision
from serving.scoring.batch import arrays
from tally.score import Asked, score

WORKLOADS = ("pd of 1,000,000 rows", "pd and reasons of 100,000 rows")
PORTFOLIO, ROUNDS, SLICE = "consumer_loans", 5, 2_000
SCRIPT, CONTRIBUTIONS = "pandas + XGBoost script", "XGBoost pred_contribs"


def run(workload: str) -> list[Entry]:
    model = scored(PORTFOLIO)
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder:
        at = Path(folder)
        (at / "release").mkdir()
        decision.save(model.scorer, at / "release")
        release = seal(at / "release", model.scorer.portfolio, model="trees", validation={}, lineage={})
        if workload == WORKLOADS[0]:
            return [against_a_script(workload, model, release, at)]
        return [against_contributions(workload, model, release, at)]


def against_a_script(workload: str, model: Scored, release: Release, at: Path) -> Entry:
    """Rows a second of both, file to file."""
    source, rows = written(model, 1_000_000, at / "in.parquet"), 1_000_000
    every = {"ours": lambda: ours(model, release, source, at / "ours.parquet"),
             SCRIPT: lambda: script(model, source, at / "theirs.parquet")}
    figures = interleaved({name: lambda work=work: rows / timed(work) for name, work in every.items()}, ROUNDS)
    mine, theirs = (pd.read_parquet(at / f"{name}.parquet")["pd"].to_numpy().tobytes() for name in ("ours", "theirs"))
    return compare("batch", workload, Figures(figures["ours"], SCRIPT, figures[SCRIPT], "rows/s", 3.0), gate=mine == theirs)


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
    for column in portfolio.requests:
        if not column.nullable:
            frame[column.name] = frame[column.name].fillna(column.level_names[0] if column.is_level else column.low)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table.take(pa.array(np.arange(many) % len(frame))), path, row_group_size=1 << 17)
    return path


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
