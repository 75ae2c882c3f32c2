"""Rows of a file and what a release says of them, as an Arrow table: keys, PD, score, band, outcome and, where asked for, reasons.

Writes no input of a person but the keys.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID
from feature_repo.portfolio import Portfolio
from governance.release import Release
from serving import tables
from serving.scoring.batch import reasons as told
from serving.scoring.decision import Scorer
from serving.scoring.parts import ACTIONS
from serving.tables import Bad

KEYS = (APPLICATION_ID, APPLICANT_ID)
NAMES = [action.value for action in ACTIONS]
CODED = pa.dictionary(pa.int8(), pa.string())


def needed(portfolio: Portfolio) -> set[str]:
    """The columns that are read: inputs, and keys where there are any."""
    return {column.name for column in portfolio.raw_inputs} | set(KEYS)


def part(scorer: Scorer, table: pa.Table, first: int, *, reasons: bool) -> tuple[pa.Table, tuple[Bad, ...]]:
    """What a release says of rows of a file, and the rows it says nothing of. first: the number of the first, from 1 on."""
    read = tables.read(scorer.portfolio, table, first)
    at = scorer.assess(read.values)
    kept = None if read.kept.all() else pa.array(read.kept)
    found = {name: table[name] if kept is None else table[name].filter(kept) for name in KEYS if name in table.column_names}
    bands = [band.name for band in scorer.policy.bands]
    found |= {"row": pa.array(first + np.flatnonzero(read.kept)), "pd": pa.array(at.pd), "score": pa.array(at.score),
              "band": coded(at.band, bands), "outcome": coded(at.severity, NAMES), "in_doubt": pa.array(at.doubtful),
              "outside": pa.array(at.anywhere)}
    if reasons:
        found["reasons"] = pa.array(told(scorer, at), pa.string())
    return pa.table(found), read.bad


def schema(source: pa.Schema, scorer: Scorer, release: Release, *, reasons: bool) -> pa.Schema:
    """The columns of the output, and in its metadata which release said it."""
    keys = [source.field(name).with_metadata(None) for name in KEYS if name in source.names]
    said = [("row", pa.int64()), ("pd", pa.float64()), ("score", pa.int64()), ("band", CODED), ("outcome", CODED), ("in_doubt", pa.bool_()),
            ("outside", pa.bool_())]
    made = {"tally.release_id": release.id, "tally.portfolio": scorer.portfolio.name}
    return pa.schema([*keys, *(pa.field(*each) for each in said), *([pa.field("reasons", pa.string())] if reasons else [])], metadata=made)


def coded(codes: np.ndarray[tuple[int], np.dtype[np.int64]], names: list[str]) -> pa.DictionaryArray:
    """A column of few texts."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), names)
