"""The agent of the chaos suite. Words in brackets in a text say what happens to it.

[slow 1.5]     it writes for so many seconds
[slow first 9] the same, for the first draft of a turn only
[die before]   its worker is killed with -9 before it writes, the first time
[die after]    its worker is killed with -9 when it has written, the first time
[poison]       it raises, however often it is asked
[recall]       it says what memory brought
"""

from __future__ import annotations

import asyncio
import os
import re
import signal

from temporalio import activity

from agents.turn import Draft, Turn
from tests.bench import tag

_SLOW = re.compile(r"\[slow ([\d.]+)\]")
_SLOW_FIRST = re.compile(r"\[slow first ([\d.]+)\]")


async def reply(turn: Turn) -> Draft:
    """The tags of what it answers, so that whoever reads it knows which texts those were; without any, the texts."""
    _die(turn, "[die before]")
    pauses = _SLOW.findall(turn.text) + (_SLOW_FIRST.findall(turn.text) if turn.attempt == 1 else [])
    await asyncio.sleep(max(map(float, pauses), default=0.0))
    if "[poison]" in turn.text:
        raise ValueError("poison")
    _die(turn, "[die after]")
    if "[recall]" in turn.text:
        return Draft(text=f"I recall: {' | '.join(item.text for item in turn.recalled)}")
    tags = tag.find(turn.text)
    return Draft(text=f"Answer to {' '.join(map(str, tags))}" if tags else f"You said: {turn.text}")


def _die(turn: Turn, when: str) -> None:
    if when in turn.text and activity.info().attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
