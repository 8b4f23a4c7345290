"""One conversation, turn by turn, on the real Temporal server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from temporalio.client import WorkflowExecutionStatus

from agents.loading import LoadedAgent
from agents.turn import Draft, Turn
from memory.store import MemoryUnavailable
from messaging import errors
from messaging.model import DeliveryStatus, Message
from tests.integration.harness import Bench, Conversation
from tests.support.ports import eventually
from workflows import policy
from workflows.contracts import Takeover
from workflows.conversation import ConversationWorkflow
from workflows.inbox import DeliveryUpdate
from workflows.policy import Rules, TurnPolicy
from workflows.state import Outcome


async def test_a_text_is_answered_and_every_step_is_accounted_for(bench: Bench) -> None:
    person = bench.conversation()
    await person.text("hello")

    turn = await person.turn(1)

    assert bench.outbox.bodies == ["re: hello"]
    assert turn.outcome is Outcome.ANSWERED
    assert [(s.name, s.status) for s in turn.steps] == [
        ("screen", "ran"),
        ("listen", "skipped"),
        *((name, "ran") for name in ("afford", "recall", "reply", "check", "deliver", "learn", "remember")),
    ]
    assert [(m.direction, m.body, m.status) for m in (await person.transcript()).messages] == [
        ("inbound", "hello", "answered"),
        ("outbound", "re: hello", "queued"),
    ]
    assert sorted(item.text for item in bench.memory.items.values()) == ["hello", "re: hello"]


async def test_the_same_text_twenty_times_is_one_turn(bench: Bench) -> None:
    person = bench.conversation()
    await asyncio.gather(*(person.text("hello", key="SM-one") for _ in range(20)))
    await person.turn(1)
    await person.text("bye")
    await person.turn(2)

    assert bench.outbox.bodies == ["re: hello", "re: bye"]


async def test_the_agent_sees_what_was_said_before_and_what_is_remembered(bench: Bench) -> None:
    person = bench.conversation()
    for number in range(1, 9):
        await person.text(f"text {number}")
        await person.turn(number)

    last = bench.agent.turns[-1]
    assert [u.text for u in last.history][-2:] == ["text 7", "re: text 7"]
    assert {r.text for r in last.recalled}.isdisjoint({u.text for u in last.history})
    assert "text 1" in {r.text for r in last.recalled}


class Slow:
    """An agent that writes until it is let go, once; afterwards it is quick."""

    def __init__(self) -> None:
        self.writing = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, turn: Turn) -> Draft:
        self.writing.set()
        await self.go_on.wait()
        return Draft(text=f"re: {turn.text}")


async def test_texts_that_arrive_while_a_draft_is_written_are_answered_together(bench: Bench) -> None:
    bench.agent.reply_with = slow = Slow()
    person = bench.conversation(Rules(turn_policy=TurnPolicy.COALESCE))
    await person.text("one")
    await slow.writing.wait()
    await person.text("two")
    await person.text("three")
    slow.go_on.set()

    turn = await person.turn(1)

    assert bench.outbox.bodies == ["re: one\ntwo\nthree"]
    assert turn.drafts == 2
    assert [m.status for m in (await person.transcript()).messages[:3]] == ["answered"] * 3


async def test_enqueue_answers_each_text_by_itself_in_order(bench: Bench) -> None:
    bench.agent.reply_with = slow = Slow()
    person = bench.conversation(Rules(turn_policy=TurnPolicy.ENQUEUE))
    await person.text("one")
    await slow.writing.wait()
    await person.text("two")
    await person.text("three")
    slow.go_on.set()
    await person.turn(3)

    assert bench.outbox.bodies == ["re: one", "re: two", "re: three"]


async def test_interrupt_stops_the_draft_at_once(bench: Bench) -> None:
    first = True

    async def never_the_first_time(turn: Turn) -> Draft:
        nonlocal first
        if first:
            first = False
            await asyncio.Event().wait()
        return Draft(text=f"re: {turn.text}")

    bench.agent.reply_with = never_the_first_time
    person = bench.conversation(Rules(turn_policy=TurnPolicy.INTERRUPT))
    await person.text("one")
    await eventually(lambda: asyncio.sleep(0, bool(bench.agent.turns)))
    await person.text("two")
    await person.turn(1)

    assert bench.outbox.bodies == ["re: one\ntwo"]


async def test_an_agent_that_fails_for_good_apologises_and_the_conversation_goes_on(bench: Bench) -> None:
    async def broken(turn: Turn) -> Draft:
        if "poison" in turn.text:
            raise ValueError("secret text")
        return Draft(text="fine")

    bench.agent.reply_with = broken
    person = bench.conversation()
    await person.text("poison")
    turn = await person.turn(1)
    await person.text("next")
    await person.turn(2)

    assert bench.outbox.bodies == [policy.APOLOGY, "fine"]
    assert turn.outcome is Outcome.PARKED
    assert "ValueError" in turn.reason
    assert "secret text" not in turn.reason


async def test_memory_being_away_delays_memory_and_not_the_answer(bench: Bench) -> None:
    bench.memory.away = MemoryUnavailable("refused")
    person = bench.conversation()
    await person.text("hello")
    turn = await person.turn(1)

    assert bench.outbox.bodies == ["re: hello"]
    assert {s.name: s.status for s in turn.steps}["recall"] == "fell back"
    assert (await person.view()).unremembered == 2

    bench.memory.away = None
    await eventually(lambda: asyncio.sleep(0, len(bench.memory.items) == 2))


@pytest.mark.parametrize(
    ("before", "after", "looks"),
    [
        ([errors.RateLimit("slow down", retryable=True, retry_after=0.1)], [], 0),
        ([errors.InternalError("500", ambiguous=True)], [], 1),
        ([], [errors.InternalError("500", ambiguous=True)], 1),
        ([], [errors.Timeout("read", ambiguous=True)], 1),
    ],
    ids=["429", "500 before commit", "500 after commit", "accepted, then a time-out"],
)
async def test_the_person_sees_one_message_whatever_the_provider_does(
    bench: Bench, before: list[errors.MessagingError], after: list[errors.MessagingError], looks: int
) -> None:
    bench.outbox.fail_before, bench.outbox.fail_after = before, after
    person = bench.conversation()
    await person.text("hello")
    turn = await person.turn(1)

    assert bench.outbox.bodies == ["re: hello"]
    assert turn.outcome is Outcome.ANSWERED
    assert bench.outbox.looks == looks


async def test_a_refused_send_is_named_and_the_next_text_flows(bench: Bench) -> None:
    bench.outbox.fail_before = [errors.RecipientBlocked("filtered", provider_code=30007)]
    person = bench.conversation()
    await person.text("hello")
    turn = await person.turn(1)
    await person.text("again")
    await person.turn(2)

    assert turn.outcome is Outcome.REFUSED
    assert "recipient_blocked" in turn.reason
    assert bench.outbox.bodies == ["re: again"]
    assert [(a.kind, a.told) for a in (await person.view()).alerts] == [("undelivered", True)]


async def test_stop_while_the_agent_writes_discards_the_draft_and_start_opens_again(bench: Bench) -> None:
    bench.agent.reply_with = slow = Slow()
    person = bench.conversation(Rules(turn_policy=TurnPolicy.ENQUEUE))
    await person.text("hello")
    await slow.writing.wait()
    await person.text("Stop ")
    slow.go_on.set()
    await person.turn(2)
    await person.text("are you there?")
    assert (await person.turn(3)).outcome is Outcome.OPTED_OUT
    assert bench.outbox.bodies == []

    await person.text("START")
    await person.turn(4)
    await person.text("and now?")
    await person.turn(5)
    assert bench.outbox.bodies == ["re: and now?"]


async def test_a_takeover_while_the_agent_writes_discards_the_draft(bench: Bench) -> None:
    bench.agent.reply_with = slow = Slow()
    person = bench.conversation()
    await person.text("hello")
    await slow.writing.wait()
    await person.handle.execute_update(ConversationWorkflow.takeover, Takeover(assignee="ana"))
    slow.go_on.set()
    assert (await person.turn(1)).outcome is Outcome.HELD
    await person.text("hello?")
    assert (await person.turn(2)).outcome is Outcome.HELD

    await person.handle.execute_update(ConversationWorkflow.release)
    await person.text("back?")
    await person.turn(3)
    assert bench.outbox.bodies == ["re: back?"]


async def test_delivery_reports_in_any_order_never_go_back(bench: Bench) -> None:
    person = bench.conversation()
    await person.text("hello")
    await person.turn(1)
    for status in (DeliveryStatus.READ, DeliveryStatus.DELIVERED, DeliveryStatus.SENT):
        await person.report(DeliveryUpdate(message_sid="SM1", status=status))

    assert (await person.transcript()).messages[-1].status == "read"


async def test_an_idle_conversation_closes_and_the_next_text_goes_on_from_there(bench: Bench) -> None:
    person = bench.conversation(Rules(idle_close=1))
    key = await person.text("my name is Ana")
    await person.turn(1)
    first = await person.handle.describe()
    await eventually(lambda: _closed(person.handle))

    await person.text("again", previous_run_id=first.run_id)
    turn = await person.turn(2)
    await person.text("my name is Ana", key=key)  # an old webhook, repeated after the close
    await person.text("bye")
    await person.turn(3)

    assert turn.number == 2
    assert bench.outbox.bodies == ["re: my name is Ana", "re: again", "re: bye"]


async def _closed(handle: object) -> bool:
    return (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED  # type: ignore[attr-defined]


async def test_a_long_answer_goes_out_in_parts_and_a_failure_in_one_repeats_no_other(bench: Bench) -> None:
    async def long(_: Turn) -> Draft:
        return Draft(text=" ".join(f"Sentence number {n}." for n in range(150)))

    bench.agent.reply_with = long
    send = bench.outbox.send_message

    async def fail_with_the_second(sid: str, message: Message, *, key: str | None = None) -> Message:
        if len(bench.outbox.sent) == 1:
            bench.outbox.fail_after = [errors.Timeout("read", ambiguous=True)]
        return await send(sid, message, key=key)

    bench.outbox.send_message = fail_with_the_second  # type: ignore[method-assign]
    person = bench.conversation()
    await person.text("tell me all")
    await person.turn(1)

    assert bench.outbox.looks == 1
    assert " ".join(bench.outbox.bodies) == (await long(bench.agent.turns[0])).text
    assert all(len(body) <= 1600 for body in bench.outbox.bodies)


async def test_an_sms_has_no_more_segments_than_it_may(bench: Bench) -> None:
    async def long(_: Turn) -> Draft:
        return Draft(text=" ".join(f"Sentence number {n} 🙂." for n in range(100)))

    bench.agent.reply_with = long
    person = bench.conversation(Rules(sms_segments=3))
    await person.text("tell me all")
    await person.turn(1)

    assert " ".join(bench.outbox.bodies) == (await long(bench.agent.turns[0])).text
    assert all(len(body) <= 3 * 67 and body.endswith(".") for body in bench.outbox.bodies)


async def test_a_flood_is_answered_in_turns_of_bounded_size_and_nothing_is_left_out(bench: Bench) -> None:
    bench.agent.reply_with = slow = Slow()
    person = bench.conversation()
    await person.text("first")
    await slow.writing.wait()
    for number in range(policy.TURN_TEXTS + 5):
        await person.text(f"text {number}")
    slow.go_on.set()
    await person.turn(2)

    said = "\n".join(body.removeprefix("re: ") for body in bench.outbox.bodies).splitlines()
    assert said == ["first", *(f"text {number}" for number in range(policy.TURN_TEXTS + 5))]
    assert max(len(turn.messages) for turn in bench.agent.turns) == policy.TURN_TEXTS


class AlwaysBusy(list[errors.MessagingError]):
    """A provider that refuses every send for now."""

    def pop(self, _: object = 0) -> errors.MessagingError:
        return errors.RateLimit("slow down", retryable=True, retry_after=0.2)

    def __bool__(self) -> bool:
        return True


async def stop(person: Conversation) -> None:
    await person.text("STOP")


async def take_over(person: Conversation) -> None:
    await person.handle.execute_update(ConversationWorkflow.takeover, Takeover(assignee="ana"))


async def close(person: Conversation) -> None:
    await person.handle.execute_update(ConversationWorkflow.close)


@pytest.mark.parametrize(
    ("forbid", "outcome"),
    [(stop, Outcome.OPTED_OUT), (take_over, Outcome.HELD), (close, Outcome.PARKED)],
)
async def test_nothing_leaves_once_it_is_forbidden_however_long_the_send_was_tried(
    bench: Bench, forbid: Callable[[Conversation], Awaitable[None]], outcome: Outcome
) -> None:
    bench.outbox.fail_before = AlwaysBusy()
    person = bench.conversation()
    await person.text("hello")
    await eventually(lambda: asyncio.sleep(0, bench.outbox.calls >= 2))
    await forbid(person)
    turn = await person.turn(1)
    bench.outbox.fail_before = []
    calls = bench.outbox.calls
    await asyncio.sleep(1)  # longer than the provider's wait: a further try would have come

    assert turn.outcome is outcome
    assert bench.outbox.bodies == []
    assert bench.outbox.calls == calls


async def test_the_rest_of_a_long_answer_does_not_leave_after_stop(bench: Bench) -> None:
    async def long(_: Turn) -> Draft:
        return Draft(text=" ".join(f"Sentence number {n}." for n in range(300)))

    bench.agent.reply_with = long
    person = bench.conversation()

    async def stop_after_the_first(sid: str, message: Message, *, key: str | None = None) -> Message:
        sent = await send(sid, message, key=key)
        if len(bench.outbox.sent) == 1:
            await person.text("STOP")
        return sent

    send, bench.outbox.send_message = bench.outbox.send_message, stop_after_the_first  # type: ignore[method-assign]
    await person.text("tell me all")
    await person.turn(2)

    assert len(bench.outbox.sent) == 1


async def test_a_send_on_the_wire_when_stop_comes_is_known_and_counts(bench: Bench) -> None:
    person = bench.conversation()
    on_the_wire, go_on = asyncio.Event(), asyncio.Event()

    async def slow_send(sid: str, message: Message, *, key: str | None = None) -> Message:
        on_the_wire.set()
        await go_on.wait()
        return await send(sid, message, key=key)

    send, bench.outbox.send_message = bench.outbox.send_message, slow_send  # type: ignore[method-assign]
    await person.text("hello")
    await on_the_wire.wait()
    await person.text("STOP")
    await asyncio.sleep(3)  # past the heartbeat that tells the activity of its cancellation
    go_on.set()
    await person.turn(2)

    assert [(m.body, m.status) for m in (await person.transcript()).messages] == [
        ("hello", "answered"),
        ("re: hello", "queued"),
        ("STOP", "opted_out"),
    ]


async def test_a_conversation_whose_memory_is_away_goes_on_over_continue_as_new(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "EVENT_BUDGET", 1)  # every turn continues as new
    bench.memory.away = MemoryUnavailable("refused")
    person = bench.conversation()
    for number in range(1, 4):
        await person.text(f"text {number}")
        await person.turn(number)

    assert bench.outbox.bodies == ["re: text 1", "re: text 2", "re: text 3"]
    bench.memory.away = None
    await eventually(lambda: asyncio.sleep(0, len(bench.memory.items) == 6))


@pytest.mark.slow
async def test_an_agent_that_blocks_its_event_loop_is_answered_and_holds_no_other_step_up(bench: Bench) -> None:
    async def blocking(turn: Turn) -> str:
        time.sleep(7)  # noqa: ASYNC251 - that is the point: longer than the heartbeat allows
        return f"re: {turn.text}"

    agent = LoadedAgent(blocking)
    bench.agent.reply_with = agent.reply
    person = bench.conversation()
    await person.text("hello")
    await eventually(lambda: asyncio.sleep(0, bool(bench.agent.turns)))
    assert (await person.view()).turn == 1  # the worker answers meanwhile
    await person.turn(1)

    assert bench.outbox.bodies == ["re: hello"]
    assert len(bench.agent.turns) == 1
