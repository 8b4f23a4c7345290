"""The Participant resource. https://www.twilio.com/docs/conversations/api/conversation-participant-resource"""

from typing import Any

from simulator import address
from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.records import Conversation, Participant
from simulator.rest import conversations, paging
from simulator.rest.call import GONE, Call, Reply

MAX_ATTRIBUTES = 4 * 1024  # bytes
_MAX_IDENTITY = 256
_MAX_PHONES = 50


def create(call: Call) -> Reply:
    conversation = conversations.find(call)
    if conversation.state == "closed":
        raise TwilioError(50377, "Can't update conversation as it's in final closed state")
    if call.text("MessagingBinding.ProjectedAddress") is not None:
        raise TwilioError(50452, "Group MMS is not enabled for this Account")
    fields = _member(call, conversation) | conversations.attributes(call, MAX_ATTRIBUTES) | conversations.dates(call)
    fields |= call.given(role_sid="RoleSid")
    participant = call.world.talks.join(conversation, source=call.source, **fields)
    return Reply(body=show(call, participant), status=201)


def listing(call: Call) -> Reply:
    rows = call.world.store.members.of(conversations.find(call).sid).values()
    return paging.v1(call, "participants", rows, lambda row: show(call, row))


def fetch(call: Call) -> Reply:
    return Reply(body=show(call, _find(call)))


def update(call: Call) -> Reply:
    participant = _find(call)
    fields: dict[str, Any] = call.given(role_sid="RoleSid", last_read_at="LastReadTimestamp")
    if (index := call.text("LastReadMessageIndex")) is not None:
        if not index.isdecimal():
            raise TwilioError(50421, "Invalid last read message index format")
        fields["last_read_index"] = int(index)
    fields |= {"updated": call.world.clock.now()} | conversations.attributes(call, MAX_ATTRIBUTES)
    call.world.store.participants.change(participant, **fields)
    return Reply(body=show(call, participant))


def delete(call: Call) -> Reply:
    participant = _find(call)
    call.world.talks.leave(conversations.find(call), participant, source=call.source)
    return GONE


def show(call: Call, participant: Participant) -> dict[str, Any]:
    base = f"{call.world.urls.conversations}/v1{call.service_path}/Conversations/{participant.conversation}"
    return {
        "account_sid": call.world.config.account_sid,
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


def _member(call: Call, conversation: Conversation) -> dict[str, str]:
    """Who joins: a chat identity, or a phone with one of our numbers in front of it."""
    identity = call.text("Identity")
    person, number = call.text("MessagingBinding.Address"), call.text("MessagingBinding.ProxyAddress")
    members = call.world.store.members.of(conversation.sid).values()
    if identity and not person:
        if len(identity) > _MAX_IDENTITY:
            raise TwilioError(50207, "Identity too long")
        if any(member.identity == identity for member in members):
            raise TwilioError(50433, "Participant already exists", 409)
        return {"identity": identity}
    if not person:
        raise TwilioError(50411, "Participant address is empty")
    if identity:
        raise TwilioError(50211, "Identity parameter not acceptable for this Participant")
    if not number:
        raise TwilioError(50412, "Participant proxy address is empty")
    _check_pair(call, person, number)
    if any(member.pair == (person, number) for member in members):
        raise TwilioError(50433, "Participant already exists", 409)
    if (owner := call.world.talks.owner_of((person, number))) is not None:
        message = f"A binding for this participant and proxy address already exists in Conversation {owner.sid}"
        raise TwilioError(50416, message, 409)
    if sum(member.pair is not None for member in members) >= _MAX_PHONES:
        raise TwilioError(50418, "Non-Chat participants limit exceeded")
    return {"address": person, "proxy_address": number}


def _check_pair(call: Call, person: str, number: str) -> None:
    if person == number:
        raise TwilioError(50409, "Participant address equals proxy address")
    own = call.world.texting.number
    if not address.valid(person) or own(person) is not None:
        raise TwilioError(50407, f"Invalid messaging binding address {person}")
    if address.channel(person) != address.channel(number):
        raise TwilioError(50414, "Participant address type does not match proxy address type")
    if own(number) is None:
        raise TwilioError(50413, "Account is not authorized to use proxy address")


def _find(call: Call) -> Participant:
    """By sid or by identity, in the conversation that the path names."""
    conversation, name = conversations.find(call), call.ids[1]
    members = call.world.store.members.of(conversation.sid)
    participant = members.get(name) or next((p for p in members.values() if p.identity == name), None)
    if participant is None:
        raise not_found(f"/Conversations/{call.ids[0]}/Participants/{name}")
    return participant
