"""Traces, metrics and logs of one process, set up once and shut down with it.

With `OTEL_EXPORTER_OTLP_ENDPOINT` set, traces and metrics go there, as OpenTelemetry's own variables say.
Metrics can always be scraped where a process serves `/metrics`.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from opentelemetry import metrics, trace
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from temporalio.client import Interceptor
from temporalio.contrib.opentelemetry import TracingInterceptor

from runtime import places


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the Temporal client needs so that one trace runs from the webhook to the provider's call."""

    interceptors: tuple[Interceptor, ...] = ()


@contextmanager
def telemetry(service: str, *, level: str = "INFO") -> Iterator[Telemetry]:
    """Set up this process's telemetry as `service`, and flush it at the end."""
    configure_logs(level)
    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", service)})
    exported = bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")) and os.environ.get("OTEL_SDK_DISABLED") != "true"
    meters = MeterProvider(resource=resource, metric_readers=[PrometheusMetricReader(), *_otlp_reader(exported)])
    metrics.set_meter_provider(meters)
    tracers = _tracers(resource) if exported else None
    try:
        # Without an exporter nobody reads the spans, and the headers that link them would only grow the histories.
        yield Telemetry((TracingInterceptor(),) if tracers else ())
    finally:
        if tracers:
            tracers.shutdown()
        meters.shutdown()


def _tracers(resource: Resource) -> TracerProvider:
    # Imported where used: the exporter costs start-up time that most development runs need not pay.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracers)
    return tracers


def _otlp_reader(exported: bool) -> list[Any]:
    if not exported:
        return []
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415

    return [PeriodicExportingMetricReader(OTLPMetricExporter())]


def configure_logs(level: str) -> None:
    """Structured logs on standard error: JSON where no terminal is attached."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    interactive = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if interactive else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, places.without_words, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # httpx logs every request line, and Twilio's request lines hold phone numbers.
    for noisy in ("httpx", "httpcore", "twilio.http_client"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _add_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event
