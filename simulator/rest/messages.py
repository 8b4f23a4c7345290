"""The Message resource of the 2010 API. https://www.twilio.com/docs/messaging/api/message-resource"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from simulator import address, callbacks
from simulator.clock import parse_iso, rfc2822
from simulator.errors import TwilioError, not_found
from simulator.records import Message
from simulator.rest import paging
from simulator.rest.call import GONE, Call, Reply
from simulator.texting import Outgoing

MAX_BODY = 1600
_MAX_MEDIA = 10
_DAY = 24 * 3600
_SEND_AT = (300, 35 * _DAY)  # seconds ahead; https://www.twilio.com/docs/api/errors/35115


def create(call: Call) -> Reply:
    recipient = _recipient(call)
    sender = _sender(call, recipient)
    body = call.text("Body") or ""
    media = [url for url in call.form.get("MediaUrl", []) if url]
    content = call.text("ContentSid")
    if not body and not media and not content:
        raise TwilioError(21602, "Message body is required.")
    if len(body) > MAX_BODY:
        raise TwilioError(21617, "The concatenated message body exceeds the 1600 character limit.")
    _check_media(media, recipient)
    callback = call.text("StatusCallback") or None
    if callback is not None and not _is_url(callback):
        raise TwilioError(21609, f"The 'StatusCallback' URL {callback} is not a valid URL.")
    if sender is not None and call.world.consent.refused(sender, recipient):
        raise TwilioError(21610, "Attempt to send to unsubscribed recipient")
    message = call.world.texting.send(
        Outgoing(
            sender=sender,
            recipient=recipient,
            body="" if content else body,
            media=[] if content else callbacks.media(call.world.sids, media),
            status_callback=callback,
            messaging_service_sid=call.text("MessagingServiceSid") or None,
            content_sid=content,
            send_at=_send_at(call),
        )
    )
    return Reply(body=show(call, message), status=201)


def listing(call: Call) -> Reply:
    return paging.v2010(call, "messages", _matching(call), lambda message: show(call, message))


def fetch(call: Call) -> Reply:
    return Reply(body=show(call, _find(call)))


def update(call: Call) -> Reply:
    message = _find(call)
    if (body := call.text("Body")) is not None:
        if body:
            raise TwilioError(20001, "Body: only an empty text is allowed, which redacts the message.")
        call.world.store.messages.change(message, body="", updated=call.world.clock.now())
    if (status := call.text("Status")) is not None:
        if status != "canceled":
            raise TwilioError(20001, "Status: only canceled is allowed.")
        if message.status != "scheduled":
            raise TwilioError(30409, "Message is not in a cancelable state.")
        call.world.texting.cancel(message)
    return Reply(body=show(call, message))


def delete(call: Call) -> Reply:
    message = _find(call)
    if message.status in {"accepted", "queued", "sending"}:
        raise TwilioError(20009, "Cannot delete this resource before it is complete.", 409)
    call.world.store.messages.remove(message.sid)
    return GONE


def list_media(call: Call) -> Reply:
    message = _find(call)
    rows = [_show_media(call, message, media) for media in message.media]
    base = f"{_uri(call, message)}/Media.json"
    page = f"{base}?PageSize=50&Page=0"
    envelope = {"media_list": rows, "first_page_uri": page, "next_page_uri": None, "previous_page_uri": None}
    return Reply(body=envelope | {"uri": page, "page": 0, "page_size": 50, "start": 0, "end": max(0, len(rows) - 1)})


def fetch_media(call: Call) -> Reply:
    """With `.json` the description; without, a redirect to the bytes, as Twilio redirects to its storage."""
    message, (name, dot, _) = _find(call), call.ids[2].partition(".")
    media = next((media for media in message.media if media["sid"] == name), None)
    if media is None:
        raise not_found(call.path)
    if dot:
        return Reply(body=_show_media(call, message, media))
    return Reply(status=307, headers={"Location": media["url"]})


def show(call: Call, message: Message) -> dict[str, Any]:
    uri = _uri(call, message)
    return {
        "account_sid": call.world.config.account_sid,
        "api_version": callbacks.API_VERSION,
        "body": message.body,
        "date_created": rfc2822(message.created),
        "date_sent": rfc2822(message.sent) if message.sent is not None else None,
        "date_updated": rfc2822(message.updated),
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": message.error_message,
        "from": message.sender or None,
        "messaging_service_sid": message.messaging_service_sid,
        "num_media": str(len(message.media)),
        "num_segments": str(message.num_segments if message.sender else 0),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.recipient,
        "uri": f"{uri}.json",
    }


def _recipient(call: Call) -> str:
    recipient = call.text("To")
    if not recipient:
        raise TwilioError(21604, "A 'To' phone number is required.")
    if (magic := address.MAGIC_TO.get(recipient)) is not None:
        raise TwilioError(magic[0], magic[1].format(recipient))
    recipient = address.normal(recipient)
    if not address.valid(recipient):
        raise TwilioError(21211, f"The 'To' number {recipient} is not a valid phone number.")
    return recipient


def _sender(call: Call, recipient: str) -> str | None:
    sender = call.text("From")
    if not sender:
        if call.text("MessagingServiceSid"):
            return None
        raise TwilioError(21603, "A 'From' phone number is required.")
    if (magic := address.MAGIC_FROM.get(sender)) is not None:
        raise TwilioError(magic[0], magic[1].format(sender))
    sender = address.normal(sender)
    if sender == recipient:
        raise TwilioError(21266, "'To' and 'From' number cannot be the same.")
    channel = address.channel(sender)
    if channel != address.channel(recipient) and "rcs" not in {channel, address.channel(recipient)}:
        raise TwilioError(21910, "Invalid 'From' and 'To' pair. 'From' and 'To' should be of the same channel.")
    if sender == address.MAGIC_OK or call.world.texting.number(sender) is not None:
        return sender
    if channel == "sms":
        raise TwilioError(
            21606,
            f"The 'From' phone number {sender} is not a valid, SMS-capable inbound phone number for your account.",
        )
    raise TwilioError(63007, "Twilio could not find a Channel with the specified 'From' address.")


def _check_media(urls: list[str], recipient: str) -> None:
    most = 1 if address.channel(recipient) == "whatsapp" else _MAX_MEDIA
    if len(urls) > most:
        raise TwilioError(21623, "Number of media files exceeds allowed limit.")
    if wrong := next((url for url in urls if not _is_url(url)), None):
        raise TwilioError(21620, f"Invalid media URL: {wrong}")


def _send_at(call: Call) -> float | None:
    if call.text("ScheduleType") is None:
        return None
    if not call.text("MessagingServiceSid"):
        raise TwilioError(35118, "MessagingServiceSid is required to schedule a message.")
    at = parse_iso(call.text("SendAt") or "")
    if at is None:
        raise TwilioError(35114, "SendAt: a time like 2026-01-31T12:00:00Z is required.")
    nearest, farthest = _SEND_AT
    if not nearest < at - call.world.clock.now() <= farthest:
        raise TwilioError(35115, "SendAt must be more than 5 minutes and at most 35 days ahead.")
    return at


def _matching(call: Call) -> Iterator[Message]:
    """Newest first. Narrowed by the rarer of To and From, which is what a reconciling caller asks for."""
    store = call.world.store
    to, sender = call.asked("To"), call.asked("From")
    rows: Iterable[Message] = reversed(store.messages.rows.values())
    candidates = [index.of(key) for index, key in ((store.messages_to, to), (store.messages_from, sender)) if key]
    if candidates:
        rows = reversed(min(candidates, key=len).values())
    low, high = _between(call)
    for message in rows:
        if (to and message.recipient != to) or (sender and message.sender != sender):
            continue
        # A message that is not sent yet has no date_sent; Twilio files it under its creation.
        if low <= (message.sent if message.sent is not None else message.created) < high:
            yield message


def _between(call: Call) -> tuple[float, float]:
    low, high = 0.0, float("inf")
    for name, value in ((name, values[0]) for name, values in call.query.items() if name.startswith("DateSent")):
        start, length = _instant(name, value)
        if name in {"DateSent", "DateSent>"}:
            low = max(low, start)
        if name in {"DateSent", "DateSent<"}:
            high = min(high, start + length)
    return low, high


def _instant(name: str, value: str) -> tuple[float, float]:
    """Start and length in seconds: a date is a whole GMT day, a time is its second."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp(), _DAY
    at = parse_iso(value)
    if at is None:
        raise TwilioError(20001, f"Invalid {name} parameter: {value}")
    return at, 1


def _find(call: Call) -> Message:
    message = call.world.store.messages.get(call.ids[1].removesuffix(".json"))
    if message is None:
        raise not_found(call.path)
    return message


def _uri(call: Call, message: Message) -> str:
    return f"{call.world.urls.account}/Messages/{message.sid}"


def _show_media(call: Call, message: Message, media: dict[str, str]) -> dict[str, Any]:
    return {
        "account_sid": call.world.config.account_sid,
        "content_type": media["content_type"],
        "date_created": rfc2822(message.created),
        "date_updated": rfc2822(message.updated),
        "parent_sid": message.sid,
        "sid": media["sid"],
        "uri": f"{_uri(call, message)}/Media/{media['sid']}.json",
    }


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
