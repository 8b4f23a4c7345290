"""Every backend we ship, under the suite that every provider must pass; Twilio's against the simulator."""

from __future__ import annotations

import itertools

import pytest

from messaging.model import ConversationConfig
from messaging.providers.twilio import conversations_backend, messaging_backend
from messaging.providers.twilio.pair import AddressPair
from messaging.registry import new_backend
from messaging.testing import ScriptedBackend
from messaging.testing.conformance import BackendConformance
from tests.unit.messaging import wire
from tests.unit.messaging.simulated import twilio

people = itertools.count(15550101000)


class TestScripted(BackendConformance):
    @pytest.fixture
    def backend(self):
        return ScriptedBackend()

    def webhook(self):
        return ScriptedBackend().webhook("SM1", "CH1", "hello")

    async def write_as_person(self, backend, sid, body):
        backend.deliver(sid, body)
        return True


class TestConversations(BackendConformance):
    @pytest.fixture
    def backend(self, simulator):
        self.simulator = simulator
        return conversations_backend(twilio("twilio", simulator))

    def webhook(self):
        return wire.request("conversations", wire.event("onMessageAdded"))

    def secrets(self):
        return (wire.TOKEN,)

    async def write_as_person(self, backend, sid, body):
        await self.simulator.tell("chat", identity="ada", body=body, conversation_sid=sid)
        return True


class TestMessaging(BackendConformance):
    @pytest.fixture
    def backend(self, simulator):
        self.simulator = simulator
        return messaging_backend(twilio("twilio_messaging", simulator))

    async def open_sid(self, backend):
        return (await backend.create_conversation(ConversationConfig(attributes={"to": f"+{next(people)}"}))).sid

    def missing_sid(self):
        return "no pair"

    def webhook(self):
        return wire.request("messages", wire.inbound())

    def secrets(self):
        return (wire.TOKEN,)

    async def write_as_person(self, backend, sid, body):
        pair = AddressPair.parse(sid)
        await self.simulator.tell("inbound", **{"from": pair.theirs.raw, "to": pair.ours.raw, "body": body})
        return True


class TestInstrumented(TestConversations):
    """The wrapper must change nothing."""

    @pytest.fixture
    def backend(self, simulator):
        self.simulator = simulator
        own = dict(twilio("twilio", simulator).provider_specific)
        return new_backend("twilio", timeout=10, **own)
