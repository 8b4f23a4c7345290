"""What a send tells when it fails, and what a look tells then: only what is absent may be sent again."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from messaging import errors
from messaging.model import ConversationConfig, Message, SendOutcome
from messaging.providers.twilio import conversations_backend, messaging_backend
from tests.unit.messaging import wire
from tests.unit.messaging.simulated import twilio

people = itertools.count(15550102000)
MESSAGE = Message(body="on its way")
FACTORIES = {"twilio": conversations_backend, "twilio_messaging": messaging_backend}


@pytest.fixture(params=FACTORIES)
async def backend(request, simulator):
    config = twilio(request.param, simulator, timeout=1)
    async with FACTORIES[request.param](config) as running:
        yield running


@pytest.fixture
async def sid(backend):
    return (await backend.create_conversation(ConversationConfig(attributes={"to": f"+{next(people)}"}))).sid


async def look(backend, sid, since):
    return await backend.find_message(sid, "turn-1", message=MESSAGE, since=since)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "after_commit", "status": 500},
        {"kind": "hang", "seconds": 2},
        {"kind": "reset"},
    ],
    ids=lambda fault: fault["kind"],
)
async def test_a_send_whose_answer_got_lost_is_ambiguous_and_then_found(backend, sid, simulator, fault):
    since = datetime.now(UTC)
    await simulator.tell("faults", **fault)
    with pytest.raises(errors.NetworkError) as lost:
        await backend.send_message(sid, MESSAGE, key="turn-1")
    assert (lost.value.ambiguous, lost.value.retryable) == (True, False)
    assert (await look(backend, sid, since)).outcome is SendOutcome.CONFIRMED


@pytest.mark.parametrize("status", [500, 503])
async def test_a_send_that_a_failing_server_did_not_take_is_ambiguous_and_then_absent(backend, sid, simulator, status):
    since = datetime.now(UTC)
    await simulator.tell("faults", kind="status", status=status)
    with pytest.raises(errors.NetworkError) as lost:
        await backend.send_message(sid, MESSAGE, key="turn-1")
    assert lost.value.ambiguous
    assert (await look(backend, sid, since)).outcome is SendOutcome.ABSENT


async def test_a_rate_limit_is_retryable_and_tells_when(backend, sid, simulator):
    await simulator.tell("faults", kind="status", status=429, retry_after=3)
    with pytest.raises(errors.RateLimit) as limited:
        await backend.send_message(sid, MESSAGE, key="turn-1")
    assert (limited.value.retryable, limited.value.ambiguous, limited.value.retry_after) == (True, False, 3)
    assert (await backend.health_check()).status.value == "degraded"


@pytest.mark.parametrize("name", FACTORIES)
async def test_an_absence_must_settle_before_it_is_proof(name, simulator):
    async with FACTORIES[name](twilio(name, simulator, settle_seconds=60)) as backend:
        sid = (await backend.create_conversation(ConversationConfig(attributes={"to": f"+{next(people)}"}))).sid
        now = datetime.now(UTC)
        assert (await look(backend, sid, now)).outcome is SendOutcome.UNCERTAIN
        assert (await look(backend, sid, now - timedelta(seconds=61))).outcome is SendOutcome.ABSENT


@pytest.mark.parametrize("name", FACTORIES)
async def test_wrong_credentials_are_refused_at_the_start(name, simulator):
    backend = FACTORIES[name](twilio(name, simulator, auth_token="wrong"))
    with pytest.raises(errors.AuthenticationError) as refused:
        await backend.start()
    assert "wrong" not in str(refused.value)
    with pytest.raises(errors.NotStarted):
        await backend.get_conversation(wire.sid("CH"))
    await backend.start(verify=False)
    await backend.stop()


@pytest.mark.parametrize("name", FACTORIES)
async def test_nobody_there_is_retryable_and_leaves_it_not_started(name, simulator):
    backend = FACTORIES[name](twilio(name, simulator, base_url="http://127.0.0.1:9"))
    with pytest.raises(errors.NetworkError) as gone:
        await backend.start()
    assert (gone.value.retryable, gone.value.ambiguous) == (True, False)
    assert (await backend.health_check()).status.value == "unhealthy"
