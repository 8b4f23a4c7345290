"""A URL that somebody gave: whether a request could be made to it."""

import re
from urllib.parse import urljoin, urlsplit

# Also the separators of an HTTP request's first line: what holds one would not be one URL on the wire.
_UNWRITABLE = re.compile(r"[\x00-\x20\x7f]")


def is_web(text: str) -> bool:
    """Whether it is an http or https URL with a host, and with a port that there is if it names one."""
    if _UNWRITABLE.search(text):
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # brackets without an address in them, a port that is no number or too high
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0


def joined(base: str, target: str) -> str | None:
    """Where a link on the page at `base` leads; None when that is not on the web."""
    try:
        url = urljoin(base, target)
    except ValueError:
        return None
    return url if is_web(url) else None
