"""The Participant resource. https://www.twilio.com/docs/conversations/api/conversation-participant-resource"""

from dataclasses import replace
from typing import Any

from simulator import digits, events
from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.records import Conversation, Participant
from simulator.rest import conversations, members, paging
from simulator.rest.call import GONE, Call, Reply

MAX_ATTRIBUTES = 4 * 1024  # bytes
_MAX_MEMBERS = 1000


async def create(call: Call) -> Reply:
    conversation, fields = _new(call)

    def describe() -> dict[str, str]:
        given = {"created": 0.0, "updated": 0.0} | fields
        return events.draft(events.participant_fields(Participant(sid="", conversation=conversation.sid, **given)))

    if await call.world.prehooks.ask("onParticipantAdd", call.service, describe, source=call.source) is not None:
        conversation, fields = _new(call)
    participant = call.world.talks.join(conversation, source=call.source, **fields)
    return Reply(body=show(call, participant), status=201)


def listing(call: Call) -> Reply:
    rows = call.world.store.members.of(conversations.find(call).sid).values()
    return paging.v1(call, "participants", rows, lambda row: show(call, row))


def fetch(call: Call) -> Reply:
    return Reply(body=show(call, _find(call)))


async def update(call: Call) -> Reply:
    participant, fields = _change(call)
    described = replace(participant, **fields)
    asked = await call.world.prehooks.ask(
        "onParticipantUpdate",
        call.service,
        lambda: events.changed(events.participant_fields(described), described.updated),
        source=call.source,
    )
    if asked is not None:
        participant, fields = _change(call)
    call.world.talks.alter(conversations.find(call), participant, fields, source=call.source)
    return Reply(body=show(call, participant))


async def delete(call: Call) -> Reply:
    participant = _find(call)
    await call.world.prehooks.ask(
        "onParticipantRemove",
        call.service,
        lambda: events.changed(events.participant_fields(participant), participant.updated),
        source=call.source,
    )
    participant = _find(call)
    call.world.talks.leave(conversations.find(call), participant, source=call.source)
    return GONE


def show(call: Call, participant: Participant) -> dict[str, Any]:
    base = f"{call.world.urls.conversations}/v1{call.service_path}/Conversations/{participant.conversation}"
    return {
        "account_sid": call.world.config.account_sid,
        **call.of_service,
        "conversation_sid": participant.conversation,
        "sid": participant.sid,
        "identity": participant.identity,
        "attributes": participant.attributes,
        "messaging_binding": participant.binding,
        "role_sid": participant.role_sid,
        "date_created": iso(participant.created),
        "date_updated": iso(participant.updated),
        "url": f"{base}/Participants/{participant.sid}",
        "last_read_message_index": participant.last_read_index,
        "last_read_timestamp": participant.last_read_at,
    }


def _new(call: Call) -> tuple[Conversation, dict[str, Any]]:
    """Somebody who may join, and where."""
    conversation = conversations.find_open(call)
    there = list(call.world.store.members.of(conversation.sid).values())
    if len(there) >= _MAX_MEMBERS:
        raise TwilioError(50417, "Participants limit exceeded")
    wanted = members.from_form(call)
    members.check(call, wanted, there, conversation.sid)
    fields: dict[str, Any] = (
        wanted.fields() | conversations.attributes(call, MAX_ATTRIBUTES) | conversations.dates(call)
    )
    return conversation, fields | _role(call)


def _change(call: Call) -> tuple[Participant, dict[str, Any]]:
    participant = _find(call)
    fields: dict[str, Any] = call.given(last_read_at="LastReadTimestamp") | _role(call) | _rebound(call, participant)
    if (index := call.text("LastReadMessageIndex")) is not None:
        if (number := digits.whole(index)) is None:
            raise TwilioError(50421, "Invalid last read message index format")
        fields["last_read_index"] = number
    return participant, fields | conversations.attributes(call, MAX_ATTRIBUTES)


def _role(call: Call) -> dict[str, str]:
    sid = call.text("RoleSid")
    if not sid:
        return {}
    role = call.world.store.roles.get(sid)
    if role is None or role.service != call.service:
        raise TwilioError(50109, "Conversation role not found", 404)
    return {"role_sid": sid}


def _rebound(call: Call, participant: Participant) -> dict[str, str]:
    """A phone may get another of our numbers in front of it, a chat user another name."""
    fields: dict[str, str] = call.given(proxy_address="MessagingBinding.ProxyAddress", identity="Identity")
    if (number := fields.get("proxy_address")) and participant.address:
        if (owner := call.world.talks.owner_of((participant.address, number))) is not None:
            message = f"A binding for this participant and proxy address already exists in Conversation {owner.sid}"
            raise TwilioError(50416, message, 409)
        members.check_pair(call, participant.address, number)
    if (projected := call.text("MessagingBinding.ProjectedAddress")) is not None:
        members.check_projected(call, projected)
        fields["projected_address"] = projected
    return fields


def _find(call: Call) -> Participant:
    """By sid or by identity, in the conversation that the path names."""
    conversation, name = conversations.find(call), call.ids[1]
    there = call.world.store.members.of(conversation.sid)
    participant = there.get(name) or next((p for p in there.values() if p.identity == name), None)
    if participant is None:
        raise not_found(f"/Conversations/{call.ids[0]}/Participants/{name}")
    return participant
