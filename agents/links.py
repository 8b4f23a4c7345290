"""Links in a text, and whether their hosts are among those that may be sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

# What a phone makes a link of: with a scheme, with www, or a bare name under a common top-level domain. An email
# address is none.
_LINK = re.compile(
    r"(?<![\w@.-])(?:https?://|www\.)[^\s<>\"']+"
    r"|(?<![\w@.-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
    r"(?:com|org|net|io|co|app|dev|info|biz|me|ly|gl|link|shop|xyz|online|site|top|click|eu|de|fr|es|it|pt|nl|uk|us|ru|cn)"
    r"(?=[/:?#\s.,;!)]|$)(?:[/:?#][^\s<>\"']*)?",
    re.IGNORECASE,
)
_HOST = re.compile(r"^(?:https?://)?(?:[^/?#\s]*@)?(\[[^\]]*\]|[^/?#:\s]+)", re.IGNORECASE)
REMOVED = "[link removed]"


def only_to(text: str, hosts: Sequence[str]) -> tuple[str, int]:
    """The text with links to these hosts only ("shop.example", "*.example.org"), and how many others there were."""
    others = 0

    def instead(match: re.Match[str]) -> str:
        nonlocal others
        link = match[0].rstrip(".,;:!?)")
        if any(fnmatchcase(_host(link), pattern.lower()) for pattern in hosts):
            return match[0]
        others += 1
        return REMOVED + match[0][len(link) :]

    return _LINK.sub(instead, text), others


def _host(link: str) -> str:
    # What stands before an @ is a user's name: shop.example@elsewhere.example goes elsewhere.
    found = _HOST.match(link)
    return found[1].lower().removeprefix("www.").rstrip(".") if found else ""
