"""What a POST to Messages asks to send, checked. https://www.twilio.com/docs/messaging/api/message-resource"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from simulator import address, callbacks, digits, jsontext, weburl
from simulator.assets import MessagingService
from simulator.clock import parse_iso
from simulator.content import Rendered, render
from simulator.errors import TwilioError
from simulator.rest.call import Call
from simulator.texting import MAX_BODY, MAX_VALIDITY, Outgoing

MAX_VARIABLES = 100
_MAX_KEY, _MAX_VALUE = 16, 256  # https://www.twilio.com/docs/conversations/conversations-limits
_MAX_MEDIA = 10
_MAX_CALLBACK = 4000
_DAY = 24 * 3600
_SEND_AT = (300, 35 * _DAY)  # seconds ahead; https://www.twilio.com/docs/api/errors/35115


def read(call: Call) -> Outgoing:
    """Raises TwilioError."""
    recipient, pool = _recipient(call), _pool(call)
    sender = _sender(call, recipient, pool)
    body = call.text("Body") or ""
    urls = [url for url in call.form.get("MediaUrl", []) if url]
    content = call.text("ContentSid") or None
    if not body and not urls and not content:
        raise TwilioError(21602, "Message body is required.")
    rendered = Rendered(body=body, media=tuple(urls))
    if content is not None:
        rendered = _rendered(call, content, recipient, sender)
    elif len(body) > MAX_BODY:
        raise TwilioError(21617, "The concatenated message body exceeds the 1600 character limit.")
    _check_media(urls if content is None else [], recipient)
    return Outgoing(
        sender=sender,
        recipient=recipient,
        body=rendered.body,
        media=callbacks.media(call.world.sids, rendered.media),
        buttons=rendered.buttons,
        failure=rendered.failure,
        status_callback=_callback(call, pool),
        messaging_service_sid=pool.sid if pool else None,
        content_sid=content,
        send_at=_send_at(call),
        validity=_validity(call, pool),
    )


def variables(text: str | None, *, code: int) -> dict[str, str]:
    """ContentVariables: a JSON object of texts. Raises TwilioError with `code`."""
    if not text:
        return {}
    try:
        found: Any = jsontext.parse(text)
    except ValueError as problem:
        raise TwilioError(code, "The ContentVariables parameter is invalid: not JSON.") from problem
    if not isinstance(found, dict) or len(found) > MAX_VARIABLES:
        raise TwilioError(code, f"The ContentVariables parameter is invalid: an object of up to {MAX_VARIABLES}.")
    texts = {str(name): str(value) for name, value in found.items()}
    if any(len(name) > _MAX_KEY or len(value) > _MAX_VALUE for name, value in texts.items()):
        raise TwilioError(code, f"ContentVariables: keys of {_MAX_KEY} and values of {_MAX_VALUE} characters at most.")
    return texts


def _recipient(call: Call) -> str:
    recipient = call.text("To")
    if not recipient:
        raise TwilioError(21604, "A 'To' phone number is required.")
    if (magic := _magic(call, address.MAGIC_TO, recipient)) is not None:
        raise TwilioError(magic[0], magic[1].format(recipient))
    recipient = address.normal(recipient)
    if not address.valid(recipient):
        raise TwilioError(21211, f"The 'To' number {recipient} is not a valid phone number.")
    return recipient


def _magic(call: Call, table: Mapping[str, tuple[int, str]], number: str) -> tuple[int, str] | None:
    return table.get(number) if call.test or call.world.config.live_magic else None


def _pool(call: Call) -> MessagingService | None:
    sid, fallback = call.text("MessagingServiceSid"), call.text("FallbackFrom")
    if fallback and call.text("From"):
        raise TwilioError(21664, "'FallbackFrom' cannot be given together with 'From'.")
    if not sid:
        if fallback:
            raise TwilioError(21666, "'FallbackFrom' requires a 'MessagingServiceSid'.")
        return None
    service = call.world.pools.service(sid)
    if service is None:
        raise TwilioError(21705, f"The Messaging Service Sid {sid} is invalid.")
    if fallback and not call.world.pools.senders(sid, "rcs"):
        raise TwilioError(21667, "The Messaging Service has no RCS sender to fall back from.")
    return service


def _sender(call: Call, recipient: str, pool: MessagingService | None) -> str | None:
    """None: the pool chooses."""
    sender, channel = call.text("From"), address.channel(recipient)
    if not sender:
        if pool is None:
            raise TwilioError(21603, "A 'From' phone number is required.")
        if not call.world.pools.senders(pool.sid, channel):
            raise TwilioError(21703, f"The Messaging Service {pool.sid} has no sender for this channel.")
        return None
    if (magic := _magic(call, address.MAGIC_FROM, sender)) is not None:
        raise TwilioError(magic[0], magic[1].format(sender))
    sender = address.normal(sender)
    if sender == recipient:
        raise TwilioError(21266, "'To' and 'From' number cannot be the same.")
    if address.channel(sender) != channel and "rcs" not in {channel, address.channel(sender)}:
        raise TwilioError(21910, "Invalid 'From' and 'To' pair. 'From' and 'To' should be of the same channel.")
    number = call.world.texting.number(sender)
    if (sender != address.MAGIC_OK) if call.test else (number is None):
        raise _not_ours(sender)
    if pool is not None and number not in call.world.pools.senders(pool.sid):
        raise TwilioError(21712, f"The 'From' number {sender} does not belong to the Messaging Service {pool.sid}.")
    return sender


def _not_ours(sender: str) -> TwilioError:
    if address.channel(sender) == "sms":
        what = f"The 'From' phone number {sender} is not a valid, SMS-capable inbound phone number for your account."
        return TwilioError(21606, what)
    return TwilioError(63007, "Twilio could not find a Channel with the specified 'From' address.")


def _rendered(call: Call, sid: str, recipient: str, sender: str | None) -> Rendered:
    template = call.world.store.templates.get(sid)
    if template is None:
        raise TwilioError(21655, f"The ContentSid {sid} is invalid.")
    call.world.reviewed(template)
    given = variables(call.text("ContentVariables"), code=21656)
    channel = address.channel(recipient)
    return render(template, given, channel, in_window=call.world.texting.in_window(recipient, sender))


def _check_media(urls: list[str], recipient: str) -> None:
    most = 1 if address.channel(recipient) == "whatsapp" else _MAX_MEDIA
    if len(urls) > most:
        raise TwilioError(21623, "Number of media files exceeds allowed limit.")
    if wrong := next((url for url in urls if not weburl.is_web(url)), None):
        raise TwilioError(21620, f"Invalid media URL: {wrong}")


def _callback(call: Call, pool: MessagingService | None) -> str | None:
    url = call.text("StatusCallback") or None
    if url is None:
        return pool.status_callback if pool else None
    if not weburl.is_web(url) or len(url) > _MAX_CALLBACK or (call.world.config.strict_callbacks and not _public(url)):
        raise TwilioError(21609, f"The 'StatusCallback' URL {url} is not a valid URL.")
    return url


def _public(url: str) -> bool:
    """As Twilio wants it: a host of the Internet, without an underscore. https://www.twilio.com/docs/api/errors/21609"""
    host = urlsplit(url).hostname or ""
    return "." in host and "_" not in host and host != "127.0.0.1" and not host.endswith((".local", ".internal"))


def _validity(call: Call, pool: MessagingService | None) -> int:
    text = call.text("ValidityPeriod")
    if not text:
        return pool.validity_period if pool else MAX_VALIDITY
    seconds = digits.whole(text)
    if seconds is None or not 1 <= seconds <= MAX_VALIDITY:
        raise TwilioError(20001, f"Invalid ValidityPeriod parameter: 1 to {MAX_VALIDITY} expected")
    return seconds


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
