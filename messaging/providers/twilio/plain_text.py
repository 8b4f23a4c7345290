"""Text that can go onto the wire: neither too long, nor with half a character or a NUL in it."""

from __future__ import annotations

from typing import TypeVar

from messaging import errors

Text = TypeVar("Text", str, str | None)


def text(field: str, value: Text, wrong: type[errors.InvalidInput], *, most: int) -> Text:
    """The value, if it can be sent.

    Raises:
        errors.InvalidInput: of the kind given; names the field.
    """
    if value is None:
        return value
    if len(value) > most:
        raise wrong(f"{field}: {len(value)} characters, at most {most} expected")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise wrong(f"{field}: holds half a character (a lone surrogate)") from None
    if "\0" in value:
        raise wrong(f"{field}: holds a NUL character")
    return value
