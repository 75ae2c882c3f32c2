"""Contestants measured in turns in one run, so that a busy minute of the machine hits all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Contest = Callable[[], float]


def interleaved(contestants: Mapping[str, Contest], rounds: int) -> dict[str, list[float]]:
    """Every contestant's figure of every round; each round begins with another one.

    A contestant measures itself and returns its figure. A slow peer runs a smaller slice and returns a rate, as ours then does.
    """
    names = list(contestants)
    figures: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            figures[name].append(contestants[name]())
    return figures
