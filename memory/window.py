"""The newest utterances that fit: what the workflow carries, and what a prompt may hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def fit(utterances: Sequence[T], *, max_messages: int, max_chars: int, length: Callable[[T], int]) -> tuple[T, ...]:
    """The longest run of newest utterances within both bounds, in their own order.

    `length` measures one utterance in the unit of `max_chars`. One that alone exceeds `max_chars` ends the run: a gap
    in the middle would read as if nothing had been said there.

    Raises ValueError for a negative bound.
    """
    if max_messages < 0 or max_chars < 0:
        raise ValueError(f"bounds must not be negative: max_messages={max_messages}, max_chars={max_chars}")
    start, used = len(utterances), 0
    while start > 0 and len(utterances) - start < max_messages:
        used += length(utterances[start - 1])
        if used > max_chars:
            break
        start -= 1
    return tuple(utterances[start:])
