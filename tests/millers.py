"""A home of the mill's service with a release of trees that serves, and applications to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from served import promote

from feature_repo.contract import APPLICANT_ID, CREATED_TIME, EVENT_TIME, NO_TIME
from feature_repo.store import publish
from governance.release import verify
from serving.application import APPLICATION

PEOPLE = 60


@pytest.fixture(scope="module")
def mill_home(tmp_path_factory, mill, mill_model) -> Path:
    """A home of the mill's service, with millers whose stored values are current, and a release of trees that serves."""
    home, people = tmp_path_factory.mktemp("home"), mill_model.frame.tail(PEOPLE)
    (home / "views").mkdir()
    for table in mill.views:
        stored = people[[column.name for column in table.stored]].ffill().bfill()
        frame = stored.assign(**{APPLICANT_ID: [f"m{number}" for number in range(PEOPLE)], EVENT_TIME: NO_TIME, CREATED_TIME: NO_TIME,
                                 table.as_of: NO_TIME.timestamp()})
        frame.to_parquet(home / "views" / f"{table.name}.parquet")
    publish(mill, home / "views", home / mill.name / "feast")
    promote(home, mill, verify(mill_model.release), "1")
    return home


@pytest.fixture
def requests(mill, mill_model) -> list[dict[str, Any]]:
    """An application of each miller, all values given."""
    people = mill_model.frame.tail(PEOPLE)[[column.name for column in mill.requests]].ffill().bfill().astype(object)
    rows = people.to_dict("records")
    return [{APPLICANT_ID: f"m{number}", APPLICATION: row} for number, row in enumerate(rows)]
