"""The SDK's resources as our types, and back. Whatever Twilio leaves out is empty, whatever it adds is passed over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from messaging import errors
from messaging.model import (
    Binding,
    Channel,
    Conversation,
    DeliveryStatus,
    Media,
    Message,
    Participant,
    Timers,
)
from messaging.providers.twilio import dates, vocabulary

# Page tokens are opaque; this only keeps out what could never be one.
_MAX_CURSOR = 8192


def conversation(resource: Any) -> Conversation:
    """Of Conversations."""
    timers = resource.timers or {}
    return Conversation(
        sid=_sid(resource),
        account_sid=resource.account_sid or "",
        friendly_name=resource.friendly_name or "",
        unique_name=resource.unique_name or None,
        state=vocabulary.conversation_state(resource.state),
        date_created=dates.read(resource.date_created),
        date_updated=dates.read(resource.date_updated),
        attributes=read_attributes(resource.attributes),
        timers=Timers(
            date_inactive=dates.read(timers.get("date_inactive")), date_closed=dates.read(timers.get("date_closed"))
        ),
        messaging_service_sid=resource.messaging_service_sid or None,
        bindings=resource.bindings if isinstance(resource.bindings, dict) else {},
    )


def conversation_message(resource: Any) -> Message:
    """Of Conversations, where one message may reach several people by several channels."""
    author = resource.author or ""
    return Message(
        body=resource.body or "",
        media=tuple(_media(item) for item in resource.media or ()),
        sid=_sid(resource),
        conversation_sid=resource.conversation_sid or "",
        account_sid=resource.account_sid or "",
        channel=vocabulary.author(author).channel if author else Channel.UNKNOWN,
        sender=vocabulary.author(author) if author else None,
        index=resource.index,
        author=author,
        date_created=dates.read(resource.date_created),
        date_updated=dates.read(resource.date_updated),
        delivery_status=_summary(resource.delivery or {}),
        attributes=read_attributes(resource.attributes),
    )


def participant(resource: Any) -> Participant:
    """Of Conversations."""
    return Participant(
        sid=_sid(resource),
        conversation_sid=resource.conversation_sid or "",
        identity=resource.identity or None,
        binding=_binding(resource.messaging_binding),
        attributes=read_attributes(resource.attributes),
        role_sid=resource.role_sid or None,
        date_created=dates.read(resource.date_created),
        date_updated=dates.read(resource.date_updated),
    )


def message(resource: Any, *, conversation_sid: str) -> Message:
    """Of Programmable Messaging. Its list does not hold the media, only their number."""
    sender = vocabulary.address(resource.from_) if resource.from_ else None
    recipient = vocabulary.address(resource.to) if resource.to else None
    channel = recipient.channel if recipient else Channel.UNKNOWN
    return Message(
        body=resource.body or "",
        sid=_sid(resource),
        conversation_sid=conversation_sid,
        account_sid=resource.account_sid or "",
        channel=Channel.MMS if channel is Channel.SMS and media_count(resource) else channel,
        sender=sender,
        recipient=recipient,
        author=resource.from_ or "",
        date_created=dates.read(resource.date_created),
        date_updated=dates.read(resource.date_updated),
        delivery_status=vocabulary.delivery_status(resource.status),
        error_code=resource.error_code if isinstance(resource.error_code, int) else None,
    )


def media_count(resource: Any) -> int:
    """`num_media`, which Twilio writes as text."""
    text = str(resource.num_media or "0")
    return int(text) if text.isascii() and text.isdigit() else 0


def read_attributes(text: str | None) -> Mapping[str, Any]:
    """Attributes are JSON text on the wire, of which others may have made anything."""
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write_attributes(attributes: Mapping[str, Any], wrong: type[errors.InvalidInput]) -> str:
    """JSON text.

    Raises:
        errors.InvalidInput: of the kind given.
    """
    try:
        return json.dumps(dict(attributes), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise wrong("attributes: not JSON") from None


def cursor(next_page_url: str | None) -> str | None:
    """What names the next page. Not its URL: a cursor comes back from clients, and credentials would follow it."""
    if not next_page_url:
        return None
    query = parse_qs(urlsplit(next_page_url).query)
    return f"{query.get('Page', ['1'])[0]}:{query.get('PageToken', [''])[0]}"


def page_options(given: str | None) -> dict[str, Any]:
    """The SDK's arguments for a cursor.

    Raises:
        errors.InvalidInput
    """
    if given is None:
        return {}
    number, colon, token = given.partition(":")
    if not (colon and number.isascii() and number.isdigit() and len(given) <= _MAX_CURSOR and token.isprintable()):
        raise errors.InvalidInput("cursor: not one that a page before this gave")
    return {"page_number": int(number), **({"page_token": token} if token else {})}


def _sid(resource: Any) -> str:
    if not isinstance(resource.sid, str) or not resource.sid:
        raise ValueError("sid: missing in the answer")
    return resource.sid


def _media(item: Mapping[str, Any]) -> Media:
    return Media(
        sid=item.get("sid") or None,
        content_type=item.get("content_type") or "application/octet-stream",
        filename=item.get("filename") or None,
        size=item["size"] if isinstance(item.get("size"), int) else None,
    )


def _binding(raw: Mapping[str, Any] | None) -> Binding | None:
    if not raw:
        return None
    read = {name: vocabulary.address(value) for name, value in raw.items() if name.endswith("address") and value}
    return Binding(
        type=vocabulary.channel(raw.get("type")),
        address=read.get("address"),
        proxy_address=read.get("proxy_address"),
        projected_address=read.get("projected_address"),
    )


# From the furthest down; a status counts when every recipient has reached it.
# https://www.twilio.com/docs/conversations/api/conversation-message-resource
_SUMMARY = ("read", "delivered", "undelivered", "failed", "sent")


def _summary(delivery: Mapping[str, Any]) -> DeliveryStatus:
    reached = next((name for name in _SUMMARY if delivery.get(name) == "all"), None)
    return vocabulary.delivery_status(reached)
