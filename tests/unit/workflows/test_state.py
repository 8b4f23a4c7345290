"""What a conversation knows: bounded in every field, and never set back by a late report."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter

from agents.turn import Draft
from messaging.model import DeliveryStatus
from workflows import policy, steps
from workflows.contracts import ConversationStart, Route
from workflows.inbox import DeliveryUpdate, Inbound
from workflows.state import ApprovalRecord, ConversationState, Direction, MessageRecord, Outcome, StepRecord, TurnRecord
from workflows.steps import TurnContext

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEMPORAL_PAYLOAD_LIMIT = 2 * 1024 * 1024  # https://docs.temporal.io/self-hosted-guide/defaults, blob size


def _state() -> ConversationState:
    return ConversationState(created_at=NOW, updated_at=NOW)


def _message(number: int = 1, *, body: str = "hi", direction: Direction = Direction.OUTBOUND) -> MessageRecord:
    return MessageRecord(
        id=f"key-{number}",
        direction=direction,
        author="agent",
        body=body,
        status="pending",
        turn=number,
        created_at=NOW + timedelta(seconds=number),
    )


def _report(status: DeliveryStatus, *, sid: str = "SM1", **fields: object) -> DeliveryUpdate:
    return DeliveryUpdate(message_sid=sid, status=status, **fields)  # type: ignore[arg-type]


def test_a_key_is_accepted_once() -> None:
    state = _state()
    assert not state.has_seen("a")
    assert [state.accept(key) for key in ("a", "b", "a", "b", "c")] == [True, True, False, False, True]
    assert state.has_seen("a")


def test_the_latest_keys_are_recognised_and_older_ones_let_go() -> None:
    state = _state()
    extra = 3
    for number in range(policy.SEEN_KEYS + extra):
        assert state.accept(f"key-{number}")
    assert len(state.seen) == policy.SEEN_KEYS
    assert [state.has_seen(f"key-{n}") for n in (extra - 1, extra, policy.SEEN_KEYS + extra - 1)] == [False, True, True]


def test_the_transcript_keeps_the_newest_messages() -> None:
    state = _state()
    for number in range(policy.TRANSCRIPT_MESSAGES + 5):
        state.record(_message(number))
    assert [m.turn for m in state.messages] == list(range(5, policy.TRANSCRIPT_MESSAGES + 5))
    assert state.updated_at == state.messages[-1].created_at


def test_the_transcript_is_bounded_by_its_characters() -> None:
    state = _state()
    for number in range(policy.TRANSCRIPT_MESSAGES):
        state.record(_message(number, body="x" * (policy.TRANSCRIPT_CHARS // 4)))
        assert sum(len(m.body) for m in state.messages) <= policy.TRANSCRIPT_CHARS
    assert [m.turn for m in state.messages] == list(range(policy.TRANSCRIPT_MESSAGES - 4, policy.TRANSCRIPT_MESSAGES))


def test_a_message_longer_than_the_transcript_may_be_is_kept_alone() -> None:
    state = _state()
    state.record(_message(1))
    state.record(_message(2, body="x" * (policy.TRANSCRIPT_CHARS + 1)))
    assert [m.turn for m in state.messages] == [2]


FINAL = {DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED, DeliveryStatus.DELIVERED}


@pytest.mark.parametrize(
    "order",
    list(
        itertools.permutations(
            (DeliveryStatus.READ, DeliveryStatus.DELIVERED, DeliveryStatus.SENT, DeliveryStatus.QUEUED)
        )
    ),
)
@pytest.mark.parametrize("early", range(5))
def test_reports_in_any_order_before_or_after_the_send_returns_end_at_the_furthest(
    order: tuple[DeliveryStatus, ...], early: int
) -> None:
    state = _state()
    state.record(message := _message())
    for status in order[:early]:
        state.merge(_report(status))
    state.sent(message, "SM1", DeliveryStatus.QUEUED)
    for status in order[early:]:
        state.merge(_report(status))
    assert message.status == "read"
    assert state.early == []


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(FINAL, 2)))
def test_a_final_status_is_not_replaced_by_another(first: DeliveryStatus, second: DeliveryStatus) -> None:
    state = _state()
    state.record(message := _message())
    state.sent(message, "SM1", DeliveryStatus.QUEUED)
    state.merge(_report(first))
    state.merge(_report(second))
    assert message.status == first.value


def test_a_report_with_our_key_finds_its_message_before_the_send_returns() -> None:
    state = _state()
    state.record(message := _message())
    state.merge(_report(DeliveryStatus.DELIVERED, key=message.id))
    assert (message.status, message.provider_sid) == ("delivered", "SM1")
    state.sent(message, "SM1", DeliveryStatus.QUEUED)
    assert message.status == "delivered"


def test_a_failures_error_code_stays_through_late_reports() -> None:
    state = _state()
    state.record(message := _message())
    state.sent(message, "SM1", DeliveryStatus.QUEUED)
    state.merge(_report(DeliveryStatus.UNDELIVERED, error_code=30003))
    state.merge(_report(DeliveryStatus.SENT))
    assert (message.status, message.error_code) == ("undelivered", 30003)


def test_a_report_never_changes_a_text_that_came_in() -> None:
    state = _state()
    state.record(inbound := _message(direction=Direction.INBOUND))
    state.merge(_report(DeliveryStatus.FAILED, key=inbound.id))
    assert inbound.status == "pending"


def test_one_message_s_early_reports_leave_anothers_waiting() -> None:
    state = _state()
    for number in (1, 2):
        state.record(_message(number))
    state.merge(_report(DeliveryStatus.SENT, sid="SM2"))
    state.sent(state.messages[0], "SM1", DeliveryStatus.QUEUED)
    assert [m.status for m in state.messages] == ["queued", "pending"]
    state.sent(state.messages[1], "SM2", DeliveryStatus.QUEUED)
    assert [m.status for m in state.messages] == ["queued", "sent"]


def test_reports_about_messages_nobody_sent_do_not_pile_up() -> None:
    state = _state()
    for number in range(100):
        state.merge(_report(DeliveryStatus.SENT, sid=f"SM{number}"))
    assert len(state.early) <= 20
    assert state.early[-1].message_sid == "SM99"


async def test_the_fullest_state_there_can_be_fits_one_payload() -> None:
    """Memory away for as long as it takes, and every text as long as one may be: it must still be carried over."""
    state, body = _state(), "x" * policy.MAX_TEXT
    start = ConversationStart(
        conversation_id="c",
        contact_id="p",
        channel="sms",
        route=Route(provider="outbox", conversation_sid="pair"),
        created_at=NOW,
    )
    for number in range(1, policy.BACKLOG_ITEMS + 1):
        inbound = Inbound(key=f"in-{number}", sid="SM", text=body, at=NOW)
        state.turn = number
        assert state.accept(inbound.key)
        state.record(_message(number, body=body, direction=Direction.INBOUND))
        turn = TurnContext(
            start=start, state=state, texts=(inbound,), contact_id="p", results={"reply": Draft(text="ok")}
        )
        await steps.remember_later(turn, Exception("away"))
        if len(state.backlog) == policy.BACKLOG_ITEMS:
            break
    asked, wide = "?" * policy.QUESTION_CHARS, "𝒳" * policy.VARIABLE_CHARS
    for number in range(policy.APPROVALS):
        question = ApprovalRecord(
            token=f"{number:032}", step="s" * 64, turn=1, question=asked, asked_at=NOW, deadline=NOW, note=asked
        )
        state.approvals.append(question)
    for number in range(policy.VARIABLES):
        turn.keep(f"variable {number}", wide)
    state.variables = turn.variables
    told = tuple(
        StepRecord(name=f"step {n}", status="fell back", reason="why " * 20, started_at=NOW) for n in range(30)
    )
    state.turns = [
        TurnRecord(number=n, keys=("k" * 64,) * 20, started_at=NOW, ended_at=NOW, outcome=Outcome.PARKED, steps=told)
        for n in range(policy.TURN_RECORDS)
    ]
    [payload] = await pydantic_data_converter.encode([state])
    assert payload.ByteSize() < TEMPORAL_PAYLOAD_LIMIT
