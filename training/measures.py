"""How well PDs separate and predict outcomes: pure functions of outcomes and PDs. Reads, draws and decides nothing.

bad: array of 1 (bad) and 0 (good), no nulls; pd: probability of bad. shift: what the portfolio's bad rate added to the log-odds of a
sample drawn by outcome (training.prior); a bad then counts e^shift times, so that PDs and bad rates are of one population, while rows and
bads stay counts. Monitoring measures with the same functions. Fairness by group is monitoring's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit, logit
from sklearn import metrics

from feature_repo.errors import DataError

Array = np.ndarray[Any, Any]
LEVEL = 0.95
QUANTILES = 10
MOST_VINTAGES = 36  # three years of months
FEWEST_IN_VINTAGE = 50


def has_both(bad: Array) -> bool:
    """Whether there is at least one bad and one good outcome, which every measure of separation needs."""
    return bool(0 < np.sum(bad) < len(bad))


def auc_with_variance(bad: Array, pd_: Array) -> tuple[float, float]:
    """Area under the ROC curve and its variance: DeLong et al. (1988), by the ranks of Sun and Xu (2014).

    Raises DataError where all outcomes are alike.
    """
    require_both(bad)
    parts = _placements(bad, pd_)
    return float(parts[0].mean()), sum(_variance_of_mean(part) for part in parts)


def auc_difference(bad: Array, first: Array, second: Array, level: float = LEVEL) -> tuple[float, float, float]:
    """AUC of the second PDs less that of the first ones on the same rows, with the bounds of its paired interval: DeLong et al. (1988).

    Raises DataError where all outcomes are alike.
    """
    require_both(bad)
    gaps = [ours - theirs for ours, theirs in zip(_placements(bad, second), _placements(bad, first), strict=True)]
    gap, half = float(gaps[0].mean()), float(stats.norm.ppf(0.5 + level / 2)) * sum(map(_variance_of_mean, gaps)) ** 0.5
    return gap, max(gap - half, -1.0), min(gap + half, 1.0)


def require_both(bad: Array) -> None:
    """Raise DataError where all outcomes are alike."""
    if not has_both(bad):
        raise DataError(f"{len(bad)} outcomes, {int(np.sum(bad))} of them bad: separation can be measured only with both good and bad ones")


def _placements(bad: Array, pd_: Array) -> tuple[Array, Array]:
    """Per bad outcome the share of good ones below it, and per good one the share of bad ones above it; ties count half."""
    is_bad = np.asarray(bad, dtype=bool)
    bads, goods = int(is_bad.sum()), int((~is_bad).sum())
    ranks = stats.rankdata(pd_)
    return ((ranks[is_bad] - stats.rankdata(pd_[is_bad])) / goods, 1 - (ranks[~is_bad] - stats.rankdata(pd_[~is_bad])) / bads)


def _variance_of_mean(part: Array) -> float:
    return float(np.var(part, ddof=1) / len(part)) if len(part) > 1 else 0.0


def gini_interval(bad: Array, pd_: Array, level: float = LEVEL) -> tuple[float, float, float]:
    """Gini = 2 AUC - 1, with the bounds of its DeLong interval, within [-1, 1]."""
    auc, variance = auc_with_variance(bad, pd_)
    half = 2 * float(stats.norm.ppf(0.5 + level / 2)) * variance**0.5
    gini = 2 * auc - 1
    return gini, max(gini - half, -1.0), min(gini + half, 1.0)


def ks(bad: Array, pd_: Array) -> float:
    """Kolmogorov-Smirnov distance: the largest gap between the PD distributions of bad and good, whichever is higher."""
    false_positive, true_positive, _ = metrics.roc_curve(bad, pd_)
    return float(np.max(np.abs(true_positive - false_positive)))


def summary(bad: Array, pd_: Array, shift: float = 0.0) -> dict[str, float]:
    """All headline measures by name: auc, gini, gini_low, gini_high, ks, brier, log_loss, ece, mean_pd, bad_rate, rows, bads."""
    gini, low, high = gini_interval(bad, pd_)
    weights = weigh(bad, shift)
    return {
        "auc": (gini + 1) / 2, "gini": gini, "gini_low": low, "gini_high": high, "ks": ks(bad, pd_),
        "brier": float(metrics.brier_score_loss(bad, pd_, sample_weight=weights)),
        "log_loss": float(metrics.log_loss(bad, pd_, sample_weight=weights)), "ece": ece(bad, pd_, shift=shift),
        "mean_pd": float(np.average(pd_, weights=weights)), "bad_rate": float(np.average(bad, weights=weights)), "rows": len(bad),
        "bads": int(np.sum(bad)),
    }


def weigh(bad: Array, shift: float) -> Array | None:
    """How often each row counts; None where all count once."""
    return None if shift == 0 else np.where(np.asarray(bad) == 1, np.exp(shift), 1.0)


def moved(rate: Any, shift: float) -> Array:
    """Rates of the sample as rates of the portfolio: `shift` more in log-odds. NaN, 0 and 1 stay."""
    return np.asarray(rate if shift == 0 else expit(logit(np.asarray(rate, dtype=np.float64)) + shift), dtype=np.float64)


def jeffreys(bads: Any, rows: Any, pd_: Any) -> Array:
    """P-value that the PD is not too low, Beta(D + 1/2, N - D + 1/2) at the PD (ECB 2019, validation reporting instructions, 2.5.3.1).

    >>> float(jeffreys(20, 1000, 0.01).round(5))
    0.00223
    """
    bads, rows = np.asarray(bads, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    return np.asarray(np.where(rows > 0, stats.beta.cdf(pd_, bads + 0.5, rows - bads + 0.5), np.nan))


def rate_interval(bads: Any, rows: Any, level: float = LEVEL) -> tuple[Array, Array]:
    """Jeffreys interval of a bad rate (Brown, Cai and DasGupta 2001): NaN where there are no rows.

    The bounds are 0 where nothing was bad and 1 where everything was, as the paper has it.
    """
    bads, rows = np.asarray(bads, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    tail = (1 - level) / 2
    low = np.where(bads == 0, 0.0, stats.beta.ppf(tail, bads + 0.5, rows - bads + 0.5))
    high = np.where(bads == rows, 1.0, stats.beta.ppf(1 - tail, bads + 0.5, rows - bads + 0.5))
    return np.where(rows > 0, low, np.nan), np.where(rows > 0, high, np.nan)


def calibration_table(bad: Array, pd_: Array, quantiles: int = QUANTILES, shift: float = 0.0) -> pd.DataFrame:
    """Mean PD against bad rate in quantile bins of PD: mean_pd, rows, bads, bad_rate, low, high. Equal PDs share a bin."""
    return rates(quantile_bins(pd_, quantiles), bad, pd_, shift).reset_index(drop=True)


def quantile_bins(pd_: Array, quantiles: int = QUANTILES) -> Array:
    """The bin of each row, of about equally many rows; equal values share one."""
    edges = np.unique(np.quantile(pd_, np.arange(1, quantiles) / quantiles)) if len(pd_) else np.zeros(0)
    return np.searchsorted(edges, pd_, side="right")


def rates(key: Any, bad: Array, pd_: Array, shift: float = 0.0) -> pd.DataFrame:
    """Per value of `key`, in its order: mean_pd, rows, bads, bad_rate and its Jeffreys bounds low and high."""
    frame = pd.DataFrame({"pd": pd_, "bad": np.asarray(bad, dtype=np.float64)}).groupby(np.asarray(key), sort=True)
    table = frame.agg(mean_pd=("pd", "mean"), rows=("bad", "size"), bads=("bad", "sum"), bad_rate=("bad", "mean"))
    table["low"], table["high"] = rate_interval(table["bads"], table["rows"])
    weights = weigh(bad, shift)
    if weights is not None:
        sums = pd.DataFrame({"pd": weights * pd_, "rows": weights}).groupby(np.asarray(key), sort=True).sum()
        table["mean_pd"] = sums["pd"] / sums["rows"]
        table[["bad_rate", "low", "high"]] = moved(table[["bad_rate", "low", "high"]], shift)
    return table.astype({"bads": np.int64})


def ece(bad: Array, pd_: Array, quantiles: int = QUANTILES, shift: float = 0.0) -> float:
    """Expected calibration error: mean distance of bad rate and mean PD over quantile bins, weighted by rows."""
    weights, apart = weigh(bad, shift), np.asarray(bad) - pd_
    apart, rows = (apart, float(len(pd_))) if weights is None else (weights * apart, float(np.sum(weights)))
    return float(np.sum(np.abs(np.bincount(quantile_bins(pd_, quantiles), apart))) / rows)


def band_table(bands: Array, names: tuple[str, ...], bad: Array, pd_: Array, shift: float = 0.0) -> pd.DataFrame:
    """`rates` per band index, one row for each of `names` in order, empty bands included, with the share of rows."""
    table = rates(bands, bad, pd_, shift).reindex(range(len(names)))
    table[["rows", "bads"]] = table[["rows", "bads"]].fillna(0).astype(np.int64)
    table.insert(0, "band", list(names))
    return table.assign(share=table["rows"] / max(len(bad), 1)).reset_index(drop=True)


def vintages(times: pd.Series) -> tuple[str, Array]:
    """The word for the spans that applications are told apart by, and each one's: month ("2004-03"), quarter ("2004-Q1") or year ("2004").

    The shortest of them that makes at most `MOST_VINTAGES` and leaves half of them `FEWEST_IN_VINTAGE` applications or more: nobody reads
    two hundred intervals, or learns from ones of a dozen.
    """
    moments = times.dt.tz_convert("UTC").dt.tz_localize(None)
    for word, unit in (("month", "M"), ("quarter", "Q")):
        found = moments.dt.to_period(unit)
        counts = found.value_counts()
        if len(counts) <= MOST_VINTAGES and counts.median() >= FEWEST_IN_VINTAGE:
            return word, found.astype(str).str.replace(r"(?<=\d)Q", "-Q", regex=True).to_numpy(dtype=str)
    return "year", moments.dt.year.astype(str).to_numpy(dtype=str)


def vintage_table(vintages: Any, bad: Array, pd_: Array, shift: float = 0.0) -> pd.DataFrame:
    """`rates` per vintage, with gini, gini_low and gini_high (NaN where all outcomes of a vintage are alike)."""
    keys, at = np.unique(np.asarray(vintages), return_inverse=True)
    table = rates(at, bad, pd_, shift)
    found = [gini_interval(bad[at == k], pd_[at == k]) if has_both(bad[at == k]) else (np.nan,) * 3 for k in range(len(keys))]
    table[["gini", "gini_low", "gini_high"]] = np.array(found, dtype=np.float64).reshape(-1, 3)
    table.insert(0, "vintage", keys)
    return table.reset_index(drop=True)
