"""Levels to numbers: each level's log-odds of bad in development, relative to all (weight of evidence).

Fitted on the development part alone. Every declared level has a number: rare and never seen ones share one. Missing stays NaN, which
the models treat on its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from feature_repo.contract import BAD, Input
from feature_repo.derive import derive
from feature_repo.errors import DataError
from feature_repo.portfolio import Portfolio
from serving.scoring.batch import arrays
from serving.scoring.decision import Encoding, encode
from training.params import EncodingParams

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Sample:
    """Model rows, float64 of shape (n, inputs) with NaN for missing, and outcomes (1 bad, 0 good)."""

    rows: Array
    bad: Array


def fit_encoding(portfolio: Portfolio, development: pd.DataFrame, params: EncodingParams) -> Encoding:
    """Per level column, level -> smoothed log-odds of bad less those of all rows. Higher is riskier."""
    return {column.name: _numbers(column, development, params) for column in portfolio.raw_inputs if column.is_level}


def model_rows(portfolio: Portfolio, encoding: Encoding, frame: pd.DataFrame) -> Array:
    """The model's rows of a frame, by the same derivation and encoding as in serving."""
    return encode(portfolio, encoding, derive(portfolio, arrays(portfolio, frame)))


def sample(portfolio: Portfolio, encoding: Encoding, frame: pd.DataFrame) -> Sample:
    """Model rows and outcomes of a frame whose outcomes are all known."""
    return Sample(model_rows(portfolio, encoding, frame), frame[BAD].to_numpy(dtype=np.float64))


def _numbers(column: Input, development: pd.DataFrame, params: EncodingParams) -> dict[str, float]:
    if len(column.level_names) > params.most_levels:
        raise DataError(f"{column.name} has {len(column.level_names)} levels, at most {params.most_levels} can be learnt "
                        "(train.encoding.most_levels): group them in the portfolio's file")
    table = development.groupby(column.name)[BAD].agg(["size", "sum"]).reindex(column.level_names, fill_value=0)
    rare = table["size"] < params.rare
    table.loc[rare] = table[rare].sum().to_numpy()
    rate = development[BAD].mean()
    bads = table["sum"] + params.smoothing * rate
    goods = table["size"] - table["sum"] + params.smoothing * (1 - rate)
    numbers = np.log(bads / goods) - np.log(rate / (1 - rate))
    return {str(level): float(number) for level, number in numbers.items()}
