"""Which application makes the model, which calibrates it, which judges it: disjoint parts, no applicant in two of them.

Dated portfolios are cut by time alone. Everything to `EventTime.develop_until` is development, its last share calibrates: the newest
matured outcomes lie nearest to what the PDs are for. The test is out-of-time, to `EventTime.out_of_time_until`. `split.develop_until` of
params.yaml moves the cuts together, for a challenger on newer data. Undated ones are drawn by applicant, stratified by outcome. A person
who applies again belongs to the part of their first outcome; what they have in a later part gets no part, so no row is chosen by what
came after it. Where a share of development is too little to calibrate on, all of it stays development and PDs are calibrated out of fold.
Refuses a part without both outcomes, and cuts in time where there is no time.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from feature_repo.sources import EventTime
from training.params import SplitParams

Array = np.ndarray[Any, Any]
PERIOD, PART = "period", "part"
DEVELOPMENT, AFTER = "development", "after"
CALIBRATION, TEST = "calibration", "test"
PARTS = (DEVELOPMENT, CALIBRATION, TEST)


def cut(portfolio: Portfolio, frame: pd.DataFrame, params: SplitParams) -> pd.DataFrame:
    """application_id, period and part per row of `frame` (assembled applications), in its order.

    Raises DataError for an application that is there twice, where a part would have outcomes of one kind only, or a dated portfolio
    declares no cuts.
    """
    repeated = int(frame[APPLICATION_ID].duplicated().sum())
    if repeated:
        raise DataError(f"{repeated} of {len(frame)} rows repeat an {APPLICATION_ID}: one would judge the model that the other made. Run "
                        "the validate stage, which says which table repeats them")
    time = portfolio.applications.time
    if params.develop_until and not portfolio.is_dated:
        raise DataError(f"{portfolio.name} has no time axis and is drawn, not cut by time; set split.develop_until to null (params.yaml)")
    period, part = _by_time(frame, time.cut_after(params.develop_until), params) if isinstance(time, EventTime) else _by_draw(frame, params)
    parts = _with_outcome(frame, part)
    if _is_too_little(frame.loc[parts == CALIBRATION, BAD].to_numpy(), params):
        parts = _with_outcome(frame, np.where(part == CALIBRATION, DEVELOPMENT, part))
    require_outcomes(DEVELOPMENT, frame.loc[parts == DEVELOPMENT, BAD].to_numpy(), rows=2, bad_rows=1)
    require_outcomes(TEST, frame.loc[parts == TEST, BAD].to_numpy(), rows=2, bad_rows=1)
    return pd.DataFrame({APPLICATION_ID: frame[APPLICATION_ID], PERIOD: period, PART: parts})


def require_outcomes(part: str, bad: Array, *, rows: int, bad_rows: int) -> None:
    """Raise DataError unless a part has at least `rows` known outcomes, `bad_rows` of them bad and as many good."""
    fewest = min(int(np.sum(bad)), int(np.sum(1 - bad)))
    if len(bad) < rows or fewest < bad_rows:
        raise DataError(f"the {part} part has {len(bad)} known outcomes, {int(np.sum(bad))} bad and {int(np.sum(1 - bad))} good; at least "
                        f"{rows}, and {bad_rows} of each kind, are needed. Bring more data, move the cuts (EventTime of the first table, "
                        "split in params.yaml), or see train.fewest_* in params.yaml")


def early_fold(frame: pd.DataFrame, share: float, seed: int, *, dated: bool) -> Array:
    """Which rows of development stop the boosting: the last share by time, or a seeded draw stratified by outcome."""
    late: Array = _at_end(_moments(frame), share).to_numpy()
    if dated and not late.all():
        return late
    return _drawn(frame[BAD], np.random.default_rng(seed)) < share


def part_of(frame: pd.DataFrame, parts: pd.DataFrame, part: str) -> pd.DataFrame:
    """The rows of one part. Raises DataError where `parts` was not made from `frame`."""
    return frame[(align(frame, parts)[PART] == part).to_numpy()]


def align(frame: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """`parts` in the order of `frame`; refuses parts of other applications."""
    if not np.array_equal(frame[APPLICATION_ID].to_numpy(), parts[APPLICATION_ID].to_numpy()):
        raise DataError(f"the split has {len(parts)} applications, assemble {len(frame)}, and they are not the same in the same order; "
                        "run the split stage again")
    return parts


def _with_outcome(frame: pd.DataFrame, part: Array) -> pd.Series:
    """The part of every row with a known outcome whose applicant has no outcome in an earlier part; null for the others."""
    parts = pd.Series(part, index=frame.index, dtype=object)
    parts[frame[BAD].isna() | (parts == "")] = None
    parts[~_is_first_part(frame[APPLICANT_ID], parts)] = None
    return parts


def _is_too_little(bad: Array, params: SplitParams) -> bool:
    return len(bad) < params.calibration_rows or min(np.sum(bad), np.sum(1 - bad)) < params.calibration_bad


def _by_time(frame: pd.DataFrame, time: EventTime, params: SplitParams) -> tuple[Array, Array]:
    if time.develop_until is None or time.out_of_time_from is None or time.out_of_time_from <= time.develop_until:
        raise DataError(f"develop_until {time.develop_until} and out_of_time_from {time.out_of_time_from} must both be declared, in this "
                        "order: see EventTime of the first table in the portfolio's file")
    moments = _moments(frame)
    develop = moments < _after(time.develop_until)
    late = _at_end(moments[develop & frame[BAD].notna()], params.calibration_share).reindex(frame.index, fill_value=False)
    test = moments >= pd.Timestamp(time.out_of_time_from, tz="UTC")
    if time.out_of_time_until is not None:
        test &= moments < _after(time.out_of_time_until)
    return np.where(develop, DEVELOPMENT, AFTER), np.select([develop & ~late, develop, test], PARTS, default="").astype(object)


def _after(day: date) -> pd.Timestamp:
    """The first moment after a day."""
    return pd.Timestamp(day, tz="UTC") + pd.Timedelta(days=1)


def _moments(frame: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(frame[EVENT_TIME], utc=True)


def _at_end(moments: pd.Series, share: float) -> Any:
    """Whether each moment is among the last share, whole days together."""
    days = moments.dt.floor("D")
    if days.empty:
        return days.notna()
    return days.ge(days.quantile(1 - share, interpolation="higher"))


def _by_draw(frame: pd.DataFrame, params: SplitParams) -> tuple[Array, Array]:
    applicants = frame.groupby(APPLICANT_ID, sort=True)[BAD].max()
    drawn = pd.Series(_drawn(applicants, np.random.default_rng(params.seed)), index=applicants.index)
    at = frame[APPLICANT_ID].map(drawn).to_numpy()
    limit = params.test_share + (1 - params.test_share) * params.calibration_share
    part = np.select([at < params.test_share, at < limit], [TEST, CALIBRATION], default=DEVELOPMENT).astype(object)
    return np.where(part == TEST, AFTER, DEVELOPMENT), part


def _drawn(outcome: pd.Series, generator: np.random.Generator) -> Array:
    """A place in [0, 1) per row, evenly spread within good, bad and unknown."""
    place = np.empty(len(outcome))
    kind = outcome.fillna(-1).to_numpy()
    for value in np.unique(kind):
        here = np.flatnonzero(kind == value)
        place[generator.permutation(here)] = np.arange(len(here)) / len(here)
    return place


def _is_first_part(applicants: pd.Series, parts: pd.Series) -> pd.Series:
    """Whether a row's part is the earliest part its applicant has."""
    rank = parts.map({name: position for position, name in enumerate(PARTS)}).astype(np.float64)
    return rank == rank.groupby(applicants).transform("min")
