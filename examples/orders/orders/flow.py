"""The flow: look the order up; a refund of some size asks a human first, and nobody answering means no."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow

from agents.turn import Draft
from workflows.approval import Approval, Decision
from workflows.flow import Flow, Step
from workflows.policy import DELIVER, REMEMBER
from workflows.saying import Say
from workflows.state import Verdict
from workflows.steps import TurnContext, accepted, deliver, remember, remember_later, screen, undelivered
from workflows.tool import ToolCall, tool

with workflow.unsafe.imports_passed_through():  # it opens files, which only the tools do
    from orders import shop

# Refunds below go through without a human.
SMALL = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNumber:
    """Which order."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the shop knows of an order; `thing` is empty where there is none of this number."""

    number: str
    thing: str = ""
    cents: int = 0
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back; `id` is empty where it had been before."""

    id: str = ""
    cents: int = 0


@tool(timeout=timedelta(seconds=5))
async def look_up_order(call: ToolCall[OrderNumber]) -> Order:
    """Ask the shop."""
    number = call.request.number
    found = await asyncio.to_thread(shop.find, number)
    if found is None:
        return Order(number=number)
    thing, cents, state = found
    return Order(number=number, thing=thing, cents=cents, state=state)


@tool(changes=True, timeout=timedelta(seconds=10))
async def refund_order(call: ToolCall[OrderNumber]) -> Refund:
    """Have the shop give the money back, once for each key."""
    made = await asyncio.to_thread(shop.refund, call.request.number, key=call.key)
    return Refund() if made is None else Refund(id=made[0], cents=made[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person wants, as far as their words tell. The number may be that of an earlier turn."""

    number: str
    refund: bool


async def understand(turn: TurnContext) -> Wish:
    """Read the texts. A model could do this in the step `reply`; words are enough here."""
    numbers = re.findall(r"\b\d{4}\b", turn.text)
    if numbers:
        turn.keep("order", numbers[-1])
    return Wish(
        number=turn.variables.get("order", ""),
        refund=bool(re.search(r"\b(refund|money back|return)\b", turn.text, re.IGNORECASE)),
    )


def has_number(turn: TurnContext) -> bool:
    """Whether it is known which order they mean."""
    return bool(turn.result("understand", Wish).number)


def wants_refund(turn: TurnContext) -> bool:
    """Whether they want their money back, for an order that there is."""
    order = turn.results.get("look_up")
    return turn.result("understand", Wish).refund and isinstance(order, Order) and bool(order.thing)


async def weigh(turn: TurnContext) -> int:
    """The cents at stake. It always runs, so that `refund` is due where `approve` is skipped."""
    return turn.result("look_up", Order).cents


def is_large(turn: TurnContext) -> bool:
    """Whether it is too much to give back without asking."""
    return turn.result("weigh", int) >= SMALL


def may_refund(turn: TurnContext) -> bool:
    """Whether nobody had to be asked, or somebody agreed."""
    decision = turn.results.get("approve")
    return not isinstance(decision, Decision) or decision.approved


def number(turn: TurnContext) -> OrderNumber:
    """Which order the tools are to look at."""
    return OrderNumber(number=turn.result("understand", Wish).number)


def question(turn: TurnContext) -> str:
    """What the human reads who decides."""
    order = turn.result("look_up", Order)
    return f"Refund {_euros(order.cents)} for {order.thing} (order {order.number}, {order.state})?"


def wait(turn: TurnContext) -> str:
    """What the person reads meanwhile."""
    return f"A colleague has to agree to that. I will be back within 15 minutes about order {number(turn).number}."


async def away(_: TurnContext, __: BaseException) -> None:
    """The shop does not answer: the reply says so."""


async def write(turn: TurnContext) -> Draft:
    """Word what came of it."""
    return Draft(text=_answer(turn))


def _answer(turn: TurnContext) -> str:
    if not has_number(turn):
        return "Which order is it? Please send me its four digits."
    order, refund = turn.results.get("look_up"), turn.results.get("refund")
    if not isinstance(order, Order):
        return "I cannot reach our shop's system right now. Please try again in a few minutes."
    if not order.thing:
        return f"I find no order {order.number}. Could you check the number?"
    if not turn.result("understand", Wish).refund:
        return f"Order {order.number}, {order.thing}: {order.state}."
    if isinstance(refund, Refund) and refund.id:
        return f"Done: {_euros(refund.cents)} for {order.thing} are on their way back to you ({refund.id})."
    if isinstance(refund, Refund):
        return f"Order {order.number} has been refunded before."
    if not may_refund(turn):
        return f"I am sorry, we cannot refund order {order.number}. A colleague has looked at it."
    return "The refund did not go through. A colleague will look at it."


def _euros(cents: int) -> str:
    return f"{cents / 100:.2f} euros"


REFUND: Flow[TurnContext] = Flow(
    "refunding",
    (
        Step(name="weigh", run=weigh),
        Step(name="tell", run=Say(words=wait), after=("weigh",), when=is_large, call=DELIVER, guarded=True),
        Step(
            name="approve",
            run=Approval(ask=question, within=timedelta(minutes=15), default=Verdict.DECLINED),
            after=("tell",),
        ),
        Step(
            name="refund",
            run=refund_order.asked(number),
            after=("weigh", "approve"),
            when=may_refund,
            fallback=away,
        ),
    ),
)

FLOW: Flow[TurnContext] = Flow(
    "orders",
    (
        Step(name="screen", run=screen),
        Step(name="understand", run=understand, after=("screen",), when=accepted),
        Step(name="look_up", run=look_up_order.asked(number), after=("understand",), when=has_number, fallback=away),
        Step(name="refunding", run=REFUND, after=("understand", "look_up"), when=wants_refund),
        Step(name="reply", run=write, after=("understand", "refunding")),
        Step(name="deliver", run=deliver, after=("reply",), call=DELIVER, guarded=True, fallback=undelivered),
        Step(name="remember", run=remember, after=("deliver",), call=REMEMBER, fallback=remember_later),
    ),
)
