"""From a provider's event to the conversation's workflow, on the real Temporal server."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from messaging.model import (
    Address,
    Channel,
    Conversation,
    DeliveryReport,
    DeliveryStatus,
    EventKind,
    InboundEvent,
    Media,
    Message,
    OptOut,
)
from messaging.model import (
    ConversationState as ProviderState,
)
from runtime.gateway import Gateway
from runtime.temporal import TemporalUnreachable
from tests.integration.harness import Bench
from tests.support.ports import eventually, free_port
from workflows.conversation import ConversationWorkflow
from workflows.policy import Rules, TurnPolicy
from workflows.state import Outcome, TurnRecord
from workflows.views import ConversationView

_numbers = itertools.count(uuid.uuid4().int % 10**7)


def _phone() -> str:
    """A number that no other test has: the server is shared, and a pair of numbers is one conversation."""
    return f"+1555{next(_numbers) % 10**7:07}"


@dataclass(slots=True)
class Person:
    """Somebody with a number, and the events that a provider would report of them."""

    phone: str = field(default_factory=_phone)
    ours: str = "+15550100000"

    def says(self, body: str, *, channel: str = "", key: str | None = None, **fields: Any) -> InboundEvent:
        theirs, ours = Address.parse(f"{channel}{self.phone}"), Address.parse(f"{channel}{self.ours}")
        sid = key or f"SM{uuid.uuid4().hex}"
        message = Message(body=body, sid=sid, channel=theirs.channel, sender=theirs, recipient=ours)
        return InboundEvent(
            **{
                "provider": "outbox",
                "event_key": sid,
                "kind": EventKind.MESSAGE_ADDED,
                "conversation_sid": f"{ours.raw}|{theirs.raw}",
                "received_at": datetime.now(UTC),
                "message": message,
                "ours": ours,
                "theirs": theirs,
                **fields,
            }
        )

    def got(self, message_sid: str, status: DeliveryStatus, *, key: str | None = None) -> InboundEvent:
        report = DeliveryReport(message_sid=message_sid, status=status, key=key)
        return self.says(
            "", key=f"{message_sid}:{status}", kind=EventKind.DELIVERY_UPDATED, message=None, delivery=report
        )


@dataclass(slots=True)
class Door:
    """A gateway in front of a bench."""

    bench: Bench
    gateway: Gateway

    def handle(self, event: InboundEvent) -> WorkflowHandle[Any, Any]:
        return self.bench.client.get_workflow_handle(self.gateway.conversation_id(event))

    async def view(self, event: InboundEvent) -> ConversationView:
        return await self.handle(event).query(ConversationWorkflow.view)

    async def turn(self, event: InboundEvent, number: int) -> TurnRecord:
        async def look() -> TurnRecord | None:
            record = await self.handle(event).query(ConversationWorkflow.last_turn)
            return record if record and record.number >= number else None

        record = await eventually(look)
        assert record is not None
        return record

    async def runs(self, event: InboundEvent) -> list[WorkflowExecutionDescription]:
        """The latest run, or nothing where there never was one."""
        try:
            return [await self.handle(event).describe()]
        except RPCError:
            return []


@pytest.fixture
def door(bench: Bench) -> Door:
    return Door(bench, Gateway(client=bench.client, task_queue=bench.queue, id_key=b"a key of tests", rules=Rules()))


async def test_a_text_starts_a_conversation_that_tells_what_it_is_and_no_number(door: Door) -> None:
    person = Person()
    said = person.says("hello")
    assert await door.gateway.accept([said]) == 1
    assert (await door.turn(said, 1)).outcome is Outcome.ANSWERED
    assert door.bench.outbox.bodies == ["re: hello"]

    described = await door.handle(said).describe()
    memo = dict(await described.memo())
    summary = await described.static_summary()
    view = await door.view(said)
    assert memo == {
        "channel": "sms",
        "contact_id": view.contact_id,
        "provider": "outbox",
        "provider_sid": "",
        "created_at": view.created_at.isoformat(),
    }
    assert summary == "sms conversation"
    shown = json.dumps([described.id, memo, summary, await described.static_details(), str(view)])
    assert [number for number in (person.phone, person.ours) if number[1:] in shown] == []


async def test_a_providers_opaque_conversation_stays_findable_by_its_sid(door: Door) -> None:
    sid = f"CH{uuid.uuid4().hex}"
    said = Person().says("hello", conversation_sid=sid)
    await door.gateway.accept([said])
    described = await door.handle(said).describe()
    assert described.id == f"outbox-{sid}"
    assert (await described.memo())["provider_sid"] == sid


async def test_one_number_on_two_channels_is_two_conversations_of_one_contact(door: Door) -> None:
    person = Person()
    events = [person.says("by sms"), person.says("by whatsapp", channel="whatsapp:")]
    assert await door.gateway.accept(events) == 2
    for event in events:
        await door.turn(event, 1)

    sms, whatsapp = [await door.view(event) for event in events]
    assert (sms.channel, whatsapp.channel) == ("sms", "whatsapp")
    assert sms.id != whatsapp.id
    assert sms.contact_id == whatsapp.contact_id


async def test_a_picture_and_a_text_between_two_numbers_are_one_conversation(door: Door) -> None:
    person = Person()
    text = person.says("look at this")
    assert text.message is not None
    picture = person.says("")
    picture = replace(
        picture,
        message=Message(
            sid=picture.event_key,
            channel=Channel.MMS,
            sender=picture.theirs,
            media=(Media(url="https://example.org/1", content_type="image/png"),),
        ),
    )
    await door.gateway.accept([text])
    await door.turn(text, 1)
    await door.gateway.accept([picture])
    await door.turn(text, 2)
    assert door.bench.outbox.bodies == ["re: look at this", "re: [attachment: image/png]"]


async def test_people_whose_address_is_not_known_are_not_one_person(door: Door) -> None:
    """One contact is one memory: two strangers must not remember each other's words."""
    events = [Person().says("hello", conversation_sid=f"CH{uuid.uuid4().hex}", theirs=None) for _ in range(2)]
    await door.gateway.accept(events)
    for event in events:
        await door.turn(event, 1)
    one, other = [await door.view(event) for event in events]
    assert one.contact_id != other.contact_id


async def test_the_same_event_twenty_times_at_once_is_one_turn(door: Door) -> None:
    person = Person()
    said = person.says("hello")
    assert await asyncio.gather(*(door.gateway.accept([said]) for _ in range(20))) == [1] * 20
    await door.turn(said, 1)
    bye = person.says("bye")
    await door.gateway.accept([bye])
    assert (await door.turn(bye, 2)).number == 2
    assert door.bench.outbox.bodies == ["re: hello", "re: bye"]


async def test_events_handed_over_together_keep_their_order(door: Door) -> None:
    person = Person()
    texts = [person.says(f"text {number}") for number in range(5)]
    await door.gateway.accept(texts)

    async def answered() -> bool:
        return sum(len(body.splitlines()) for body in door.bench.outbox.bodies) == len(texts)

    await eventually(answered)
    said = "\n".join(body.removeprefix("re: ") for body in door.bench.outbox.bodies)
    assert said.splitlines() == [f"text {number}" for number in range(5)]


def _nothing_to_start(person: Person) -> dict[str, InboundEvent]:
    others = set(EventKind) - {EventKind.MESSAGE_ADDED, EventKind.DELIVERY_UPDATED}
    return {
        "an echo of our own send": person.says("re: hello", echo=True),
        "a message event without its message": person.says("hello", message=None),
        "a delivery event without its report": person.says("", kind=EventKind.DELIVERY_UPDATED, message=None),
        "a report about a conversation nobody knows": person.got("SM1", DeliveryStatus.DELIVERED),
        **{f"{kind} with a text in it": person.says("hello", kind=kind) for kind in sorted(others)},
    }


@pytest.mark.parametrize("case", list(_nothing_to_start(Person())))
async def test_what_is_no_text_starts_nothing(door: Door, case: str) -> None:
    event = _nothing_to_start(Person())[case]
    assert await door.gateway.accept([event]) == 0
    assert await door.runs(event) == []


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (DeliveryStatus.UNKNOWN, 0),
        (DeliveryStatus.QUEUED, 0),
        (DeliveryStatus.SENDING, 0),
        (DeliveryStatus.SENT, 1),
        (DeliveryStatus.UNDELIVERED, 1),
        (DeliveryStatus.FAILED, 1),
        (DeliveryStatus.DELIVERED, 1),
        (DeliveryStatus.READ, 1),
    ],
)
async def test_a_report_that_says_something_new_reaches_its_message(
    door: Door, status: DeliveryStatus, told: int
) -> None:
    person = Person()
    said = person.says("hello")
    await door.gateway.accept([said])
    await door.turn(said, 1)
    assert await door.gateway.accept([person.got("SM1", status)]) == told
    transcript = await door.handle(said).query(ConversationWorkflow.transcript)
    assert transcript.messages[-1].status == (status.value if told else "queued")


async def _close(door: Door, event: InboundEvent) -> None:
    handle = door.bench.client.get_workflow_handle(
        door.gateway.conversation_id(event), run_id=(await door.handle(event).describe()).run_id
    )
    await handle.execute_update(ConversationWorkflow.close)
    await handle.result()


async def test_a_report_about_a_closed_conversation_starts_nothing(door: Door) -> None:
    person = Person()
    said = person.says("hello")
    await door.gateway.accept([said])
    await door.turn(said, 1)
    await _close(door, said)
    before = await door.runs(said)

    assert await door.gateway.accept([person.got("SM1", DeliveryStatus.READ)]) == 0
    assert [run.run_id for run in await door.runs(said)] == [run.run_id for run in before]


async def test_after_a_close_the_next_text_goes_on_and_old_texts_stay_known(door: Door) -> None:
    person = Person()
    first = person.says("one")
    for number in range(1, 4):
        await door.gateway.accept([first if number == 1 else person.says(f"text {number}")])
        await door.turn(first, number)
        closed = (await door.runs(first))[0].run_id
        await _close(door, first)

    await door.gateway.accept([first])  # its webhook comes again, long after
    await door.gateway.accept([person.says("four")])
    assert (await door.turn(first, 4)).number == 4
    assert door.bench.outbox.bodies == ["re: one", "re: text 2", "re: text 3", "re: four"]
    assert (await door.runs(first))[0].run_id != closed


async def test_many_texts_at_once_after_a_close_are_all_answered(door: Door) -> None:
    person = Person()
    first = person.says("one")
    await door.gateway.accept([first])
    await door.turn(first, 1)
    await _close(door, first)

    texts = [person.says(f"again {number}") for number in range(10)]
    await asyncio.gather(*(door.gateway.accept([text]) for text in texts))

    async def answered() -> bool:
        said = "\n".join(door.bench.outbox.bodies[1:]).replace("re: ", "").splitlines()
        return sorted(said) == sorted(f"again {number}" for number in range(10))

    await eventually(answered)


async def test_a_word_that_the_provider_recognised_counts(door: Door) -> None:
    stop = Person().says("arrêt", opt_out=OptOut.STOP)
    await door.gateway.accept([stop])
    assert (await door.turn(stop, 1)).outcome is Outcome.OPTED_OUT
    assert (await door.view(stop)).opted_out


async def test_the_gateways_rules_travel_with_each_text(bench: Bench) -> None:
    gateway = Gateway(client=bench.client, task_queue=bench.queue, id_key=b"k", rules=Rules(idle_close=1))
    said = Person().says("hello")
    await gateway.accept([said])
    async with asyncio.timeout(30):  # under the default it would be a day
        await bench.client.get_workflow_handle(gateway.conversation_id(said)).result()


async def test_a_channel_may_have_a_turn_policy_of_its_own(bench: Bench) -> None:
    gateway = Gateway(
        client=bench.client,
        task_queue=bench.queue,
        id_key=b"k",
        rules=Rules(),
        turn_policies={"whatsapp": TurnPolicy.ENQUEUE},
    )
    door, person = Door(bench, gateway), Person()
    policies = []
    for channel in ("", "whatsapp:"):
        said = person.says("hello", channel=channel)
        await gateway.accept([said])
        await door.turn(said, 1)
        policies.append((await door.view(said)).turn_policy)

    assert policies == ["coalesce", "enqueue"]


@pytest.mark.parametrize(("told", "seen"), [(ProviderState.INACTIVE, "inactive"), (ProviderState.CLOSED, None)])
async def test_what_the_provider_made_of_a_conversation_reaches_it(
    door: Door, told: ProviderState, seen: str | None
) -> None:
    person = Person()
    said = person.says("hello")
    await door.gateway.accept([said])
    await door.turn(said, 1)
    ended = replace(
        said,
        kind=EventKind.CONVERSATION_STATE_UPDATED,
        message=None,
        conversation=Conversation(sid=said.conversation_sid, state=told),
    )
    assert await door.gateway.accept([ended]) == 1

    if seen is None:
        await door.handle(said).result()
    else:
        assert (await door.view(said)).state == seen


@asynccontextmanager
async def _nobody_listens() -> AsyncIterator[int]:
    yield free_port()


@asynccontextmanager
async def _listens_and_never_answers() -> AsyncIterator[int]:
    over = asyncio.Event()

    async def keep(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        over.set()


@pytest.mark.parametrize("fault", [_nobody_listens, _listens_and_never_answers])
@pytest.mark.parametrize("kind", [EventKind.MESSAGE_ADDED, EventKind.DELIVERY_UPDATED])
async def test_the_provider_hears_soon_that_temporal_is_out_of_reach(fault: Any, kind: EventKind) -> None:
    person = Person()
    event = person.says("hello") if kind is EventKind.MESSAGE_ADDED else person.got("SM1", DeliveryStatus.READ)
    async with fault() as port:
        client = await Client.connect(f"127.0.0.1:{port}", data_converter=pydantic_data_converter, lazy=True)
        gateway = Gateway(client=client, task_queue="nobody", id_key=b"k", rules=Rules())
        async with asyncio.timeout(15):  # what a provider waits before it gives up by itself
            with pytest.raises(TemporalUnreachable):
                await gateway.accept([event])


async def test_a_server_that_says_no_is_no_acceptance_either(temporal_address: str) -> None:
    client = await Client.connect(temporal_address, namespace="nowhere", data_converter=pydantic_data_converter)
    gateway = Gateway(client=client, task_queue="nobody", id_key=b"k", rules=Rules())
    with pytest.raises(TemporalUnreachable):
        await gateway.accept([Person().says("hello")])
