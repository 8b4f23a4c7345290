"""Programmable Messaging: inbound messages and status callbacks.

https://www.twilio.com/docs/messaging/guides/webhook-request
https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

from __future__ import annotations

from typing import Any

from messaging import errors
from messaging.model import Address, Channel, DeliveryReport, EventKind, InboundEvent, Media, Message, OptOut
from messaging.providers.twilio import error_table, vocabulary
from messaging.providers.twilio.arrival import Arrival
from messaging.providers.twilio.pair import AddressPair, is_address

# https://www.twilio.com/docs/messaging/api/message-resource : at most ten media in a message.
MAX_MEDIA = 10
_INBOUND = frozenset({"", "received", "receiving"})


def parse_inbound(arrival: Arrival) -> InboundEvent:
    """Read an inbound message. A status callback that was pointed at this route is read as one.

    Raises:
        errors.InvalidWebhook
    """
    status = arrival.fields.get("MessageStatus") or arrival.fields.get("SmsStatus", "")
    direction = arrival.fields.get("Direction", "").lower()
    if status.lower() not in _INBOUND and not direction:
        return parse_status(arrival)
    sid = arrival.required_sid("MessageSid")
    pair = AddressPair(
        ours=_address(arrival, "To"), theirs=_address(arrival, "From", arrival.optional("ExternalUserId"))
    )
    media = _media(arrival)
    message = Message(
        body=arrival.fields.get("Body", ""),
        media=media,
        sid=sid,
        conversation_sid=pair.sid,
        account_sid=arrival.fields.get("AccountSid", ""),
        channel=Channel.MMS if media and pair.theirs.channel is Channel.SMS else pair.theirs.channel,
        sender=pair.theirs,
        recipient=pair.ours,
        author=pair.theirs.raw,
        attributes=_attributes(arrival),
    )
    return arrival.event(
        EventKind.MESSAGE_ADDED,
        sid,
        conversation_sid=pair.sid,
        message=message,
        ours=pair.ours,
        theirs=pair.theirs,
        opt_out=_opt_out(arrival),
        echo=bool(direction) and not direction.startswith("inbound"),
    )


def parse_status(arrival: Arrival) -> InboundEvent:
    """Read one report about one of our messages; the key of the send is in the callback's URL.

    Raises:
        errors.InvalidWebhook
    """
    sid = arrival.required_sid("MessageSid")
    word = arrival.optional("MessageStatus") or arrival.required("SmsStatus")
    pair = AddressPair(
        ours=_address(arrival, "From"), theirs=_address(arrival, "To", arrival.optional("ExternalUserId"))
    )
    report = DeliveryReport(
        message_sid=sid,
        status=vocabulary.delivery_status(word),
        key=arrival.query.get("key") or None,
        error_code=arrival.error_code(),
        category=error_table.category(arrival.error_code()),
    )
    return arrival.event(
        EventKind.DELIVERY_UPDATED,
        f"{sid}:{word}",
        conversation_sid=pair.sid,
        delivery=report,
        ours=pair.ours,
        theirs=pair.theirs,
    )


def _address(arrival: Arrival, name: str, external_id: str | None = None) -> Address:
    raw = arrival.required(name)
    if not is_address(raw):
        raise errors.InvalidWebhook(f"{name}: not an address")
    return vocabulary.address(raw, external_id=external_id)


def _media(arrival: Arrival) -> tuple[Media, ...]:
    count = arrival.number("NumMedia", most=MAX_MEDIA) or 0
    return tuple(
        Media(
            url=arrival.required(f"MediaUrl{position}"),
            sid=arrival.fields[f"MediaUrl{position}"].rpartition("/")[2] or None,
            content_type=arrival.fields.get(f"MediaContentType{position}") or "application/octet-stream",
        )
        for position in range(count)
    )


def _attributes(arrival: Arrival) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    for field, (group, name) in vocabulary.MESSAGE_ATTRIBUTES.items():
        if value := arrival.fields.get(field):
            groups.setdefault(group, {})[name] = value
    return groups


def _opt_out(arrival: Arrival) -> OptOut | None:
    word = arrival.fields.get("OptOutType", "").strip().upper()
    return OptOut(word) if word in OptOut.__members__ else None
