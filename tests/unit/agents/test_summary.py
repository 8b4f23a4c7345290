"""What is left of a conversation that is not shown word for word any more."""

from __future__ import annotations

from agents.summary import MAX_CHARS, RuleSummariser
from agents.turn import Utterance


def said(text: str, role: str = "contact") -> Utterance:
    return Utterance(role=role, text=text)


async def summary(*leaving: Utterance, so_far: str = "") -> str:
    return await RuleSummariser().summarise(so_far, leaving)


async def test_what_the_person_stated_and_asked_is_kept_and_what_was_answered_is_not() -> None:
    found = await summary(
        said("Hi! I live in Porto."), said("Noted.", "agent"), said("When are you open?"), said("At nine.", "agent")
    )
    assert found == "said: I live in Porto.\nasked: When are you open?"


async def test_it_goes_on_from_what_there_is_and_tells_nothing_twice() -> None:
    first = await summary(said("I live in Porto"))
    assert await summary(said("I live in Porto"), said("I ride a Trek"), so_far=first) == (
        "said: I live in Porto\nsaid: I ride a Trek"
    )
    assert await summary(said("Thanks!"), said("ok"), so_far=first) == first


async def test_it_stays_short_and_the_newest_stays_in_it() -> None:
    found = ""
    for number in range(200):
        found = await summary(said(f"My note number {number} is {'x' * number}"), so_far=found)
        assert len(found) <= MAX_CHARS
    assert "number 199" in found
    assert "number 3 " not in found
