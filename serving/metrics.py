"""What a service tells Prometheus: requests and refusals, time end to end and by step, outcomes, stored features, the ledger, the release.

Counts of all workers together, through the folder in PROMETHEUS_MULTIPROC_DIR where it is set. Labels are route templates, never
paths: an id in a label would grow the metrics without bound; columns are the contract's. Holds nothing about an applicant.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol

import psutil
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess, values
from prometheus_client.registry import Collector

from serving.tallies import Tally

CONTENT_TYPE = CONTENT_TYPE_LATEST
UNRECORDED = ("refused", "late")
SHED = ("places", "wait", "late", "gone")
CIRCUIT = ("closed", "half-open", "open")
BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Ending(Protocol):
    """A span, as far as a step knows it."""

    def end(self) -> None: ...


class Step:
    """A step of a decision, timed; and a span, where those are on."""

    __slots__ = ("_begin", "_name", "_seconds", "_span", "_started")

    def __init__(self, seconds: Histogram, begin: Callable[[str], Ending] | None, name: str) -> None:
        self._seconds, self._begin, self._name = seconds, begin, name
        self._span: Ending | None = None

    def __enter__(self) -> None:
        if self._begin is not None:
            self._span = self._begin(self._name)
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._seconds.observe(time.perf_counter() - self._started)
        if self._span is not None:
            self._span.end()


class Metrics:
    """The measures of one process. spans: begins a span for a step, where traces are on."""

    def __init__(self) -> None:
        self.spans: Callable[[str], Ending] | None = None
        self._own, self._others = CollectorRegistry(), CollectorRegistry()
        self._requests = Counter("tally_requests", "Requests answered", ["route", "status"], registry=self._own)
        self._whole = Histogram("tally_request_seconds", "Time from a request's head to its answer's last byte", ["route"], buckets=BUCKETS,
                                registry=self._own)
        self._in_flight = Gauge("tally_requests_in_flight", "Requests that are being answered", registry=self._own,
                                multiprocess_mode="livesum")
        self._problems = Counter("tally_problems", "Requests refused, by kind of problem", ["problem"], registry=self._own)
        self._shed = Counter("tally_requests_shed", "Requests refused before any work on them, for want of room or time", ["reason"],
                             registry=self._own)
        self._unrecorded = Counter("tally_ledger_append_failures", "Appends and probes the ledger did not confirm: refused by it, or late",
                                   ["reason"], registry=self._own)
        self._seconds = Histogram("tally_step_seconds", "Time in each step of a decision", ["step"], buckets=BUCKETS, registry=self._own)
        self._decisions = Counter("tally_decisions", "Decisions recorded and told", ["outcome", "degraded"], registry=self._own)
        self._repeated = Counter("tally_decisions_repeated", "Answers given again for an Idempotency-Key", registry=self._own)
        self._reads = Counter("tally_feature_reads", "Reads of the online store, by what became of them", ["state"], registry=self._own)
        self._circuit = Gauge("tally_feature_circuit", "The circuit to the online store: 0 closed, 1 half open, 2 open; the worst worker's",
                              registry=self._own, multiprocess_mode="livemax")
        self._stored = Counter("tally_stored_values", "Stored values as decisions found them", ["column", "state"], registry=self._own)
        self._outside = Counter("tally_outside_values", "Values of decisions that nobody in the development of the release had", ["column"],
                                registry=self._own)
        self._refused = Counter("tally_releases_refused", "Releases that were pointed to and not served", registry=self._own)
        self._release = Gauge("tally_release", "The release that serves (1); by pid, where workers are counted together",
                              ["release_id", "model_version"], registry=self._own, multiprocess_mode="liveall")
        Gauge("tally_build_info", "The program (1)", ["version", "python"], registry=self._own,
              multiprocess_mode="livemax").labels(program(), platform.python_version()).set(1)
        # looked up once: the client makes texts of labels and takes a lock each time
        self._step, self._route, self._answered = cache(self._seconds.labels), cache(self._whole.labels), cache(self._requests.labels)
        self._outcome = cache(self._decisions.labels)
        self._found: Tally[tuple[tuple[str, str], ...]] = Tally(self._tell_found)
        for reason in UNRECORDED:
            self._unrecorded.labels(reason)
        for reason in SHED:
            self._shed.labels(reason)

    def begin(self, problems: Iterable[str], outcomes: Iterable[str], inputs: Iterable[str] = ()) -> None:
        """Show 0 of what may happen: a first time is seen as a rise only where there was a 0 before."""
        for column in inputs:
            self._outside.labels(column)
        for problem in problems:
            self._problems.labels(problem)
        for outcome in outcomes:
            for degraded in ("true", "false"):
                self._decisions.labels(outcome, degraded)

    @property
    def registry(self) -> CollectorRegistry:
        """Where measures of the same process are counted with these."""
        return self._own

    def also(self, collector: Collector) -> None:
        """Tell what somebody else counts, alike in every worker."""
        self._others.register(collector)

    def asked(self) -> None:
        self._in_flight.inc()

    def request(self, route: str, status: int, seconds: float) -> None:
        """A request that was asked is answered."""
        self._in_flight.dec()
        self._answered(route, status).inc()
        self._route(route).observe(seconds)

    def problem(self, kind: str) -> None:
        self._problems.labels(kind).inc()

    def shed(self, reason: str) -> None:
        """A request is refused since there is too much to do. reason: one of `SHED`."""
        self._shed.labels(reason).inc()

    def turned_away(self, route: str, status: int, kind: str, reason: str, count: int) -> None:
        """So many requests were refused at the door, where nobody timed them."""
        self._requests.labels(route, status).inc(count)
        self._problems.labels(kind).inc(count)
        self._shed.labels(reason).inc(count)

    def unrecorded(self, reason: str) -> None:
        """The ledger did not confirm an append. reason: one of `UNRECORDED`."""
        self._unrecorded.labels(reason).inc()

    def decided(self, outcome: str, *, degraded: bool, outside: Iterable[str] = ()) -> None:
        self._outcome(outcome, str(degraded).lower()).inc()
        for column in outside:
            self._outside.labels(column).inc()

    def repeated(self) -> None:
        self._repeated.inc()

    def features(self, state: str) -> None:
        self._reads.labels(state).inc()

    def circuit(self, state: str) -> None:
        self._circuit.set(CIRCUIT.index(state))

    def stored(self, states: Mapping[str, str]) -> None:
        """What a decision found of each stored column."""
        self._found.add(tuple(states.items()))

    def refused(self) -> None:
        self._refused.inc()

    def serves(self, release_id: str, model_version: str) -> None:
        """Only one release has the value 1; what this process served before has 0."""
        for metric in self._release.collect():
            for sample in metric.samples:
                self._release.labels(**sample.labels).set(0)
        self._release.labels(release_id, model_version).set(1)

    def step(self, name: str) -> Step:
        """Measure what happens inside."""
        return Step(self._step(name), self.spans, name)

    def page(self) -> bytes:
        """All of it in Prometheus' text format."""
        self._found.tell()
        told = generate_latest(self._others)
        if not shared():
            return generate_latest(self._own) + told
        forget_the_dead()
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together) + told

    def _tell_found(self, counted: Mapping[tuple[tuple[str, str], ...], int]) -> None:
        for states, times in counted.items():
            for state in states:
                self._stored.labels(*state).inc(times)

    def close(self) -> None:
        """Tell the last counts, and take this process's live gauges out of the shared page."""
        self._found.tell()
        if shared():
            multiprocess.mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]


def shared() -> bool:
    """Whether the client counts in files of all workers. It decides when imported, so the environment may say otherwise by now."""
    return values.ValueClass is not values.MutexValue


def forget_the_dead() -> None:
    """Take the live gauges of workers that were killed out of the shared page: nobody else does, and they would serve for ever."""
    for path in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob("gauge_live*_*.db"):
        pid = path.stem.rpartition("_")[2]
        if not psutil.pid_exists(int(pid)):
            path.unlink(missing_ok=True)


def program() -> str:
    """The version of this program; a bento holds its code without one."""
    try:
        return version("tallystick")
    except PackageNotFoundError:
        return "unknown"
