"""What Prometheus is told of the releases beside the champion: who they are, for how many, and what became of a shadow's work."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

FAILURES = ("scoring", "ledger")


class BesideMetrics:
    """The measures of one process, in the registry of all its measures."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._share = Gauge("tally_beside_share", "Share of applicants a challenger decides, or decisions a shadow scores",
                            ["alias", "release_id"], registry=registry, multiprocess_mode="livemax")
        self._scored = Counter("tally_shadow_scored", "Decisions of which it is recorded what the shadow says", registry=registry)
        self._dropped = Counter("tally_shadow_dropped", "Decisions that the shadow had no room or time for", registry=registry)
        self._failed = Counter("tally_shadow_failed", "Decisions that the shadow could not score, or the ledger not take", ["what"],
                               registry=registry)
        for what in FAILURES:
            self._failed.labels(what)
        self._shown: dict[str, str] = {}

    def used(self, alias: str, release_id: str, share: float) -> None:
        """Only the release under an alias has a share; one that had it before has 0. release_id: empty where there is none."""
        before = self._shown.get(alias, "")
        if before and before != release_id:
            self._share.labels(alias, before).set(0)
        if release_id:
            self._share.labels(alias, release_id).set(share)
        self._shown[alias] = release_id

    def scored(self, count: int) -> None:
        self._scored.inc(count)

    def dropped(self) -> None:
        self._dropped.inc()

    def failed(self, what: str, count: int) -> None:
        self._failed.labels(what).inc(count)
