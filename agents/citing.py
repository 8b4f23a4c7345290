"""An answer names the sections it rests on, in words that a person can read on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from agents.engine import ReplyEngine
from agents.turn import Draft, Turn

# More would be longer than the answer; the draft has them all.
_NAMED = 2


class CitingEngine:
    """Answers as the engine inside does, and adds where it stands: "(opening-hours: Public holidays)"."""

    def __init__(self, engine: ReplyEngine) -> None:
        self._engine = engine

    async def reply(self, turn: Turn) -> Draft:
        """Raises AgentFailed."""
        return with_sections(await self._engine.reply(turn))


def with_sections(draft: Draft) -> Draft:
    """The draft, with the sections it rests on at the end of its text, if it is an answer that rests on any."""
    named = cited(draft.sources)
    return replace(draft, text=f"{draft.text} ({named})") if named and draft.kind == "answer" else draft


def cited(sources: Sequence[str]) -> str:
    """The sections among a draft's sources: file and heading, without what a phone would make a link of."""
    sections = [source.partition(": ") for source in sources if not source.startswith("memory:") and ": " in source]
    told = list(dict.fromkeys(f"{_file(file)}: {heading.rsplit(' > ', 1)[-1]}" for file, _, heading in sections))
    return "; ".join(told[:_NAMED]) + (" ..." if len(told) > _NAMED else "")


def _file(path: str) -> str:
    return PurePosixPath(path).stem
