"""Whole numbers, as callers write them."""

_MOST = 18
"""Digits: below what a database's integer holds, and far below where Python refuses to read a number (4300)."""


def whole(text: str) -> int | None:
    """None for anything else than 1 to 18 digits: signs, spaces and the digits of other scripts are none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST else None
