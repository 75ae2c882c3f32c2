"""What an online store is to a decision, whichever it is: values by applicant, soon, or an error that says why not.

Responsible for the words both stores share. Judges no value and no age; `serving.features` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import Value
from feature_repo.portfolio import Portfolio

Vector = dict[str, Value]


class Unreachable(FeatureError):  # noqa: N818 - what a store is, not what went wrong
    """The store did not answer, or not in time."""


class NotAsked(Unreachable):
    """The store was not asked, because it did not answer lately."""


class OnlineStore(Protocol):
    """Stored columns and each view's as_of (seconds since 1970) by name; None where there is no value, and for a stranger everywhere.

    An applicant's values of one view are always of one write. Any thread may read. Each method raises FeatureError where the store cannot
    be read or holds what Feast would not write.
    """

    def read(self, applicant: str) -> Vector:
        """The values of one applicant."""

    def read_many(self, applicants: Sequence[str]) -> list[Vector]:
        """The values of each, in order, in one question to the store."""

    def probe(self) -> None:
        """Raise FeatureError unless a decision could read its values now."""

    def close(self) -> None:
        """Let go of what this thread holds, or all of it where threads share; the next read begins again."""


def empty(portfolio: Portfolio) -> Vector:
    """What is known of a stranger: every name, no value."""
    return {name: None for table in portfolio.views for name in (table.as_of, *(column.name for column in table.stored))}
