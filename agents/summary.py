"""The part of a conversation that is not shown word for word any more, in short."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agents import smalltalk
from agents.segments import Kind, split
from agents.turn import Utterance
from memory.item import CONTACT

# About 300 tokens: small beside the window, and room for a dozen statements.
MAX_CHARS = 1_200

# Longer statements are cut: what they are about is nearly always near their beginning.
_STATEMENT = 160


class Summariser(Protocol):
    """Puts what leaves the window into few words. It may run more than once for the same."""

    async def summarise(self, so_far: str, leaving: Sequence[Utterance]) -> str:
        """The new summary, of all that `so_far` tells and of what leaves. Raises AgentFailed."""
        ...


class RuleSummariser:
    """Keeps what the person stated and what they asked about, in their own words, and lets the oldest go."""

    async def summarise(self, so_far: str, leaving: Sequence[Utterance]) -> str:
        lines = so_far.splitlines()
        for utterance in leaving:
            if utterance.role == CONTACT:
                lines += [line for line in _lines(utterance) if line not in lines]
        while sum(len(line) + 1 for line in lines) > MAX_CHARS:
            lines.pop(0)
        return "\n".join(lines)


def _lines(utterance: Utterance) -> list[str]:
    found = []
    for segment in split(utterance.text):
        if segment.kind is Kind.NOTHING or smalltalk.answer(segment.whole):
            continue
        verb = "said" if segment.kind is Kind.STATEMENT else "asked"
        text = segment.text if len(segment.text) <= _STATEMENT else f"{segment.text[: _STATEMENT - 3]}..."
        found.append(f"{verb}: {' '.join(text.split())}")
    return found
