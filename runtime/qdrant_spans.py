"""A span for each call of Qdrant, below whatever asked: names and attributes of OpenTelemetry's database conventions.

https://opentelemetry.io/docs/specs/semconv/database/database-spans/
"""

from __future__ import annotations

import httpx
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

# By method and what follows the collection in the path: https://api.qdrant.tech/api-reference
_OPERATIONS = {
    ("POST", "points/query"): "query",
    ("PUT", "points"): "upsert",
    ("POST", "points/scroll"): "scroll",
    ("POST", "points/delete"): "delete",
    ("POST", "points/payload"): "set_payload",
    ("POST", "points/count"): "count",
    ("POST", "points"): "retrieve",
}
_ERROR = 400


class QdrantSpans(httpx.AsyncBaseTransport):
    """Around the transport of Qdrant's HTTP client. A call that belongs to no trace begins none."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport
        self._tracer = trace.get_tracer("messaging.memory")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not trace.get_current_span().get_span_context().is_valid:
            return await self._transport.handle_async_request(request)
        _, _, rest = request.url.path.partition("/collections/")
        collection, _, asked = rest.partition("/")
        operation = _OPERATIONS.get((request.method, asked), request.method.lower())
        facts = {"db.system.name": "qdrant", "db.operation.name": operation, "server.address": request.url.host}
        with self._tracer.start_as_current_span(
            f"{operation} {collection}".strip(),
            kind=SpanKind.CLIENT,
            attributes=facts | ({"db.collection.name": collection} if collection else {}),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                response = await self._transport.handle_async_request(request)
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise
            if response.status_code >= _ERROR:
                span.set_attribute("error.type", str(response.status_code))
                span.set_status(Status(StatusCode.ERROR, str(response.status_code)))
            return response

    async def aclose(self) -> None:
        await self._transport.aclose()
