"""How a command ends: its exit code, and one line where it is an error."""

from __future__ import annotations

import traceback
from enum import IntEnum
from pathlib import Path
from typing import Self


class Ending(IntEnum):
    """The exit codes of all commands. Scripts rely on them: a new meaning gets a new number."""

    DONE = 0, "done, and all is well"
    FAILED = 1, "it was refused, or a check found something; the output says what"
    USAGE = 2, "an option, an argument or a setting is wrong"
    AWAY = 3, "something that is needed does not answer (Temporal, Qdrant, the simulator); the same may work later"
    BUG = 70, "a defect of this program; MESSAGING_LOG_LEVEL=DEBUG prints the traceback"
    INTERRUPTED = 130, "Ctrl-C"

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        """A number that says what it means."""
        made = int.__new__(cls, code)
        made._value_ = code
        made.meaning = meaning
        return made


class Away(ValueError):
    """Something that is needed does not answer. The message says what, and what to look at."""


def of(error: Exception) -> tuple[Ending, str]:
    """How a command ends that raised this, and what its user reads."""
    # Imported here: what goes well does not pay for it.
    from messaging.errors import MessagingError  # noqa: PLC0415
    from runtime.settings import SettingsError  # noqa: PLC0415

    said = str(error).strip() or type(error).__name__
    if isinstance(error, Away):
        return Ending.AWAY, said
    if isinstance(error, SettingsError):
        return Ending.USAGE, said
    if isinstance(error, (ValueError, OSError, MessagingError)):
        return Ending.FAILED, said
    # The text of an unexpected error may quote anything, a message or a phone number too.
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    return Ending.BUG, f"unexpected {type(error).__name__} at {place}; MESSAGING_LOG_LEVEL=DEBUG prints the traceback"
