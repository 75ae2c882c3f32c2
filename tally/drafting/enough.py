"""Whether there is enough to make a model of: outcomes in each part, and levels few enough to learn."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from feature_repo import params
from feature_repo.contract import APPLICANT_ID, APPLICATION_ID, BAD, EVENT_TIME
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from training import splits
from training.params import SplitParams, TrainParams


def lacking(portfolio: Portfolio, ingested: Path) -> list[str]:
    """What split and train would stop on, each in a sentence."""
    settings, train = params.read("split", SplitParams), params.read("train", TrainParams)
    most = train.encoding.most_levels
    wide = [f"{column.name} has {len(column.level_names)} levels, at most {most} can be learnt: declare the frequent ones and other=True"
            for column in portfolio.raw_inputs if len(column.level_names) > most]
    wanted = [APPLICATION_ID, APPLICANT_ID, EVENT_TIME, BAD]
    frame = pd.read_parquet(ingested / f"{portfolio.applications.name}.parquet")
    if not set(wanted) <= set(frame) or frame[BAD].dtype == object or frame[EVENT_TIME].dtype == object:
        return wide  # validation has said that these cannot be read
    try:
        parts = splits.cut(portfolio, frame[wanted], settings)
        develop = splits.part_of(frame, parts, splits.DEVELOPMENT)[BAD].to_numpy()
        splits.require_outcomes(splits.DEVELOPMENT, develop, rows=train.fewest_rows, bad_rows=train.fewest_bad)
    except DataError as error:
        return [*wide, str(error)]
    return wide
