"""Where telemetry goes, as OpenTelemetry's variables say.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#exporter-selection
With none of them set, metrics can be scraped and nothing is sent; an OTLP endpoint alone gets all three signals.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import start_http_server

_SIGNALS = ("traces", "metrics", "logs")
_KNOWN = {"otlp", "console", "none"}
_PROTOCOLS = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The exporters and readers of each signal, made. With `disabled` there are only logs, on standard error."""

    traces: Sequence[Any] = ()
    metrics: Sequence[MetricReader] = ()
    logs: Sequence[Any] = ()
    disabled: bool = False
    is_scraped: bool = False


def chosen() -> Chosen:
    """Raises ValueError naming a variable that asks for what is not there."""
    if _said("OTEL_SDK_DISABLED").lower() == "true":
        return Chosen(disabled=True)
    readers: list[MetricReader] = []
    scraped = False
    for name in _names("metrics"):
        if name == "prometheus":
            readers.append(PrometheusMetricReader(scope_info_enabled=False))
            scraped = True
        elif name != "none":
            readers.append(PeriodicExportingMetricReader(_made("metrics", name)))
    return Chosen(
        traces=[_made("traces", name) for name in _names("traces") if name != "none"],
        metrics=readers,
        logs=[_made("logs", name) for name in _names("logs") if name != "none"],
        is_scraped=scraped,
    )


@contextmanager
def scraped() -> Iterator[None]:
    """Serve `/metrics` on `OTEL_EXPORTER_PROMETHEUS_PORT`, where that is set: several workers may share a machine.

    Raises:
        ValueError: it is no port, or in use.
    """
    said, host = _said("OTEL_EXPORTER_PROMETHEUS_PORT"), _said("OTEL_EXPORTER_PROMETHEUS_HOST") or "localhost"
    if not said:
        yield
        return
    try:
        server, thread = start_http_server(int(said), host)
    except (ValueError, OverflowError):
        raise ValueError("OTEL_EXPORTER_PROMETHEUS_PORT: must be a port, 0 to 65535") from None
    except OSError as error:
        raise ValueError(f"OTEL_EXPORTER_PROMETHEUS_PORT: {host}:{said} cannot be bound ({error.strerror})") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def shipping_logs(resource: Resource, given: Sequence[Any]) -> Iterator[None]:
    """Send each line of the log as it is written, beside standard error, with the trace that it belongs to."""
    # Imported where used: nobody else pays for it. The SDK's API for logs is still marked as in development.
    from opentelemetry._logs import LogRecord, SeverityNumber  # noqa: PLC0415
    from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415

    severities = {
        "DEBUG": SeverityNumber.DEBUG,
        "INFO": SeverityNumber.INFO,
        "WARNING": SeverityNumber.WARN,
        "ERROR": SeverityNumber.ERROR,
        "CRITICAL": SeverityNumber.FATAL,
    }
    loggers = LoggerProvider(resource=resource)
    for exporter in given:
        loggers.add_log_record_processor(BatchLogRecordProcessor(exporter))

    class Shipping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # What the exporter says of itself would come back to it.
            if not record.name.startswith("opentelemetry"):
                severity = severities.get(record.levelname, SeverityNumber.UNSPECIFIED)
                at = int(record.created * 1e9)
                line = LogRecord(
                    timestamp=at, severity_number=severity, severity_text=record.levelname, body=self.format(record)
                )
                loggers.get_logger(record.name).emit(line)

    root, handler = logging.getLogger(), Shipping()
    handler.setFormatter(root.handlers[0].formatter)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        loggers.shutdown()


def _names(signal: str) -> list[str]:
    """The exporters of a signal. By default OTLP where an endpoint is set, and metrics that can be scraped."""
    variable = f"OTEL_{signal.upper()}_EXPORTER"
    known = _KNOWN | ({"prometheus"} if signal == "metrics" else set())
    if said := _said(variable):
        names = list(dict.fromkeys(name.strip() for name in said.split(",") if name.strip()))
        if unknown := set(names) - known:
            raise ValueError(f"{variable}: no {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
        return names
    reached = _said("OTEL_EXPORTER_OTLP_ENDPOINT") or _said(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
    return [*(["prometheus"] if signal == "metrics" else []), *(["otlp"] if reached else [])]


def _made(signal: str, name: str) -> Any:
    """An exporter by its entry point, so that one that somebody installs is found."""
    entry = "console"
    if name == "otlp":
        general = "OTEL_EXPORTER_OTLP_PROTOCOL"
        variable = own if _said(own := f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL") else general
        protocol = _said(variable) or "http/protobuf"
        if protocol not in _PROTOCOLS:
            raise ValueError(f"{variable}: must be one of {', '.join(sorted(_PROTOCOLS))}")
        entry = _PROTOCOLS[protocol]
        if protocol == "grpc" and not entry_points(group=f"opentelemetry_{signal}_exporter", name=entry):
            raise ValueError(f"{variable}: grpc needs the package opentelemetry-exporter-otlp-proto-grpc")
    [found] = entry_points(group=f"opentelemetry_{signal}_exporter", name=entry)
    return found.load()()


def _said(variable: str) -> str:
    return os.environ.get(variable, "").strip()
