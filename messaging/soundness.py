"""What every event must be before anything is done with it, whichever provider read it.

Whoever writes a provider may forget that JSON can spell half a character, that an id may be blank, or that a text may
hold a NUL; what comes after cannot carry any of these.
"""

from __future__ import annotations

from collections.abc import Iterator

from messaging.errors import InvalidWebhook
from messaging.model import Address, InboundEvent

# Ids become part of workflow ids and keys.
_MAX_ID = 1024


def require_sound(event: InboundEvent) -> None:
    """Check what a conversation is found and continued by.

    Raises:
        InvalidWebhook: names the field, and repeats no value.
    """
    for name, value in _texts(event):
        if not isinstance(value, str):
            raise InvalidWebhook(f"{name}: text expected")
        if "\0" in value:
            raise InvalidWebhook(f"{name}: holds a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidWebhook(f"{name}: holds half a character (a lone surrogate)") from None
    for name, value in (("event_key", event.event_key), ("conversation_sid", event.conversation_sid)):
        if value != value.strip() or len(value) > _MAX_ID or not (value or name == "conversation_sid"):
            raise InvalidWebhook(f"{name}: 1 to {_MAX_ID} characters without blanks around them expected")
    if not event.conversation_sid and (event.message is not None or event.delivery is not None):
        raise InvalidWebhook("conversation_sid: missing")


def _texts(event: InboundEvent) -> Iterator[tuple[str, str]]:
    yield "event_key", event.event_key
    yield "conversation_sid", event.conversation_sid
    yield "account_sid", event.account_sid
    yield from _address("ours", event.ours)
    yield from _address("theirs", event.theirs)
    if (message := event.message) is not None:
        yield from (("message.body", message.body), ("message.sid", message.sid), ("message.author", message.author))
        yield from _address("message.sender", message.sender)
        for position, media in enumerate(message.media):
            yield f"message.media[{position}].url", media.url
            yield f"message.media[{position}].content_type", media.content_type
    if (delivery := event.delivery) is not None:
        yield "delivery.message_sid", delivery.message_sid
        yield "delivery.key", delivery.key or ""


def _address(name: str, address: Address | None) -> Iterator[tuple[str, str]]:
    if address is not None:
        yield f"{name}.value", address.value
        yield f"{name}.external_id", address.external_id or ""
