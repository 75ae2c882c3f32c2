"""Files that a lender sends after a decision: outcomes and protected attributes, read strictly and matched to recorded decisions.

Refuses a file with a row it cannot match or read, whole: it says which column, how many rows, the first of them, and what was allowed, and
never a value. A row names its decision, or its applicant where that person has one decision by then. Keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from feature_repo.contract import APPLICANT_ID, BAD
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime
from governance.ledger.windows import Decided, Unread
from monitoring import window
from monitoring.outcomes import BAD_ON, OBSERVED_AT
from training import casts

OUTCOME = "outcome"
ERASED = "erased"
Refusals = list[str]


def read(path: Path) -> pa.Table:
    """A CSV file as texts, or a Parquet file as it is. Raises DataError."""
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        if is_parquet:
            return pq.read_table(path)
        names = pacsv.open_csv(path).schema.names
        texts = pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True)
        return pacsv.read_csv(path, convert_options=texts)
    except FileNotFoundError:
        raise DataError(f"{path} is not there") from None
    except (pa.ArrowInvalid, OSError):
        raise DataError(f"{path.name} is no CSV file with a header (comma, UTF-8), and no Parquet file") from None


def outcomes(table: pa.Table, portfolio: Portfolio, decided: Iterable[Decided | Unread], came_at: datetime) -> tuple[pa.Table, int]:
    """The outcomes of a file by decision, and how many rows were of decisions that are erased. Raises DataError.

    Columns: decision_id or applicant_id, outcome (texts of the contract), observed_at, and bad_on where the contract has an outcome window.
    """
    wants_day = portfolio.outcome.within is not None
    require(table, (OUTCOME, OBSERVED_AT, *((BAD_ON,) if wants_day else ())))
    refused: Refusals = []
    found = casts.outcome(table[OUTCOME], portfolio.outcome)
    declared = portfolio.outcome
    allowed = f"good {list(declared.good)}, bad {list(declared.bad)}, neither {['', *declared.neither, *declared.rejected]}"
    refuse(refused, _mask(found.failed), f"{OUTCOME} is none of the contract's texts ({allowed})")
    seen = _moments(table, OBSERVED_AT, refused, required=np.ones(len(table), dtype=bool))
    refuse(refused, (seen >= pd.Timestamp(came_at)).to_numpy(), f"{OBSERVED_AT} is after the file came")
    bad = _values(found).to_numpy(dtype=np.float64)
    bad_on = _moments(table, BAD_ON, refused, required=bad == 1) if wants_day else pd.Series(pd.NaT, range(len(table)), dtype=seen.dtype)
    matched = match(table, decided, seen, refused)
    refuse(refused, (matched["at"] > seen).to_numpy(), f"{OBSERVED_AT} is before the decision")
    frame = pd.DataFrame({window.DECISION_ID: matched["id"], BAD: bad, OBSERVED_AT: seen, BAD_ON: bad_on}).drop_duplicates()
    refuse(refused, frame.duplicated([window.DECISION_ID, OBSERVED_AT]).reindex(range(len(table)), fill_value=False).to_numpy(),
            f"another outcome of the same decision at the same {OBSERVED_AT}")
    refuse_all(refused)
    live = frame[~matched[ERASED].to_numpy()[frame.index]]
    return pa.Table.from_pandas(live, preserve_index=False), len(frame) - len(live)


def require(table: pa.Table, columns: Iterable[str]) -> None:
    """Raise DataError unless a file has these columns, a key, and a row."""
    absent = [name for name in columns if name not in table.column_names]
    if absent:
        raise DataError(f"the file has no column {absent}; it has {table.column_names}")
    if not {window.DECISION_ID, APPLICANT_ID} & set(table.column_names):
        raise DataError(f"the file names neither {window.DECISION_ID} nor {APPLICANT_ID}, so nobody knows whose rows these are")
    if not len(table):
        raise DataError("the file has no row; nothing was imported")


def match(table: pa.Table, decided: Iterable[Decided | Unread], by: Any, refused: Refusals) -> pd.DataFrame:
    """id, time (`at`) and `erased` of the decision of each row. by: the moment until which decisions of an applicant count."""
    ids, people = (texts(table, name) for name in (window.DECISION_ID, APPLICANT_ID))
    wanted, asked = set(ids.dropna()), set(people[ids.isna()].dropna())
    times: dict[str, datetime | None] = {}
    of: dict[str, list[tuple[pd.Timestamp, str]]] = {}
    for one in decided:
        name = one.entry if isinstance(one, Unread) else one.decision_id
        if name in wanted:
            times[name] = None if isinstance(one, Unread) else one.decided_at
        if isinstance(one, Decided) and one.applicant_id in asked:
            of.setdefault(one.applicant_id, []).append((pd.Timestamp(one.decided_at), name))
            times[name] = one.decided_at
    by_person = [[name for at, name in of.get(person, []) if at <= moment] if isinstance(person, str) else []
                 for person, moment in zip(people, by, strict=True)]
    alone = pd.Series([those[0] if len(those) == 1 else None for those in by_person], dtype=object)
    matched = ids.where(ids.notna(), alone)
    refuse(refused, (ids.notna() & ~ids.isin(times)).to_numpy(), f"{window.DECISION_ID} is of no recorded decision")
    refuse(refused, np.array([len(those) > 1 for those in by_person]) & ids.isna().to_numpy(),
            f"the applicant has several decisions by then; name the decision: {window.DECISION_ID}")
    refuse(refused, np.array([not those for those in by_person]) & ids.isna().to_numpy(), "the applicant has no recorded decision by then")
    at = pd.to_datetime(pd.Series([times.get(name) if isinstance(name, str) else None for name in matched]), utc=True)
    erased = np.array([isinstance(name, str) and name in times and times[name] is None for name in matched])
    return pd.DataFrame({"id": matched, "at": at, ERASED: erased})


def texts(table: pa.Table, name: str) -> Any:
    if name not in table.column_names:
        return pd.Series([None] * len(table), dtype=object)
    return casts.text(table[name]).to_pandas().astype(object)


def _moments(table: pa.Table, name: str, refused: Refusals, required: Any) -> Any:
    """Times in UTC; one without a zone is UTC. Where one is required and there is none that can be read, the row is refused."""
    if pa.types.is_temporal(table[name].type):
        found = _values(casts.time(table[name], EventTime(name)))
    else:
        texts = casts.text(table[name]).to_pandas().astype(object)
        found = pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce")
    found = found.astype("datetime64[us, UTC]")
    refuse(refused, found.isna().to_numpy() & required, f"{name} is no time such as 2026-11-30 or 2026-11-30T12:00Z")
    return found


def _values(found: casts.Cast) -> Any:
    values, _ = found
    return values.to_pandas()


def _mask(values: Any) -> Any:
    return values.to_pandas().fillna(value=False).to_numpy(dtype=bool)


def refuse(refused: Refusals, rows: Any, why: str) -> None:
    """Note how many rows break a promise and the first of them, counted from 1 without the header."""
    at = np.flatnonzero(rows)
    if len(at):
        refused.append(f"{why}: {len(at):,} {'row' if len(at) == 1 else 'rows'}, the first is row {at[0] + 1:,}")


def refuse_all(refused: Refusals) -> None:
    """Raise DataError with everything that was refused."""
    if refused:
        raise DataError(f"nothing was imported. {'; '.join(refused)}. Mend the file and import it again")
