"""What came in by Programmable Messaging, read from Twilio's own list instead of a webhook.

https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from messaging import errors
from messaging.model import Address, Channel, EventKind, InboundEvent, Media, Page
from messaging.providers.twilio import dates, resources, vocabulary
from messaging.providers.twilio.config import TwilioConfig
from messaging.providers.twilio.pair import AddressPair, is_address

MESSAGES_PATH = "/webhooks/twilio/messages"
_INBOUND = "inbound"
_MEDIA = "NumMedia"
_API = "https://api.twilio.com"
_PAGE = 500
# 2,500 messages in both directions are held at a time; a window with more is halved.
_MAX_PAGES = 5
_WINDOW = timedelta(hours=1)
# Twilio's times have whole seconds: no window can be shorter.
_SHORTEST = timedelta(seconds=1)


async def listed(messages: Any, provider: str, since: datetime, until: datetime, cursor: str | None) -> Page[Any]:
    """A page: a window of time, oldest first. `cursor` is where it begins.

    Raises:
        errors.InvalidInput
    """
    start = since if cursor is None else _read(cursor)
    end = min(start + _WINDOW, until)
    while True:
        found = await _between(messages, start, end)
        if found is not None or end - start <= _SHORTEST:
            break
        end = start + max((end - start) / 2, _SHORTEST)
    events = [event(item, provider) for item in reversed(found or ()) if _is_inbound(item, start, end)]
    return Page(
        items=tuple(sorted(events, key=lambda one: one.received_at)),  # within a second, Twilio's order
        next_cursor=end.isoformat() if end < until else None,
    )


async def _between(messages: Any, start: datetime, end: datetime) -> list[Any] | None:
    """All messages, newest first; None where they are too many."""
    # A second more on either side: whether Twilio counts the ends in is not documented.
    options: dict[str, Any] = {
        "date_sent_after": start - _SHORTEST,
        "date_sent_before": end + _SHORTEST,
        "page_size": _PAGE,
    }
    most = _MAX_PAGES if end - start > _SHORTEST else _MAX_PAGES * 100
    found: list[Any] = []
    for _ in range(most):
        page = await messages.page_async(**options)
        found += page
        cursor = resources.cursor(page.next_page_url)
        if cursor is None:
            return found
        options.update(resources.page_options(cursor))
    return None


def _is_inbound(item: Any, start: datetime, end: datetime) -> bool:
    at = _at(item)
    ends = (item.from_ or "", item.to or "")
    return item.direction == _INBOUND and at is not None and start <= at < end and all(map(is_address, ends))


def _at(item: Any) -> datetime | None:
    return dates.read(item.date_sent) or dates.read(item.date_created)


def event(item: Any, provider: str) -> InboundEvent:
    """What the webhook of this message would have been read as, but for its media."""
    pair = AddressPair(ours=vocabulary.address(item.to), theirs=vocabulary.address(item.from_))
    at = _at(item)
    return InboundEvent(
        provider=provider,
        event_key=item.sid,
        kind=EventKind.MESSAGE_ADDED,
        account_sid=item.account_sid or "",
        conversation_sid=pair.sid,
        occurred_at=at,
        received_at=at or datetime.now(UTC),
        message=resources.message(item, conversation_sid=pair.sid),
        ours=pair.ours,
        theirs=pair.theirs,
        raw={_MEDIA: str(resources.media_count(item))},
    )


async def claims(client: Any, config: TwilioConfig, ours: Address) -> bool | None:
    """Whether Twilio tells our webhook of what is texted to this address; None where it does not say."""
    if config.webhook_url is None:
        return None
    wanted = config.webhook_url + MESSAGES_PATH
    if ours.channel in {Channel.SMS, Channel.MMS} and ours.phone:
        for number in await client.incoming_phone_numbers.list_async(phone_number=ours.phone, limit=1):
            if same_url(number.sms_url, wanted):
                return True
            return await _claims_service(client, config, number.sid, wanted)
    configured = {config.phone_number, f"whatsapp:{(config.whatsapp_number or '').removeprefix('whatsapp:')}"}
    return None if ours.raw in configured else False


async def _claims_service(client: Any, config: TwilioConfig, number_sid: str, wanted: str) -> bool:
    """A Messaging Service has a webhook of its own for the numbers in it."""
    if config.messaging_service_sid is None:
        return False
    service = client.messaging.v1.services(config.messaging_service_sid)
    told = await service.fetch_async()
    if told.use_inbound_webhook_on_number or not same_url(told.inbound_request_url, wanted):
        return False
    return any(number.sid == number_sid for number in await service.phone_numbers.list_async(limit=1000))


async def is_conversations(client: Any, message: InboundEvent) -> bool:
    """Whether this pair of addresses was in a conversation then, so that the Conversations API tells of the text."""
    ours, theirs = message.ours, message.theirs
    if ours is None or theirs is None:
        return False
    rows = await client.conversations.v1.participant_conversations.list_async(address=theirs.raw, limit=100)
    for row in rows:
        binding = row.participant_messaging_binding or {}
        began, changed = dates.read(row.conversation_date_created), dates.read(row.conversation_date_updated)
        ended = row.conversation_state == "closed" and changed is not None and changed < message.received_at
        # The text itself may have opened it, a moment later.
        is_later = began is not None and began > message.received_at + timedelta(seconds=10)
        if binding.get("proxy_address") == ours.raw and not ended and not is_later:
            return True
    return False


async def with_media(client: Any, message: InboundEvent) -> InboundEvent:
    """The list tells only how many there are."""
    if message.message is None or message.raw.get(_MEDIA, "0") == "0":
        return message
    items = await client.api.v2010.account.messages(message.event_key).media.list_async(limit=10)
    media = tuple(
        Media(
            url=_API + (item.uri or "").removesuffix(".json"),
            sid=item.sid,
            content_type=item.content_type or "application/octet-stream",
        )
        for item in items
    )
    return replace(message, message=replace(message.message, media=media))


def same_url(one: str | None, other: str) -> bool:
    """Whether both name one place: connection overrides (`#rc=…`) and a query are not part of that."""
    return bool(one) and _place(one or "") == _place(other)


def _place(url: str) -> tuple[str, ...]:
    parts = urlsplit(url.strip())
    return parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/")


def _read(cursor: str) -> datetime:
    try:
        found = datetime.fromisoformat(cursor)
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - without a zone, as no cursor of ours is
    if found.tzinfo is None:
        raise errors.InvalidInput("cursor: not one that a page before this gave")
    return found
