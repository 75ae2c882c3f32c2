"""Guarantees of spans in this process: off unless a collector is named, sampled by the standard environment, free where they are off."""

from __future__ import annotations

import time

import pytest

from feature_repo.errors import ServiceError
from serving.metrics import Metrics, Step
from serving.traces import ENDPOINTS, trace_of, traces

SENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
COLLECTOR = {ENDPOINTS[1]: "http://127.0.0.1:9"}


class Nowhere:
    """A measure that keeps nothing, so that what a step itself costs is seen."""

    def observe(self, _: float) -> None:
        """Forget."""


@pytest.mark.parametrize("environment", [{}, {ENDPOINTS[1]: ""}, {**COLLECTOR, "OTEL_SDK_DISABLED": "true"}])
def test_spans_are_off_unless_a_collector_is_named(environment):
    assert traces({}, environment) is None


def test_another_protocol_than_the_one_that_is_spoken_is_refused_by_its_variable():
    with pytest.raises(ServiceError, match="OTEL_EXPORTER_OTLP_PROTOCOL"):
        traces({}, {**COLLECTOR, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})


def test_the_standard_sampler_decides_for_who_sent_no_parent_and_a_parent_for_its_own(monkeypatch):
    for name, value in {**COLLECTOR, "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}.items():
        monkeypatch.setenv(name, value)
    found = traces({})
    recorded = []
    for parent in ("", SENT, f"{SENT[:-1]}0"):
        began = found.begin("POST", parent)
        recorded.append((began[0].is_recording(), found.step("score").is_recording()))
        found.end(began, "POST /", 200, {})
    found.close()

    assert recorded == [(False, False), (True, True), (False, False)]


@pytest.mark.parametrize("sent", ["", "canary", "00-00000000000000000000000000000000-b7ad6b7169203331-01", f"{SENT}-anna", SENT.upper()])
def test_only_a_traceparent_of_the_standard_s_form_is_taken_for_a_trace(sent):
    assert trace_of(None, sent) == ""
    assert trace_of(None, SENT) == SENT[3:35]


def test_a_step_costs_less_than_a_microsecond_where_spans_are_off():
    assert Metrics().step("score").__class__ is Step
    nowhere, best = Nowhere(), float("inf")
    for _ in range(30):
        began = time.perf_counter()
        for _ in range(1_000):
            with Step(nowhere, None, "score"):
                pass
        best = min(best, (time.perf_counter() - began) / 1_000)

    assert best < 1e-6
