"""The port that turns voice notes into text."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Protocol

from agents import importing

_SETTING = "MESSAGING_TRANSCRIBER"
_ALLOWED = "an async function that takes the audio's bytes and its content type, and gives the text"


class CannotTranscribe(Exception):
    """It cannot tell what is said, now or ever. `reason` holds nothing of what was said."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Transcriber(Protocol):
    """Hears one recording."""

    async def transcribe(self, audio: bytes, content_type: str) -> str:
        """What is said, as text. Raises CannotTranscribe."""
        ...


class NoTranscriber:
    """The default: it says that it cannot."""

    async def transcribe(self, audio: bytes, content_type: str) -> str:  # noqa: ARG002 - it listens to nothing
        """Raises CannotTranscribe."""
        raise CannotTranscribe(f"nothing is set that hears {content_type}: set MESSAGING_TRANSCRIBER")


class LoadedTranscriber:
    """A user's own function."""

    def __init__(self, function: Callable[[bytes, str], Awaitable[str]]) -> None:
        self._function = function

    async def transcribe(self, audio: bytes, content_type: str) -> str:
        """Raises CannotTranscribe for what is no text."""
        heard = await self._function(audio, content_type)
        if not isinstance(heard, str):
            raise CannotTranscribe(f"the transcriber gave {type(heard).__name__}; it must be {_ALLOWED}")
        return heard


def load_transcriber(path: str | None) -> Transcriber:
    """The function that `path` ("module:name") names; without one, the default.

    Raises ValueError naming MESSAGING_TRANSCRIBER and what is allowed.
    """
    if path is None:
        return NoTranscriber()
    module_name, name = importing.split(path, setting=_SETTING, example="voices:transcribe")
    module = importing.module_of(module_name, path, setting=_SETTING)
    found = importing.attribute(module, name, path, setting=_SETTING, allowed=_ALLOWED)
    try:
        inspect.signature(found).bind(b"", "audio/ogg")
    except (TypeError, ValueError):
        raise ValueError(f"{_SETTING}={path!r} is {type(found).__name__}, but must be {_ALLOWED}") from None
    if not inspect.iscoroutinefunction(found):
        raise ValueError(f"{_SETTING}={path!r} is not async, but must be {_ALLOWED}")
    return LoadedTranscriber(found)
