"""Traces, metrics and logs of one process, set up once and shut down with it.

What goes where is as OpenTelemetry's own variables say (`runtime.exporters`). Metrics can be scraped where a process
serves `/metrics`: the API on its port, a worker on `OTEL_EXPORTER_PROMETHEUS_PORT`.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import AsyncIterator, Iterator, MutableMapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import metadata
from typing import Any

import structlog
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from temporalio.client import Interceptor
from temporalio.contrib.opentelemetry import MetricsExporter
from temporalio.runtime import LoggingConfig, MetricBuffer, MetricBufferDurationFormat, Runtime, TelemetryConfig

from runtime import exporters, places, spans
from runtime.tracing import Tracing
from runtime.turn_metrics import TurnMetrics

# Updates of Temporal's metrics between two drains; one more than fits is dropped and logged.
_BUFFERED = 100_000
_DRAIN = timedelta(seconds=1)

# From a cached workflow task's millisecond to an activity that waits for a worker.
_TEMPORAL_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the Temporal client needs so that one trace runs from the webhook to the provider's call.

    `runtime` is the SDK's, with its own metrics; None is its default without any.
    """

    interceptors: tuple[Interceptor, ...] = ()
    runtime: Runtime | None = None
    buffer: MetricBuffer | None = None

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Inside, what Temporal's SDK counts shows among our metrics."""
        if self.buffer is None:
            yield
            return
        async with MetricsExporter(self.buffer, poll_interval=_DRAIN):
            yield


@contextmanager
def telemetry(
    service: str, *, level: str = "INFO", log_format: str = "auto", serve: bool = False
) -> Iterator[Telemetry]:
    """Set up this process's telemetry as `service`, and flush it at the end.

    Args:
        serve: Whether the process has no port of its own to be scraped on.

    Raises:
        ValueError: a variable of OpenTelemetry names what is not there.
    """
    configure_logs(level, log_format)
    chosen = exporters.chosen()
    if chosen.disabled:
        yield Telemetry()
        return
    resource = _resource(service)
    with ExitStack() as stack:
        if chosen.traces:
            _trace(resource, chosen.traces, stack)
        if chosen.logs:
            stack.enter_context(exporters.shipping_logs(resource, chosen.logs))
        counted = _measure(resource, chosen.metrics, stack)
        if serve and chosen.is_scraped:
            stack.enter_context(exporters.scraped())
        tracing = Tracing(metrics=TurnMetrics())
        yield Telemetry((tracing,), *counted)


def _resource(service: str) -> Resource:
    """Who this is; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` know better."""
    ours = {
        "service.name": service,
        "service.version": metadata.version("durable-conversations"),
        "service.instance.id": f"{os.uname().nodename}:{os.getpid()}",
    }
    return Resource.create({**ours, **OTELResourceDetector().detect().attributes})


def _trace(resource: Resource, given: Sequence[SpanExporter], stack: ExitStack) -> None:
    tracers = spans.provider(resource)
    for exporter in given:
        tracers.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(tracers)
    stack.callback(tracers.shutdown)


def _measure(resource: Resource, readers: Sequence[MetricReader], stack: ExitStack) -> tuple[Runtime, MetricBuffer]:
    seconds = View(
        instrument_name="temporal_*",
        aggregation=ExplicitBucketHistogramAggregation(_TEMPORAL_SECONDS),
        instrument_unit="s",
    )
    meters = MeterProvider(resource=resource, metric_readers=readers, views=[seconds])
    metrics.set_meter_provider(meters)
    stack.callback(meters.shutdown)
    buffer = MetricBuffer(_BUFFERED, MetricBufferDurationFormat.SECONDS)
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig.default, metrics=buffer)), buffer


def configure_logs(level: str, log_format: str = "auto") -> None:
    """Structured logs on standard error, as `json` or for a `console`; by default JSON where there is no terminal."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    readable = sys.stderr.isatty() if log_format == "auto" else log_format == "console"
    renderer: Any = structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer()
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
