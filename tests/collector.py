"""A collector of spans as a test needs it: OTLP over HTTP, every span decoded and kept."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collected:
    """Where spans are sent, what came, and the attributes of who sent it."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    resource: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    came: threading.Condition = field(default_factory=threading.Condition)

    def take(self, body: bytes) -> None:
        with self.came:
            self.raw += body
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.resource |= {each.key: each.value.string_value for each in group.resource.attributes}
                self.spans += [span for scope in group.scope_spans for span in scope.spans]
            self.came.notify_all()

    def wait(self, count: int, seconds: float = 15.0) -> list[Span]:
        """The spans, once there are so many."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.spans) >= count, seconds), f"{len(self.spans)} of {count} spans came"
            return list(self.spans)


@contextmanager
def collector(port: int = 0) -> Iterator[Collected]:
    """A collector on the loopback address."""
    collected = Collected()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collected.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Taking) as server:
        collected.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield collected
        server.shutdown()
