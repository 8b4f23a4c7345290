"""What somebody should look at: sends that reached nobody or that nobody could prove, and turns that are parked."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflows.state import ConversationState


class Trouble(StrEnum):
    """What a list can be filtered by."""

    FAILED = "failed"
    UNCERTAIN = "uncertain"


_FAILED = frozenset({"failed", "undelivered"})


def failed(state: ConversationState) -> int:
    """Parked turns, and sends of the latest turn that reached nobody: the next turn leaves those behind."""
    lost = sum(message.status in _FAILED for message in state.messages if message.turn == state.turn)
    return lost + len(state.parked)


def uncertain(state: ConversationState) -> int:
    """Sends that nobody could prove, for as long as the transcript has them."""
    return sum(message.proof == "uncertain" for message in state.messages)


def of(state: ConversationState) -> tuple[Trouble, ...]:
    """Which there is, always in the same order."""
    found = {Trouble.FAILED: failed(state), Trouble.UNCERTAIN: uncertain(state)}
    return tuple(trouble for trouble, count in found.items() if count)
