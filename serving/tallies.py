"""Counts that are kept in memory and told together, a few times a second: to tell of each costs more than what is counted.

Responsible for nothing but when. A worker that is killed takes a fifth of a second of them along. For one event loop and its thread.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Generic, TypeVar

TOLD_EVERY = 0.2  # seconds
Key = TypeVar("Key")


class Tally(Generic[Key]):
    """How often each of some things happened. told: what is done with the counts; it gets them once."""

    def __init__(self, told: Callable[[Counter[Key]], None]) -> None:
        self._told = told
        self._counted: Counter[Key] = Counter()

    def add(self, key: Key) -> None:
        """Once more; told of soon."""
        if not self._counted:
            asyncio.get_running_loop().call_later(TOLD_EVERY, self.tell)
        self._counted[key] += 1

    def tell(self) -> None:
        """Tell what was counted and is not told yet."""
        counted, self._counted = self._counted, Counter()
        if counted:
            self._told(counted)
