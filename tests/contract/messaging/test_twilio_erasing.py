"""What a provider keeps of one person is deleted, and of nobody else."""

from __future__ import annotations

import itertools

import pytest

from messaging import errors
from messaging.model import ConversationConfig, Message
from messaging.providers.twilio import conversations_backend, messaging_backend
from tests.support.ports import eventually
from tests.unit.messaging.simulated import twilio

people = itertools.count(15550107000)
FACTORIES = {"twilio": conversations_backend, "twilio_messaging": messaging_backend}


@pytest.fixture(params=FACTORIES)
async def backend(request, simulator):
    async with FACTORIES[request.param](twilio(request.param, simulator)) as running:
        yield running


async def talk(backend, count):
    config = ConversationConfig(attributes={"to": f"+{next(people)}"})
    sid = (await backend.create_conversation(config)).sid
    sids = [(await backend.send_message(sid, Message(body=f"note {n}"), key=f"{sid}-{n}")).sid for n in range(count)]
    return sid, sids


async def erased(backend, sid):
    """All that is deleted until nothing is left: one that is on its way is waited for."""
    found = []

    async def rest():
        found.extend([one async for one in backend.erase_messages(sid)])
        return True

    await eventually(rest, within=20)
    return found


async def test_the_messages_of_one_conversation_are_deleted_and_no_others(backend):
    sid, sids = await talk(backend, 4)
    other, others = await talk(backend, 2)

    assert set(await erased(backend, sid)) <= set(sids)
    assert await erased(backend, sid) == []
    assert set(await erased(backend, other)) == set(others)


async def test_a_conversation_that_is_none_is_said_to_be(backend):
    with pytest.raises(errors.ConversationNotFound):
        [one async for one in backend.erase_messages("nothing of the kind")]
