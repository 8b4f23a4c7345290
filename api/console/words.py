"""How things are said on the pages: tables of labels, and times. Unknown values are shown as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

from runtime.inbox import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """How far a message of ours got: an icon, a tone and words for those who do not see it."""

    icon: str
    label: str
    tone: str = ""


_GOING = Tick(icon="going", label="On its way")
_FAILED = Tick(icon="failed", label="Not delivered", tone="bad")

TICKS: Mapping[str, Tick] = {
    "pending": Tick(icon="going", label="Not sent yet"),
    "queued": _GOING,
    "sending": _GOING,
    "unknown": _GOING,
    "sent": Tick(icon="tick", label="Sent"),
    "delivered": Tick(icon="ticks", label="Delivered"),
    "read": Tick(icon="ticks", label="Read", tone="read"),
    "failed": _FAILED,
    "undelivered": _FAILED,
    "uncertain": Tick(icon="unsure", label="Perhaps sent: nobody can prove it", tone="warm"),
}

CHANNELS: Mapping[str, str] = {
    "sms": "SMS",
    "mms": "MMS",
    "whatsapp": "WhatsApp",
    "rcs": "RCS",
    "messenger": "Messenger",
    "chat": "Chat",
    "email": "E-mail",
}

# What browsers show, and run nothing of.
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})

STATES: Mapping[str, str] = {
    "active": "Agent answers",
    "inactive": "Quiet",
    "held": "Human wanted",
    "waiting": "Decision wanted",
    "closed": "Closed",
}

SHELVES: Mapping[Shelf, str] = {
    Shelf.ALL: "All",
    Shelf.WAITING: "Waiting",
    Shelf.FAILED: "Failed",
    Shelf.UNCERTAIN: "Uncertain",
    Shelf.HELD: "Handed off",
    Shelf.MINE: "Mine",
    Shelf.CLOSED: "Closed",
}

# What an empty shelf says: nothing to do is good news on most of them.
EMPTY: Mapping[Shelf, tuple[str, str]] = {
    Shelf.ALL: ("Nobody has texted yet", "Text your number, or use the phone page of the simulator."),
    Shelf.WAITING: ("No decision is waited for", "Questions that a flow puts to a human appear here."),
    Shelf.FAILED: ("Nothing has failed", "Texts that could not be answered and sends that reached nobody appear here."),
    Shelf.UNCERTAIN: ("Every send is proven", "Sends that can neither be proven nor disproven appear here."),
    Shelf.HELD: ("The agent answers everywhere", "Conversations that were handed to a human appear here."),
    Shelf.MINE: ("You have none", "Conversations that you take over appear here."),
    Shelf.CLOSED: ("None has ended", "Conversations end when nobody has written for a while, or when you close them."),
}

OUTCOMES: Mapping[str, str] = {
    "answered": "Answered",
    "opted_out": "Opted out",
    "opted_in": "Opted in again",
    "helped": "Asked for help",
    "held": "Held for a human",
    "refused": "Not answered",
    "parked": "Parked",
    "dropped": "Let go",
}

TONES: Mapping[str, str] = {"held": "warm", "parked": "bad", "refused": "bad", "opted_out": "warm"}

ALERTS: Mapping[str, str] = {
    "parked": "A text was parked",
    "uncertain": "A send is uncertain",
    "undelivered": "A message was not delivered",
    "handoff": "The agent asked for a human",
    "overdue": "Nobody answered in time",
    "budget": "The budget is used up",
    "loop": "It looks like two bots",
    "approval": "A decision is wanted",
}


# What the steps of the default flow are for.
STEPS: Mapping[str, str] = {
    "screen": "Consent: STOP, START, HELP",
    "listen": "Voice notes become text",
    "afford": "Is there budget left",
    "recall": "Memory is asked",
    "reply": "The agent writes",
    "check": "What the agent asks for",
    "deliver": "Sent, once, with proof",
    "learn": "Facts worth keeping",
    "remember": "Both sides go to memory",
}

STATUSES: Mapping[str, str] = {
    "ran": "ran",
    "skipped": "skipped",
    "fell back": "fell back",
    "failed": "failed",
    "halted": "halted",
    "cancelled": "cancelled",
    "running": "running",
}

PROOFS: Mapping[str, str] = {
    "intended": "Meant to be sent; it has not been tried, or not to its end",
    "accepted": "The provider accepted it at once",
    "found": "The outcome was unclear, so it was looked for, and found at the provider",
    "reported": "The provider itself reported about it",
    "resent": "The outcome was unclear, it was found to be absent, and sent again",
    "uncertain": "It can neither be proven nor disproven, so it is not sent again",
    "failed": "The provider refused it",
}


def tick(status: str) -> Tick:
    """Of a message of ours."""
    return TICKS.get(status, Tick(icon="going", label=status))


def channel(name: str) -> str:
    """A channel's own spelling."""
    return CHANNELS.get(name, name or "Unknown channel")


def short(contact_id: str) -> str:
    """Enough of a contact's id to tell two apart."""
    return contact_id.removeprefix("contact-")[:6]


def hue(contact_id: str) -> int:
    """One of twelve colours, always the same for one contact."""
    return crc32(contact_id.encode()) % 12


def clock(at: datetime) -> str:
    """Hours and minutes, where no script tells the local ones."""
    return at.strftime("%H:%M")


def day(at: datetime) -> str:
    """A day of the calendar."""
    return f"{at.day} {at.strftime('%B %Y')}"


def lately(at: datetime, now: datetime) -> str:
    """A time for lists: the clock today, the day before."""
    return clock(at) if at.date() == now.date() else f"{at.day} {at.strftime('%b')}"


def span(time: timedelta) -> str:
    """A duration in its largest unit, two where it is short: "2 d", "3 h 10 min", "45 s"."""
    seconds = abs(int(time.total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3600, seconds // 60
    if days:
        return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"
    if hours:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def took(milliseconds: float) -> str:
    """How long something ran."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"  # noqa: PLR2004
