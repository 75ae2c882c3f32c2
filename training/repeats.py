"""Rows of a raw table that say the same as another in every column but the key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.contract import Applicant, Application, Table

TWICE = 2


def count(table: Table, raw: pa.Table) -> int:
    """How many rows could go without one of a kind being lost; 0 where repeating is the table's nature.

    It is where rows that repeat do so more than twice as a rule: few coarse columns describe a loan then, and loans are alike. A file
    that was delivered twice repeats its rows once.
    """
    keys = {column.raw for column in table.select(Applicant, Application)}
    names = [name for name in raw.column_names if name not in keys]
    codes = pd.DataFrame({str(at): _codes(raw[name]) for at, name in enumerate(names)})
    alike = np.unique(pd.util.hash_pandas_object(codes, index=False).to_numpy(), return_counts=True)[1]
    repeated = alike[alike > 1]
    natural = len(repeated) and np.median(np.repeat(repeated, repeated)) > TWICE
    return 0 if natural else int((repeated - 1).sum())


def _codes(column: pa.ChunkedArray) -> Any:
    return pc.fill_null(column.combine_chunks().dictionary_encode().indices, -1).to_numpy()
