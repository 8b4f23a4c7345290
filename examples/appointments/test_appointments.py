"""The appointment flow on the real Temporal server, with its own diary."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from appointments import diary, wishes
from appointments.flow import FLOW
from appointments.wishes import Wish
from temporalio.client import Client

from tests.integration.harness import Conversation, bench_for
from workflows import catalogue
from workflows.policy import Rules

MONDAY = date(2026, 11, 23)
TUESDAY = date(2026, 11, 24)


@pytest.fixture
async def person(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Conversation]:
    monkeypatch.setenv("DIARY_DB", str(tmp_path / "diary.db"))
    catalogue.install((FLOW,), "appointments.flow:FLOW")
    async with bench_for(client, flows=(FLOW,)) as bench:
        yield bench.conversation(Rules(flow=FLOW.ref))


async def _answers(person: Conversation, *texts: str) -> list[str]:
    for text in texts:
        await person.text(text)
        await person.turn(person.count)
    return person.bench.outbox.bodies


def _next(weekday: int) -> date:
    today = datetime.now(UTC).date()
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


async def test_an_appointment_is_offered_confirmed_and_booked_once(person: Conversation) -> None:
    tuesday = _next(1)
    diary.book(tuesday, 9, key="somebody else")
    assert await _answers(person, "Hello, I need an appointment", "On Tuesday", "at 10", "yes please") == [
        "For which day would you like an appointment?",
        f"On {tuesday:%A %d %B} you can have 10:00, 11:00, 14:00, 15:00. Which one?",
        f"Shall I book {tuesday:%A %d %B} at 10:00? Please answer yes or no.",
        f"Booked: {tuesday:%A %d %B} at 10:00, number 2. See you then!",
    ]
    assert diary.free(tuesday) == (11, 14, 15)
    [reminder] = (await person.view()).scheduled
    assert reminder.text == f"See you on {tuesday:%A %d %B} at 10:00. Write to us if you cannot come."
    assert timedelta(0) < datetime.combine(tuesday, time(10), tzinfo=UTC) - reminder.at <= timedelta(days=1)
    assert not reminder.cancelled_by_reply


async def test_nothing_is_booked_without_a_yes(person: Conversation) -> None:
    wednesday = _next(2)
    answers = await _answers(person, "Wednesday at 11:00?", "no, at 3pm", "no")
    assert [answer.partition(".")[0] for answer in answers] == [
        f"Shall I book {wednesday:%A %d %B} at 11:00? Please answer yes or no",
        f"Shall I book {wednesday:%A %d %B} at 15:00? Please answer yes or no",
        "All right, I book nothing",
    ]
    assert len(diary.free(wednesday)) == len(diary.HOURS)


async def test_an_hour_that_goes_to_somebody_else_meanwhile_is_said_so(person: Conversation) -> None:
    friday = _next(4)
    await _answers(person, "Friday at 2pm")
    diary.book(friday, 14, key="somebody else")
    assert (await _answers(person, "yes"))[-1].startswith(f"Sorry, {friday:%A %d %B} at 14:00 has just gone.")


async def test_a_day_without_hours_is_said_so(person: Conversation) -> None:
    [answer] = await _answers(person, "Sunday?")
    assert answer == f"On {_next(6):%A %d %B} nothing is free. Which other day suits you?"


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("tuesday at 10", Wish(day=TUESDAY, hour=10)),
        ("on Monday, 3pm", Wish(day=MONDAY + timedelta(days=7), hour=15)),
        ("tomorrow 9:00", Wish(day=TUESDAY, hour=9)),
        ("12pm today", Wish(day=MONDAY, hour=12)),
        ("Yes", Wish(agrees=True)),
        ("no thanks", Wish(agrees=False)),
        ("how are you", Wish()),
    ],
)
def test_a_text_says_a_day_an_hour_and_whether_they_agree(text: str, wish: Wish) -> None:
    assert wishes.read(text, MONDAY) == wish


def test_the_same_key_books_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIARY_DB", str(tmp_path / "diary.db"))
    assert [diary.book(TUESDAY, 9, key=key) for key in ("a", "a", "b")] == [1, 1, None]
    assert diary.book(TUESDAY + timedelta(days=4), 9, key="c") is None


def test_the_picture_in_the_readme_is_the_flow() -> None:
    readme = Path(__file__).with_name("README.md").read_text()
    assert f"```mermaid\n{FLOW.to_mermaid()}\n```" in readme
