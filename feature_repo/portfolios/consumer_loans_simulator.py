"""Writes the raw files of the simulated consumer loans as a lender would export them, and beside them the truth.

Responsible for the files: raw headers and codes, late and missing month-end snapshots, the planted unit error and outlier, outcomes
blank where rejected or not matured. The same rows and seed give the same bytes, one chunk in memory at a time. The truth lies in
`truth/`, which no contract names.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, csv, parquet
from tqdm import tqdm

from feature_repo.contract import Input, Protected, Request, Table
from feature_repo.errors import ParamsError
from feature_repo.portfolios import consumer_loans_population_simulator as population
from feature_repo.portfolios.consumer_loans import PORTFOLIO
from feature_repo.portfolios.consumer_loans_vintage_simulator import DRIFT, DRIFT_FROM, STORED, Vintage, live, plan, shift
from feature_repo.sources import EventTime

Array = NDArray[Any]

FEWEST, MOST = 1_000, 10_000_000
FAULTS, FILES, EARLY = 2, {"bureau": 3, "accounts": 4}, 5

UNIT_ERROR_MONTH, UNIT_ERROR_COLUMN, UNIT_ERROR_FACTOR, UNIT_ERROR_SHARE = np.datetime64("2023-04"), "monthly_income", 12, 0.02
OUTLIER_MONTH, OUTLIER_COLUMN, OUTLIER_FACTOR, OUTLIER_OF = np.datetime64("2023-09"), "total_debt", 1_000, (5_000, 500_000)

# Share of borrowers who were late early: of those who default, and of those who pay in the end.
LATE_EARLY = {True: 0.35, False: 0.015}

# How many month-end files an applicant has, and how many of the newest are missing: two or more is older than `fresh_for`.
COUNT, COUNT_SHARES = (3, 4, 5), (0.2, 0.4, 0.4)
LATE, LATE_SHARES = (0, 2, 3), (0.97, 0.02, 0.01)


def simulate(folder: Path, rows: int, seed: int) -> None:
    """Write `rows` applications and what is known of the applicants into `folder`, and the truth into `folder/truth`.

    Raises ParamsError where rows is not from 1,000 to 10,000,000 or seed is negative. Files appear only when all are complete.
    """
    if not FEWEST <= rows <= MOST or seed < 0:
        raise ParamsError(f"params.yaml, section ingest: rows {rows}, seed {seed}; rows is from {FEWEST} to {MOST}, seed 0 or more")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".draft-") as name:
        draft = Path(name)
        (draft / "truth").mkdir()
        _write(draft, rows, seed)
        for path in sorted(draft.iterdir()):
            if (folder / path.name).is_dir():
                shutil.rmtree(folder / path.name)
            path.replace(folder / path.name)


def _write(folder: Path, rows: int, seed: int) -> None:
    chunks = plan(rows)
    with ExitStack() as open_files, tqdm(total=rows, desc="simulate", unit=" applications", disable=None) as bar:
        sinks: dict[Path, Any] = {}
        for chunk in chunks.values():
            for path, frame in export(live(chunk, chunks, seed), seed).items():
                if path not in sinks:
                    sinks[path] = open_files.enter_context(WRITERS[path.suffix](folder / path, frame.schema))
                sinks[path].write_table(frame)
            bar.update(chunk.size)
    (folder / "truth" / "planted.json").write_text(json.dumps(planted(), indent=1) + "\n", encoding="utf-8")


WRITERS: dict[str, Callable[..., Any]] = {".csv": csv.CSVWriter, ".parquet": parquet.ParquetWriter}


def planted() -> dict[str, Any]:
    """What was planted where, by contract name; the rows it hit are flagged in truth/truth.parquet."""
    return {
        "drift": {"from": str(DRIFT_FROM), "columns": list(DRIFT)},
        "unit_error": {"month": str(UNIT_ERROR_MONTH), "column": UNIT_ERROR_COLUMN, "factor": UNIT_ERROR_FACTOR, "share": UNIT_ERROR_SHARE},
        "outlier": {"month": str(OUTLIER_MONTH), "column": OUTLIER_COLUMN, "factor": OUTLIER_FACTOR},
        "proxy": {"column": population.PROXY_COLUMN, "level": population.PROXY_LEVEL, "attribute": "ethnicity_group",
                  "group": population.PROXY_GROUP},
    }


def export(vintage: Vintage, seed: int) -> dict[Path, pa.Table]:
    """The rows of one chunk per file, relative to the folder."""
    applications, *views = PORTFOLIO.tables
    wrong_unit, outlier = unit_error(vintage, seed), outlier_of(vintage)
    return {
        Path(applications.file): applications_rows(vintage, wrong_unit, seed),
        **{Path(table.file): snapshots(vintage, table, outlier, seed) for table in views},
        Path("truth/truth.parquet"): pa.table({
            "application_no": application_no(vintage), "customer_no": customer_no(vintage), "true_pd": vintage.pd,
            "would_default": vintage.defaults, "unit_error": wrong_unit, "outlier": outlier,
        }),
    }


def unit_error(vintage: Vintage, seed: int) -> Array:
    """The rows of the planted vintage whose yearly figure stands where a monthly one should; all lie above the usual range then."""
    hit = np.zeros(vintage.chunk.size, dtype=bool)
    if vintage.chunk.calendar == UNIT_ERROR_MONTH:
        visible = np.flatnonzero(vintage.columns[UNIT_ERROR_COLUMN] * UNIT_ERROR_FACTOR > usual_high(UNIT_ERROR_COLUMN))
        n = max(1, round(UNIT_ERROR_SHARE * vintage.chunk.size))
        hit[vintage.chunk.stream(seed, FAULTS).choice(visible, n, replace=False)] = True
    return hit


def outlier_of(vintage: Vintage) -> Array:
    """The one application of the planted month whose newest snapshot carries the outlier."""
    low, high = OUTLIER_OF
    value = vintage.columns[OUTLIER_COLUMN]
    fits = (value > low) & (value < high) & (vintage.chunk.calendar == OUTLIER_MONTH) & (vintage.chunk.index == 0)
    return np.asarray(fits & (np.cumsum(fits) == 1))


def usual_high(name: str) -> float:
    """The upper end of a column's usual range, as the contract has it."""
    return next(column.usual[1] for column in PORTFOLIO.raw_inputs if column.name == name and column.usual)


def applications_rows(vintage: Vintage, wrong_unit: Array, seed: int) -> pa.Table:
    """The lender's export of one chunk, raw headers and codes, everything text or a number."""
    table = PORTFOLIO.applications
    columns = dict(vintage.columns)
    columns[UNIT_ERROR_COLUMN] = columns[UNIT_ERROR_COLUMN] * np.where(wrong_unit, UNIT_ERROR_FACTOR, 1)
    said = {column.raw: raw_values(column, columns[column.name]) for column in table.select(Request)}
    vault = {"sex": vintage.people.sex, "ethnicity_group": vintage.people.ethnicity, "age_group": vintage.people.age}
    groups = {column.raw: raw_groups(column, vault[column.name]) for column in table.select(Protected)}
    keys = {"application_no": application_no(vintage), "customer_no": customer_no(vintage), event_time(table).raw: vintage.day.astype(str)}
    return pa.table({**keys, **said, **groups, **afterwards(vintage, seed)})


def afterwards(vintage: Vintage, seed: int) -> dict[str, Any]:
    """The incumbent's decision and what followed; blank where it rejected, an outcome and its early sign also where not matured."""
    outcome = PORTFOLIO.outcome
    rejected, unknown = ~vintage.accepted, ~(vintage.accepted & matured(vintage, outcome.matures_after))
    rate = np.round(4.5 + np.maximum(0, 640 - vintage.score) / 20, 2)
    return {
        "old_score": vintage.score.astype(int),
        "old_decision": np.where(vintage.accepted, "A", "R"),
        "booked_on": pa.array((vintage.day + 2).astype(str), mask=rejected),
        "interest_rate": pa.array(rate, mask=rejected),
        "collections_flag": pa.array(np.where(vintage.defaults, "Y", "N"), mask=unknown),
        outcome.raw: pa.array(np.where(vintage.defaults, outcome.bad[0], outcome.good[0]), mask=unknown),
        **early_sign(vintage, seed),
    }


def early_sign(vintage: Vintage, seed: int) -> dict[str, Any]:
    """Who was late early, by the contract's column: with random numbers of its own, so that it changes no other column."""
    if (sign := PORTFOLIO.outcome.early) is None:
        return {}
    late = vintage.chunk.stream(seed, EARLY).random(vintage.chunk.size) < np.where(vintage.defaults, LATE_EARLY[True], LATE_EARLY[False])
    unknown = ~(vintage.accepted & matured(vintage, sign.matures_after))
    return {sign.raw: pa.array(np.where(late, sign.yes[0], sign.no[0]), mask=unknown)}


def matured(vintage: Vintage, age: timedelta) -> Array:
    """Who was so old when outcomes were last seen."""
    return np.asarray(vintage.day + np.timedelta64(age) <= np.datetime64(f"{PORTFOLIO.outcome.observed_until:%Y-%m-%d}"))


def snapshots(vintage: Vintage, table: Table, outlier: Array, seed: int) -> pa.Table:
    """Month-end rows of one stored table, per applicant in order of time; none for those who have no file there."""
    rng = vintage.chunk.stream(seed, FILES[table.name])
    names, size = STORED[table.name], vintage.chunk.size
    count = rng.choice(COUNT, size=size, p=COUNT_SHARES)
    late = np.where(outlier, 0, rng.choice(LATE, size=size, p=LATE_SHARES))
    months = []
    for back, z in enumerate(population.months_back(rng, vintage.people, names, max(COUNT) + max(LATE))):
        values = population.known(vintage.people, names, z, shift(vintage.chunk.calendar - back))
        if back == 0 and OUTLIER_COLUMN in values:
            values[OUTLIER_COLUMN] = values[OUTLIER_COLUMN] * np.where(outlier, OUTLIER_FACTOR, 1)
        row = np.flatnonzero((back >= late) & (back < late + count) & ~vintage.lacks_file(table.name))
        day = np.full(len(row), (vintage.chunk.calendar - back).astype("M8[D]") - 1)
        months.append({"row": row, "day": day, **{name: value[row] for name, value in values.items()}})
    return _snapshot_rows(vintage, table, {name: np.concatenate([month[name] for month in months]) for name in months[0]})


def _snapshot_rows(vintage: Vintage, table: Table, values: dict[str, Array]) -> pa.Table:
    order = np.lexsort((values["day"], values["row"]))
    day = values["day"][order]
    batch = np.char.replace(np.datetime_as_string(day.astype("M8[M]")), "-", "")
    return pa.table({
        "customer_no": customer_no(vintage).take(pa.array(values["row"][order])),
        event_time(table).raw: pa.array(day.astype("M8[us]"), pa.timestamp("us", tz="UTC")),
        **{column.raw: raw_values(column, values[column.name][order]) for column in table.stored},
        {"bureau": "delivery_id", "accounts": "load_batch"}[table.name]: batch,
    })


def event_time(table: Table) -> EventTime:
    """The declared event time of a dated table."""
    if not isinstance(table.time, EventTime):
        raise TypeError(table.name)
    return table.time


def raw_values(column: Input, values: Array) -> pa.Array:
    """Values as the lender writes them: level names become codes, a missing number the declared text, else null."""
    if column.is_level:
        code = {name: raw for raw, name in column.level_of.items()}
        return pa.array([code.get(name, name) for name in values.tolist()], pa.string())
    numbers = pa.array(values, pa.float64(), from_pandas=True)
    return compute.fill_null(numbers.cast(pa.string()), column.missing[0]) if column.missing else numbers


def raw_groups(column: Protected, values: Array) -> pa.Array:
    """A protected attribute as the lender writes it: the group's code, or the number the groups are cut from."""
    code = {group: raw for raw, group in column.groups.items()}
    return pa.array([code[group] for group in values.tolist()], pa.string()) if code else pa.array(values.astype(int))


def application_no(vintage: Vintage) -> pa.Array:
    return numbered("A", vintage.chunk.first + np.arange(vintage.chunk.size))


def customer_no(vintage: Vintage) -> pa.Array:
    return numbered("C", vintage.people.number)


def numbered(prefix: str, numbers: Array) -> pa.Array:
    """Keys as text of one length."""
    return compute.binary_join_element_wise(prefix, compute.utf8_lpad(pa.array(numbers + 1).cast(pa.string()), 8, "0"), "")
