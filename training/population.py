"""Who applied: applications by part and outcome, and by protected group. Counts people, and withholds counts of few."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from feature_repo.contract import APPLICATION_ID, BAD, EVENT_TIME, Protected
from feature_repo.portfolio import Portfolio
from training.splits import DEVELOPMENT, PART, PARTS, PERIOD

NO_GROUP = "not stated"
MONTH = "%Y-%m"


@dataclass(frozen=True)
class Part:
    """Applications of a part by outcome. months: of the first and the last one, empty without a time axis."""

    name: str
    months: str
    applications: int
    good: int
    bad: int
    unknown: int
    bad_rate: float | None


@dataclass(frozen=True)
class Group:
    """A protected group; `applications` and `share` are None where they are withheld."""

    name: str
    applications: int | None
    share: float | None
    reference: bool


def by_part(portfolio: Portfolio, frame: pd.DataFrame, parts: pd.DataFrame) -> tuple[Part, ...]:
    """All applications, everyone who applied in development, the development part; the other parts and the rest where there are any."""
    known = frame[[EVENT_TIME, BAD]]
    of_part = {name: known[(parts[PART] == name).to_numpy()] for name in PARTS}
    chosen = {"all": known, "applied in development": known[(parts[PERIOD] == DEVELOPMENT).to_numpy()], **of_part,
              "in no part": known[parts[PART].isna().to_numpy()]}
    return tuple(_part(portfolio, name, rows) for name, rows in chosen.items() if len(rows) or name not in {*PARTS[1:], "in no part"})


def join(frame: pd.DataFrame, vault: pd.DataFrame) -> pd.DataFrame:
    """The vault's groups of every application of `frame`, in its order; null where it has none."""
    return frame[[APPLICATION_ID]].merge(vault, on=APPLICATION_ID, how="left", validate="one_to_one")


def by_group(column: Protected, joined: pd.DataFrame, least: int) -> tuple[Group, ...]:
    """All applications by group, in declared order, counts of fewer than `least` withheld."""
    found = joined[column.name].fillna(NO_GROUP).value_counts() if column.name in joined else pd.Series({NO_GROUP: len(joined)})
    counts = {str(name): int(found.get(name, 0)) for name in dict.fromkeys((*column.group_names, *sorted(found.index)))}
    hidden = withheld(counts, least)
    return tuple(Group(name, None if name in hidden else count, None if name in hidden else round(count / max(len(joined), 1), 6),
                       name == column.reference) for name, count in counts.items())


def withheld(counts: dict[str, int], least: int) -> set[str]:
    """Names whose counts are not shown: those from 1 to under `least`, and the next smallest while the rest would give them away.

    >>> sorted(withheld({"a": 900, "b": 60, "c": 4}, 10)), withheld({"a": 900, "b": 60, "c": 0}, 10)
    (['b', 'c'], set())
    """
    there = sorted((count, name) for name, count in counts.items() if count)
    few = [each for each in there if each[0] < least]
    for each in there[len(few) :]:
        if not few or (len(few) > 1 and sum(count for count, _ in few) >= least):
            break
        few.append(each)
    return {name for _, name in few}


def _part(portfolio: Portfolio, name: str, rows: pd.DataFrame) -> Part:
    months = f"{rows[EVENT_TIME].min():{MONTH}} to {rows[EVENT_TIME].max():{MONTH}}" if portfolio.is_dated and len(rows) else ""
    good, bad = int((rows[BAD] == 0).sum()), int((rows[BAD] == 1).sum())
    rate = round(bad / (good + bad), 6) if good + bad else None
    return Part(name, months, len(rows), good, bad, len(rows) - good - bad, rate)
