"""Who applied, by part, outcome and group; and that a withheld count cannot be told from the rest."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.contract import APPLICATION_ID, Protected
from training import population
from training.population import Group

GUILD = Protected("guild", raw="g", groups={"1": "town", "2": "country", "3": "sea"}, reference="town")


def grouped(counts, least=10, in_vault=None):
    members = [group for group, count in counts.items() for _ in range(count)]
    frame = pd.DataFrame({APPLICATION_ID: [f"a{place}" for place in range(len(members))]})
    vault = frame.assign(guild=members).sample(frac=1, random_state=1)
    return population.by_group(GUILD, population.join(frame, vault.drop(columns=GUILD.name) if in_vault is False else vault), least)


def test_groups_stand_in_declared_order_with_their_share_and_what_is_not_stated():
    assert grouped({"country": 30, "town": 60, None: 10}) == (
        Group("town", 60, 0.6, reference=True), Group("country", 30, 0.3, reference=False), Group("sea", 0, 0.0, reference=False),
        Group("not stated", 10, 0.1, reference=False))


def test_a_small_group_is_withheld_with_another_that_would_give_it_away():
    counts = {group.name: group.applications for group in grouped({"town": 60, "country": 30, "sea": 4})}

    assert counts == {"town": 60, "country": None, "sea": None}


def test_an_application_the_vault_does_not_have_is_not_stated():
    frame = pd.DataFrame({APPLICATION_ID: ["a", "b", "c"]})
    joined = population.join(frame, pd.DataFrame({APPLICATION_ID: ["c", "a"], GUILD.name: ["town", "sea"]}))

    assert joined[GUILD.name].fillna("").tolist() == ["sea", "", "town"]


def test_an_attribute_the_file_did_not_have_is_not_stated():
    assert grouped({"town": 60}, in_vault=False)[-1] == Group("not stated", 60, 1.0, reference=False)


@given(st.dictionaries(st.text("abcdef", min_size=1), st.integers(0, 40), min_size=1), st.integers(1, 12))
def test_the_withheld_hide_one_another(counts, least):
    hidden = population.withheld(counts, least)
    shown = [count for name, count in counts.items() if name not in hidden]

    assert not any(0 < count < least for count in shown)
    assert not any(counts[name] == 0 for name in hidden)
    if hidden and any(shown):
        assert len(hidden) > 1
        assert sum(counts[name] for name in hidden) >= least


def test_parts_count_outcomes_and_what_is_unknown(mill, borrow):
    frame = borrow(mill, 400)
    parts = pd.DataFrame({"period": ["development"] * 300 + ["after"] * 100, "part": ["development"] * 200 + [None] * 100 + ["test"] * 100})
    everyone, applied, development, test, rest = population.by_part(mill, frame, parts)

    assert [part.name for part in (everyone, applied, development, test, rest)] == [
        "all", "applied in development", "development", "test", "in no part"]
    assert (everyone.applications, applied.applications, development.applications) == (400, 300, 200)
    assert everyone.unknown == frame["bad"].isna().sum()
    assert development.bad_rate == pytest.approx(frame["bad"][:200].mean(), abs=1e-6)
    assert everyone.months == f"{frame['event_timestamp'].min():%Y-%m} to {frame['event_timestamp'].max():%Y-%m}"
