"""What was known then: the traps of the point-in-time join, each held."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from viewed import MICROSECOND, NOON, asked, featurized, known

from feature_repo.contract import APPLICATION_ID
from feature_repo.errors import FeatureError
from feature_repo.offline import history


def test_the_join_uses_equal_times_and_nothing_later(toy, tmp_path):
    hour = pd.Timedelta(1, "h")
    later = [NOON + MICROSECOND, NOON + 3 * hour, NOON + pd.Timedelta(31, "D")]
    zoned = [(NOON + hour).tz_convert("Pacific/Auckland"), (NOON + hour).tz_convert("America/New_York")]
    views = known(toy, tmp_path, [("p", NOON - pd.Timedelta(1, "D"), 1.0), ("p", NOON, 2.0), ("r", NOON.tz_convert("Asia/Tokyo"), 3.0),
                                  *(("p", time, 99.0) for time in later), *(("q", time, 99.0) for time in (*later, zoned[0])),
                                  ("s", zoned[1], 99.0)])
    found = history(toy, asked(("p", NOON), ("q", NOON), ("r", NOON), ("s", NOON), ("p", NOON - MICROSECOND)), views)

    np.testing.assert_array_equal(found[toy.stored[0].name], [2.0, np.nan, 3.0, np.nan, 1.0])


def test_an_old_row_is_still_found_because_ages_are_ours_to_judge(toy, tmp_path):
    views = known(toy, tmp_path, [("p", NOON - pd.Timedelta(3_000, "D"), 1.0)])
    found = history(toy, asked(("p", NOON)), views)

    assert found[toy.stored[0].name].tolist() == [1.0]
    assert found[toy.views[0].as_of].tolist() == [(NOON - pd.Timedelta(3_000, "D")).timestamp()]


def test_every_application_comes_back_once_and_in_order(harbour, invent, tmp_path):
    tables = invent(harbour, [f"p{i}" for i in range(300)])
    twice = pd.concat([tables[harbour.applications.name]] * 2, ignore_index=True)  # the same people at the same moments
    shuffled = twice.assign(**{APPLICATION_ID: [f"a{i}" for i in range(600)]}).sample(frac=1, random_state=3)
    found = history(harbour, shuffled, featurized(harbour, tables, tmp_path))

    pd.testing.assert_frame_equal(found[shuffled.columns], shuffled)


def test_the_join_refuses_applications_without_key_or_time(toy, tmp_path):
    views = known(toy, tmp_path, [("p", NOON, 1.0)])
    for frame in (asked(("p", pd.NaT), ("p", NOON)), asked((None, NOON)), asked()):
        with pytest.raises(FeatureError, match="each with both"):
            history(toy, frame, views)


def test_the_join_leaves_nothing_behind(toy, monkeypatch, tmp_path):
    views = known(toy, tmp_path / "views", [("p", NOON, 1.0)])
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    history(toy, asked(("p", NOON)), views)

    assert list(tmp_path.rglob("*.db")) == []
    assert list((tmp_path / "work").iterdir()) == []
