"""What all processes tell of themselves: one trace for a turn, and numbers that are those of the script."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support import ops
from tests.support.collector import Collector, Seen, collecting
from tests.support.ports import eventually, free_port
from tests.support.stack import Phone, Stack, running
from tests.support.twilio import Twilio

pytestmark = pytest.mark.slow

ANA, BO, CY, DI = (f"+1555010002{digit}" for digit in "1234")
SECRET = "violet-umbrella-4711"
AGENT = f"""
    from agents.engine import AgentFailed
    from agents.turn import Draft

    async def reply(turn):
        if "break" in turn.text:
            raise AgentFailed("it is broken", retryable=False)
        return Draft(
            text="{SECRET} to you", usage={{"requests": 1, "input_tokens": 100, "output_tokens": 20}}, cost=0.002
        )
"""


@dataclass(slots=True)
class Hour:
    """A stack, its collector, and what has been scraped of it."""

    stack: Stack
    collector: Collector
    worker: str
    http: httpx.AsyncClient = field(repr=False)

    async def scraped(self) -> dict[str, list[tuple[dict[str, str], float]]]:
        """(labels, value) by sample name, of the API and the worker together."""
        found: dict[str, list[tuple[dict[str, str], float]]] = {}
        for url in (f"{self.stack.urls['api']}/metrics", self.worker):
            text = (await self.http.get(url)).raise_for_status().text
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    found.setdefault(sample.name, []).append((sample.labels, sample.value))
        return found

    async def total(self, name: str, **labels: str) -> float:
        samples = (await self.scraped()).get(name, [])
        return sum(value for found, value in samples if labels.items() <= found.items())

    async def by(self, name: str, label: str) -> dict[str, float]:
        counted: Counter[str] = Counter()
        for labels, value in (await self.scraped()).get(name, []):
            counted[labels.get(label, "")] += value  # type: ignore[assignment]
        return {key: value for key, value in counted.items() if value}

    async def answered(self, phone: Phone, body: str, *, channel: str = "sms") -> None:
        await phone.ask(body, channel=channel, within=60)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Collector, str]]:
    folder = tmp_path_factory.mktemp("telemetry") / "data"
    folder.mkdir()
    (folder / "teller.py").write_text(textwrap.dedent(AGENT))
    port = free_port()
    with collecting() as collector:
        told = {
            "MESSAGING_AGENT": "teller:reply",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(port),
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_BLRP_SCHEDULE_DELAY": "100",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
        }
        with running(folder, **told) as stack:
            yield stack, collector, f"http://localhost:{port}/metrics"


@pytest.fixture
async def hour(told: tuple[Stack, Collector, str]) -> AsyncIterator[Hour]:
    async with httpx.AsyncClient(timeout=10) as http:
        yield Hour(*told, http=http)


def tree(spans: list[Seen], trace: str) -> set[tuple[str, str, str]]:
    """(parent, name, service) of a trace; a parent that nobody told of is `lost`."""
    mine = [span for span in spans if span.trace == trace]
    names = {span.id: span.name for span in mine}
    return {(names.get(span.parent, "lost") if span.parent else "", span.name, span.service) for span in mine}


# Every span of a plain turn; the tests of parts say what else there may be.
WEBHOOK, SIGNAL = "POST /webhooks/twilio/messages", "SignalWorkflow:receive"
EXPECTED = {
    ("", WEBHOOK, "api"),
    (WEBHOOK, "messaging.handle_webhook", "api"),
    (WEBHOOK, SIGNAL, "api"),
    (SIGNAL, "turn", "worker"),
    ("turn", "step screen", "worker"),
    ("turn", "step afford", "worker"),
    ("turn", "step recall", "worker"),
    ("step recall", "RunActivity:recall", "worker"),
    ("RunActivity:recall", "query messaging_memory", "worker"),
    ("turn", "step reply", "worker"),
    ("step reply", "RunActivity:reply", "worker"),
    ("RunActivity:reply", "invoke_agent teller:reply", "worker"),
    ("turn", "step check", "worker"),
    ("turn", "step deliver", "worker"),
    ("step deliver", "RunActivity:deliver", "worker"),
    ("RunActivity:deliver", "messaging.send_message", "worker"),
    ("turn", "step remember", "worker"),
    ("step remember", "RunActivity:remember", "worker"),
    ("RunActivity:remember", "upsert messaging_memory", "worker"),
}


async def test_one_trace_leads_from_the_webhook_over_three_processes_to_the_provider(hour: Hour) -> None:
    phone = Phone(hour.stack, ANA, hour.http)
    await hour.answered(phone, "hello")
    await hour.answered(phone, f"my word is {SECRET}")

    async def second() -> Seen | None:
        return next((s for s in hour.collector.spans if s.name == "turn" and s.attributes["turn"] == 2), None)

    turn = await eventually(second, within=20)
    assert turn is not None

    missing = EXPECTED

    async def complete() -> bool:
        nonlocal missing
        missing = EXPECTED - tree(hour.collector.spans, turn.trace)
        return not missing

    with suppress(AssertionError):
        await eventually(complete, within=20)
    assert not missing, sorted(tree(hour.collector.spans, turn.trace) - EXPECTED)
    spans = hour.collector.spans
    found = tree(spans, turn.trace)
    assert not [row for row in found if row[0] == "lost"]
    mine = {span.name: span for span in spans if span.trace == turn.trace}
    conversation = turn.attributes["conversation_id"]
    assert conversation.startswith("twilio_messaging-sms-")
    for name in (WEBHOOK, SIGNAL, "RunActivity:reply", "invoke_agent teller:reply", "query messaging_memory"):
        assert mine[name].attributes["conversation_id"] == conversation, name
    assert mine["invoke_agent teller:reply"].attributes == {
        "conversation_id": conversation,
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "own",
        "gen_ai.agent.name": "teller:reply",
        "gen_ai.conversation.id": conversation,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
    }
    sent = mine["messaging.send_message"].attributes
    assert (sent["operation"], sent["provider"]) == ("send_message", "twilio_messaging")
    assert sent["message_sid"].startswith("SM")
    assert mine[WEBHOOK].attributes["http.route"] == "/webhooks/twilio/messages"
    assert mine[WEBHOOK].attributes["http.response.status_code"] == 200
    assert {mine[WEBHOOK].kind, mine["messaging.send_message"].kind} == {2, 3}, "server and client"
    assert not [span for span in mine.values() if span.failed]

    async def lines() -> bool:
        return any(trace == turn.trace and "send_message" in line for trace, line in hour.collector.lines)

    assert await eventually(lines, within=20)

    async def example() -> bool:
        return turn.trace in hour.collector.exemplars("messaging_answer_duration_seconds")

    assert await eventually(example, within=20)
    everything = b"".join(span.raw for span in spans) + json.dumps(hour.collector.lines).encode()
    for private in (SECRET, ANA[1:]):
        assert private.encode() not in everything


async def test_what_can_be_scraped_is_what_the_script_did(hour: Hour) -> None:
    """An hour of a shop: people write, one webhook comes three times, one send is refused, one answer lost."""
    before = await hour.scraped()
    api, simulator = hour.stack.urls["api"], hour.stack.urls["simulator"]
    token = (hour.stack.data / "auth_token").read_text()
    account = (hour.stack.data / "account_sid").read_text()
    twilio = Twilio(httpx.AsyncClient(base_url=api, timeout=10), api, token)
    bo, cy = Phone(hour.stack, BO, hour.http), Phone(hour.stack, CY, hour.http)

    for body in ("one", "two"):
        await hour.answered(bo, body)
    await hour.answered(cy, "three", channel="whatsapp")
    await hour.answered(bo, "break it")
    for fault in ({"kind": "status", "status": 429, "retry_after": 1}, {"kind": "after_commit", "status": 500}):
        (await hour.http.post(f"{simulator}/_sim/faults", json={**fault, "times": 1})).raise_for_status()
        await hour.answered(bo, "and now?")
    for _ in range(3):
        repeated = await twilio.text("four", sid="SM" + "4" * 32, From=BO, AccountSid=f"AC{account}")
        assert repeated.status_code == 200
    forged = Twilio(twilio.http, api, "not-the-token")
    assert (await forged.text("five", From=BO, AccountSid=f"AC{account}")).status_code == 403
    await bo.wait(6)
    for _ in range(2):
        opened = await hour.http.post(
            f"{api}/v1/conversations",
            json={"to": DI, "provider": "twilio", "greeting": "Your order is here."},
            headers={"Idempotency-Key": "order-4712"},
        )
        assert opened.is_success, opened.text
    await twilio.http.aclose()

    turns = {"answered": 6, "parked": 1}

    async def settled() -> bool:
        return sum((await _grown(hour, before, "messaging_turns_total", "outcome")).values()) >= sum(turns.values())

    assert await eventually(settled, within=30)

    async def counted(name: str, label: str) -> dict[str, float]:
        return await _grown(hour, before, name, label)

    assert await counted("messaging_turns_total", "outcome") == turns
    assert await counted("messaging_texts_total", "outcome") == turns
    proofs = await counted("messaging_sends_total", "proof")
    # The provider's own report may be faster than a look.
    assert (proofs.pop("accepted"), sum(proofs.values()), proofs.keys() <= {"found", "reported"}) == (7, 1, True)
    assert await counted("messaging_tokens_total", "direction") == {"input": 600, "output": 120}
    assert (await counted("messaging_cost_usd_total", ""))[""] == pytest.approx(0.012)
    assert await counted("messaging_answer_duration_seconds_count", "outcome") == turns
    assert await counted("messaging_alerts_total", "kind") == {"parked": 1}
    webhooks = await counted("messaging_webhooks_total", "kind")
    assert (webhooks["message_added"], webhooks[""]) == (9, 1), "seven texts, one of them three times; one was forged"
    assert await counted("messaging_messages_total", "operation") == {"handle_webhook": 7, "send_message": 7}
    assert sum((await counted("messaging_message_duration_seconds_count", "channel")).values()) == 7
    assert await counted("messaging_conversations_total", "provider") == {"twilio": 1}
    assert await counted("messaging_participants_total", "operation") == {"add_participant": 1}
    errors = await counted("messaging_errors_total", "error_code")
    assert errors == {"invalid_signature": 1, "rate_limit": 1, "network_error": 1}
    operations = await counted("messaging_operations_total", "operation")
    assert operations["send_message"] == 9, "seven that were accepted, one refused, one whose answer was lost"
    assert await counted("messaging_operation_duration_seconds_count", "operation") == operations
    assert sum((await counted("messaging_webhook_duration_seconds_count", "success")).values()) == sum(
        webhooks.values()
    )
    assert (await counted("messaging_spool_depth", "")) == {}

    async def open_ones() -> bool:
        return await hour.by("messaging_active_conversations", "provider") == {"twilio": 1, "twilio_messaging": 3}

    assert await eventually(open_ones, within=40)
    scraped = await hour.scraped()
    assert {name for name in ops.metrics() if name.startswith(("temporal_", "http_server_"))} <= scraped.keys()
    assert await hour.total("temporal_activity_execution_latency_seconds_count", activity_type="deliver") > 0


async def _grown(
    hour: Hour, before: Mapping[str, list[tuple[dict[str, str], float]]], name: str, label: str
) -> dict[str, float]:
    """By how much a metric has grown since, by this label."""
    grown: Counter[str] = Counter()
    for samples, sign in ((before, -1), (await hour.scraped(), 1)):
        for labels, value in samples.get(name, []):
            grown[labels.get(label, "")] += sign * value  # type: ignore[assignment]
    return {key: value for key, value in grown.items() if value}
