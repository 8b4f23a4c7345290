"""What OpenTelemetry's variables choose is what is made; what is not there is named in one sentence."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator

import pytest
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import ConsoleSpanExporter

from runtime import exporters, telemetry
from runtime.exporters import Chosen
from tests.support.ports import free_port

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    made: list[Chosen] = []

    def choosing(**said: str) -> Chosen:
        for name, value in said.items():
            monkeypatch.setenv(name, value)
        made.append(exporters.chosen())
        return made[-1]

    yield choosing
    for chosen in made:
        for one in [*chosen.traces, *chosen.logs]:
            one.shutdown()
        for reader in chosen.metrics:
            reader._collect = None if isinstance(reader, PeriodicExportingMetricReader) else reader._collect
            reader.shutdown()


@pytest.mark.parametrize(
    ("said", "traces", "metrics", "logs"),
    [
        ({}, [], [PrometheusMetricReader], []),
        (ENDPOINT, [OTLPSpanExporter], [PrometheusMetricReader, PeriodicExportingMetricReader], [OTLPLogExporter]),
        (
            {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
            [],
            [],
            [],
        ),
        (
            {"OTEL_TRACES_EXPORTER": "console, otlp"},
            [ConsoleSpanExporter, OTLPSpanExporter],
            [PrometheusMetricReader],
            [],
        ),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1"},
            [OTLPSpanExporter],
            [PrometheusMetricReader],
            [],
        ),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, [], [], []),
    ],
)
def test_exporters_are_those_that_are_named(choose, said, traces, metrics, logs) -> None:
    chosen = choose(**said)

    assert [type(one) for one in chosen.traces] == traces
    assert [type(one) for one in chosen.metrics] == metrics
    assert [type(one) for one in chosen.logs] == logs


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"OTEL_TRACES_EXPORTER": "jaeger"}, "OTEL_TRACES_EXPORTER: no jaeger; there are console, none, otlp"),
        ({"OTEL_LOGS_EXPORTER": "prometheus"}, "OTEL_LOGS_EXPORTER: no prometheus"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "grpc needs the package"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "x"}, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: must be one of"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], words: str
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")

    with pytest.raises(ValueError, match=words):
        exporters.chosen()


def test_a_worker_is_scraped_where_a_port_is_named_and_a_busy_one_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", str(port))
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_HOST", "127.0.0.1")
    with exporters.scraped():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b"process_cpu_seconds_total" in answer.read()
        with pytest.raises(ValueError, match=f"127.0.0.1:{port} cannot be bound"), exporters.scraped():
            pass
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", "many")
    with pytest.raises(ValueError, match="must be a port"), exporters.scraped():
        pass


def test_a_process_says_who_it_is_and_the_user_knows_better(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = telemetry._resource("worker").attributes
    assert ours["service.name"] == "worker"
    assert str(os.getpid()) in str(ours["service.instance.id"])
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.instance.id=one")
    theirs = telemetry._resource("worker").attributes
    assert (theirs["service.name"], theirs["service.instance.id"]) == ("shop", "one")
    assert theirs["deployment.environment.name"] == "test"
