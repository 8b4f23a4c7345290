"""An OTLP collector that keeps what processes send it: their spans over all borders, as they were exported."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_KINDS = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One span. Ids are hexadecimal; `failed` says that its status is an error."""

    name: str
    service: str
    trace: str
    id: str
    parent: str
    kind: int
    attributes: dict[str, Any]
    links: tuple[str, ...]
    failed: bool
    raw: bytes = field(repr=False)


@dataclass(slots=True)
class Collector:
    """What has come in so far."""

    url: str
    requests: list[tuple[str, Any]] = field(default_factory=list, repr=False)

    @property
    def spans(self) -> list[Seen]:
        return [
            _seen(span, _facts(resource.resource.attributes).get("service.name", ""))
            for _, request in [row for row in self.requests if row[0] == "/v1/traces"]
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """(trace, line) of each line of a log."""
        return [
            (record.trace_id.hex(), record.body.string_value)
            for _, request in [row for row in self.requests if row[0] == "/v1/logs"]
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def exemplars(self, metric: str) -> set[str]:
        """The traces that this histogram names as examples."""
        return {
            exemplar.trace_id.hex()
            for _, request in [row for row in self.requests if row[0] == "/v1/metrics"]
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for found in scope.metrics
            if found.name == metric
            for point in found.histogram.data_points
            for exemplar in point.exemplars
        }


@contextmanager
def collecting() -> Iterator[Collector]:
    found = Collector("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            found.requests.append((self.path, _KINDS[self.path].FromString(body)))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        serving = Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield found
        finally:
            server.shutdown()
            serving.join()


def _seen(span: Any, service: str) -> Seen:
    return Seen(
        name=span.name,
        service=service,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        kind=span.kind,
        attributes=_facts(span.attributes),
        links=tuple(link.trace_id.hex() for link in span.links),
        failed=span.status.code == 2,
        raw=span.SerializeToString(),
    )


def _facts(attributes: Any) -> dict[str, Any]:
    return {row.key: getattr(row.value, row.value.WhichOneof("value")) for row in attributes}
