"""What became of a text, as a conversation keeps it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from workflows import policy
from workflows.fate import COALESCED, HANDLED, IN_PROGRESS, WAITING, Fate
from workflows.inbox import Inbound
from workflows.state import ConversationState, Direction, MessageRecord, Outcome

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("state", [*(outcome.value for outcome in Outcome), COALESCED, "of a later version"])
@pytest.mark.parametrize("reason", ["", "agent_failed: too much"])
def test_it_is_read_as_it_was_kept(state: str, reason: str) -> None:
    fate = Fate(state=state.replace(" ", "_"), turn=12, reason=reason)
    assert Fate.decoded(fate.encoded()) == fate


def test_it_is_small() -> None:
    assert all(len(Fate(state=outcome.value, turn=999).encoded()) <= len("a 999") for outcome in Outcome)
    assert len(Fate(state="parked", turn=999, reason="x" * 1_000).encoded()) <= 70


def test_a_text_is_told_from_its_arrival_to_its_end_and_a_repetition_stays_known() -> None:
    state = ConversationState(created_at=NOW, updated_at=NOW)
    assert state.fate("k") is None
    state.pending.append(Inbound(key="k", sid="k", text="hello", at=NOW))
    assert state.fate("k") == Fate(state=WAITING)
    state.pending.clear()
    assert state.accept("k")
    state.turn = 1
    record = MessageRecord(
        id="k", direction=Direction.INBOUND, author="contact", body="hello", status="received", turn=1, created_at=NOW
    )
    state.record(record)
    assert state.fate("k") == Fate(state=IN_PROGRESS, turn=1)
    state.settle_turn(["k", "l"], Outcome.ANSWERED, "")
    assert (state.fate("k"), state.fate("l")) == (Fate(state="answered", turn=1), Fate(state=COALESCED, turn=1))
    assert not state.accept("k")
    state.forget()
    assert not state.accept("k")


def test_what_an_older_version_had_seen_is_handled() -> None:
    state = ConversationState(created_at=NOW, updated_at=NOW)
    state.accept("k")
    assert state.fate("k") == Fate(state=HANDLED)


def test_the_latest_are_kept() -> None:
    state = ConversationState(created_at=NOW, updated_at=NOW)
    for number in range(policy.SEEN_KEYS + 3):
        state.settle_turn([f"k{number}"], Outcome.ANSWERED, "")
    assert len(state.fates) == policy.SEEN_KEYS
    assert [state.fate(f"k{n}") is None for n in (2, 3)] == [True, False]
