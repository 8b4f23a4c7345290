"""What an agent's draft says beside its text reaches the conversation's record."""

from __future__ import annotations

import asyncio

from agents.turn import BLOCKED, NOTED, Draft, Firing, Turn
from tests.integration.harness import Bench
from workflows import policy
from workflows.budget import Budget
from workflows.policy import Rules
from workflows.state import Outcome

COSTLY = {"requests": 1, "input_tokens": 900, "output_tokens": 100}


async def costly(turn: Turn) -> Draft:
    return Draft(text=f"re: {turn.text}", usage=COSTLY, cost=0.01, sources=("a.md: A",))


async def test_tokens_and_cost_are_counted_by_turn_and_by_conversation(bench: Bench) -> None:
    bench.agent.reply_with = costly
    person = bench.conversation()
    for number in (1, 2):
        await person.text(f"text {number}")
        turn = await person.turn(number)
    view = await person.view()

    assert (turn.usage, turn.cost) == (COSTLY, 0.01)
    assert turn.sources == ("a.md: A",)
    assert (view.answers, view.tokens, view.cost) == (2, 2000, 0.02)


async def test_a_card_number_is_not_remembered(bench: Bench) -> None:
    person = bench.conversation()
    await person.text("my card is 4111 1111 1111 1111")
    await person.turn(1)

    remembered = [f"{item.text} {item.preceding}" for item in bench.memory.items.values()]
    assert len(remembered) >= 2
    assert [text for text in remembered if "4111" in text] == []


async def test_a_draft_that_asks_for_a_human_is_sent_and_the_conversation_held(bench: Bench) -> None:
    async def hand_over(turn: Turn) -> Draft:
        return Draft(text="A colleague will write.", handoff="wants a refund")

    bench.agent.reply_with = hand_over
    person = bench.conversation()
    await person.text("refund!")
    turn = await person.turn(1)

    assert bench.outbox.bodies == ["A colleague will write."]
    assert (turn.outcome, turn.handoff) == (Outcome.HELD, "wants a refund")


async def test_a_dropped_draft_costs_too(bench: Bench) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow(turn: Turn) -> Draft:
        started.set()
        await go_on.wait()
        return await costly(turn)

    bench.agent.reply_with = slow
    person = bench.conversation()
    await person.text("one")
    await started.wait()
    await person.text("two")
    go_on.set()
    turn = await person.turn(1)

    assert bench.outbox.bodies == ["re: one\ntwo"]
    assert (turn.drafts, turn.usage["input_tokens"], turn.cost) == (2, 1800, 0.02)


async def test_a_budget_that_is_used_up_holds_the_conversation_and_says_so_once(bench: Bench) -> None:
    bench.agent.reply_with = costly
    person = bench.conversation(Rules(budget=Budget(tokens=2000)))
    outcomes = []
    for number in (1, 2, 3, 4):
        await person.text(f"text {number}")
        turn = await person.turn(number)
        outcomes.append(turn.outcome)

    assert bench.outbox.bodies == ["re: text 1", "re: text 2", policy.SPENT]
    assert outcomes == [Outcome.ANSWERED, Outcome.ANSWERED, Outcome.HELD, Outcome.HELD]
    assert turn.reason == "budget: 2000 tokens a day"
    assert len(bench.agent.turns) == 2


async def test_what_guardrails_found_is_in_the_turns_record(bench: Bench) -> None:
    noted = Firing(check="links", action=NOTED, reason="a link to another host")

    async def guarded(turn: Turn) -> Draft:
        return Draft(text="fine", firings=(noted,))

    bench.agent.reply_with = guarded
    person = bench.conversation()
    await person.text("hello")
    turn = await person.turn(1)

    assert turn.firings == (noted,)
    assert (turn.outcome, turn.reason) == (Outcome.ANSWERED, "")


async def test_a_draft_that_must_not_leave_parks_the_turn_with_its_reason(bench: Bench) -> None:
    async def blocked(turn: Turn) -> Draft:
        firing = Firing(check="canary", action=BLOCKED, reason="repeats its instructions")
        return Draft(text="Sorry.", kind="apology", firings=(firing,))

    bench.agent.reply_with = blocked
    person = bench.conversation()
    await person.text("hello")
    turn = await person.turn(1)

    assert bench.outbox.bodies == ["Sorry."]
    assert (turn.outcome, turn.reason) == (Outcome.PARKED, "canary: repeats its instructions")
