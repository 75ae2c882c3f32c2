"""Outcomes of live decisions, which come late: kept as they came, and joined to a window as they were known at a moment.

An import is one Parquet file named by its SHA-256, which a signed event of the record names too; nothing is changed afterwards, a
correction is a later import. It holds decision ids and no applicant: once a decision is erased, its outcome is nobody's. Refuses a file
that is not the one that was recorded, and to let a bad outcome be undone by what is seen later: within the contract's window a loan is bad
that ever was. What an outcome text means is the contract's; files of others are read by `monitoring.arrivals`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.contract import BAD
from feature_repo.errors import DataError, LedgerError
from feature_repo.portfolio import Portfolio
from governance import events
from governance.ledger.entries import Record
from governance.observations import OutcomesImported
from governance.people import People, Role
from governance.release import sync
from governance.rules import moment
from monitoring import window

SERVICER: Role = "servicer"  # who may say how loans turned out
OBSERVED_AT = "observed_at"
BAD_ON = "bad_on"
TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema([(window.DECISION_ID, pa.string()), (BAD, pa.float64()), (OBSERVED_AT, TIME), (BAD_ON, TIME)])


@dataclass(frozen=True)
class Outcomes:
    """What was known at a moment. frame: an outcome a decision, as `ever` says; imports: digests; ignored: why some did not count."""

    as_of: datetime
    frame: pd.DataFrame
    imports: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def keep(folder: Path, arrived: pa.Table) -> str:
    """Keep an import, ordered; its digest. Equal imports are one file."""
    ordered = arrived.select(SCHEMA.names).cast(SCHEMA).sort_by([(window.DECISION_ID, "ascending"), (OBSERVED_AT, "ascending")])
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".draft-{os.getpid()}"
    pq.write_table(ordered, draft)
    draft.chmod(0o600)
    sync(draft)
    digest = _digest(draft)
    draft.replace(folder / f"{digest}.parquet")
    sync(folder)
    return digest


def known(folder: Path, records: Iterable[Record], people: People, as_of: datetime) -> Outcomes:
    """Every outcome that had come and was observed before a moment; of several for one decision what they amount to, as `ever` says.

    Raises DataError where a file that the record names is not there, or is not what it was: figures without it would be others.
    """
    parts: list[pd.DataFrame] = []
    imports: list[str] = []
    ignored: list[str] = []
    counted: set[str] = set()
    for record in records:
        if record.kind != events.NAMES[OutcomesImported]:
            continue
        event, came_at, why = came(record, people)
        if event and not why:
            why = "it is a copy of an earlier entry" if event.digest in counted else ""
            counted.add(event.digest)
        if why:
            ignored.append(f"{record.id[:30]} is left out: {why}")
        elif event and came_at and came_at < as_of:
            parts.append(_read(folder, event).assign(came=len(parts)))
            imports.append(event.digest)
    frame = pd.concat(parts, ignore_index=True) if parts else SCHEMA.empty_table().to_pandas().assign(came=0)
    frame = frame[frame[OBSERVED_AT] < pd.Timestamp(as_of)].sort_values([OBSERVED_AT, "came"], kind="stable")
    return Outcomes(as_of, ever(frame.drop(columns="came")), tuple(imports), tuple(ignored))


def ever(seen: pd.DataFrame) -> pd.DataFrame:
    """One row a decision of what was seen of it, in order: bad once it was seen bad, on the first such day, else as it was seen last.

    Who says the same moment again, later, corrects it. `contradicted`: what was seen after a bad outcome says something else.
    """
    once = seen.drop_duplicates([window.DECISION_ID, OBSERVED_AT], keep="last")
    last = once.drop_duplicates(window.DECISION_ID, keep="last").reset_index(drop=True)
    bad_on = once[once[BAD] == 1].groupby(window.DECISION_ID)[BAD_ON].min()
    was_bad = last[window.DECISION_ID].isin(bad_on.index)
    return last.assign(**{BAD: last[BAD].mask(was_bad, 1.0), BAD_ON: last[window.DECISION_ID].map(bad_on).astype(last[BAD_ON].dtype),
                          window.CONTRADICTED: was_bad & (last[BAD] != 1)})


def joined(frame: pd.DataFrame, outcomes: Outcomes, portfolio: Portfolio) -> pd.DataFrame:
    """A window with the outcomes that had matured at that moment: `bad` is null for every other decision; `observed_until` is the moment.

    A decision matures at the contract's age, whatever was seen of it before: the bad are known early and the good late, so those that are
    known early would overstate the bad rate. "Good" counts where it was seen at that age or later; bad beyond the outcome window is good.
    `contradicted` is of those that count as bad.
    """
    rows = frame.drop(columns=BAD).merge(outcomes.frame, on=window.DECISION_ID, how="left")
    decided, bad, declared = rows[window.DECIDED_AT], rows[BAD].to_numpy(dtype=np.float64, copy=True), portfolio.outcome
    if declared.within is not None:
        bad[(rows[BAD_ON] > decided + declared.within).to_numpy()] = 0.0
    mature = decided + declared.matures_after
    counts = (mature <= pd.Timestamp(outcomes.as_of)) & ((bad == 1) | (rows[OBSERVED_AT] >= mature))
    rows[BAD] = np.where(counts, bad, np.nan)
    rows[window.CONTRADICTED] = rows[window.CONTRADICTED].eq(other=True) & (rows[BAD] == 1)
    rows[window.OBSERVED_UNTIL] = pd.Timestamp(outcomes.as_of).tz_convert("UTC").as_unit("us")
    return rows.drop(columns=[OBSERVED_AT, BAD_ON])


def came(record: Record, people: People) -> tuple[OutcomesImported | None, datetime | None, str]:
    """An import with the moment it came, or why it does not count."""
    try:
        event = events.of(record)
    except LedgerError:
        return None, None, "it cannot be read as what it claims to be"
    if not isinstance(event, OutcomesImported) or (came_at := moment(event.came_at)) is None:
        return None, None, "it does not say when it came"
    why = people.fault(event, record.recorded_at) or people.lacks(event.by, datetime.fromisoformat(record.recorded_at), SERVICER)
    return event, came_at, why


def _read(folder: Path, event: OutcomesImported) -> pd.DataFrame:
    path = folder / f"{event.digest}.parquet"
    if not path.is_file():
        raise DataError(f"the record names outcomes {event.digest[:12]} ({event.rows:,} rows), which are not in {folder}; bring the file "
                        "back from a backup: figures without it would be others")
    if _digest(path) != event.digest:
        raise DataError(f"outcomes {path.name} are not what was imported; bring the file back from a backup")
    return pd.read_parquet(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
