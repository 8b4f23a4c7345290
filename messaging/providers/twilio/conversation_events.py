"""Conversations: what happened to conversations, messages, participants and deliveries.

https://www.twilio.com/docs/conversations/conversations-webhooks
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from messaging import errors
from messaging.model import (
    Address,
    Binding,
    Channel,
    Conversation,
    DeliveryReport,
    EventKind,
    InboundEvent,
    Media,
    Message,
    Participant,
)
from messaging.providers.twilio import dates, error_table, vocabulary
from messaging.providers.twilio.arrival import Arrival

# 64 bits hold any index; Twilio names no bound.
_MAX_INDEX = 2**63 - 1


def parse(arrival: Arrival) -> InboundEvent:
    """Read one event.

    Raises:
        errors.InvalidWebhook
    """
    kind = vocabulary.EVENT_KINDS.get(arrival.required("EventType"))
    if kind is None:
        return arrival.unknown(arrival.fields.get("ConversationSid", ""))
    arrival.required_sid("ConversationSid")
    return _PARSERS[kind](arrival, kind)


def _conversation(arrival: Arrival, kind: EventKind) -> InboundEvent:
    sid = arrival.required_sid("ConversationSid")
    changed = arrival.optional("StateUpdated") or arrival.optional("DateUpdated")
    conversation = Conversation(
        sid=sid,
        account_sid=arrival.fields["AccountSid"],
        friendly_name=arrival.fields.get("FriendlyName", ""),
        unique_name=arrival.optional("UniqueName"),
        state=vocabulary.conversation_state(arrival.optional("StateTo") or arrival.optional("State")),
        date_created=dates.read(arrival.optional("DateCreated")),
        date_updated=dates.read(changed),
        attributes=arrival.attributes(),
        messaging_service_sid=arrival.optional("MessagingServiceSid"),
    )
    return arrival.event(
        kind,
        _key(arrival, kind, sid, arrival.optional("StateUpdated"), arrival.optional("StateTo")),
        conversation_sid=sid,
        occurred_at=_occurred_at(arrival, kind),
        conversation=conversation,
        ours=_binding_address(arrival, "ProxyAddress"),
        theirs=_binding_address(arrival, "Address"),
    )


def _message(arrival: Arrival, kind: EventKind) -> InboundEvent:
    sid, conversation_sid = arrival.required_sid("MessageSid"), arrival.required_sid("ConversationSid")
    index = arrival.number("Index", most=_MAX_INDEX)
    source = vocabulary.channel(arrival.optional("Source"))
    author = arrival.fields.get("Author", "")
    theirs = vocabulary.author(author, source, external_id=arrival.optional("ExternalUserId")) if author else None
    attributes = arrival.attributes()
    participant = arrival.optional("ParticipantSid")
    message = Message(
        body=arrival.fields.get("Body", ""),
        media=_media(arrival),
        sid=sid,
        conversation_sid=conversation_sid,
        account_sid=arrival.fields["AccountSid"],
        channel=_channel(theirs, source),
        sender=theirs,
        index=index,
        author=author,
        date_created=dates.read(arrival.optional("DateCreated")),
        date_updated=dates.read(arrival.optional("DateUpdated")),
        attributes=attributes,
    )
    return arrival.event(
        kind,
        _key(arrival, kind, sid),
        conversation_sid=conversation_sid,
        occurred_at=_occurred_at(arrival, kind),
        index=index,
        message=message,
        participant=Participant(sid=participant, conversation_sid=conversation_sid) if participant else None,
        theirs=theirs,
        echo=_is_echo(arrival, author, attributes),
    )


def _participant(arrival: Arrival, kind: EventKind) -> InboundEvent:
    sid, conversation_sid = arrival.required_sid("ParticipantSid"), arrival.required_sid("ConversationSid")
    ours, theirs = _binding_address(arrival, "ProxyAddress"), _binding_address(arrival, "Address")
    projected = _binding_address(arrival, "ProjectedAddress")
    binding = None
    if ours or theirs or projected:
        word = vocabulary.channel(arrival.optional("MessagingBinding.Type"))
        known = theirs or projected or ours
        kind_of = known.channel if word is Channel.UNKNOWN and known else word
        binding = Binding(type=kind_of, address=theirs, proxy_address=ours, projected_address=projected)
    participant = Participant(
        sid=sid,
        conversation_sid=conversation_sid,
        identity=arrival.optional("Identity"),
        binding=binding,
        attributes=arrival.attributes(),
        role_sid=arrival.optional("RoleSid"),
        date_created=dates.read(arrival.optional("DateCreated")),
        date_updated=dates.read(arrival.optional("DateUpdated")),
    )
    return arrival.event(
        kind,
        _key(arrival, kind, sid),
        conversation_sid=conversation_sid,
        occurred_at=_occurred_at(arrival, kind),
        participant=participant,
        ours=ours,
        theirs=theirs,
    )


def _delivery(arrival: Arrival, kind: EventKind) -> InboundEvent:
    sid, word = arrival.required_sid("DeliveryReceiptSid"), arrival.required("Status")
    report = DeliveryReport(
        message_sid=arrival.required_sid("MessageSid"),
        status=vocabulary.delivery_status(word),
        error_code=arrival.error_code(),
        category=error_table.category(arrival.error_code()),
        participant_sid=arrival.optional("ParticipantSid"),
    )
    return arrival.event(
        kind,
        f"{sid}:{word}",
        conversation_sid=arrival.required_sid("ConversationSid"),
        occurred_at=_occurred_at(arrival, kind),
        delivery=report,
    )


_PARSERS: Mapping[EventKind, Callable[[Arrival, EventKind], InboundEvent]] = {
    EventKind.CONVERSATION_ADDED: _conversation,
    EventKind.CONVERSATION_UPDATED: _conversation,
    EventKind.CONVERSATION_REMOVED: _conversation,
    EventKind.CONVERSATION_STATE_UPDATED: _conversation,
    EventKind.MESSAGE_ADDED: _message,
    EventKind.MESSAGE_UPDATED: _message,
    EventKind.MESSAGE_REMOVED: _message,
    EventKind.PARTICIPANT_ADDED: _participant,
    EventKind.PARTICIPANT_UPDATED: _participant,
    EventKind.PARTICIPANT_REMOVED: _participant,
    EventKind.DELIVERY_UPDATED: _delivery,
}

# What happens to a resource more than once: the date tells the times apart.
_REPEATING = frozenset({EventKind.CONVERSATION_UPDATED, EventKind.MESSAGE_UPDATED, EventKind.PARTICIPANT_UPDATED})
_CREATING = frozenset({EventKind.CONVERSATION_ADDED, EventKind.MESSAGE_ADDED, EventKind.PARTICIPANT_ADDED})


def _key(arrival: Arrival, kind: EventKind, sid: str, *more: str | None) -> str:
    # The date has no more than milliseconds, and may be missing: the content tells two changes of one instant apart.
    changed = (arrival.optional("DateUpdated"), arrival.digest()[:16]) if kind in _REPEATING else ()
    return ":".join(part for part in (sid, arrival.fields["EventType"], *changed, *more) if part)


def _occurred_at(arrival: Arrival, kind: EventKind) -> Any:
    last = ("DateCreated",) if kind in _CREATING else ("DateRemoved", "StateUpdated", "DateUpdated", "DateCreated")
    return next((found for name in last if (found := dates.read(arrival.optional(name)))), None)


def _is_echo(arrival: Arrival, author: str, attributes: Mapping[str, Any]) -> bool:
    """REST sends come back only when asked for, and then say `API`; the rest guards against a change of that."""
    return (
        arrival.fields.get("Source", "").upper() == "API"
        or vocabulary.KEY_ATTRIBUTE in attributes
        or author == arrival.author
    )


def _channel(author: Address | None, source: Channel) -> Channel:
    # The author's prefix is exact; the source's words are not all documented.
    if author is not None and author.channel is not Channel.CHAT:
        return author.channel
    return source if source is not Channel.UNKNOWN else Channel.CHAT if author else Channel.UNKNOWN


def _binding_address(arrival: Arrival, name: str) -> Address | None:
    raw = arrival.optional(f"MessagingBinding.{name}")
    return vocabulary.address(raw) if raw else None


def _media(arrival: Arrival) -> tuple[Media, ...]:
    items = arrival.json("Media") or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise errors.InvalidWebhook("Media: a JSON list of objects expected")
    return tuple(
        Media(
            sid=_text(item.get("Sid")),
            content_type=_text(item.get("ContentType")) or "application/octet-stream",
            filename=_text(item.get("Filename")),
            size=item["Size"] if isinstance(item.get("Size"), int) else None,
        )
        for item in items
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
