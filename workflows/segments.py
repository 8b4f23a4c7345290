"""How much of a text goes into one SMS of so many segments: what carriers carry and what is paid for.

https://www.twilio.com/docs/glossary/what-sms-character-limit
"""

from __future__ import annotations

from collections.abc import Callable

# 3GPP TS 23.038, 6.2.1: a text of these characters only goes in 7 bits each, those of the extension as two.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")

# In septets, and in units of UTF-16: of an SMS alone, and of each of several that are put together again.
_GSM_7 = (160, 153)
_UCS_2 = (70, 67)

_LAST_OF_ONE_UNIT = "\uffff"


def room(text: str, segments: int) -> int:
    """How many characters from the beginning of `text` fit; any fewer do, too."""
    return max(_fitting(text, segments, _septets, _GSM_7), _fitting(text, segments, _units, _UCS_2))


def _fitting(text: str, segments: int, cost: Callable[[str], int | None], sizes: tuple[int, int]) -> int:
    alone, together = sizes
    size, free, used = alone if segments == 1 else together, 0, 0
    for place, character in enumerate(text):
        needed = cost(character)
        if needed is None:
            return place
        if needed > free:  # a pair is never in two segments
            free, used = size, used + 1
        if used > segments:
            return place
        free -= needed
    return len(text)


def _septets(character: str) -> int | None:
    return 1 if character in _BASIC else 2 if character in _EXTENSION else None


def _units(character: str) -> int:
    return 1 if character <= _LAST_OF_ONE_UNIT else 2
