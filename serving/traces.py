"""OpenTelemetry's spans of a request: off, and then nothing is done for them, until OTEL_EXPORTER_OTLP_ENDPOINT names a collector.

Responsible for the parent a caller sent (W3C traceparent), for sampling as the standard OTEL_TRACES_SAMPLER says, and for sending from a
thread of its own: a collector that is away costs spans and no request. A span says route, status, release and kind of problem, nothing of
an applicant; the caller's tracestate and baggage are not read. The one door to OpenTelemetry.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from contextvars import Token

from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from feature_repo.errors import ServiceError

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
SERVICE = "tallystick-scoring"
LEAVE = 2.0  # seconds that a service which ends gives its last spans
PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")  # W3C Trace Context, 2.2
Began = tuple[Span, Token[Context]]


class Traces:
    """The spans of one worker."""

    def __init__(self, named: Mapping[str, str]) -> None:
        given = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": SERVICE}
        self._provider = TracerProvider(resource=Resource.create({**given, **named}))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("tallystick")
        self._parents = TraceContextTextMapPropagator()

    def begin(self, method: str, parent: str) -> Began:
        """A request's span; what begins within it is its child. parent: a traceparent, or nothing."""
        above = self._parents.extract({"traceparent": parent}, Context())
        span = self._tracer.start_span(method, above, SpanKind.SERVER, {"http.request.method": method})
        return span, context.attach(set_span_in_context(span, above))

    def end(self, began: Began, name: str, status: int, said: Mapping[str, str]) -> None:
        """The request is answered. said: attributes."""
        span, token = began
        context.detach(token)
        span.update_name(name)
        span.set_attributes({"http.response.status_code": status, **said})
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def step(self, name: str) -> Span:
        """A step of the request that is answered; the caller ends it."""
        return self._tracer.start_span(name)

    def close(self) -> None:
        """Send what is left, within `LEAVE` seconds: a collector that is away does not keep the service from ending."""
        last = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        last.start()
        last.join(LEAVE)


def traces(named: Mapping[str, str], environment: Mapping[str, str] | None = None) -> Traces | None:
    """The spans of a worker where they are wanted, or None. named: resource attributes. Raises ServiceError."""
    given = os.environ if environment is None else environment
    if given.get("OTEL_SDK_DISABLED", "").lower() == "true" or not any(given.get(name) for name in ENDPOINTS):
        return None
    for name in PROTOCOLS:
        if given.get(name, PROTOCOL) not in ("", PROTOCOL):
            raise ServiceError(f"{name}: spans are sent as {PROTOCOL}; set it to that, or not at all")
    return Traces(named)


def trace_of(began: Began | None, parent: str) -> str:
    """The trace id of a request: its span's, else the one in a traceparent that is one, else nothing."""
    if began is not None:
        return format_trace_id(began[0].get_span_context().trace_id)
    found = PARENT.fullmatch(parent)
    return found[1] if found and set(found[1]) != {"0"} else ""
