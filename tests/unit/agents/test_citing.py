"""Where an answer stands, in words for a phone."""

from __future__ import annotations

import pytest

from agents.citing import CitingEngine, cited
from agents.turn import Draft, Turn


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ((), ""),
        (("opening-hours.md: Opening hours > Public holidays",), "opening-hours: Public holidays"),
        (("shop/faq.md: FAQ",), "faq: FAQ"),
        (("a.md: A", "a.md: A", "b.md: B > C"), "a: A; b: C"),
        (("a.md: A", "b.md: B", "c.md: C"), "a: A; b: B ..."),
        (("conversation", "memory:SM1", "memory:key: 1"), ""),
        (("conversation", "a.md: A"), "a: A"),
        (("notes.md: Prices: bikes",), "notes: Prices: bikes"),
    ],
)
def test_only_sections_are_named_each_once(sources: tuple[str, ...], told: str) -> None:
    assert cited(sources) == told


@pytest.mark.parametrize(
    ("draft", "text"),
    [
        (Draft(text="At nine.", sources=("hours.md: Hours",)), "At nine. (hours: Hours)"),
        (Draft(text="You told me: Ana", sources=("conversation",)), "You told me: Ana"),
        (Draft(text="I don't know.", kind="unknown", sources=("hours.md: Hours",)), "I don't know."),
    ],
)
async def test_an_answer_ends_with_its_section_and_nothing_else_does(draft: Draft, text: str) -> None:
    class Fixed:
        async def reply(self, turn: Turn) -> Draft:
            return draft

    answered = await CitingEngine(Fixed()).reply(Turn(text="?"))
    assert (answered.text, answered.sources) == (text, draft.sources)
