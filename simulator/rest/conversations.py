"""The Conversation resource. https://www.twilio.com/docs/conversations/api/conversation-resource"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from simulator import events, idleness, jsontext
from simulator.clock import iso, parse_duration, parse_iso
from simulator.errors import TwilioError, not_found
from simulator.records import Conversation, Participant
from simulator.rest import paging
from simulator.rest.call import GONE, Call, Reply
from simulator.sids import looks_like

_STATES = ("active", "inactive", "closed")
_MAX_ATTRIBUTES = 16 * 1024  # bytes
_MAX_NAME = 256
_DAY = 24 * 3600
_LONGEST = 10 * 365 * _DAY  # of a timer; what lies further ahead has no date
# timer -> form field, least seconds, code when shorter, code when unreadable
_TIMERS = {
    "inactive": ("Timers.Inactive", 60, 50375, 50379),
    "closed": ("Timers.Closed", 600, 50376, 50380),
}


async def create(call: Call) -> Reply:
    fields = await new(call)
    conversation = call.world.talks.open(service=call.service, source=call.source, **fields)
    return Reply(body=show(call, conversation), status=201)


def listing(call: Call) -> Reply:
    state = call.asked("State")
    if state is not None and state not in _STATES:
        raise TwilioError(50378, "'State' parameter value is invalid")
    start, end = _day(call, "StartDate", 0), _day(call, "EndDate", _DAY)
    rows = (
        conversation
        for conversation in reversed(call.world.store.conversations.rows.values())
        if conversation.service == call.service
        and state in {None, conversation.state}
        and (start is None or conversation.created >= start)
        and (end is None or conversation.created < end)
    )
    return paging.v1(call, "conversations", rows, lambda row: show(call, row))


def fetch(call: Call) -> Reply:
    return Reply(body=show(call, find(call)))


async def update(call: Call) -> Reply:
    conversation = find_open(call)
    fields = read(call, conversation)
    described = replace(conversation, **fields)
    asked = await call.world.prehooks.ask(
        "onConversationUpdate", call.service, lambda: events.conversation_fields(described), source=call.source
    )
    if asked is not None:
        conversation = find_open(call)
        fields = read(call, conversation) | asked
    call.world.talks.update(conversation, fields, source=call.source)
    return Reply(body=show(call, conversation))


async def delete(call: Call) -> Reply:
    conversation = find(call)
    await call.world.prehooks.ask(
        "onConversationRemove", call.service, lambda: events.conversation_fields(conversation), source=call.source
    )
    call.world.talks.remove(find(call), source=call.source)
    return GONE


def of_participant(call: Call) -> Reply:
    """/ParticipantConversations: one row for each participant with that address or identity."""
    address, identity = call.asked("Address"), call.asked("Identity")
    if (address is None) == (identity is None):
        raise TwilioError(50451, "Please, use either Identity or Address for lookup.")
    store = call.world.store
    found = store.by_address.of(address) if address is not None else store.by_identity.of(identity)
    pairs = ((p, store.conversations.get(p.conversation)) for p in reversed(found.values()))
    rows = [p for p, conversation in pairs if conversation is not None and conversation.service == call.service]

    def show_row(participant: Participant) -> dict[str, Any]:
        conversation = store.conversations.rows[participant.conversation]
        user = call.world.people.known(conversation.service, participant.identity or "")
        base = f"{call.world.urls.conversations}/v1{call.service_path}/Conversations/{conversation.sid}"
        shown = show(call, conversation)
        return {
            "account_sid": shown["account_sid"],
            "chat_service_sid": conversation.service,
            "participant_sid": participant.sid,
            "participant_user_sid": user.sid if user is not None else None,
            "participant_identity": participant.identity,
            "participant_messaging_binding": participant.binding,
            "conversation_sid": conversation.sid,
            "conversation_unique_name": conversation.unique_name,
            "conversation_friendly_name": conversation.friendly_name,
            "conversation_attributes": conversation.attributes,
            "conversation_date_created": shown["date_created"],
            "conversation_date_updated": shown["date_updated"],
            "conversation_created_by": "system",
            "conversation_state": conversation.state,
            "conversation_timers": shown["timers"],
            "links": {"participant": f"{base}/Participants/{participant.sid}", "conversation": base},
        }

    return paging.v1(call, "conversations", rows, show_row, most=50)


async def new(call: Call) -> dict[str, Any]:
    """The fields of a conversation that may be opened: checked, and the product has agreed."""
    fields = _new(call)

    def describe() -> dict[str, str]:
        service = call.world.talks.defaults["messaging_service"]
        given = {"created": 0.0, "updated": 0.0, "messaging_service_sid": service} | fields
        return events.draft(events.conversation_fields(Conversation(sid="", service=call.service, **given)))

    asked = await call.world.prehooks.ask("onConversationAdd", call.service, describe, source=call.source)
    return fields if asked is None else _new(call) | asked


def find_open(call: Call) -> Conversation:
    """One that can still change."""
    conversation = find(call)
    if conversation.state == "closed":
        raise TwilioError(50377, "Can't update conversation as it's in final closed state")
    return conversation


def find(call: Call, place: int = 0) -> Conversation:
    """By sid or by unique name, within the service."""
    store, name = call.world.store, call.ids[place]
    conversation = store.conversations.get(name) or next(
        iter(store.unique_names.of((call.service, name)).values()), None
    )
    if conversation is None or conversation.service != call.service:
        raise not_found(f"/Conversations/{name}")
    return conversation


def attributes(call: Call, limit: int) -> dict[str, str]:
    """The Attributes field, checked, when it is there."""
    text = call.text("Attributes")
    if text is None:
        return {}
    if len(text.encode()) > limit:
        raise TwilioError(50303, f"Attributes too long: at most {limit} bytes")
    try:
        jsontext.parse(text)
    except ValueError as problem:
        raise TwilioError(50304, "Attributes not valid JSON") from problem
    return {"attributes": text}


def dates(call: Call) -> dict[str, float]:
    """DateCreated and DateUpdated, for callers that import history."""
    found: dict[str, float] = {}
    for name, target, code in (("DateCreated", "created", 50308), ("DateUpdated", "updated", 50309)):
        if text := call.text(name):
            at = parse_iso(text)
            if at is None:
                raise TwilioError(code, f"Invalid {name} parameter")
            found[target] = at
    return found


def show(call: Call, conversation: Conversation) -> dict[str, Any]:
    host = call.world.urls.conversations
    url = f"{host}/v1{call.service_path}/Conversations/{conversation.sid}"
    return {
        "sid": conversation.sid,
        "account_sid": call.world.config.account_sid,
        "chat_service_sid": conversation.service,
        "messaging_service_sid": conversation.messaging_service_sid,
        "friendly_name": conversation.friendly_name,
        "unique_name": conversation.unique_name,
        "attributes": conversation.attributes,
        "state": conversation.state,
        "date_created": iso(conversation.created),
        "date_updated": iso(conversation.updated),
        "timers": idleness.dates(conversation),
        "bindings": {},
        "url": url,
        "links": {name: f"{url}/{name.capitalize()}" for name in ("participants", "messages", "webhooks")},
    }


def read(call: Call, existing: Conversation | None = None) -> dict[str, Any]:
    """What a new conversation, or a change of one, is given. Raises TwilioError."""
    fields: dict[str, Any] = call.given(
        friendly_name="FriendlyName", unique_name="UniqueName", messaging_service_sid="MessagingServiceSid"
    )
    if len(fields.get("friendly_name", "")) > _MAX_NAME:
        raise TwilioError(50003, "Friendly name too long")
    if (sid := fields.get("messaging_service_sid")) and call.world.pools.service(sid) is None:
        raise TwilioError(50341, "Invalid messaging service SID")
    if name := fields.get("unique_name"):
        _check_unique(call, name, existing)
    if (state := call.text("State")) is not None:
        if state not in _STATES:
            raise TwilioError(50378, "'State' parameter value is invalid")
        fields["state"] = state
    if timers := _timers(call):
        fields["timers"] = {**(existing.timers if existing else {}), **timers}
    return fields | attributes(call, _MAX_ATTRIBUTES) | dates(call)


def _new(call: Call) -> dict[str, Any]:
    fields = read(call)
    if fields.get("state") == "closed":
        raise TwilioError(50384, "Initial state can't be 'closed'")
    return fields


def _day(call: Call, name: str, length: int) -> float | None:
    """An instant, or a date, of which `length` seconds count."""
    text = call.asked(name)
    if text is None:
        return None
    at = parse_iso(text)
    if at is None:
        raise TwilioError(20001, f"Invalid {name} parameter: a date like 2026-01-31 expected")
    return at + (length if "T" not in text else 0)


def _check_unique(call: Call, name: str, existing: Conversation | None) -> None:
    if len(name) > _MAX_NAME:
        raise TwilioError(50004, "Unique Name too long")
    if looks_like("CH", name):
        raise TwilioError(50390, "Unique name should not match conversation sid pattern")
    holders: Iterable[str] = call.world.store.unique_names.of((call.service, name))
    if any(existing is None or sid != existing.sid for sid in holders):
        raise TwilioError(50353, "Conversation with provided unique name already exists", 409)


def check_timer(timer: str, text: str) -> None:
    """`timer`: inactive or closed. Raises TwilioError."""
    name, least, short, unreadable = _TIMERS[timer]
    seconds = parse_duration(text)
    if seconds is None or seconds > _LONGEST:
        raise TwilioError(unreadable, f"{name} format is invalid")
    if seconds < least:
        raise TwilioError(short, f"{name} should be at least {least} seconds")


def _timers(call: Call) -> dict[str, str]:
    given = {timer: text for timer, (name, *_) in _TIMERS.items() if (text := call.text(name))}
    for timer, text in given.items():
        check_timer(timer, text)
    return given
