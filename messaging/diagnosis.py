"""What is wrong with a deployment, one line for each thing looked at. No line holds a secret or somebody's number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works, but not as it should."""
    FAIL = "fail"
    """Texts are lost, late or refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at: what was seen, and what to do about it where that is something."""

    check: str
    state: State
    saw: str
    do: str = ""


@runtime_checkable
class Diagnoses(Protocol):
    """What a provider may do besides: compare its account's settings with ours."""

    async def diagnose(self) -> tuple[Finding, ...]:
        """Look, and change nothing. Never raises for what it finds."""


def ok(check: str, saw: str) -> Finding:
    """All is well."""
    return Finding(check=check, state=State.OK, saw=saw)


def warn(check: str, saw: str, do: str) -> Finding:
    """Somebody should look."""
    return Finding(check=check, state=State.WARN, saw=saw, do=do)


def fail(check: str, saw: str, do: str) -> Finding:
    """Somebody must look."""
    return Finding(check=check, state=State.FAIL, saw=saw, do=do)


# Twilio's times have whole seconds: so much is noise. With a minute, a proof of sending looks in the wrong place.
_NOISE, _WRONG = 3.0, 60.0


def clock(check: str, whose: str, ahead: float) -> Finding:
    """What a difference of this many seconds between our clock and another's means."""
    saw = f"our clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} {whose}'s"
    if abs(ahead) <= _NOISE:
        return ok(check, f"our clock and {whose}'s agree")
    do = "set this machine's clock by NTP"
    return fail(check, saw, do) if abs(ahead) > _WRONG else warn(check, saw, do)
