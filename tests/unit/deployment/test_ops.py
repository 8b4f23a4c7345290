"""Dashboards and alert rules ask for metrics that there are, and cover what an operator must see."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import yaml
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from activities.alerts import Alerts
from messaging.metrics import Instruments, observe_active
from runtime.census import Waiting, observe_backlog
from runtime.intake import observe_spool
from runtime.turn_metrics import TurnMetrics
from tests.support import ops

# Seen in a running deployment only: tests/integration/test_telemetry.py looks for them there.
ELSEWHERE = ("temporal_", "http_server_")


class _Numbers:
    """Stands for every source that gauges are read from."""

    def waiting(self) -> list[Waiting]:
        return [Waiting(kind="workflow", tasks=1, seconds=1.0)]

    def depth(self) -> int:
        return 1

    refused = oldest = depth


@pytest.fixture
def product() -> Iterator[set[str]]:
    """The samples of all our instruments, as Prometheus names them."""
    reader = InMemoryMetricReader()
    meters = MeterProvider(metric_readers=[reader])
    meter = meters.get_meter("test")
    made = Instruments.open(meter)
    for name in made.__dataclass_fields__:
        instrument = getattr(made, name)
        instrument.add(1) if hasattr(instrument, "add") else instrument.record(1.0)
    observe_active(lambda: [("twilio", 1)], meter)
    observe_backlog(_Numbers(), meter)  # type: ignore[arg-type]
    observe_spool(_Numbers(), meter)  # type: ignore[arg-type]
    Alerts(meter)
    counted = TurnMetrics(meter)
    counted._tokens.add(1)
    counted._texts.add(1)
    counted._waited.record(1.0)
    data = reader.get_metrics_data()
    assert data is not None
    names = set[str]()
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        histogram = hasattr(metric.data.data_points[0], "bucket_counts")
        names |= {f"{metric.name}{end}" for end in ("_bucket", "_count", "_sum")} if histogram else {metric.name}
    yield names
    meters.shutdown()


def test_every_metric_that_is_asked_for_is_one_of_the_product(product: set[str]) -> None:
    asked = {name for name in ops.metrics() if not name.startswith(ELSEWHERE)}
    assert len(asked) >= 20
    assert asked <= product


def test_every_metric_of_the_product_is_on_a_dashboard(product: set[str]) -> None:
    def told(name: str) -> str:
        return name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")

    # Rare, and nothing that a rate would tell.
    assert {told(name) for name in product - ops.metrics()} - {told(name) for name in ops.metrics()} == {
        "messaging_conversations_total",
        "messaging_participants_total",
    }


def test_labels_are_those_that_metrics_have() -> None:
    assert ops.labels() <= {
        *("provider", "operation", "channel", "success", "error_code", "kind", "outcome", "proof", "direction"),
        *("http_route", "http_response_status_code", "activity_type"),
    }


@pytest.mark.parametrize(
    "about",
    [
        "messaging_answer_duration_seconds",
        "messaging_backlog_seconds",
        "messaging_sends_total",
        "messaging_turns_total",
        "messaging_spool_depth",
        "messaging_errors_total",
        "messaging_cost_usd_total",
    ],
)
def test_what_an_operator_must_hear_of_has_an_alert_and_a_panel(about: str) -> None:
    assert [rule for rule in ops.rules() if about in rule["expr"]]
    assert [panel for panel in ops.panels() if any(about in target["expr"] for target in panel["targets"])]


def test_each_alert_says_how_bad_it_is_and_where_to_look() -> None:
    names = [rule["alert"] for rule in ops.rules()]
    assert len(set(names)) == len(names)
    for rule in ops.rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"].keys() == {"summary", "look"}, rule["alert"]


def test_the_stack_loads_what_is_here() -> None:
    root = ops.OPS.parent
    services = yaml.safe_load((root / "docker-compose.yml").read_text())["services"]
    mounted = [
        mount.split(":")[0]
        for service in services.values()
        for mount in service.get("volumes", ())
        if mount.startswith("./ops/")
    ]
    for mount in mounted:
        assert (root / mount).exists(), mount
    for file in ops.OPS.rglob("*.*"):
        assert any(file.is_relative_to(root / mount) for mount in mounted), f"nobody loads {file.name}"
    provisioned = yaml.safe_load((ops.OPS / "grafana/provisioning/datasources/datasources.yaml").read_text())
    known = {source["uid"] for source in provisioned["datasources"]}
    assert {target["datasource"]["uid"] for panel in ops.panels() for target in panel["targets"]} <= known
    for source in provisioned["datasources"]:
        assert source["url"].removeprefix("http://").split(":")[0] in services
    collector = yaml.safe_load((ops.OPS / "collector/collector.yaml").read_text())
    for exporter in collector["exporters"].values():
        assert exporter["endpoint"].removeprefix("http://").split(":")[0] in services


def test_the_documentation_names_every_metric_and_no_other(product: set[str]) -> None:
    text = (ops.OPS.parent / "docs" / "telemetry.md").read_text()
    named = set(re.findall(r"`(messaging_[a-z_]+)`", text))
    assert named == {re.sub("_(bucket|count|sum)$", "", name) for name in product}
