"""Starting and stopping a Twilio backend, in every order in which a program may do it."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest

from messaging import errors
from messaging.model import ConversationConfig, ConversationState, Health, Message, Participant
from messaging.providers.twilio.conversations import ConversationsBackend
from messaging.providers.twilio.programmable import MessagingBackend
from messaging.providers.twilio.transport import Transport
from tests.unit.messaging import wire

KINDS = [ConversationsBackend, MessagingBackend]
HELLO = Message(body="hello")


class Account:
    """A far end, and every client that was opened to it."""

    def __init__(self, status=200, body=None):
        self.status = status
        self.body = {"messages": [], "conversations": [], "meta": {"key": "conversations"}} if body is None else body
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.loading = threading.Event()
        self.loading.set()
        self.opened: list[Transport] = []

    async def __call__(self, _request):
        self.asked.set()
        await self.gate.wait()
        return httpx.Response(
            self.status, **({"text": self.body} if isinstance(self.body, str) else {"json": self.body})
        )

    def backend(self, kind):
        def open_transport(**given):
            self.loading.wait(10)
            self.opened.append(Transport(**given, transport=httpx.MockTransport(self)))
            return self.opened[-1]

        return kind(wire.config(), open_transport=open_transport)

    @property
    def left_open(self):
        return [transport for transport in self.opened if not transport._client.is_closed]


def where(kind):
    return f"{wire.OURS}|{wire.THEIRS}" if kind is MessagingBackend else wire.sid("CH")


@pytest.mark.parametrize("kind", KINDS)
async def test_many_starts_at_once_are_one(kind):
    account = Account()
    backend = account.backend(kind)
    await asyncio.gather(*(backend.start() for _ in range(5)))
    assert len(account.opened) == 1
    await backend.stop()
    assert account.left_open == []


@pytest.mark.parametrize("kind", KINDS)
async def test_many_starts_with_wrong_credentials_all_hear_of_it(kind):
    account = Account(401, {"code": 20003})
    backend = account.backend(kind)
    failures = await asyncio.gather(*(backend.start() for _ in range(5)), return_exceptions=True)
    assert [type(failure) for failure in failures] == [errors.AuthenticationError] * 5
    assert account.left_open == []
    with pytest.raises(errors.NotStarted):
        await backend.send_message(where(kind), HELLO)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("during", ["loading", "asking"])
async def test_a_stop_during_the_start_wins(kind, during):
    account = Account()
    (account.loading if during == "loading" else account.gate).clear()
    backend = account.backend(kind)
    starting = asyncio.create_task(backend.start())
    await (account.asked.wait() if during == "asking" else asyncio.sleep(0.05))
    stopping = asyncio.create_task(backend.stop())
    await asyncio.sleep(0.01)
    account.loading.set()
    account.gate.set()
    with pytest.raises(errors.ShutdownError):
        await starting
    await stopping
    with pytest.raises(errors.ShutdownError):
        await backend.send_message(where(kind), HELLO)
    assert (await backend.health_check()).status is Health.UNHEALTHY
    assert account.left_open == []


@pytest.mark.parametrize("during", ["loading", "asking"])
async def test_a_start_that_is_given_up_leaves_nothing_open(during):
    account = Account()
    (account.loading if during == "loading" else account.gate).clear()
    backend = account.backend(MessagingBackend)
    starting = asyncio.create_task(backend.start())
    await (account.asked.wait() if during == "asking" else asyncio.sleep(0.05))
    starting.cancel()
    account.loading.set()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert account.left_open == []
    account.gate.set()
    await backend.start()
    await backend.stop()


async def test_a_second_stop_waits_for_what_the_first_waits_for():
    account = Account()
    backend = account.backend(MessagingBackend)
    await backend.start()
    account.gate.clear()
    account.body, account.status = {"sid": wire.sid("SM")}, 201
    sending = asyncio.create_task(backend.send_message(where(MessagingBackend), HELLO))
    await asyncio.sleep(0.02)
    stops = [asyncio.create_task(backend.stop()) for _ in range(2)]
    await asyncio.sleep(0.02)
    assert not any(stop.done() for stop in stops)
    account.gate.set()
    await asyncio.gather(sending, *stops)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("status", "body"), [(404, "<html>nothing here</html>"), (302, ""), (400, "{}")])
async def test_what_is_not_twilio_is_no_start_and_not_healthy(kind, status, body):
    account = Account(status, body)
    backend = account.backend(kind)
    with pytest.raises(errors.MessagingError):
        await backend.start()
    await backend.start(verify=False)
    assert (await backend.health_check()).status is Health.UNHEALTHY
    await backend.stop()


async def test_a_stream_ends_when_the_backend_stops_in_the_middle_of_a_look():
    page = {"messages": [], "meta": {"key": "messages", "next_page_url": None}}
    account = Account(200, page)
    backend = account.backend(ConversationsBackend)
    await backend.start(verify=False)
    backend._twilio = backend._twilio.model_copy(update={"poll_seconds": 0.01})

    async def listen():
        return [message async for message in backend.receive_messages(wire.sid("CH"))]

    listening = asyncio.create_task(listen())
    await account.asked.wait()
    account.gate.clear()
    await asyncio.sleep(0.05)  # now a look is under way
    stopping = asyncio.create_task(backend.stop())
    await asyncio.sleep(0.01)
    account.gate.set()
    assert await listening == []
    await stopping


@pytest.mark.parametrize("started", [False, True])
async def test_not_running_comes_before_every_other_fault(started):
    backend = Account().backend(ConversationsBackend)
    if started:
        await backend.start(verify=False)
        await backend.stop()
    expected = errors.ShutdownError if started else errors.NotStarted
    calls = [
        backend.create_conversation(ConversationConfig(state=ConversationState.CLOSED)),
        backend.list_conversations(limit=0),
        backend.list_conversations(cursor="zzz"),
        backend.add_participant(wire.sid("CH"), Participant()),
        backend.send_message(wire.sid("CH"), Message()),
    ]
    for call in calls:
        with pytest.raises(expected) as refused:
            await call
        assert (refused.value.provider, bool(refused.value.op)) == ("twilio", True)
