"""The ledger as an event loop uses it: what is asked for in one turn of the loop is handed over together, and heard of together.

Responsible for few crossings between the loop's thread and the ledger's: each lets the other thread run, and at a thousand decisions a
second those changes cost as much as the decisions. What one turn of the loop decides shares a commit by itself. Adds no wait: a turn ends
when nothing is left to do in it. For one loop and its thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial

from governance.ledger.entries import Entry, Record
from governance.ledger.writer import Group, Ledger

TOGETHER = 32  # at most: what waits for a commit is written while the loop decides what is left
Recorded = Future[tuple[Record, ...]]
Heard = asyncio.Future[tuple[Record, ...]]


class Recording:
    """One loop's way to append."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._gathered: list[Group] = []
        self._finished: deque[tuple[Heard, Recorded]] = deque()
        self._told = False

    def append(self, entries: Sequence[Entry]) -> Recorded:
        """`Ledger.append`, at the end of this turn of the loop."""
        group = Group(tuple(entries), Future())
        self._gathered.append(group)
        if len(self._gathered) == TOGETHER:
            self._hand_over()
        elif len(self._gathered) == 1:
            asyncio.get_running_loop().call_soon(self._hand_over)
        return group.done

    def heard(self, waiting: Recorded) -> Heard:
        """What becomes of an append, as the loop awaits it. Not cancelled with it: whoever gives up cancels both."""
        loop = asyncio.get_running_loop()
        heard: Heard = loop.create_future()
        waiting.add_done_callback(partial(self._finish, loop, heard))
        return heard

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._ledger.put(gathered)

    def _finish(self, loop: asyncio.AbstractEventLoop, heard: Heard, waiting: Recorded) -> None:
        """In the ledger's thread: noted first, then told, so that a turn that tells already either sees it or is asked for again."""
        self._finished.append((heard, waiting))
        if not self._told:
            self._told = True
            try:
                loop.call_soon_threadsafe(self._tell)
            except RuntimeError:  # the loop has ended, and nobody there waits any more
                self._told = False

    def _tell(self) -> None:
        self._told = False
        while self._finished:
            heard, waiting = self._finished.popleft()
            if heard.done():
                continue
            if waiting.cancelled():
                heard.cancel()
            elif error := waiting.exception():
                heard.set_exception(error)
            else:
                heard.set_result(waiting.result())
