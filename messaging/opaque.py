"""Which ids may appear in logs, spans and errors: a provider's opaque ones. One that is a pair of addresses may not."""

from __future__ import annotations

import re

# Two letters and 32 hexadecimal digits: https://www.twilio.com/docs/glossary/what-is-a-sid
_OPAQUE = re.compile(r"[A-Za-z]{2}[0-9a-f]{32}")


def opaque_sid(sid: str | None) -> str | None:
    """The sid, or None where it could give somebody away."""
    return sid if sid and _OPAQUE.fullmatch(sid) else None
