"""What may be shown of a group that is small, and of the others so that nothing tells of it by subtraction.

A group of few is withheld: no figure of it leaves. As totals are known elsewhere, one withheld group alone would be the total less those
that are shown; then the decisions of unknown group are withheld as well, and where those are too few or none, the next smallest groups.
A group that nobody is of reads like one of few. A group withheld for another's sake is judged all the same: its verdicts are told. Where
anything is withheld, what is shown is rounded, so that no ratio gives back the counts behind it. Refuses no figure that is needed to judge;
whoever may see people has window and vault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import overload

import msgspec

from monitoring.intervals import Estimate

UNKNOWN = ""
WITHHELD = "withheld"
FOR_ANOTHER = "its figures would tell of a withheld group"
LADDER = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
COARSE = 2


def withheld(counts: Mapping[str, int], least: int) -> dict[str, str]:
    """Group -> why nothing of it is shown; a group that is shown is not in it. `counts` may hold the decisions of `UNKNOWN` group.

    >>> withheld({"a": 900, "b": 400, "c": 12}, 30)
    {'c': 'fewer than 30', 'b': 'its figures would tell of a withheld group'}
    """
    small = [name for name, of in counts.items() if name != UNKNOWN and of < least and any(counts.values())]
    people = [name for name in small if counts[name]]
    others = sorted((name for name in counts if name not in small), key=lambda name: (name != UNKNOWN, counts[name]))
    also: list[str] = []
    while people and others and (len(people) + len(also) < 2 or sum(counts[name] for name in (*people, *also)) < least):
        if counts[name := others.pop(0)]:
            also.append(name)
    return {**dict.fromkeys(small, f"fewer than {least}"), **dict.fromkeys(also, FOR_ANOTHER)}


def size(of: int) -> str:
    """How many, told coarsely, where sums of such cells are known.

    >>> size(1398)
    '1,000 or more'
    """
    steps = [step for step in LADDER if step <= of]
    return f"{steps[-1]:,} or more" if steps else f"fewer than {LADDER[0]}"


@overload
def coarse(figure: Estimate) -> Estimate: ...
@overload
def coarse(figure: Estimate | None) -> Estimate | None: ...
def coarse(figure: Estimate | None) -> Estimate | None:
    """An estimate of few digits."""
    if figure is None:
        return None
    rounded = (None if value is None else round(value, COARSE) for value in msgspec.structs.astuple(figure))
    return Estimate(*rounded)  # type: ignore[arg-type] # its value is there
