"""A lender's file of protected attributes, read strictly: each row belongs to somebody who was decided on, and to a declared group.

Columns: decision_id or applicant_id, and for each attribute that is known its name or its raw header, with names of groups or raw values as
the portfolio's file has them. Refuses any other column, and a file with a row that breaks this, whole; never says a value.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from feature_repo.contract import APPLICANT_ID, Protected
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from governance.ledger.windows import Decided, Unread
from monitoring import arrivals, window
from monitoring.vault import Belongs
from training import casts


def belonging(table: pa.Table, portfolio: Portfolio, decided: Iterable[Decided | Unread]) -> list[Belongs]:
    """What a file says of whom. Raises DataError."""
    if not portfolio.protected:
        raise DataError(f"{portfolio.name} declares no protected attribute; nothing was imported")
    arrivals.require(table, ())
    sources = {name: column for column in portfolio.protected for name in (column.name, column.raw) if name in table.column_names}
    _require_columns(table, portfolio, sources)
    refused: arrivals.Refusals = []
    groups = {column.name: _groups(table, name, column, portfolio, refused) for name, column in sources.items()}
    ids, people = (arrivals.texts(table, name) for name in (window.DECISION_ID, APPLICANT_ID))
    known, persons = set[str](), set[str]()
    for one in decided:
        if isinstance(one, Decided):
            known.add(one.decision_id)
            persons.add(one.applicant_id)
    arrivals.refuse(refused, (ids.notna() & ~ids.isin(known)).to_numpy(), f"{window.DECISION_ID} is of no decision that can be read")
    arrivals.refuse(refused, (ids.isna() & ~people.isin(persons)).to_numpy(), f"{APPLICANT_ID} is of nobody who was decided on")
    twice = pd.DataFrame({"decision": ids, "applicant": people.where(ids.isna())}).duplicated().to_numpy()
    arrivals.refuse(refused, twice, "the same decision or applicant again")
    arrivals.refuse_all(refused)
    names, columns = list(groups), zip(*groups.values(), strict=True)
    return [Belongs("decision", own, dict(zip(names, row, strict=True))) if isinstance(own, str)
            else Belongs("applicant", person, dict(zip(names, row, strict=True)))
            for own, person, row in zip(ids, people, columns, strict=True)]


def _require_columns(table: pa.Table, portfolio: Portfolio, sources: dict[str, Protected]) -> None:
    """Raise DataError unless every column is a key or an attribute, and each attribute is there once."""
    unknown = sorted(set(table.column_names) - {window.DECISION_ID, APPLICANT_ID, *sources})
    allowed = [f"{column.name} (or {column.raw})" for column in portfolio.protected]
    if unknown or not sources:
        raise DataError(f"nothing was imported: the file has {unknown or 'no protected attribute'}; besides {window.DECISION_ID} or "
                        f"{APPLICANT_ID} a file for the vault has {', '.join(allowed)}")
    if len({column.name for column in sources.values()}) < len(sources):
        raise DataError(f"nothing was imported: an attribute is there twice, by its name and by its raw header; allowed are {allowed}")


def _groups(table: pa.Table, name: str, column: Protected, portfolio: Portfolio, refused: arrivals.Refusals) -> list[str | None]:
    """Group names, None where it is not known."""
    texts: list[Any] = casts.group(table[name], column, portfolio.applications.reader).to_pylist()
    arrivals.refuse(refused, np.array([text is not None and text not in column.group_names for text in texts], dtype=bool),
                    f"{name} is no group of the contract ({', '.join(column.group_names)})")
    return texts
