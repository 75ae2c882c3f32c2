"""An input that is a protected attribute under another name is found, however it is written; one that is none is not."""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd
import pytest

from feature_repo.contract import APPLICATION_ID
from training import proxies

PARAMS = proxies.ProxiesParams(copy_auc=0.95, strong_auc=0.75, sample=3_000, least=50, folds=3, seed=7)
SIZE = 3_000


@pytest.fixture(scope="module")
def frame(mill, borrow):
    return borrow(mill, SIZE, seed=3)


@pytest.fixture(scope="module")
def groups():
    return np.where(np.random.default_rng(5).random(SIZE) < 0.15, "country", "town")


def told(mill, frame, groups, **changes):
    protected = pd.DataFrame({APPLICATION_ID: frame[APPLICATION_ID], mill.protected[0].name: groups})
    (found,) = proxies.measure(mill, frame, protected, msgspec.structs.replace(PARAMS, **changes))
    return found


def number(mill):
    return next(column.name for column in mill.raw_inputs if not column.is_level)


def level(mill):
    return next(column for column in mill.raw_inputs if column.is_level)


def flipped(member, share, seed=1):
    return member ^ (np.random.default_rng(seed).random(len(member)) < share)


def test_inputs_that_say_nothing_of_the_groups_are_no_proxies(mill, frame, groups):
    found = told(mill, frame, groups)

    assert (found.copies, found.strong, found.rows) == ((), (), SIZE)
    assert found.together.auc < 0.6
    assert {tell.input for tell in found.alone} == {column.name for column in mill.inputs}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("written", ["copy", "upside down", "codes", "noisy", "with gaps", "in two ranges", "level"])
def test_a_copy_is_found_however_it_is_written(mill, frame, written, seed):
    random = np.random.default_rng(seed)
    member = random.random(SIZE) < 0.15
    noisy = flipped(member, 0.02, seed + 100)
    values = {
        "copy": member.astype(float), "upside down": 9.0 - member, "noisy": noisy + random.normal(0, 0.1, SIZE),
        "codes": np.where(member, random.choice([3.0, 8.0, 14.0], SIZE), random.choice([1.0, 5.0, 11.0], SIZE)),
        "with gaps": np.where(random.random(SIZE) < 0.5, np.nan, member),
        "level": np.array(level(mill).level_names[:2])[member.astype(int)],
        "in two ranges": np.where(member, random.choice([-1.0, 1.0], SIZE), 0.0) + random.normal(0, 0.05, SIZE),
    }[written]
    name = level(mill).name if written == "level" else number(mill)
    found = told(mill, frame.assign(**{name: values}), np.where(member, "country", "town"))

    assert name in found.copies


def test_a_strong_proxy_is_listed_with_what_it_adds_and_is_no_copy(mill, frame, groups):
    name = number(mill)
    values = flipped(groups == "country", 0.15) + np.random.default_rng(2).normal(0, 0.1, SIZE)
    found = told(mill, frame.assign(**{name: values}), groups)

    first = found.alone[0]
    assert (name in found.strong, found.copies, first.input) == (True, (), name)
    assert 0.75 < first.auc < 0.95
    assert first.contribution > 0.2
    assert all(tell.contribution is None for tell in found.alone[1:] if tell.input not in found.strong)


def test_two_inputs_that_tell_a_group_only_together_are_counted_together(mill, frame, groups):
    random = np.random.default_rng(4)
    one, two = [column.name for column in mill.raw_inputs if not column.is_level][:2]
    shared = random.normal(0, 3, SIZE)
    found = told(mill, frame.assign(**{one: shared + 2.0 * (groups == "country"), two: random.normal(0, 1, SIZE) - shared}), groups)

    assert found.together.auc > max(tell.auc for tell in found.alone) + 0.03


def test_a_group_of_few_is_withheld_and_not_named(mill, frame, groups):
    found = told(mill, frame, np.where(np.arange(SIZE) < 20, "hermit", groups))

    assert (found.groups, found.withheld, found.rows) == (("country", "town"), 1, SIZE - 20)
    assert "hermit" not in str(found)


@pytest.mark.parametrize("labels", ["one group", "nobody known", "few"])
def test_where_two_groups_cannot_be_compared_it_says_why(mill, frame, groups, labels):
    given = {"one group": np.full(SIZE, "town"), "nobody known": np.full(SIZE, None),
             "few": np.where(np.arange(SIZE) < 20, "country", "town")}[labels]
    found = told(mill, frame, given)

    assert "and two are compared" in found.unmeasured
    assert (found.together, found.alone) == (None, ())


def test_three_groups_each_count_against_the_rest(mill, frame):
    groups = np.random.default_rng(6).choice(["country", "coast", "town"], SIZE, p=[0.2, 0.1, 0.7])
    found = told(mill, frame.assign(**{number(mill): (groups == "coast").astype(float)}), groups)

    assert (found.alone[0].input, found.alone[0].group, found.copies) == (number(mill), "coast", (number(mill),))


@pytest.mark.parametrize("values", ["constant", "missing", "5,000 levels"])
def test_odd_columns_say_nothing(mill, frame, groups, values):
    name = level(mill).name if values == "5,000 levels" else number(mill)
    odd = {"constant": np.ones(SIZE), "missing": np.full(SIZE, np.nan), "5,000 levels": [f"level {i}" for i in range(SIZE)]}[values]
    found = told(mill, frame.assign(**{name: odd}), groups)

    assert next(tell.auc for tell in found.alone if tell.input == name) < 0.6


def test_a_large_frame_is_sampled_evenly(mill, frame, groups):
    assert told(mill, frame, groups, sample=1_000).rows == 1_000
    assert proxies.evenly(frame, 3).index.tolist() == [0, (SIZE - 1) // 2, SIZE - 1]


def test_nothing_protected_nothing_to_tell(frame):
    from types import SimpleNamespace

    assert proxies.measure(SimpleNamespace(protected=()), frame, pd.DataFrame(), PARAMS) == ()
