"""An agent that answers at once, so that all that is measured is the way to it and back."""

from __future__ import annotations

from agents.turn import Draft, Turn


async def reply(turn: Turn) -> Draft:
    """The text itself: its tag tells the driver which text was answered."""
    return Draft(text=f"You said: {turn.text}")
