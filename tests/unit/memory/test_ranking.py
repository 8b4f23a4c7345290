"""The order of what was found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from memory.item import Recalled
from memory.ranking import ranked

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def found(text: str, score: float = 1.0, *, day: int = 0, **more: str) -> Recalled:
    more = {"source": text, **more}
    return Recalled(
        text=text,
        role="contact",
        at=BEGINNING + timedelta(days=day),
        channel="sms",
        conversation_id="c",
        turn=day,
        score=score,
        **more,
    )


def texts(*candidates: Recalled) -> list[str]:
    return [item.text for item in ranked(candidates)]


def test_better_comes_first_and_of_equals_the_newer() -> None:
    assert texts(found("worse", 0.4), found("better", 0.9)) == ["better", "worse"]
    assert texts(found("older"), found("newer", day=3), found("between", day=1)) == ["newer", "between", "older"]


def test_a_much_better_old_one_still_comes_first() -> None:
    assert texts(found("new", 0.2, day=300), found("old", 0.9)) == ["old", "new"]


def test_what_does_not_hold_any_more_stays_behind_what_does() -> None:
    stale = replace(found("I live in Porto", 0.6), invalid_at=BEGINNING)
    assert texts(stale, found("I live in Faro", 0.5)) == ["I live in Faro", "I live in Porto"]


def test_a_fact_comes_before_a_question() -> None:
    fact = found("My frame size is 54 cm", 0.4, kind="fact")
    assert texts(found("Which frame sizes are there?", 0.5), fact)[0] == fact.text


def test_a_message_and_its_facts_are_one_and_the_message_is_shown() -> None:
    message = found("Hi! I live in Faro. My dog is Rex.", 0.3, source="IM1")
    facts = [found(text, 0.9, source="IM1", kind="fact") for text in ("I live in Faro.", "My dog is Rex.")]
    [one] = ranked([facts[0], message, facts[1]])
    assert one.text == message.text


def test_of_a_message_that_holds_in_part_only_that_part_is_shown() -> None:
    message = replace(found("I live in Faro. My dog is Rex.", source="IM1"), invalid_at=BEGINNING)
    assert texts(message, found("My dog is Rex.", source="IM1", kind="fact")) == ["My dog is Rex."]


def test_what_was_said_again_and_again_is_told_once_by_the_latest_of_them() -> None:
    [one] = ranked([found("When are you open?", day=day, source=f"IM{day}") for day in range(5)])
    assert one.source == "IM4"


def test_nothing_found_is_nothing() -> None:
    assert ranked([]) == []
