"""Telemetry around a backend: complete, bounded, and silent about people."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from messaging import errors
from messaging.config import MessagingConfig
from messaging.instrumented import InstrumentedBackend
from messaging.metrics import observe_active
from messaging.model import ConversationConfig, Message, Participant
from messaging.providers.twilio import conversations_backend
from messaging.testing import ScriptedBackend
from tests.unit.messaging import wire

PHONE, BODY = "+15550100999", "a very private text"
PAIR = f"+15550100000|{PHONE}"
NAMES = {
    "messaging_operations_total",
    "messaging_operation_duration_seconds",
    "messaging_errors_total",
    "messaging_conversations_total",
    "messaging_messages_total",
    "messaging_message_duration_seconds",
    "messaging_participants_total",
    "messaging_webhooks_total",
    "messaging_webhook_duration_seconds",
}


class Watched:
    """A scripted backend, observed, with everything that was told about it."""

    def __init__(self, **config):
        self.scripted = ScriptedBackend(open_house=True)
        self.scripted.get_config = lambda: MessagingConfig(provider="scripted", **config)
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider(metric_readers=[self.reader])
        self.meter = self.meters.get_meter("test")
        self.backend = InstrumentedBackend(self.scripted, tracer=self.tracers.get_tracer("test"), meter=self.meter)

    def spans(self):
        return {span.name.removeprefix("messaging."): span for span in self.exporter.get_finished_spans()}

    def metrics(self):
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}

    def everything(self):
        spans = [span.to_json() for span in self.exporter.get_finished_spans()]
        return repr(spans) + repr(self.metrics())


@pytest.fixture
def watch():
    made = []

    def new(**config):
        made.append(Watched(**config))
        return made[-1]

    yield new
    for watched in made:
        watched.tracers.shutdown()
        watched.meters.shutdown()


async def use(watched):
    async with watched.backend as backend:
        sid = (await backend.create_conversation(ConversationConfig(attributes={"to": PHONE}))).sid
        for where in (sid, PAIR):
            await backend.send_message(where, Message(body=BODY), key="k")
            await backend.find_message(where, "k", message=Message(body=BODY))
        await backend.add_participant(sid, Participant(identity=PHONE))
        await backend.handle_webhook(watched.scripted.webhook("SM1", PAIR, BODY, author=PHONE))
        watched.scripted.script.fail("send_message", errors.NetworkError(f"to {PHONE}", ambiguous=True))
        with pytest.raises(errors.NetworkError):
            await backend.send_message(PAIR, Message(body=BODY))
        watched.scripted.script.fail("health_check", ValueError(PHONE))
        with pytest.raises(errors.InternalError, match="the provider raised ValueError"):
            await backend.health_check()
        return sid


async def test_every_operation_is_counted_traced_and_logged(watch):
    watched = watch()
    with structlog.testing.capture_logs() as logs:
        sid = await use(watched)
    span = watched.spans()["find_message"]
    assert span.attributes["operation"] == "find_message"
    assert span.attributes["provider"] == "scripted"
    created = watched.spans()["create_conversation"]
    assert created.attributes["conversation_sid"] == sid
    assert set(watched.metrics()) == NAMES
    assert {log["operation"] for log in logs} >= {
        "start",
        "create_conversation",
        "send_message",
        "handle_webhook",
        "stop",
    }
    failed = [log for log in logs if log["event"] == "messaging.operation_failed"]
    assert [(log["operation"], log["log_level"], log["error_code"]) for log in failed] == [
        ("send_message", "warning", "network_error"),
        ("health_check", "error", "internal_error"),
    ]


async def test_each_line_names_its_own_span_and_its_level_says_how_bad_it_is(watch):
    watched = watch()
    with structlog.testing.capture_logs() as logs:
        sid = await use(watched)
        async with InstrumentedBackend(
            watched.scripted.__class__(open_house=True), tracer=watched.tracers.get_tracer("test"), meter=watched.meter
        ) as other:
            stream = other.receive_messages(sid)
            waiting = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
    spans = {f"{span.context.span_id:016x}": span for span in watched.exporter.get_finished_spans()}
    told = [log for log in logs if "operation" in log and log["event"] != "messaging.provider_bug"]
    assert told
    for log in told:
        span = spans[log["span_id"]]
        assert (span.name, f"{span.context.trace_id:032x}") == (f"messaging.{log['operation']}", log["trace_id"])
    levels = {(log["operation"], log["log_level"]) for log in told}
    assert {
        ("start", "info"),
        ("find_message", "debug"),
        ("send_message", "warning"),
        ("health_check", "error"),
    } <= levels
    assert "receive_messages" in {log["operation"] for log in told}


async def test_only_messages_are_counted_as_messages(watch):
    watched = watch()
    backend = InstrumentedBackend(conversations_backend(wire.config()), meter=watched.meter)
    for name in ("onMessageAdded", "onMessageUpdated", "onMessageRemoved"):
        await backend.handle_webhook(wire.request("conversations", wire.event(name)))
    [point] = watched.metrics()["messaging_messages_total"]
    assert point.value == 1


async def test_a_report_names_its_message(watch):
    watched = watch()
    backend = InstrumentedBackend(conversations_backend(wire.config()), tracer=watched.tracers.get_tracer("test"))
    receipt = wire.event("onDeliveryUpdated", DeliveryReceiptSid=wire.sid("DY"), Status="sent")
    await backend.handle_webhook(wire.request("conversations", receipt))
    assert watched.spans()["handle_webhook"].attributes["message_sid"] == wire.sid("IM")


async def test_nothing_tells_who_or_what(watch):
    watched = watch()
    with structlog.testing.capture_logs() as logs:
        await use(watched)
    told = watched.everything() + repr(logs)
    assert PHONE not in told
    assert BODY not in told
    assert "conversation_sid" in told


async def test_labels_are_bounded(watch):
    watched = watch()
    await use(watched)
    labels = {name for points in watched.metrics().values() for point in points for name in point.attributes}
    assert labels <= {"provider", "operation", "channel", "success", "error_code", "kind"}


async def test_webhooks_are_counted_by_the_kind_of_their_events_and_unknown_ones_too(watch):
    watched = watch()
    backend = InstrumentedBackend(conversations_backend(wire.config()), meter=watched.meter)
    with structlog.testing.capture_logs() as logs:
        for name in ("onMessageAdded", "onMessageAdded", "onUserAdded", "onSomethingNew"):
            await backend.handle_webhook(wire.request("conversations", wire.event(name)))
        with pytest.raises(errors.InvalidSignature):
            await backend.handle_webhook(wire.request("conversations", wire.event("onMessageAdded"), token="other"))
    counted = {
        (point.attributes["kind"], point.attributes["success"]): point.value
        for point in watched.metrics()["messaging_webhooks_total"]
    }
    assert counted == {("message_added", "true"): 2, ("unknown", "true"): 2, ("", "false"): 1}
    assert [log["event"] for log in logs].count("messaging.unknown_event") == 2


async def test_what_is_told_again_is_not_counted_again(watch):
    watched = watch()
    async with watched.backend as backend:
        named = ConversationConfig(unique_name="order-4711", attributes={"to": PHONE})
        sid = (await backend.create_conversation(named)).sid
        assert (await backend.create_conversation(named)).sid == sid
        await backend.add_participant(sid, Participant(identity=PHONE))
        await backend.add_participant(sid, Participant(identity=PHONE))
        for message in ("SM1", "SM1", "SM2"):
            await backend.handle_webhook(watched.scripted.webhook(message, PAIR, BODY, author=PHONE))
    counted = watched.metrics()
    totals = {
        name: sum(point.value for point in counted[f"messaging_{name}_total"]) for name in ("webhooks", "messages")
    }
    assert totals == {"webhooks": 3, "messages": 2}
    assert [point.value for point in counted["messaging_conversations_total"]] == [1]
    assert [point.value for point in counted["messaging_participants_total"]] == [1]


async def test_each_kind_of_telemetry_can_be_turned_off(watch):
    silent = watch(enable_tracing=False, enable_metrics=False, enable_structured_logging=False)
    with structlog.testing.capture_logs() as logs:
        await use(silent)
    assert (silent.spans(), silent.metrics(), logs) == ({}, {}, [])


async def test_a_stream_is_one_span_and_leaving_it_is_no_failure(watch):
    watched = watch()
    async with watched.backend as backend:
        stream = backend.receive_messages(PAIR)
        watched.scripted.deliver(PAIR, "before the first step")
        first = anext(stream)
        waiting = asyncio.ensure_future(first)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        watched.scripted.deliver(PAIR, "hello")
        assert (await waiting).body == "hello"
        await stream.aclose()
    assert "error.type" not in watched.spans()["receive_messages"].attributes


async def test_the_gauge_shows_the_source_of_truth(watch):
    watched, truth = watch(), {"twilio": 2}
    observe_active(truth.items, watched.meter)
    assert watched.metrics()["messaging_active_conversations"][0].value == 2
    truth["twilio"] = 1
    assert watched.metrics()["messaging_active_conversations"][0].value == 1
