"""Proven sends: the intent is in the state before the message leaves, and every outcome after it.

Whatever leaves a conversation leaves here: an answer's parts, a human's reply, a notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from messaging.model import DeliveryStatus
from workflows import failure, guard, policy, telling
from workflows.alert import AlertKind
from workflows.contracts import ConversationStart, DeliveryActivities, SendOrder, SendReceipt
from workflows.flow import Halt, act, call
from workflows.outgoing import Outgoing
from workflows.policy import ConsentScope, SendPolicy
from workflows.state import ConversationState, Direction, MessageRecord, Proof

Deliver = Callable[..., Awaitable[Any]]


async def by_policy(method: Callable[..., Awaitable[Any]], order: SendOrder, *, summary: str = "") -> Any:
    """How a message is sent that no step of a flow sends."""
    return await call(policy.DELIVER, method, order, summary=summary)


def intend(state: ConversationState, out: Outgoing, now: datetime) -> MessageRecord:
    """The message's place in the transcript, from before it leaves."""
    if (known := state.find(out.key)) is not None:
        return known
    message = MessageRecord(
        id=out.key,
        direction=Direction.OUTBOUND,
        author=out.author,
        body=out.text,
        status="pending",
        turn=state.turn,
        created_at=now,
        kind=out.kind.value,
        proof=Proof.INTENDED.value,
        by=out.by,
    )
    state.record(message)
    return message


async def send(
    start: ConversationStart,
    state: ConversationState,
    out: Outgoing,
    *,
    forbidden: Callable[[], Halt | None],
    stale_at: datetime | None = None,
    deliver: Deliver = act,
    summary: str = "",
) -> SendReceipt:
    """Send one message, and stop trying as soon as it is forbidden, or reported as sent.

    Raises:
        Halt: it was forbidden before it was known to have left.
        ActivityError: it was refused, or nothing could be proven; the message in the state says which.
    """
    now = workflow.now()
    message = intend(state, out, now)
    guard.count(state, now)
    order = _order(start, state, out, now, stale_at)
    sending = asyncio.ensure_future(deliver(DeliveryActivities.deliver, order, summary=summary))
    await workflow.wait_condition(
        lambda: sending.done() or forbidden() is not None or message.proof == Proof.REPORTED.value
    )
    if not sending.done():
        sending.cancel()
    try:
        receipt: SendReceipt = await sending
    except ActivityError as error:
        if message.proof == Proof.REPORTED.value:
            receipt = SendReceipt(
                message_sid=message.provider_sid, status=DeliveryStatus(message.status), proof=Proof.REPORTED.value
            )
        else:
            _fail(state, message, error, now)
            _tell(start, message)
            if halt := forbidden():
                raise halt from error
            raise
    state.sent(message, receipt.message_sid, receipt.status, Proof(receipt.proof))
    state.last_sent = workflow.now()
    _tell(start, message)
    return receipt


async def try_to_send(
    start: ConversationStart,
    state: ConversationState,
    out: Outgoing,
    *,
    forbidden: Callable[[], Halt | None],
    stale_at: datetime | None = None,
) -> bool:
    """Send what no step of a flow sends; what becomes of it is in the state. Whether it left."""
    try:
        await send(start, state, out, forbidden=forbidden, stale_at=stale_at, deliver=by_policy, summary=out.kind.value)
    except Halt as halt:
        if (message := state.find(out.key)) is not None and message.proof == Proof.INTENDED.value:
            message.status, message.proof, message.reason = "failed", Proof.FAILED.value, halt.reason
        return False
    except ActivityError as error:
        failure.settle(state, category_of(error), code_of(error), workflow.now())
        return False
    return True


def type_of(error: BaseException) -> str:
    """The name of what failed; empty where nobody named it."""
    cause = _cause(error)
    return (cause.type or "") if isinstance(cause, ApplicationError) else ""


def category_of(error: BaseException) -> str:
    """What the failure asks for, by a name of `messaging.errors.Category`."""
    return str(_detail(error, "category") or "")


def code_of(error: BaseException) -> int | None:
    """The provider's own number of the failure."""
    code = _detail(error, "provider_code")
    return code if isinstance(code, int) else None


def may_have_left(error: BaseException) -> bool:
    """Whether a send that failed for good may have reached the person: all but a clear no."""
    if not isinstance(_cause(error), ApplicationError):
        return True  # a time-out of the activity itself
    return type_of(error) == "uncertain" or bool(_detail(error, "ambiguous"))


def _order(
    start: ConversationStart, state: ConversationState, out: Outgoing, now: datetime, stale_at: datetime | None
) -> SendOrder:
    known = tuple(m.provider_sid for m in state.messages if m.direction is Direction.OUTBOUND and m.provider_sid)
    rules = state.rules
    window = guard.window_closes_at(start, state)
    template, variables = out.template, out.template_variables
    if not template and window is not None and now >= window:
        template, variables = rules.template, filled(rules.template_variables, out.text)
    return SendOrder(
        route=start.route,
        key=out.key,
        text=out.text,
        since=now,
        known=known[-policy.KNOWN_SENDS :],
        media=out.media,
        template=template,
        template_variables=variables,
        policy=SendPolicy.NEVER_LOST if out.kind in rules.never_lost else SendPolicy.NEVER_TWICE,
        stale_at=stale_at,
        contact_id=start.contact_id if rules.consent is ConsentScope.CONTACT else "",
    )


def filled(variables: Mapping[str, str], text: str) -> dict[str, str]:
    """A template's variables; `{text}` stands for what would have been sent, on one line as WhatsApp wants it."""
    line = " ".join(text.split())
    return {name: value.replace("{text}", line) for name, value in variables.items()}


def _tell(start: ConversationStart, message: MessageRecord) -> None:
    telling.tell(telling.SendEnded(channel=start.channel, kind=message.kind, proof=message.proof))


def _fail(state: ConversationState, message: MessageRecord, error: BaseException, now: datetime) -> None:
    if may_have_left(error):
        message.status = message.proof = Proof.UNCERTAIN.value
        state.alert(AlertKind.UNCERTAIN, now, "a send can neither be proven nor disproven")
    else:
        message.status = message.proof = Proof.FAILED.value
        message.error_code = code_of(error)
    message.reason = type_of(error)


def _cause(error: BaseException) -> BaseException:
    while isinstance(error, ActivityError) and error.cause is not None:
        error = error.cause
    return error


def _detail(error: BaseException, name: str) -> Any:
    cause = _cause(error)
    details = cause.details if isinstance(cause, ApplicationError) else ()
    return next((d[name] for d in details if isinstance(d, Mapping) and name in d), None)
