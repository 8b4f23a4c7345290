"""The Message resource of the 2010 API. https://www.twilio.com/docs/messaging/api/message-resource"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from simulator import callbacks, consent
from simulator.clock import parse_iso, rfc2822
from simulator.errors import TwilioError, not_found
from simulator.records import Message
from simulator.rest import outgoing, paging
from simulator.rest.call import GONE, Call, Reply

_DAY = 24 * 3600


def create(call: Call) -> Reply:
    out = outgoing.read(call)
    world = call.world
    if not world.switches.opt_out_async and world.consent.refused(out.sender, out.recipient, out.messaging_service_sid):
        raise TwilioError(*consent.REFUSED)
    if out.sender is not None and world.throughput.full(out.sender):
        raise TwilioError(21611, f"This 'From' number {out.sender} has exceeded the maximum number of queued messages.")
    return Reply(body=show(call, world.texting.send(out)), status=201)


def listing(call: Call) -> Reply:
    return paging.v2010(call, "messages", _matching(call), lambda message: show(call, message))


def fetch(call: Call) -> Reply:
    return Reply(body=show(call, find(call)))


def update(call: Call) -> Reply:
    message = find(call)
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
    message = find(call)
    if message.status in {"accepted", "queued", "sending"}:
        raise TwilioError(20009, "Cannot delete this resource before it is complete.", 409)
    call.world.texting.forget(message)
    call.world.store.messages.remove(message.sid)
    return GONE


def show(call: Call, message: Message) -> dict[str, Any]:
    path = uri(call, message)
    return {
        "account_sid": call.account,
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
        "subresource_uris": {"media": f"{path}/Media.json"},
        "to": message.recipient,
        "uri": f"{path}.json",
    }


def find(call: Call) -> Message:
    """The message that the path names. Raises TwilioError 20404."""
    message = call.world.store.messages.get(call.ids[1].removesuffix(".json"))
    if message is None:
        raise not_found(call.path)
    return message


def uri(call: Call, message: Message) -> str:
    return f"{call.account_path}/Messages/{message.sid}"


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
