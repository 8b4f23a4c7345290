"""A human takes over, answers, notes, assigns, hands back; the agent is silent meanwhile and learns what was said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from agents.turn import Draft, Turn
from messaging import errors
from tests.integration.clock import Clock
from tests.integration.harness import Bench, Conversation
from tests.support.ports import eventually
from workflows import policy
from workflows.contracts import Assignment, NewNote, OperatorReply, Takeover
from workflows.conversation import ConversationWorkflow as Workflow
from workflows.policy import Rules
from workflows.state import MessageRecord, Outcome


def _reply(text: str, key: str = "1", **fields: Any) -> OperatorReply:
    return OperatorReply(**{"author": "ana", "text": text, "key": key, **fields})


async def _taken_over(bench: Bench, rules: Rules | None = None) -> Conversation:
    person = bench.conversation(rules)
    await person.text("hello")
    await person.turn(1)
    await person.handle.execute_update(Workflow.takeover, Takeover(assignee="ana"))
    return person


async def _message(person: Conversation, body: str) -> MessageRecord | None:
    found = [m for m in (await person.transcript()).messages if m.body == body and m.proof not in {"", "intended"}]
    return found[0] if found else None


async def _sent(person: Conversation, body: str) -> MessageRecord:
    message = await eventually(lambda: _message(person, body))
    assert message is not None
    return message


async def test_a_human_answers_and_the_agent_learns_what_was_said(bench: Bench) -> None:
    person = await _taken_over(bench)
    await person.text("my order is broken")
    assert (await person.turn(2)).outcome is Outcome.HELD
    await person.handle.execute_update(Workflow.reply, _reply("We will replace it."))
    message = await _sent(person, "We will replace it.")
    await person.handle.execute_update(Workflow.note, NewNote(author="ana", text="replacement R1 ordered"))
    await person.handle.execute_update(Workflow.release)
    await person.text("when does it come?")
    await person.turn(3)

    assert (message.author, message.by, message.kind, message.proof) == ("operator", "ana", "operator", "accepted")
    assert bench.outbox.bodies == ["re: hello", "We will replace it.", "re: when does it come?"]
    assert [(u.role, u.text) for u in bench.agent.turns[-1].history] == [
        ("contact", "hello"),
        ("agent", "re: hello"),
        ("contact", "my order is broken"),
        ("operator", "We will replace it."),
        ("operator", "[note] replacement R1 ordered"),
    ]


async def test_what_was_said_while_a_human_answered_is_remembered(bench: Bench) -> None:
    person = await _taken_over(bench)
    await person.text("my order is broken")
    await person.turn(2)
    await person.handle.execute_update(Workflow.reply, _reply("We will replace it."))

    expected = {("contact", "my order is broken"), ("operator", "We will replace it.")}
    await eventually(
        lambda: asyncio.sleep(0, expected <= {(item.role, item.text) for item in bench.memory.items.values()})
    )


async def test_a_reply_asked_for_twice_is_sent_once(bench: Bench) -> None:
    person = await _taken_over(bench)
    first, second = [await person.handle.execute_update(Workflow.reply, _reply("once")) for _ in range(2)]
    await _sent(person, "once")

    assert first.id == second.id
    assert bench.outbox.bodies == ["re: hello", "once"]


async def test_a_humans_reply_is_proven_as_any_message(bench: Bench) -> None:
    person = await _taken_over(bench)
    bench.outbox.fail_after = [errors.Timeout("read", ambiguous=True)]
    await person.handle.execute_update(Workflow.reply, _reply("proven"))

    assert (await _sent(person, "proven")).proof == "found"
    assert bench.outbox.bodies.count("proven") == 1


async def test_a_humans_long_reply_goes_out_in_parts(bench: Bench) -> None:
    person = await _taken_over(bench)
    text = " ".join(f"Sentence number {n}." for n in range(150))
    await person.handle.execute_update(Workflow.reply, _reply(text))
    await eventually(lambda: asyncio.sleep(0, " ".join(bench.outbox.bodies[1:]) == text))

    assert all(len(body) <= 1600 for body in bench.outbox.bodies)


async def test_a_takeover_stops_the_agent_and_its_reply_does_not_wait_for_it(bench: Bench) -> None:
    writing = asyncio.Event()

    async def never(_: Turn) -> Draft:
        writing.set()
        await asyncio.Event().wait()
        return Draft(text="never")

    bench.agent.reply_with = never
    person = bench.conversation()
    await person.text("hello")
    await writing.wait()
    await person.handle.execute_update(Workflow.takeover, Takeover(assignee="ana"))
    await person.handle.execute_update(Workflow.reply, _reply("I am here."))
    await _sent(person, "I am here.")

    assert (await person.turn(1)).outcome is Outcome.HELD
    assert bench.outbox.bodies == ["I am here."]


REFUSED: dict[str, tuple[Any, Any, str, str]] = {
    "a takeover by nobody": (Workflow.takeover, Takeover(assignee=" "), "invalid_input", "assignee"),
    "a takeover of somebody else's": (Workflow.takeover, Takeover(assignee="ben"), "conflict", "release first"),
    "an assignment to nobody": (Workflow.assign, Assignment(assignee=""), "invalid_input", "assignee"),
    "a note of nothing": (Workflow.note, NewNote(author="ana", text=" "), "invalid_input", "text"),
    "a note that is a book": (
        Workflow.note,
        NewNote(author="ana", text="x" * (policy.NOTE_CHARS + 1)),
        "invalid_input",
        "at most",
    ),
    "a reply of nothing": (Workflow.reply, _reply(" "), "invalid_input", "text"),
    "a reply without a key": (Workflow.reply, _reply("hi", key=""), "invalid_input", "key"),
    "a reply by somebody else": (Workflow.reply, _reply("hi", author="ben"), "conflict", "somebody else"),
    "a reply that is a book": (Workflow.reply, _reply("x" * 5000), "invalid_input", "at most"),
}


@pytest.mark.parametrize(("update", "request_", "kind", "names"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_a_human_may_not_ask_is_refused_by_name(
    bench: Bench, update: Any, request_: Any, kind: str, names: str
) -> None:
    person = await _taken_over(bench)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await person.handle.execute_update(update, request_)

    cause = refused.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, names in cause.message) == (kind, True)
    assert bench.outbox.bodies == ["re: hello"]


async def test_a_human_may_not_write_to_who_has_opted_out(bench: Bench) -> None:
    person = await _taken_over(bench)
    await person.text("STOP")
    await person.turn(2)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await person.handle.execute_update(Workflow.reply, _reply("please come back"))

    assert "opted out" in str(refused.value.cause)


async def test_an_assignment_hands_the_conversation_to_a_colleague(bench: Bench) -> None:
    person = await _taken_over(bench)
    view = await person.handle.execute_update(Workflow.assign, Assignment(assignee="ben"))
    await person.handle.execute_update(Workflow.reply, _reply("Ben here.", author="ben"))

    assert view.assignee == "ben"
    assert (await _sent(person, "Ben here.")).by == "ben"


async def test_the_agent_asks_for_a_human_says_so_and_is_silent(bench: Bench) -> None:
    async def gives_up(_: Turn) -> Draft:
        return Draft(text="A colleague will help.", handoff="wants a refund")

    bench.agent.reply_with = gives_up
    person = bench.conversation()
    await person.text("refund!")
    turn = await person.turn(1)
    await person.text("hello?")
    await person.turn(2)

    view = await person.view()
    assert bench.outbox.bodies == ["A colleague will help."]
    assert (turn.outcome, view.handoff, view.assignee) == (Outcome.HELD, "wants a refund", None)
    assert [a.kind for a in view.alerts] == ["handoff"]


async def test_an_agent_may_ask_for_a_human_without_a_word(bench: Bench) -> None:
    async def gives_up(_: Turn) -> Draft:
        return Draft(text="", handoff="abuse")

    bench.agent.reply_with = gives_up
    person = bench.conversation()
    await person.text("!!!")

    assert (await person.turn(1)).outcome is Outcome.HELD
    assert bench.outbox.bodies == []


async def test_a_word_that_asks_for_a_human_calls_one_without_the_agent(bench: Bench) -> None:
    person = bench.conversation(Rules(handoff_words=("human",)))
    await person.text(" Human! ")
    turn = await person.turn(1)

    assert bench.outbox.bodies == [policy.HANDED_OVER]
    assert bench.agent.turns == []
    assert (turn.outcome, (await person.view()).handoff) == (Outcome.HELD, "the person asked for a human")


async def test_nobody_who_answers_in_time_is_an_alert_and_an_answer_is_none(clock: Clock) -> None:
    rules = Rules(handoff_words=("human",), sla=600)
    ignored, answered = clock.bench.conversation(rules), clock.bench.conversation(rules)
    for person in (ignored, answered):
        await clock.text(person, "human")
        await person.turn(1)
    await clock.passes(minutes=5)
    await answered.handle.execute_update(Workflow.reply, _reply("Here I am."))
    await clock.passes(minutes=6)

    assert [a.kind for a in (await ignored.view()).alerts] == ["handoff", "overdue"]
    assert [a.kind for a in (await answered.view()).alerts] == ["handoff"]
    assert ((await ignored.view()).overdue, (await answered.view()).overdue) == (True, False)


async def test_each_text_that_waits_for_a_human_has_its_own_time(clock: Clock) -> None:
    person = clock.bench.conversation(Rules(handoff_words=("human",), sla=600))
    await clock.text(person, "human")
    await person.turn(1)
    await person.handle.execute_update(Workflow.reply, _reply("Here I am."))
    await clock.passes(minutes=20)
    assert not (await person.view()).overdue
    await clock.text(person, "still broken")
    await person.turn(2)
    await clock.passes(minutes=11)

    assert (await person.view()).overdue


async def test_who_waits_for_a_human_is_not_closed_by_silence(clock: Clock) -> None:
    person = clock.bench.conversation(Rules(handoff_words=("human",), idle_close=3600))
    await clock.text(person, "human")
    await person.turn(1)
    await clock.passes(days=2)

    assert not await clock.is_closed(person)
    assert (await person.view()).handoff is not None
