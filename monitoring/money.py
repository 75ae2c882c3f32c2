"""Amounts and effects in words: three digits, the scale a reader thinks in, the unit of the contract's amount. Measures nothing."""

from __future__ import annotations

from monitoring.intervals import Estimate
from monitoring.loss import LOANS

SCALES = ((1e6, 1e6, "million"), (1e4, 1e3, "thousand"))  # from which value on, what it is divided by, the word
TEN = 10
MINUS = "\N{MINUS SIGN}"


def money(value: float, unit: str) -> str:
    """An amount, with its unit.

    >>> money(1234567, "EUR"), money(45678, "EUR"), money(12.3, "EUR"), money(3.21, "loans")
    ('EUR 1.23 million', 'EUR 46 thousand', 'EUR 12', '3.2 loans')
    """
    by, word = _scale(value)
    return _united(_figure(value / by, word), word, unit)


def effect(found: Estimate, unit: str) -> str:
    """An effect with its sign and interval, in one scale.

    >>> effect(Estimate(1.2e6, -1e5, 2.5e6), "EUR").replace(MINUS, "-")
    '+EUR 1.20 million (-0.10 to 2.50)'
    """
    by, word = _scale(max(abs(bound) for bound in (found.value, found.low, found.high) if bound is not None))
    sign = MINUS if found.value < 0 else "+"
    bounds = "" if found.low is None or found.high is None else f" ({_figure(found.low / by, word)} to {_figure(found.high / by, word)})"
    return f"{sign}{_united(_figure(abs(found.value) / by, word), word, unit)}{bounds}"


def _scale(value: float) -> tuple[float, str]:
    return next(((by, word) for least, by, word in SCALES if abs(value) >= least), (1.0, ""))


def _figure(value: float, word: str) -> str:
    digits = 2 if word == "million" else 0 if abs(value) >= TEN or word else 1
    return f"{value:z,.{digits}f}".replace("-", MINUS)


def _united(figure: str, word: str, unit: str) -> str:
    said = f"{figure} {word}".strip()
    return f"{said} {LOANS}" if unit == LOANS else f"{unit} {said}"
