"""A long answer in parts that fit one message each, split where a reader would pause."""

from __future__ import annotations

# What Twilio takes as one outbound SMS or WhatsApp message:
# https://www.twilio.com/docs/messaging/api/message-resource
LIMIT = 1_600
_PAUSES = ("\n\n", "\n", ". ", "! ", "? ", "; ", ", ", " ")


def split(text: str, *, limit: int = LIMIT) -> tuple[str, ...]:
    """The text in order, each part at most `limit` characters, none of them blank."""
    rest, parts = text.strip(), []
    while len(rest) > limit:
        end = _pause(rest, limit)
        parts.append(rest[:end].strip())
        rest = rest[end:].strip()
    return (*parts, rest) if rest else tuple(parts)


def _pause(text: str, limit: int) -> int:
    for mark in _PAUSES:
        place = text.rfind(mark, limit // 2, limit - len(mark) + 1)
        if place > 0:
            return place + len(mark)
    return limit
