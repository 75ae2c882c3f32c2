"""A home with the trees that the benches of scoring share: release, published features in SQLite, and requests of people it explains.

The same model as the peers get, sealed as a release, approved and placed, with every stored value current at `NOW`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from evidenced import evidence, validation
from scored import Scored
from served import promote

from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME
from feature_repo.store import publish
from governance import release
from governance.release import Release
from serving.application import APPLICATION
from serving.scoring import decision

NOW = datetime(2024, 5, 1, tzinfo=UTC)
REASONS = 4


@dataclass(frozen=True)
class People:
    """Applicants who are told `REASONS` reasons.

    requests: what a lending system sends; rows: what the peers are given; pds: what is right.
    """

    requests: list[dict[str, Any]]
    rows: np.ndarray
    pds: list[float]


def home(folder: Path, model: Scored, many: int) -> People:
    """Furnish a folder for `serve`, and who may be asked about."""
    portfolio = model.scorer.portfolio
    whole = model.people[_complete(model)].head(10 * many).reset_index(drop=True)
    keys = [f"applicant-{number:06}" for number in range(len(whole))]
    for table in portfolio.views:
        at = pd.Series(pd.Timestamp(NOW - timedelta(days=1))).astype("datetime64[us, UTC]").repeat(len(whole)).reset_index(drop=True)
        frame = {APPLICANT_ID: keys, EVENT_TIME: at, CREATED_TIME: at, table.as_of: at.astype("int64") / 1e6,
                 **{column.name: whole[column.name] for column in table.stored}}
        (folder / "views").mkdir(parents=True, exist_ok=True)
        pd.DataFrame(frame).to_parquet(folder / "views" / f"{table.name}.parquet")
    publish(portfolio, folder / "views", folder / portfolio.name / "feast")
    promote(folder, portfolio, sealed(folder / "made", model), "1")
    return _explained(model, whole, keys, many)


def sealed(folder: Path, model: Scored) -> Release:
    """The model as a release, with evidence that every gate lets through."""
    scorer = model.scorer
    folder.mkdir(parents=True)
    decision.save(scorer, folder)
    golden = [{"values": each, "doubtful": [], "decision": msgspec.to_builtins(scorer.decide(each))}
              for each in _people(model, model.people.head(3))]
    (folder / "golden.json").write_bytes(release.dump(golden))
    for name, said in evidence(scorer.portfolio, "trees").items():
        (folder / name).write_bytes(release.dump(said))
    return release.seal(folder, scorer.portfolio, model="trees", validation=validation(), lineage={})


def _complete(model: Scored) -> pd.Series:
    """Who has every value that may not be missing."""
    needed = [column.name for column in model.scorer.portfolio.raw_inputs if not column.nullable]
    return model.people[needed].notna().all(axis=1)


def _explained(model: Scored, whole: pd.DataFrame, keys: list[str], many: int) -> People:
    said = {column.name for column in model.scorer.portfolio.requests}
    rows, found, places = model.rows_of(whole), [], []
    for place, person in enumerate(_people(model, whole)):
        decided = model.scorer.decide(person)
        if len(decided.reasons) == REASONS:
            found.append(({APPLICANT_ID: keys[place], APPLICATION: {name: person[name] for name in said}}, decided.pd))
            places.append(place)
        if len(found) == many:
            break
    return People([request for request, _ in found], rows[places], [pd_ for _, pd_ in found])


def _people(model: Scored, frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    names = [column.name for column in model.scorer.portfolio.raw_inputs]
    for person in frame[names].itertuples(index=False):
        yield {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in zip(names, person, strict=True)}
