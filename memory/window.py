"""The newest utterances that fit: what the workflow carries, and what a prompt may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

_PIECE = re.compile(r"[A-Za-z]+|[^\W\d_]+|\d|[^\w\s]|_")


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


def measure(unit: str, text: Callable[[T], str]) -> Callable[[T], int]:
    """How long an utterance is, in "characters" or "tokens"."""
    return (lambda one: tokens(text(one))) if unit == "tokens" else (lambda one: len(text(one)))


def tokens(text: str) -> int:
    """About as many tokens as a language model makes of a text, and rather more: a bound must hold without asking one.

    Words of Latin script come in pieces of about four letters, numbers and signs in smaller ones, other scripts by the
    letter.
    """
    pieces = _PIECE.findall(text)
    return sum(-(-len(piece) // 4) if piece.isascii() and piece.isalpha() else len(piece) for piece in pieces)
