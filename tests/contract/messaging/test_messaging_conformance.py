"""Every backend we ship, under the suite that every provider must pass; Twilio's against the simulator."""

from __future__ import annotations

import itertools
from base64 import b64encode
from pathlib import Path

import pytest

import simulator
from messaging.model import Address, Binding, Channel, ConversationConfig, Participant
from messaging.providers.twilio import conversations_backend, messaging_backend
from messaging.providers.twilio.pair import AddressPair
from messaging.registry import new_backend
from messaging.testing import ScriptedBackend
from messaging.testing.conformance import BackendConformance
from tests.unit.messaging import wire
from tests.unit.messaging.simulated import twilio

PICTURE = Path(simulator.__file__).parent / "static" / "phone.svg"
people = itertools.count(15550101000)


def somebody():
    theirs, ours = Address.parse(f"+{next(people)}"), Address.parse(wire.OURS)
    return Participant(binding=Binding(type=Channel.SMS, address=theirs, proxy_address=ours))


class TestScripted(BackendConformance):
    @pytest.fixture
    def backend(self):
        return ScriptedBackend()

    def webhook(self):
        return ScriptedBackend().webhook("SM1", "CH1", "hello")

    def nonsense(self):
        scripted = ScriptedBackend()
        return tuple(scripted.signed(body) for body in (b"", b"[]", b"{}", b"\xff", b'{"body": 1}'))

    def bound(self):
        return somebody()

    async def write_as_person(self, backend, sid, body):
        backend.deliver(sid, body)
        return True

    async def attached(self, backend):
        return backend.attach(b"a picture", "image/png"), b"a picture"


class TestConversations(BackendConformance):
    @pytest.fixture
    def backend(self, simulator, receiver):
        self.simulator, self.receiver = simulator, receiver
        return conversations_backend(twilio("twilio", simulator))

    def webhook(self):
        return wire.request("conversations", wire.event("onMessageAdded"))

    def nonsense(self):
        odd = {"Index": "many"}, {"Media": "[1]"}, {"MessageSid": "-"}, {"ConversationSid": "../x"}, {"Attributes": "{"}
        return tuple(wire.request("conversations", wire.event("onMessageAdded", **changes)) for changes in odd)

    def secrets(self):
        return (wire.TOKEN,)

    def bound(self):
        return somebody()

    async def write_as_person(self, backend, sid, body):
        await self.simulator.tell("chat", identity="ada", body=body, conversation_sid=sid)
        return True

    async def attached(self, backend):
        """By way of a webhook, which names the picture by its sid only: the media service says where it is."""
        person = somebody()
        await backend.add_participant(await self.open_sid(backend), person)
        theirs = person.binding.address.raw
        data = f"data:image/svg+xml;base64,{b64encode(PICTURE.read_bytes()).decode()}"
        await self.simulator.tell("inbound", **{"from": theirs, "media": [data]})
        [request] = await self.receiver.heard("conversations", "onMessageAdded", theirs[1:])
        reader = conversations_backend(twilio("twilio", self.simulator, webhook_url=self.receiver.url))
        [event] = await reader.handle_webhook(request)
        return event.message.media[0], PICTURE.read_bytes()


class TestMessaging(BackendConformance):
    @pytest.fixture
    def backend(self, simulator, receiver):
        self.simulator, self.receiver = simulator, receiver
        return messaging_backend(twilio("twilio_messaging", simulator))

    async def open_sid(self, backend):
        return (await backend.create_conversation(ConversationConfig(attributes={"to": f"+{next(people)}"}))).sid

    def missing_sid(self):
        return "no pair"

    def webhook(self):
        return wire.request("messages", wire.inbound())

    def nonsense(self):
        odd = (
            {"From": "-"},
            {"To": ""},
            {"NumMedia": "1"},
            {"NumMedia": "9" * 5000},
            {"MessageSid": "a/b"},
            {"Body": "\0"},
        )
        return tuple(wire.request("messages", wire.inbound(**changes)) for changes in odd)

    def tick(self):
        return 1.1  # the dates of the 2010 API have whole seconds

    def secrets(self):
        return (wire.TOKEN,)

    async def write_as_person(self, backend, sid, body):
        pair = AddressPair.parse(sid)
        await self.simulator.tell("inbound", **{"from": pair.theirs.raw, "to": pair.ours.raw, "body": body})
        return True

    async def attached(self, backend):
        """By way of a webhook; the simulator redirects to where the picture is, as Twilio does to its storage."""
        person = f"+{next(people)}"
        await self.simulator.tell("inbound", **{"from": person, "media": [f"{self.simulator.url}/static/phone.svg"]})
        [request] = await self.receiver.heard("messages", person[1:])
        reader = messaging_backend(twilio("twilio_messaging", self.simulator, webhook_url=self.receiver.url))
        [event] = await reader.handle_webhook(request)
        return event.message.media[0], PICTURE.read_bytes()


class TestInstrumented(TestConversations):
    """The wrapper must change nothing."""

    @pytest.fixture
    def backend(self, simulator, receiver):
        self.simulator, self.receiver = simulator, receiver
        own = dict(twilio("twilio", simulator).provider_specific)
        return new_backend("twilio", timeout=10, **own)
