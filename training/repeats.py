"""Rows of a raw table that say the same as another in every column but the key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.contract import Applicant, Application, Ignored, Table
from training import raw

TWICE = 2


def describe(table: Table, read: pa.Table, path: Path) -> dict[str, int]:
    """used: rows that repeat another in all the contract uses; whole: in the ignored columns of the file too."""
    used = count(table, read)
    unignored = replace(table, columns=tuple(column for column in table.columns if not isinstance(column, Ignored)))
    return {"used": used, "whole": count(unignored, raw.read(unignored, path)) if used and unignored != table else used}


def count(table: Table, read: pa.Table) -> int:
    """How many rows could go without one of a kind being lost; 0 where repeating is the table's nature.

    It is where rows that repeat do so more than twice as a rule: few coarse columns describe a loan then, and loans are alike. A file
    that was delivered twice repeats its rows once.
    """
    keys = {column.raw for column in table.select(Applicant, Application)}
    names = [name for name in read.column_names if name not in keys]
    codes = pd.DataFrame({str(at): _codes(read[name]) for at, name in enumerate(names)})
    alike = np.unique(pd.util.hash_pandas_object(codes, index=False).to_numpy(), return_counts=True)[1]
    repeated = alike[alike > 1]
    natural = len(repeated) and np.median(np.repeat(repeated, repeated)) > TWICE
    return 0 if natural else int((repeated - 1).sum())


def _codes(column: pa.ChunkedArray) -> Any:
    return pc.fill_null(column.combine_chunks().dictionary_encode().indices, -1).to_numpy()
