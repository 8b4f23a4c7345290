"""What the contract promises of every value: defaults, ranges, codes and merging; and that its table is true."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import re
from functools import cache
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from messaging import errors, model
from messaging.backend import ConversationalBackend
from messaging.config import MessagingConfig, new_config
from messaging.instrumented import InstrumentedBackend
from messaging.metrics import Instruments
from messaging.model import Channel, ConversationConfig, DeliveryStatus, EventKind, Message
from messaging.providers.twilio import lifecycle
from messaging.providers.twilio.config import TwilioConfig
from messaging.providers.twilio.conversations import ConversationsBackend
from messaging.providers.twilio.error_codes import ENTRIES
from messaging.providers.twilio.error_table import translate
from messaging.providers.twilio.programmable import MessagingBackend
from messaging.providers.twilio.transport import Transport
from messaging.testing import ScriptedBackend
from tests.unit.messaging import wire

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "docs" / "contract.md"


@pytest.mark.parametrize(
    ("field", "default", "allowed", "refused"),
    [
        ("timeout", 30, (1, 300), (0.9, 301)),
        ("max_retries", 3, (0, 10), (-1, 11, 1.5)),
        ("retry_delay", 1, (0.1, 30), (0.09, 31)),
        ("retry_backoff", 2, (1, 5), (0.9, 5.1)),
        ("enable_tracing", True, (True, False), ("perhaps",)),
        ("enable_metrics", True, (True, False), ("perhaps",)),
        ("enable_structured_logging", True, (True, False), ("perhaps",)),
        ("provider_specific", {}, ({"a": 1},), (7,)),
    ],
)
def test_each_option_has_its_default_and_its_range(field, default, allowed, refused):
    assert getattr(MessagingConfig(provider="x"), field) == default
    for value in allowed:
        assert getattr(new_config("x", **{field: value}), field) == value
    for value in refused:
        with pytest.raises(errors.InvalidConfig, match=field):
            new_config("x", **{field: value})


def test_a_provider_must_be_named():
    with pytest.raises(errors.InvalidConfig, match="provider"):
        new_config("")


def classes(root=errors.MessagingError):
    for kind in root.__subclasses__():
        yield kind
        yield from classes(kind)


def test_every_code_is_of_one_class_in_one_tree():
    assert sorted(kind.code for kind in classes()) == sorted(errors.ErrorCode)


@pytest.mark.parametrize("kind", list(classes()), ids=lambda kind: kind.code.value)
def test_what_nobody_classified_is_neither_retryable_nor_ambiguous(kind):
    made = kind("why", op="send_message", provider="twilio", status=400, provider_code=1)
    assert (made.retryable, made.ambiguous, made.retry_after) == (False, False, None)
    assert str(made) == f"{kind.code.value}: why (op=send_message provider=twilio provider_code=1 status=400)"


def test_a_conversation_that_cannot_change_now_says_so():
    codes = [code for code, entry in ENTRIES.items() if entry.kind is errors.ConversationFailed]
    assert codes
    for code in codes:
        assert type(translate(status=400, code=code, writes=True)) is errors.ConversationFailed


def test_delivery_never_goes_back_whatever_the_order():
    reports = [DeliveryStatus.QUEUED, DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ]
    for order in itertools.permutations(reports):
        reached = DeliveryStatus.UNKNOWN
        for report in order:
            assert reached.later(report) in {reached, report}
            reached = reached.later(report)
        assert reached is DeliveryStatus.READ
    assert DeliveryStatus.DELIVERED.later(DeliveryStatus.FAILED) is DeliveryStatus.DELIVERED


_DATES = "date_created date_updated"


@pytest.mark.parametrize(
    ("kind", "promised"),
    [
        (model.Conversation, f"sid account_sid friendly_name unique_name state attributes timers bindings {_DATES}"),
        (
            model.Message,
            f"sid conversation_sid account_sid channel sender recipient body media index author attributes {_DATES}",
        ),
        (model.Message, "delivery_status error_code"),
        (model.Participant, f"sid conversation_sid identity binding attributes role_sid {_DATES}"),
        (model.Binding, "type address proxy_address projected_address"),
        (model.ConversationConfig, "friendly_name unique_name attributes state timers messaging_service_sid"),
        (model.InboundEvent, "provider account_sid event_key kind occurred_at received_at index raw"),
        (model.HealthStatus, "status last_check details errors"),
        (model.Media, "url content_type size"),
    ],
)
def test_each_type_has_its_fields(kind, promised):
    assert set(promised.split()) <= {field.name for field in dataclasses.fields(kind)}


async def test_what_ties_a_conversation_to_its_channels_is_kept():
    bindings = {"sms": {"name": "a", "address": wire.THEIRS}}

    async def far_end(_request):
        return httpx.Response(200, json={"sid": wire.sid("CH"), "state": "active", "bindings": bindings})

    backend = ConversationsBackend(
        wire.config(), open_transport=lambda **given: Transport(**given, transport=httpx.MockTransport(far_end))
    )
    await backend.start(verify=False)
    assert (await backend.get_conversation(wire.sid("CH"))).bindings == bindings
    await backend.stop()


def test_the_channels_are_the_contracts():
    named = {"sms", "mms", "whatsapp", "rcs", "messenger", "chat", "email", "unknown"}
    assert {channel.value for channel in Channel} == named


@pytest.mark.parametrize(
    ("status", "slow", "expected"),
    [(200, False, "healthy"), (200, True, "degraded"), (429, False, "degraded"), (401, False, "unhealthy")],
)
async def test_health_tells_slow_and_limited_from_broken(monkeypatch, status, slow, expected):
    async def far_end(_request):
        return httpx.Response(status, json={"messages": []} if status == 200 else {"code": 1})

    if slow:
        monkeypatch.setattr(lifecycle, "_SLOW", -1)
    backend = MessagingBackend(
        wire.config(account_name="shop"),
        open_transport=lambda **given: Transport(**given, transport=httpx.MockTransport(far_end)),
    )
    await backend.start(verify=False)
    try:
        health = await backend.health_check()
        assert health.status.value == expected
        assert health.details["account_name"] == "shop"
        assert status != 200 or health.details["latency_ms"] >= 0
    finally:
        await backend.stop()


async def test_spans_name_their_message():
    exporter = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    backend = InstrumentedBackend(ScriptedBackend(), tracer=tracers.get_tracer("test"))
    async with backend:
        sid = (await backend.create_conversation(ConversationConfig())).sid
        sent = await backend.send_message(sid, Message(body="hello"))
    [span] = [span for span in exporter.get_finished_spans() if span.name == "messaging.send_message"]
    assert (span.attributes["conversation_sid"], span.attributes["message_sid"]) == (sid, sent.sid)
    tracers.shutdown()


async def test_streams_look_as_often_as_configured():
    looks = []

    async def far_end(_request):
        looks.append(None)
        return httpx.Response(200, json={"messages": []})

    backend = MessagingBackend(
        wire.config(poll_seconds=0.05),
        open_transport=lambda **given: Transport(**given, transport=httpx.MockTransport(far_end)),
    )
    await backend.start(verify=False)
    waiting = asyncio.ensure_future(anext(backend.receive_messages(f"{wire.OURS}|{wire.THEIRS}")))
    await asyncio.sleep(0.3)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await backend.stop()
    assert 2 <= len(looks) <= 6


# The table.


class Names:
    """A meter that remembers what was asked of it."""

    def __init__(self):
        self.made = ["messaging_active_conversations"]  # opened by whoever owns the source of truth

    def __getattr__(self, _kind):
        return lambda name, **_options: self.made.append(name)


def metric_names():
    names = Names()
    Instruments.open(names)
    return names.made


@cache
def rows():
    """First cell to (where, tests), of every table."""
    found = {}
    for line in TABLE.read_text().splitlines():
        cells = [re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 3:
            found.update(dict.fromkeys(cells[0], (cells[1], cells[2])))
    return found


TESTED_IN = (
    "messaging/testing",
    "tests/unit/messaging",
    "tests/unit/activities",
    "tests/contract/messaging",
    "tests/integration",
)


@cache
def test_file(name):
    found = [path.read_text() for part in TESTED_IN for path in (ROOT / part).glob(name)]
    assert found, f"no test file is named {name}"
    return "\n".join(found)


test_file.__test__ = False

WORDS = {kind.value: f"EventKind.{kind.name}" for kind in EventKind} | {
    kind.code.value: f"errors.{kind.__name__}" for kind in classes()
}


@pytest.mark.parametrize(
    "name",
    [
        *(name for name in vars(ConversationalBackend) if not name.startswith("_")),
        *(kind.value for kind in EventKind if kind is not EventKind.UNKNOWN),
        *(code.value for code in errors.ErrorCode),
        *metric_names(),
        *MessagingConfig.model_fields,
        *TwilioConfig.model_fields,
    ],
)
def test_everything_promised_is_in_the_table(name):
    assert name in rows()


# What the table names by what people see of it.
_SHOWN_AS = {"log.log_level": "level"}


@pytest.mark.parametrize("name", list(rows()))
def test_the_table_names_what_exists_and_is_about_it(name):
    where, tests = rows()[name]
    assert where
    assert tests
    word = _SHOWN_AS.get(name, name.rpartition(".")[2].removesuffix("()"))
    assert any(word in (ROOT / path).read_text() for path in where)
    assert any(
        re.search(rf"{re.escape(WORDS.get(name, word))}\b", test_file(cited.partition("::")[0])) for cited in tests
    )


@pytest.mark.parametrize("cited", sorted(set(re.findall(r"`(\w+\.py::\w+)`", TABLE.read_text()))))
def test_each_test_that_is_cited_exists(cited):
    file, _, test = cited.partition("::")
    assert re.search(rf"^\s*(async )?def {test}\(", test_file(file), re.MULTILINE)
