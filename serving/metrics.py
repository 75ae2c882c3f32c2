"""What a service tells Prometheus: requests by route and status, time by step, outcomes, degraded answers, stored features, the release.

Counts of all workers together, through the folder in PROMETHEUS_MULTIPROC_DIR where it is set. Labels are route templates, never
paths: an id in a label would grow the metrics without bound; columns are the contract's. Holds nothing about an applicant.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess, values
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
CIRCUIT = ("closed", "half-open", "open")
BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """The measures of one process."""

    def __init__(self) -> None:
        self._own, self._others = CollectorRegistry(), CollectorRegistry()
        self._requests = Counter("tally_requests", "Requests answered", ["route", "status"], registry=self._own)
        self._seconds = Histogram("tally_step_seconds", "Time in each step of a decision", ["step"], buckets=BUCKETS, registry=self._own)
        self._decisions = Counter("tally_decisions", "Decisions recorded", ["outcome", "degraded"], registry=self._own)
        self._repeated = Counter("tally_decisions_repeated", "Answers given again for an Idempotency-Key", registry=self._own)
        self._reads = Counter("tally_feature_reads", "Reads of the online store, by what became of them", ["state"], registry=self._own)
        self._circuit = Gauge("tally_feature_circuit", "The circuit to the online store: 0 closed, 1 half open, 2 open; the worst worker's",
                              registry=self._own, multiprocess_mode="livemax")
        self._stored = Counter("tally_stored_values", "Stored values as decisions found them", ["column", "state"], registry=self._own)
        self._refused = Counter("tally_releases_refused", "Releases that were pointed to and not served", registry=self._own)
        self._release = Gauge("tally_release", "The release that serves (1); by pid, where workers are counted together",
                              ["release_id", "model_version"], registry=self._own, multiprocess_mode="liveall")

    def also(self, collector: Collector) -> None:
        """Tell what somebody else counts, alike in every worker."""
        self._others.register(collector)

    def request(self, route: str, status: int) -> None:
        self._requests.labels(route, status).inc()

    def decided(self, outcome: str, *, degraded: bool) -> None:
        self._decisions.labels(outcome, str(degraded).lower()).inc()

    def repeated(self) -> None:
        self._repeated.inc()

    def features(self, state: str) -> None:
        self._reads.labels(state).inc()

    def circuit(self, state: str) -> None:
        self._circuit.set(CIRCUIT.index(state))

    def stored(self, states: Mapping[str, str]) -> None:
        """What a decision found of each stored column."""
        for each in states.items():
            self._stored.labels(*each).inc()

    def refused(self) -> None:
        self._refused.inc()

    def serves(self, release_id: str, model_version: str) -> None:
        """Only one release has the value 1; what this process served before has 0."""
        for metric in self._release.collect():
            for sample in metric.samples:
                self._release.labels(**sample.labels).set(0)
        self._release.labels(release_id, model_version).set(1)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what happens inside."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._seconds.labels(name).observe(time.perf_counter() - started)

    def page(self) -> bytes:
        """All of it in Prometheus' text format."""
        told = generate_latest(self._others)
        if not shared():
            return generate_latest(self._own) + told
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together) + told

    def close(self) -> None:
        """Take this process's live gauges out of the shared page."""
        if shared():
            multiprocess.mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]


def shared() -> bool:
    """Whether the client counts in files of all workers. It decides when imported, so the environment may say otherwise by now."""
    return values.ValueClass is not values.MutexValue
