"""What one of Twilio's error codes means to us."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from messaging import errors
from messaging.errors import Category


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Which error of ours it is, and what may be done about it. `title` is short, ours, and quotes nobody."""

    kind: type[errors.MessagingError]
    category: Category
    title: str
    retryable: bool = False
    ambiguous: bool = False


def entries(
    category: Category,
    kind: type[errors.MessagingError],
    titles: Mapping[int, str],
    *,
    retryable: bool = False,
    ambiguous: bool = False,
) -> Iterator[tuple[int, Entry]]:
    """The rows of codes that differ in nothing but their titles."""
    for code, title in titles.items():
        yield code, Entry(kind=kind, category=category, title=title, retryable=retryable, ambiguous=ambiguous)
