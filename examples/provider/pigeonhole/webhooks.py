"""What the service tells us: one JSON object for each letter, signed with our secret."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime
from typing import Any

from messaging import errors
from messaging.model import Address, Channel, EventKind, InboundEvent, Message, WebhookRequest

from pigeonhole.translation import US

HEADER = "x-pigeonhole-signature"


def sign(body: bytes, secret: str) -> str:
    """The signature of a body."""
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def read(request: WebhookRequest, secret: str, provider: str) -> InboundEvent:
    """Verify, then parse: nothing of a body is believed, or even looked at, before its signature.

    Raises:
        errors.InvalidSignature, errors.InvalidWebhook
    """
    given = request.headers.get(HEADER, "")
    if not hmac.compare_digest(given.encode(), sign(request.body, secret).encode()):
        raise errors.InvalidSignature(f"{HEADER}: missing or wrong", op="handle_webhook", provider=provider)
    try:
        content = json.loads(request.body)
        fields = {name: str(content[name]) for name in ("event", "sid", "conversation", "from", "text")}
    except (ValueError, RecursionError, KeyError, TypeError) as wrong:
        raise errors.InvalidWebhook(f"body: {type(wrong).__name__}", op="handle_webhook", provider=provider) from None
    return _event(fields, provider)


def _event(fields: dict[str, str], provider: str) -> InboundEvent:
    common: dict[str, Any] = {
        "provider": provider,
        # The same for every repetition of the same report, whatever the service calls the repetition.
        "event_key": f"{fields['event']}:{fields['sid']}",
        "conversation_sid": fields["conversation"],
        "received_at": datetime.now(UTC),
        "raw": fields,
    }
    if fields["event"] != "letter.posted":
        return InboundEvent(kind=EventKind.UNKNOWN, **common)
    theirs = Address(channel=Channel.CHAT, value=fields["from"])
    message = Message(
        body=fields["text"],
        sid=fields["sid"],
        conversation_sid=fields["conversation"],
        channel=Channel.CHAT,
        sender=theirs,
        author=theirs.value,
    )
    return InboundEvent(
        kind=EventKind.MESSAGE_ADDED, message=message, theirs=theirs, echo=fields["from"] == US, **common
    )
