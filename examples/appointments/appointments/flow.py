"""The flow: find free hours, offer one, and book it only when the person has said yes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from temporalio import workflow

from agents.turn import Draft
from appointments import wishes
from appointments.wishes import Wish
from workflows.flow import Flow, Step
from workflows.outgoing import Scheduled
from workflows.policy import DELIVER, RECALL, REMEMBER
from workflows.saying import later
from workflows.steps import (
    TurnContext,
    accepted,
    deliver,
    recall,
    remember,
    remember_later,
    screen,
    undelivered,
    without_memory,
)
from workflows.tool import ToolCall, tool

with workflow.unsafe.imports_passed_through():  # it opens files, which only the tools do
    from appointments import diary


# When people are reminded of an appointment.
AHEAD = (timedelta(days=1), timedelta(hours=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Which day to look at."""

    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """The hours of a day that are free."""

    day: date
    hours: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An hour of a day. It is what is offered, and what is booked."""

    day: date
    hour: int

    def __str__(self) -> str:
        return f"{self.day:%A %d %B} at {self.hour}:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What the diary made of it; 0 where somebody else was faster."""

    number: int = 0


@tool(timeout=timedelta(seconds=5))
async def find_free_hours(call: ToolCall[Day]) -> Free:
    """Ask the diary."""
    day = call.request.day
    return Free(day=day, hours=await asyncio.to_thread(diary.free, day))


@tool(changes=True, timeout=timedelta(seconds=10))
async def book_appointment(call: ToolCall[Slot]) -> Booking:
    """Have the diary book it, once for each key."""
    number = await asyncio.to_thread(diary.book, call.request.day, call.request.hour, key=call.key)
    return Booking(number=number or 0)


async def understand(turn: TurnContext) -> Wish:
    """Read the texts, with the day that was spoken of before."""
    wish = wishes.read(turn.text, turn.texts[-1].at.date())
    if wish.day is not None:
        turn.keep("day", wish.day.isoformat())
        turn.variables.pop("offer", None)
    return wish


def _day(turn: TurnContext) -> date | None:
    known = turn.variables.get("day")
    return date.fromisoformat(known) if known else None


def _offer(turn: TurnContext) -> Slot | None:
    known = turn.variables.get("offer")
    day = _day(turn)
    return Slot(day=day, hour=int(known)) if known and day else None


def asks_for_a_time(turn: TurnContext) -> bool:
    """Whether a day is known, and nothing was just agreed to."""
    return _day(turn) is not None and not agrees(turn)


def agrees(turn: TurnContext) -> bool:
    """Whether they said yes to an offer that there is."""
    wish = turn.result("understand", Wish)
    return bool(wish.agrees) and _offer(turn) is not None and wish.hour is None


def day(turn: TurnContext) -> Day:
    """Which day the diary is asked about."""
    wanted = _day(turn)
    if wanted is None:
        raise ValueError("no day is known")
    return Day(day=wanted)


def slot(turn: TurnContext) -> Slot:
    """What is to be booked."""
    offered = _offer(turn)
    if offered is None:
        raise ValueError("nothing was offered")
    return offered


async def away(_: TurnContext, __: BaseException) -> None:
    """The diary does not answer: the reply says so."""


def is_booked(turn: TurnContext) -> bool:
    """Whether there is something to be reminded of."""
    booking = turn.results.get("book")
    return isinstance(booking, Booking) and bool(booking.number)


async def remind(turn: TurnContext) -> None:
    """Write again a day before, or an hour before where that is over. What they write meanwhile does not cancel it."""
    booked = slot(turn)
    begins = datetime.combine(booked.day, time(booked.hour), tzinfo=UTC)
    at = next((begins - ahead for ahead in AHEAD if begins - ahead > workflow.now()), None)
    if at is not None:
        text = f"See you on {booked}. Write to us if you cannot come."
        later(turn, Scheduled(id="reminder", at=at, text=text, cancelled_by_reply=False))


async def write(turn: TurnContext) -> Draft:
    """Word what came of it, and keep what was offered for the next turn."""
    if agrees(turn):
        return Draft(text=_booked(turn))
    if not asks_for_a_time(turn):
        return Draft(text="For which day would you like an appointment?")
    free = turn.results.get("find")
    return Draft(text=_offered(turn, free) if isinstance(free, Free) else _AWAY)


_AWAY = "I cannot look into the diary right now. Please try again in a few minutes."


def _booked(turn: TurnContext) -> str:
    wanted, booking = slot(turn), turn.results.get("book")
    if not isinstance(booking, Booking):
        return _AWAY
    turn.variables.pop("offer", None)
    if not booking.number:
        return f"Sorry, {wanted} has just gone. Which other time suits you?"
    return f"Booked: {wanted}, number {booking.number}. See you then!"


def _offered(turn: TurnContext, free: Free) -> str:
    wish = turn.result("understand", Wish)
    hours = ", ".join(f"{hour}:00" for hour in free.hours)
    if not hours:
        return f"On {free.day:%A %d %B} nothing is free. Which other day suits you?"
    if wish.hour in free.hours:
        wanted = Slot(day=free.day, hour=wish.hour)
        turn.keep("offer", str(wish.hour))
        return f"Shall I book {wanted}? Please answer yes or no."
    turn.variables.pop("offer", None)
    said = ""
    if wish.hour is not None:
        said = f"{wish.hour}:00 is not free. "
    elif wish.agrees is False:
        said = "All right, I book nothing. "
    return f"{said}On {free.day:%A %d %B} you can have {hours}. Which one?"


FLOW: Flow[TurnContext] = Flow(
    "appointments",
    (
        Step(name="screen", run=screen),
        Step(name="understand", run=understand, after=("screen",), when=accepted),
        # These do not depend on each other, so they run at the same time.
        Step(name="recall", run=recall, after=("understand",), call=RECALL, fallback=without_memory),
        Step(name="find", run=find_free_hours.asked(day), after=("understand",), when=asks_for_a_time, fallback=away),
        Step(name="book", run=book_appointment.asked(slot), after=("understand",), when=agrees, fallback=away),
        Step(name="remind", run=remind, after=("book",), when=is_booked),
        Step(name="reply", run=write, after=("recall", "find", "book", "remind")),
        Step(name="deliver", run=deliver, after=("reply",), call=DELIVER, guarded=True, fallback=undelivered),
        Step(name="remember", run=remember, after=("deliver",), call=REMEMBER, fallback=remember_later),
    ),
)
