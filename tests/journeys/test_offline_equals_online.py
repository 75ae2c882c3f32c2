"""The value served for an applicant is the value the model would have been trained on at that moment, bit for bit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.derive import derive
from feature_repo.offline import history
from feature_repo.opening import opened
from feature_repo.portfolios import load, names
from feature_repo.store import publish
from serving.features import fresh
from serving.online.sqlite import SqliteFeatures
from training.assembly import assemble, save, view

MOMENTS = [datetime(2024, 3, 28, 9, 30, 0, 1, tzinfo=UTC), datetime(2024, 4, 20, tzinfo=UTC)]
STRANGERS = ["nobody", "p 1", ""]


@pytest.fixture(scope="module", params=["harbour", *(name for name in names() if load(name).views)])
def published(request, invent, tmp_path_factory):
    """A portfolio, its 1,000 applicants and strangers, its views, and its online store."""
    portfolio = request.getfixturevalue("harbour") if request.param == "harbour" else load(request.param)
    people = [f"{name}{i}" for i in range(250) for name in ("p", "Ærø ", "顧客", "🙂'\"\\")]
    folder = tmp_path_factory.mktemp("published")
    tables = invent(portfolio, people, seed=11)
    for table in portfolio.views:
        save(view(portfolio, table, tables[table.name]), folder / "views" / f"{table.name}.parquet")
    publish(portfolio, folder / "views", folder / "home")
    return portfolio, [*people, *STRANGERS], folder


def asked(portfolio, people: list[str], moment: datetime) -> pd.DataFrame:
    """An application of everybody at that moment."""
    time = moment if portfolio.is_dated else datetime(2000, 1, 1, tzinfo=UTC)
    requests = {column.name: None if column.is_level else 1.0 for column in portfolio.requests}
    return pd.DataFrame({APPLICATION_ID: people, APPLICANT_ID: people, EVENT_TIME: pd.Timestamp(time), **requests, BAD: np.nan})


def bits(values) -> list:
    """Numbers as their bytes, so that -0.0, rounding and types would show; every missing value as None."""
    return [None if pd.isna(value) else value if isinstance(value, str) else np.float64(value).tobytes() for value in values]


def test_served_values_are_those_of_the_join(published):
    portfolio, people, folder = published
    offline = history(portfolio, asked(portfolio, people, MOMENTS[0]), folder / "views")
    online = SqliteFeatures(folder / "home" / "online.db", portfolio)
    served = [online.read(person) for person in people]

    for name in served[0]:
        assert bits(offline[name]) == bits([values[name] for values in served])
    assert all(value is None for values in served[-len(STRANGERS):] for value in values.values())


def test_served_values_are_feasts_own(published):
    portfolio, people, folder = published
    feast = opened(portfolio, folder / "home")
    answer = feast.get_online_features(feast.get_feature_service(portfolio.name), [{APPLICANT_ID: person} for person in people]).to_dict()
    online = SqliteFeatures(folder / "home" / "online.db", portfolio)
    served = [online.read(person) for person in people]

    for name in served[0]:
        assert bits(answer[name]) == bits([values[name] for values in served])


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_scoring_uses_is_what_training_saw_old_values_and_derived_ones_included(moment, published):
    portfolio, people, folder = published
    frame = asked(portfolio, people, moment)
    offline = assemble(portfolio, history(portfolio, frame, folder / "views")).set_index(APPLICATION_ID)
    online = SqliteFeatures(folder / "home" / "online.db", portfolio)
    said = {column.name: None if column.is_level else np.float64(1.0) for column in portfolio.requests}
    used = []
    for person in people:
        stored, *_ = fresh(portfolio, online.read(person), moment)
        values = {**said, **stored}
        used.append(derive(portfolio, {column.name: np.float64(np.nan if values[column.name] is None else values[column.name])
                                       if not column.is_level else values[column.name] for column in portfolio.raw_inputs}))

    for column in portfolio.inputs:
        assert bits(offline.loc[people, column.name]) == bits([values[column.name] for values in used])
    if portfolio.is_dated:
        assert any(value is None for values in used for value in bits(values[column.name] for column in portfolio.stored))


@given(age=st.one_of(st.integers(-10, 10), st.integers(-(10**13), 10**13)), limit=st.sampled_from([0, 10, 30]))
def test_both_agree_on_every_age_to_the_microsecond(harbour, age, limit):
    moment = MOMENTS[0]
    as_of = (moment - timedelta(days=limit, microseconds=age)).timestamp()
    values = {**{column.name: column.level_names[0] if column.is_level else 1.5 for column in harbour.stored},
              **{table.as_of: as_of for table in harbour.views}}
    frame = asked(harbour, ["p"], moment).assign(**values)
    offline = assemble(harbour, frame)
    online, *_ = fresh(harbour, values, moment)

    for name, value in online.items():
        assert bits(offline[name]) == bits([value])
