"""A verified webhook on its way to an event: its fields, and the ways to ask for them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from messaging import errors
from messaging.model import EventKind, InboundEvent

# A sid becomes part of workflow ids and URLs. Twilio's are two letters and 32 hexadecimal digits; this only keeps out
# what could never be one.
_SID = re.compile(r"[A-Za-z0-9]{2,64}")
# Differs between two attempts to deliver the same event.
_VOLATILE = frozenset({"RetryCount"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """`fields` are the form's, `query` is the URL's, where our own parameters are; `author` is the one we send as."""

    provider: str
    received_at: datetime
    fields: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    author: str = ""

    def event(self, kind: EventKind, event_key: str, **parts: Any) -> InboundEvent:
        """The event, with what every one has."""
        return InboundEvent(
            provider=self.provider,
            event_key=event_key,
            kind=kind,
            account_sid=self.fields.get("AccountSid", ""),
            received_at=self.received_at,
            raw=self.fields,
            **parts,
        )

    def unknown(self, conversation_sid: str = "") -> InboundEvent:
        """An event that we have no word for; equal content is the same event."""
        name = self.fields.get("EventType", "")
        return self.event(EventKind.UNKNOWN, f"{name}:{self.digest()}", conversation_sid=conversation_sid)

    def digest(self) -> str:
        """The same for every attempt to deliver the same content."""
        content = sorted((name, value) for name, value in self.fields.items() if name not in _VOLATILE)
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def required(self, name: str) -> str:
        """A field that must be there and not blank.

        Raises:
            errors.InvalidWebhook
        """
        value = self.fields.get(name, "").strip()
        if not value:
            raise errors.InvalidWebhook(f"{name}: missing")
        return value

    def required_sid(self, name: str) -> str:
        """A sid that must be there.

        Raises:
            errors.InvalidWebhook
        """
        value = self.required(name)
        if not _SID.fullmatch(value):
            raise errors.InvalidWebhook(f"{name}: not a sid")
        return value

    def optional(self, name: str) -> str | None:
        """A field, or None where it is missing or blank."""
        return self.fields.get(name) or None

    def number(self, name: str, *, most: int) -> int | None:
        """A small non-negative integer, or None where it is missing or blank.

        Raises:
            errors.InvalidWebhook
        """
        value = self.fields.get(name, "").strip()
        if not value:
            return None
        # The length comes first: int() of a megabyte of digits is work.
        if len(value) > len(str(most)) or not (value.isascii() and value.isdigit()) or int(value) > most:
            raise errors.InvalidWebhook(f"{name}: an integer from 0 to {most} expected")
        return int(value)

    def json(self, name: str) -> Any:
        """JSON text, or None where it is missing or blank.

        Raises:
            errors.InvalidWebhook
        """
        value = self.fields.get(name, "").strip()
        if not value:
            return None
        try:
            found = json.loads(value)
            # Escapes can spell what the form itself may not hold: half a character, or NUL.
            clean = "\\u0000" not in json.dumps(found)
            json.dumps(found, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise errors.InvalidWebhook(f"{name}: JSON expected") from None
        if not clean:
            raise errors.InvalidWebhook(f"{name}: holds a NUL character")
        return found

    def attributes(self) -> Mapping[str, Any]:
        """The `Attributes` of a Conversations resource."""
        found = self.json("Attributes")
        return found if isinstance(found, dict) else {}

    def error_code(self) -> int | None:
        """Twilio's error number; absent or 0 means none. One that is no number stays in the raw form only."""
        value = self.fields.get("ErrorCode", "").strip()
        known = value.isascii() and value.isdigit() and len(value) <= 9  # noqa: PLR2004 - theirs have 5 digits
        return int(value) or None if known else None
