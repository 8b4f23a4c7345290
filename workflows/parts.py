"""A long answer in parts that fit one message each, split where a reader would pause."""

from __future__ import annotations

from messaging.model import Channel
from workflows import segments as sms
from workflows.policy import Rules

# What Twilio takes as one outbound SMS or WhatsApp message:
# https://www.twilio.com/docs/messaging/api/message-resource
LIMIT = 1_600
_PAUSES = ("\n\n", "\n", ". ", "! ", "? ", "; ", ", ", " ")


def by_channel(text: str, channel: str, rules: Rules) -> tuple[str, ...]:
    """The text in order, as the channel takes it and the rules want it."""
    return split(text, segments=rules.sms_segments if channel == Channel.SMS else 0)


def split(text: str, *, limit: int = LIMIT, segments: int = 0) -> tuple[str, ...]:
    """The text in order, each part at most `limit` characters and so many `segments` of an SMS, none of them blank."""
    rest, parts = text.strip(), []
    while len(rest) > (room := min(limit, sms.room(rest, segments) if segments else limit)):
        end = _pause(rest, room)
        parts.append(rest[:end].strip())
        rest = rest[end:].strip()
    return (*parts, rest) if rest else tuple(parts)


def _pause(text: str, limit: int) -> int:
    for mark in _PAUSES:
        place = text.rfind(mark, limit // 2, limit - len(mark) + 1)
        if place > 0:
            return place + len(mark)
    return limit
