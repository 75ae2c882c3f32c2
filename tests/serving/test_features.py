"""What the age of stored features means for the decision: every policy, and never a value that nobody gave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from feature_repo.contract import WhenStale
from feature_repo.errors import FeatureError
from feature_repo.portfolios import load
from serving.features import State, fresh

NOW = datetime(2024, 4, 10, 12, tzinfo=UTC)


def known(portfolio, age: timedelta) -> dict:
    """A value in every stored column, of that age."""
    values = {column.name: column.level_names[0] if column.is_level else 1.5 for column in portfolio.stored}
    return {**values, **{table.as_of: (NOW - age).timestamp() for table in portfolio.views}}


def those(portfolio, *policies: WhenStale, ageing: bool = False) -> tuple[str, ...]:
    """Stored columns of these policies; `ageing`: of those, the ones with an age limit."""
    return tuple(column.name for column in portfolio.stored if column.when_stale in policies and (column.fresh_for or not ageing))


def test_fresh_values_pass_untouched_and_without_their_times(harbour):
    values = known(harbour, timedelta(days=10))

    judged = fresh(harbour, values, NOW)

    assert judged[:3] == ({column.name: values[column.name] for column in harbour.stored}, (), ())
    assert set(judged.states.values()) == {State.CURRENT}


def test_an_old_value_is_none_and_reported_by_its_policy(harbour):
    judged = fresh(harbour, known(harbour, timedelta(days=31)), NOW)

    assert judged.doubtful == those(harbour, WhenStale.REFER, WhenStale.REQUEST, ageing=True)
    assert judged.refused == those(harbour, WhenStale.REFUSE, ageing=True)
    assert {name for name, value in judged.values.items() if value is None} == {*judged.doubtful, *judged.refused}


def test_a_value_of_the_future_is_not_used(harbour):
    judged = fresh(harbour, known(harbour, -timedelta(microseconds=1)), NOW)

    assert set(judged.values.values()) == {None}
    assert {*judged.doubtful, *judged.refused} == {column.name for column in harbour.stored}


def test_a_missing_value_is_a_doubt_unless_it_may_be_missing(harbour):
    for values in (dict.fromkeys(known(harbour, timedelta(0))), {**dict.fromkeys(known(harbour, timedelta(0))), **{
            table.as_of: NOW.timestamp() for table in harbour.views}}):
        judged = fresh(harbour, values, NOW)

        assert {*judged.doubtful, *judged.refused} == {column.name for column in harbour.stored if not column.nullable}
        assert judged.refused == those(harbour, WhenStale.REFUSE)


def test_an_unreachable_store_leaves_every_column_in_doubt(harbour):
    judged = fresh(harbour, None, NOW)

    assert {*judged.doubtful, *judged.refused} == {column.name for column in harbour.stored}
    assert set(judged.values.values()) == {None}


def test_the_request_speaks_only_for_columns_that_let_it_and_only_where_the_store_does_not(harbour):
    said = dict.fromkeys([column.name for column in harbour.stored], 7.0)
    old, current = (fresh(harbour, known(harbour, timedelta(days=age)), NOW, said) for age in (31, 1))
    (own_words,) = those(harbour, WhenStale.REQUEST, ageing=True)

    assert old.values[own_words] == 7.0
    assert own_words not in old.doubtful
    assert [name for name, value in old.values.items() if value == 7.0] == [own_words]
    assert 7.0 not in current.values.values()
    assert fresh(harbour, None, NOW, said).values[own_words] == 7.0


def test_what_the_store_had_is_told_of_every_column_whatever_the_request_says(harbour):
    said = dict.fromkeys([column.name for column in harbour.stored], 7.0)
    first, second = harbour.views
    mixed = {**known(harbour, timedelta(days=1)), **{column.name: None for column in second.stored}}
    cases = [(None, State.UNREACHABLE), (dict.fromkeys(mixed), State.MISSING), (known(harbour, -timedelta(days=1)), State.STALE)]

    for values, state in cases:
        assert fresh(harbour, values, NOW, said).states == dict.fromkeys(said, state)
    assert fresh(harbour, mixed, NOW, said).states == {**{column.name: State.CURRENT for column in first.stored},
                                                        **{column.name: State.MISSING for column in second.stored}}


def test_nothing_ages_in_a_portfolio_without_time():
    undated = load("card_default")

    assert fresh(undated, known(undated, timedelta(days=9_000)), NOW)[1:3] == ((), ())


def test_the_time_zone_of_the_decision_does_not_matter_and_its_absence_is_refused(harbour):
    values = known(harbour, timedelta(days=10))
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))

    assert fresh(harbour, values, tokyo) == fresh(harbour, values, NOW)
    with pytest.raises(FeatureError, match="time zone"):
        fresh(harbour, values, NOW.replace(tzinfo=None))
