"""The order flow on the real Temporal server, with its own shop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from orders import shop
from orders.flow import FLOW
from temporalio.client import Client

from tests.integration.harness import Bench, Conversation, bench_for
from tests.support.ports import eventually
from workflows import catalogue
from workflows.approval import Decide
from workflows.conversation import ConversationWorkflow
from workflows.policy import Rules
from workflows.state import ApprovalRecord, Verdict

WAIT = "A colleague has to agree to that. I will be back within 15 minutes about order 4713."

DONE = "Done: 2499.00 euros for a cargo bike are on their way back to you (R-1)."
DECLINED = "I am sorry, we cannot refund order 4713. A colleague has looked at it."


@pytest.fixture
async def person(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Conversation]:
    monkeypatch.setenv("ORDERS_DB", str(tmp_path / "orders.db"))
    catalogue.install((FLOW,), "orders.flow:FLOW")
    async with bench_for(client, flows=(FLOW,)) as bench:
        yield bench.conversation(Rules(flow=FLOW.ref))


async def _asked(person: Conversation) -> ApprovalRecord:
    async def look() -> ApprovalRecord | None:
        return next((a for a in (await person.view()).approvals if a.verdict is Verdict.PENDING), None)

    found = await eventually(look)
    assert found is not None
    return found


async def _answers(person: Conversation, *texts: str) -> list[str]:
    for text in texts:
        await person.text(text)
        await person.turn(person.count)
    outbox: Bench = person.bench
    return outbox.outbox.bodies


async def test_an_order_is_looked_up_and_stays_meant(person: Conversation) -> None:
    assert await _answers(person, "Hi, where is my parcel?", "It is 4712", "and 9999?", "What about 4711?") == [
        "Which order is it? Please send me its four digits.",
        "Order 4712, a helmet: on its way, with you tomorrow.",
        "I find no order 9999. Could you check the number?",
        "Order 4711, a bell: delivered on Monday.",
    ]


async def test_a_small_refund_needs_nobody_and_is_made_once(person: Conversation) -> None:
    assert await _answers(person, "Refund 4711 please", "I want my money back!") == [
        "Done: 12.00 euros for a bell are on their way back to you (R-1).",
        "Order 4711 has been refunded before.",
    ]
    assert (await person.view()).approvals == ()


async def test_a_large_refund_waits_for_a_human_who_agrees(person: Conversation) -> None:
    await person.text("I want a refund for 4713")
    asked = await _asked(person)
    assert asked.question == "Refund 2499.00 euros for a cargo bike (order 4713, delivered on Monday)?"
    await person.handle.execute_update(ConversationWorkflow.approve, Decide(token=asked.token, by="ana"))
    await person.turn(1)
    assert person.bench.outbox.bodies == [
        WAIT,
        DONE,
    ]


async def test_a_large_refund_that_a_human_declines_is_not_made(person: Conversation) -> None:
    await person.text("I want a refund for 4713")
    asked = await _asked(person)
    await person.handle.execute_update(ConversationWorkflow.decline, Decide(token=asked.token, by="ana"))
    await person.turn(1)
    assert person.bench.outbox.bodies == [
        WAIT,
        "I am sorry, we cannot refund order 4713. A colleague has looked at it.",
    ]
    assert shop.refund("4713", key="another") is not None  # it had not been


async def test_a_shop_that_is_away_is_said_so(person: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise OSError("no such host")

    monkeypatch.setattr(shop, "find", broken)
    assert await _answers(person, "where is 4711?") == [
        "I cannot reach our shop's system right now. Please try again in a few minutes."
    ]


async def test_a_newer_text_while_a_human_thinks_is_answered_with_it_and_nothing_is_said_twice(
    person: Conversation,
) -> None:
    await person.text("I want a refund for 4713")
    asked = await _asked(person)
    await person.text("it is urgent")
    await person.handle.execute_update(ConversationWorkflow.approve, Decide(token=asked.token, by="ana"))
    turn = await person.turn(1)
    assert (turn.drafts, len(turn.keys)) == (2, 2)
    assert person.bench.outbox.bodies == [
        WAIT,
        DONE,
    ]


def test_the_same_key_refunds_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_DB", str(tmp_path / "orders.db"))
    assert [shop.refund("4711", key=key) for key in ("a", "a", "b")] == [("R-1", 1200), ("R-1", 1200), None]
    assert shop.refund("9999", key="c") is None


def test_the_picture_in_the_readme_is_the_flow() -> None:
    readme = Path(__file__).with_name("README.md").read_text()
    assert f"```mermaid\n{FLOW.to_mermaid()}\n```" in readme
