"""What is said of the stored features that were published last: one small file beside the online store, for whoever watches.

Responsible for its shape and for reading it. Counts, shares and quantiles only, of enough people that none is told of; no import that a
scoring worker has not anyway.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from feature_repo.errors import FeatureError

FILE = "statistics.json"
Quantiles = dict[str, float]


class OfColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """missing: share of the view's applicants without a value; quantiles: of a number, by their share ("0.5"); none where few have one."""

    missing: float
    quantiles: Quantiles


class OfView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """as_of: quantiles of when applicants' newest rows became true, in seconds since 1970 (UTC)."""

    applicants: int
    as_of: Quantiles


class Statistics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of every stored column and every view."""

    columns: dict[str, OfColumn]
    views: dict[str, OfView]


def read(path: Path) -> Statistics:
    """Raises FeatureError where the file is not there or not as it must be."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Statistics)
    except (OSError, msgspec.MsgspecError) as error:
        raise FeatureError(f"{path.name} cannot be read ({type(error).__name__}); publish the features again") from None
