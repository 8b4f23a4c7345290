"""Looks again just before something leaves: what was right when the draft began may be wrong by now."""

from __future__ import annotations

from datetime import datetime, timedelta

from messaging.model import Channel, OptOut
from workflows import consent, handoff, policy
from workflows.alert import AlertKind
from workflows.contracts import ConversationStart
from workflows.flow import Halt
from workflows.inbox import Inbound
from workflows.state import ConversationState, Direction, Outcome

_HOUR = timedelta(hours=1)

STALE = "stale"
LATE = "the answer came too late"


def forbidden(start: ConversationStart, state: ConversationState, now: datetime) -> Halt | None:
    """Why the agent may send nothing now, if something forbids it. At any time, also while a send is tried."""
    if halt := forbidden_to_all(start, state, now):
        return halt
    if handoff.is_held(state):
        return Halt("taken over before the answer was sent", outcome=Outcome.HELD)
    return None


def forbidden_to_all(
    start: ConversationStart, state: ConversationState, now: datetime, *, template: bool = False
) -> Halt | None:
    """Why nobody may send anything now, not even a human. `template`: it is one that the window does not concern."""
    if state.opted_out or any(is_stop(start, state, p) for p in state.pending if not state.has_seen(p.key)):
        return Halt("opted out before the answer was sent", outcome=Outcome.OPTED_OUT)
    if state.closing:
        return Halt("closed before the answer was sent", outcome=Outcome.PARKED)
    closes = window_closes_at(start, state)
    if closes is not None and closes <= now and not (template or state.rules.template):
        return Halt("the channel's window is closed and there is no template", outcome=Outcome.HELD)
    return None


def blow_fuses(state: ConversationState, now: datetime) -> Halt | None:
    """Hold the conversation for a human when it sends too much, or seems to be between two bots."""
    rules = state.rules
    if rules.sends_per_hour and len([at for at in state.sends if at > now - _HOUR]) >= rules.sends_per_hour:
        reason = f"{rules.sends_per_hour} sends within an hour"
        handoff.request(state, reason, now, kind=AlertKind.BUDGET)
    elif rules.loop_turns and (state.quick >= rules.loop_turns or state.repeats >= policy.LOOP_REPEATS):
        reason = f"{state.quick} texts in a row came as quickly as a bot's"
        handoff.request(state, reason, now, kind=AlertKind.LOOP)
    else:
        return None
    return Halt(reason, outcome=Outcome.HELD)


def count(state: ConversationState, now: datetime) -> None:
    """One more send."""
    state.sends = [*(at for at in state.sends if at > now - _HOUR), now][-policy.COUNTED_SENDS :]


def notice(state: ConversationState, inbound: Inbound) -> None:
    """Whether a text that is taken in looks like a bot's: at once after our message, and saying the same again."""
    quick = state.last_sent is not None and inbound.at - state.last_sent < policy.LOOP_WITHIN
    if not quick:
        state.quick = state.repeats = 0
        return
    state.quick += 1
    said = [m.body for m in state.messages[-6:]]
    state.repeats += inbound.text[: policy.MAX_TEXT] in said


def window_closes_at(start: ConversationStart, state: ConversationState) -> datetime | None:
    """Until when free-form messages may be sent; None where the channel has no such window."""
    if start.channel != Channel.WHATSAPP:
        return None
    return state.last_inbound + policy.WHATSAPP_WINDOW if state.last_inbound else state.created_at


def is_stop(start: ConversationStart, state: ConversationState, inbound: Inbound) -> bool:
    """Whether this text ends consent."""
    return consent.keyword(inbound, channel=start.channel, opted_out=state.opted_out) is OptOut.STOP


def is_late(state: ConversationState, since: datetime, now: datetime) -> bool:
    """Whether an answer to what came in at `since` is too old to be sent as it is."""
    at = stale_at(state, since)
    return at is not None and now > at


def stale_at(state: ConversationState, since: datetime) -> datetime | None:
    """When an answer to what came in at `since` is too old to be sent as it is."""
    return since + timedelta(seconds=state.rules.stale_after) if state.rules.stale_after else None


def unanswered(state: ConversationState) -> bool:
    """Whether the latest message is the person's."""
    return bool(state.messages) and state.messages[-1].direction is Direction.INBOUND
