"""What somebody should look at, and when it is over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from workflows import trouble
from workflows.contracts import ConversationStart, Route
from workflows.glance import glanced
from workflows.state import ConversationState, Direction, MessageRecord, ParkedTurn, Proof

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def message(*, turn: int = 1, status: str = "delivered", proof: str = "accepted", body: str = "hello") -> MessageRecord:
    return MessageRecord(
        id=f"m{turn}{status}",
        direction=Direction.OUTBOUND,
        author="agent",
        body=body,
        status=status,
        turn=turn,
        created_at=NOW,
        proof=proof,
    )


def state(*messages: MessageRecord, turn: int = 1, parked: bool = False) -> ConversationState:
    kept = [ParkedTurn(turn=1, reason="broken", at=NOW, keys=("k",))] if parked else []
    return ConversationState(created_at=NOW, updated_at=NOW, turn=turn, messages=list(messages), parked=kept)


CASES = (
    ("all is well", state(message()), ()),
    ("the latest answer reached nobody", state(message(status="undelivered")), ("failed",)),
    ("another turn has followed", state(message(status="failed"), message(turn=2), turn=2), ()),
    ("a turn is parked, whatever followed", state(message(turn=2), turn=2, parked=True), ("failed",)),
    ("a send cannot be proven", state(message(proof=Proof.UNCERTAIN.value), turn=9), ("uncertain",)),
    ("both", state(message(status="failed"), message(proof="uncertain")), ("failed", "uncertain")),
)


@pytest.mark.parametrize(("found", "told"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_there_is_to_look_at(found: ConversationState, told: tuple[str, ...]) -> None:
    assert tuple(one.value for one in trouble.of(found)) == told


def test_a_glance_is_short_however_much_was_said() -> None:
    start = ConversationStart(
        conversation_id="c",
        contact_id="contact-c",
        channel="sms",
        route=Route(provider="p", conversation_sid="s"),
        created_at=NOW,
    )
    seen = glanced(start, state(message(body="word \n" * 500)))

    assert (len(seen.said), seen.said[:9]) == (160, "word word")
    assert (seen.author, seen.failed, seen.window_closes_at) == ("agent", 0, None)
