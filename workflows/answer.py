"""How a draft leaves: when the person may be written to, in time or not at all, part by part."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow

from agents.turn import Draft
from workflows import failure, guard, handoff, ids, outbox, parts, policy, quiet
from workflows.context import TurnContext
from workflows.contracts import SendReceipt
from workflows.flow import Halt, reason_of
from workflows.outgoing import Outgoing
from workflows.policy import MessageClass, Stale
from workflows.state import ConversationState, Outcome


async def deliver(turn: TurnContext) -> tuple[SendReceipt, ...]:
    """Send the draft, part by part. Each part has a key of its own, so none is ever repeated for another's sake."""
    since = await _until_open(turn) + turn.waited
    turn.committed = True
    draft, kind = _in_time(turn, turn.result("reply", Draft), since)
    # An apology for being late is a message of its own: an earlier attempt of the answer may be in the transcript.
    event = turn.texts[0].key + (":late" if guard.LATE in turn.guards else "")
    if retried := turn.texts[0].retry_of:
        event += f":again-{retried}"  # an apology may have gone out under the first
    receipts = []
    texts = parts.by_channel(draft.text, turn.start.channel, turn.state.rules)
    for number, text in enumerate(texts or (("",) if draft.media else ())):
        if number and (halt := turn.forbidden()):
            raise halt
        out = Outgoing(
            key=ids.send_key(turn.start.conversation_id, event, number),
            text=text,
            kind=kind,
            media=() if number else draft.media,
        )
        receipts.append(
            await outbox.send(
                turn.start,
                turn.state,
                out,
                forbidden=turn.forbidden,
                stale_at=guard.stale_at(turn.state, since) if kind is MessageClass.ANSWER else None,
                summary=f"turn {turn.state.turn}, part {number + 1}",
            )
        )
    if draft.handoff:
        handoff.request(turn.state, draft.handoff, workflow.now())
        turn.outcome, turn.reason = Outcome.HELD, draft.handoff
    return tuple(receipts)


def opens_at(state: ConversationState, now: datetime) -> datetime | None:
    """When the person's quiet hours end, if they are now. The rules are those of the latest text, taken or not."""
    rules = state.pending[-1].rules if state.pending else state.rules
    return quiet.opens_at(rules.quiet_hours, state.time_zone or rules.time_zone, now)


async def _until_open(turn: TurnContext) -> datetime:
    """Wait for the end of quiet hours. Since when the answer could have been sent."""
    asked = max(text.at for text in turn.texts)
    since = opens_at(turn.state, asked) or asked
    while (opens := opens_at(turn.state, workflow.now())) is not None:
        turn.guards.append("quiet hours")
        since = opens
        await workflow.wait_condition(lambda at=opens: workflow.now() >= at or turn.superseded())  # type: ignore[misc]
        if turn.superseded():
            raise Halt("newer text", outcome=None)
    return since


def _in_time(turn: TurnContext, draft: Draft, since: datetime) -> tuple[Draft, MessageClass]:
    """The draft, or what is said instead of one that comes too late."""
    kind = MessageClass.APOLOGY if draft.kind == "apology" else MessageClass.ANSWER
    if kind is MessageClass.APOLOGY or not guard.is_late(turn.state, since, workflow.now()):
        return draft, kind
    return _late(turn), MessageClass.APOLOGY


def _late(turn: TurnContext) -> Draft:
    turn.guards.append(guard.LATE)
    if turn.state.rules.stale is Stale.HOLD:
        handoff.request(turn.state, guard.LATE, workflow.now())
        raise Halt(guard.LATE, outcome=Outcome.HELD)
    turn.outcome, turn.reason = Outcome.PARKED, guard.LATE
    return Draft(text=policy.LATE, kind="apology")


async def undelivered(turn: TurnContext, error: BaseException) -> tuple[SendReceipt, ...]:
    """The provider refused, or nothing could be proven: the turn says why, and the conversation goes on."""
    if outbox.type_of(error) == guard.STALE:
        turn.results["reply"] = _late(turn)
        return await deliver(turn)
    turn.reason = reason_of(error)
    turn.outcome = failure.settle(turn.state, outbox.category_of(error), outbox.code_of(error), workflow.now())
    return ()
