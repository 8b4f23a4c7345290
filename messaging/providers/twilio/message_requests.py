"""What we ask Programmable Messaging for, as the SDK's arguments; refused here when Twilio could only refuse it.

https://www.twilio.com/docs/messaging/api/message-resource
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from messaging import errors
from messaging.model import Channel, Media, Message
from messaging.providers.twilio import templates
from messaging.providers.twilio.plain_text import text

MAX_BODY = 1600
MAX_MEDIA = 10

# WhatsApp and RCS carry one file a message: https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages
_ONE_FILE = frozenset({Channel.WHATSAPP, Channel.RCS, Channel.MESSENGER})
# https://www.twilio.com/docs/messaging/guides/accepted-mime-types : these Twilio resizes, all others must be small.
_RESIZED = frozenset({"image/jpeg", "image/jpg", "image/png", "image/gif"})
_MAX_MMS, _MAX_OTHER, _MAX_CHANNEL = 5_000_000, 500_000, 16_000_000


def content(message: Message, channel: Channel) -> dict[str, Any]:
    """What a message to this channel says. A template says what else there is to say.

    Raises:
        errors.InvalidMessage
    """
    if message.template:
        return templates.parameters(message.template)
    if not message.body and not message.media:
        raise errors.InvalidMessage("body: missing; text, media, both or a template expected")
    text("body", message.body, errors.InvalidMessage, most=MAX_BODY)
    most = 1 if channel in _ONE_FILE else MAX_MEDIA
    if len(message.media) > most:
        raise errors.InvalidMessage(f"media: {len(message.media)} of them, at most {most} expected on {channel.value}")
    for position, item in enumerate(message.media):
        _require_fit(item, channel, f"media[{position}]")
    whole = sum(item.size or 0 for item in message.media)
    if channel not in _ONE_FILE and whole > _MAX_MMS:
        raise errors.InvalidMessage(f"media: {whole} bytes together, at most {_MAX_MMS} expected on {channel.value}")
    said: dict[str, Any] = {"body": message.body} if message.body else {}
    return said | ({"media_url": [item.url for item in message.media]} if message.media else {})


def _require_fit(item: Media, channel: Channel, field: str) -> None:
    try:
        parts = urlsplit(item.url)
        fetchable = parts.scheme in {"http", "https"} and bool(parts.hostname) and item.url.isascii()
    except ValueError:
        fetchable = False
    if not fetchable:
        raise errors.InvalidMessage(f"{field}.url: a public http or https URL expected, for Twilio to fetch")
    kind = item.content_type.partition(";")[0].strip().lower()
    largest = _MAX_CHANNEL if channel in _ONE_FILE else _MAX_MMS if kind in _RESIZED else _MAX_OTHER
    if item.size is not None and item.size > largest:
        raise errors.InvalidMessage(f"{field}.size: {item.size} bytes, at most {largest} expected on {channel.value}")
