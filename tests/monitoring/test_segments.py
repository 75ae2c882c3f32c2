"""Every part of a portfolio is told with its own sample, and a part that is too small gets words in place of figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feature_repo.contract import BAD
from feature_repo.errors import ContractError
from monitoring import segments, window
from monitoring.intervals import share
from monitoring.params import SegmentParams

PARAMS = SegmentParams(minimum=30, confidence=0.95)


@pytest.fixture
def frame(watched):
    counts = window.matured(watched.frame, watched.portfolio)
    return watched.frame.assign(**{BAD: watched.frame[BAD].where(counts)})


def test_bands_and_declared_columns_cover_every_decision_once(watched, frame):
    found = segments.assess(frame, watched.portfolio, PARAMS)
    for column in (segments.BAND, *watched.portfolio.segments):
        assert sum(one.decisions for one in found if one.column == column) == len(frame)
    assert segments.NOT_STATED in {one.value for one in found}
    assert all((one.bad is None) == (one.matured < 30) for one in found)
    one = next(one for one in found if one.column == segments.BAND and one.bad_rate)
    rows = frame[frame["band"] == one.value]
    assert one.bad_rate == share((int((rows[BAD] == 1).sum()), int(rows[BAD].notna().sum())), 0.95)


def test_a_small_part_gets_words(watched, frame):
    small = segments.assess(frame.head(20), watched.portfolio, PARAMS)
    assert {(one.approved, one.mean_pd, one.bad, one.bad_rate) for one in small} == {(None, None, None, None)}
    assert all("fewer than 30 decisions" in one.note for one in small)


def test_a_segment_is_a_declared_column_with_levels(watched):
    number = next(column.name for column in watched.portfolio.raw_inputs if not column.is_level)
    for wrong in ((number,), ("nothing",), watched.portfolio.segments * 2):
        with pytest.raises(ContractError, match="no columns with levels, each once"):
            replace(watched.portfolio, segments=wrong)
