"""The people: marginals as stated, correlations of real portfolios, one proxy and nothing else between groups and columns."""

from __future__ import annotations

import numpy as np
import pytest

from feature_repo.portfolios.consumer_loans_population_simulator import (
    ABSENT,
    ACCOUNTS,
    BUREAU,
    ETHNICITIES,
    LATENT,
    PROXY_COLUMN,
    PROXY_GROUP,
    PROXY_LEVEL,
    Shares,
    draw,
    known,
    later,
    months_back,
    newest,
    said,
)

N = 40_000


@pytest.fixture(scope="module")
def people():
    return draw(np.random.default_rng(3), 0, N)


def test_every_normal_score_is_standard_normal_whatever_it_leans_on(people):
    assert np.abs(people.z.mean(axis=0)).max() < 0.03
    assert np.abs(people.z.std(axis=0) - 1).max() < 0.03


def test_months_before_the_application_look_like_the_month_of_it(people):
    path = months_back(np.random.default_rng(4), people, BUREAU, 8)

    assert len(path) == 8
    assert np.array_equal(path[0], newest(people, BUREAU))
    assert all(np.abs(z.std(axis=0) - 1).max() < 0.03 for z in path)
    assert np.corrcoef(path[0][:, 0], path[1][:, 0])[0, 1] == pytest.approx(0.95, abs=0.01)


def test_who_comes_back_is_the_same_person_a_little_later(people):
    again = later(np.random.default_rng(5), people, years=1)

    assert np.array_equal(again.number, people.number)
    assert np.array_equal(again.age, people.age + 1)
    assert np.array_equal(said(again, {})[PROXY_COLUMN], said(people, {})[PROXY_COLUMN])
    same = [np.corrcoef(people.z[:, j], again.z[:, j])[0, 1] for j in LATENT.values()]
    assert min(same) > 0.85


def test_shares_give_each_value_its_share():
    values = Shares({"few": 0.1, "many": 0.7, "some": 0.2})(np.random.default_rng(6).standard_normal(N))

    assert {name: round(float(np.mean(values == name)), 1) for name in ("few", "many", "some")} == {"few": 0.1, "many": 0.7, "some": 0.2}


def test_those_who_lack_something_have_their_stated_share(people):
    assert {name: float(people.lacks(name).mean()) for name in ABSENT} == pytest.approx(ABSENT, abs=0.01)


def test_missing_numbers_are_informative(people):
    """Who states no housing cost, and who has no savings account, leans to lower quality."""
    quality = -newest(people, ("delinquencies_24m",))[:, 0]

    assert quality[people.lacks("no_housing_cost")].mean() < -0.2
    assert quality[people.lacks("no_savings")].mean() < -0.2


def test_ethnicity_is_tied_to_the_proxy_and_to_no_other_column(people):
    stored = [known(people, names, newest(people, names), {}) for names in (BUREAU, ACCOUNTS)]
    columns = {**said(people, {}), **stored[0], **stored[1]}
    member = people.ethnicity == PROXY_GROUP
    gaps = {name: gap(values, member) for name, values in columns.items() if name != PROXY_COLUMN}

    assert np.mean(columns[PROXY_COLUMN][member] == PROXY_LEVEL) > 0.7
    assert np.mean(columns[PROXY_COLUMN][~member] == PROXY_LEVEL) < 0.1
    assert max(gaps.values()) < 0.03, gaps
    assert max(gap(values, people.sex == "male") for values in columns.values()) < 0.03


def test_minorities_have_realistic_shares(people):
    shares = [float(np.mean(people.ethnicity == name)) for name in ETHNICITIES]

    assert len(shares) == 4
    assert all(0.08 <= share <= 0.25 for share in sorted(shares)[:3])


def gap(values, member):
    """The largest distance between the two groups' distribution functions (Kolmogorov-Smirnov; for levels, of their shares)."""
    ranks = np.unique(values, return_inverse=True)[1]
    inside, outside = (np.cumsum(np.bincount(ranks[rows], minlength=ranks.max() + 1)) / rows.sum() for rows in (member, ~member))
    return float(np.abs(inside - outside).max())
