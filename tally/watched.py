"""What the watch tells of itself: log lines, each once, and metrics in a file that a Prometheus textfile collector reads.

The file is written after every turn, so that its age says whether the watch turns at all.
"""

from __future__ import annotations

import logging
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, write_to_textfile

from governance.aliases import Named
from governance.standing import Standing

log = logging.getLogger("tally.watch")


class Watched:
    """The measures of one watch."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._said: dict[str, str] = {}
        own = self._own = CollectorRegistry()
        self._turns = Counter("tally_watch_turns", "Turns of the watch", registry=own)
        self._last = Gauge("tally_watch_last_turn_seconds", "When the last turn ended, seconds since 1970", registry=own)
        self._reachable = Gauge("tally_watch_registry_reachable", "Whether the registry answered (1)", registry=own)
        self._placed = Counter("tally_watch_placed", "Releases placed", registry=own)
        self._refused = Counter("tally_watch_refused", "Releases that were not placed since they do not verify", registry=own)
        self._failing = Gauge("tally_watch_failing", "Steps that did not work in the last turn", registry=own)
        self._unapproved = Gauge("tally_watch_unapproved", "Whether the alias names what nobody approved (1)", registry=own)
        self._lapsed = Gauge("tally_watch_lapsed", "Whether what serves is no longer allowed and nothing else is (1)", registry=own)
        self._named: Named | None = None

    def sees(self, named: Named | None) -> None:
        self._named = named
        self._reachable.set(1)
        self.mended("registry")

    def unreachable(self, why: str) -> None:
        """The registry does not answer: said once, until it does again."""
        self._named = None
        self._reachable.set(0)
        if not self.cut_off:  # a server that ends says so in several ways
            self.failed("registry", f"{why}; what serves goes on, and the watch with it")

    @property
    def cut_off(self) -> bool:
        """Whether the registry did not answer in this turn."""
        return "registry" in self._said

    def failed(self, what: str, why: str) -> None:
        if self._said.get(what) != why:
            log.error("%s: %s", what, why)
        self._said[what] = why

    def why(self, what: str) -> str:
        """What was said of a step that does not work."""
        return self._said.get(what, "it was refused; see: tally history")

    def mended(self, what: str) -> None:
        if self._said.pop(what, None):
            log.info("%s: works again", what)

    def placed(self) -> None:
        self._placed.inc()

    def refused(self) -> None:
        self._refused.inc()

    def turned(self, standing: Standing) -> None:
        """A turn ended; what is not as it should be is said once."""
        serves = standing.serving()
        lapsed = serves is not None and not serves.allowed
        if lapsed:
            self.failed("waiver", "it has lapsed, and nothing else may serve: what serves goes on. Promote another: tally request")
        else:
            self.mended("waiver")
        named = self._named
        self._unapproved.set(named is not None and (serves is None or serves.promotion.release_id != named.release_id))
        self._lapsed.set(lapsed)
        self._failing.set(len(self._said))
        self._turns.inc()
        self._last.set_to_current_time()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(self._path), self._own)
