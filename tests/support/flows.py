"""Flows as a user would declare them, with what the tests need to see of them. Imported in the workflow sandbox too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow

from agents.turn import Draft
from workflows.approval import Approval, Decision
from workflows.flow import Flow, Step
from workflows.policy import DELIVER
from workflows.steps import DEFAULT, TurnContext, accepted, deliver, screen, undelivered
from workflows.tool import ToolCall, ToolFailed, tool

with workflow.unsafe.imports_passed_through():
    from tests.support import ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What to pay."""

    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was paid."""

    amount: int
    number: int


@tool(changes=True, timeout=timedelta(seconds=10))
async def pay(call: ToolCall[Payment]) -> Receipt:
    """Pay once for each key; the first attempt may fail as a test asks."""
    ledger.CALLS.append(call.key)
    if ledger.FAILURES:
        raise ToolFailed(ledger.FAILURES.pop(), retryable=True)
    if call.request.amount > 1_000:
        raise ToolFailed("over the limit")
    if call.request.amount == 666:
        raise ValueError("what the person wrote")
    number = ledger.PAID.setdefault(call.key, len(ledger.PAID) + 1)
    return Receipt(amount=call.request.amount, number=number)


def amount(turn: TurnContext) -> Payment:
    return Payment(amount=int("".join(c for c in turn.text if c.isdigit()) or "0"))


def is_large(turn: TurnContext) -> bool:
    return amount(turn).amount >= 100


def may_pay(turn: TurnContext) -> bool:
    asked = turn.results.get("ask")
    return not isinstance(asked, Decision) or asked.approved


async def write(turn: TurnContext) -> Draft:
    """Tell what was paid, how often this flow has been asked, and who agreed."""
    asked, paid = turn.results.get("ask"), turn.results.get("pay")
    count = int(turn.variables.get("count", "0")) + 1
    turn.keep("count", str(count))
    by = f" ({asked.by or 'nobody'} {'agreed' if asked.approved else 'did not'})" if isinstance(asked, Decision) else ""
    told = f"paid {paid.amount} as {paid.number}" if isinstance(paid, Receipt) else "not paid"
    return Draft(text=f"{count}: {told}{by}")


async def failed(turn: TurnContext, error: BaseException) -> None:
    """The answer says that nothing was paid."""


async def price(turn: TurnContext) -> Payment:
    return amount(turn)


def _shop(*, version: int = 1, within: timedelta = timedelta(hours=1)) -> Flow[TurnContext]:
    paying = Flow(
        "paying",
        (
            Step(name="price", run=price),
            Step(
                name="ask",
                run=Approval(ask=lambda turn: f"pay {amount(turn).amount}?", within=within),
                after=("price",),
                when=is_large,
            ),
            Step(name="pay", run=pay.asked(amount), after=("price", "ask"), when=may_pay, fallback=failed),
        ),
    )
    return Flow(
        "shop",
        (
            Step(name="screen", run=screen),
            Step(name="payment", run=paying, after=("screen",), when=accepted),
            Step(name="reply", run=write, after=("payment",)),
            Step(name="deliver", run=deliver, after=("reply",), call=DELIVER, guarded=True, fallback=undelivered),
        ),
        version=version,
    )


SHOP = _shop()
SHORT = _shop(version=2, within=timedelta(seconds=1))
ALL = (SHOP, SHORT)
LATER = _shop(version=3)
TOGETHER: Flow[TurnContext] = Flow("together", DEFAULT.steps, together=True)
