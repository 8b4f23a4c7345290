"""The default flow of a turn: screen → afford → recall → reply → check → deliver → remember."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow

from agents.turn import BLOCKED, Draft, Turn, Utterance
from memory import window
from memory.item import CONTACT, OPERATOR, MemoryItem, item_id
from messaging.model import OptOut
from workflows import consent, failure, guard, handoff, ids, outbox, parts, policy, quiet
from workflows.contracts import (
    AGENT_REPLY,
    ConversationStart,
    MemoryActivities,
    RecallRequest,
    Recollection,
    RememberRequest,
    ReplyActivities,
    SendReceipt,
)
from workflows.flow import Flow, Halt, Step, act, reason_of
from workflows.inbox import Inbound
from workflows.outgoing import Outgoing, Scheduled
from workflows.policy import Durability, MessageClass, Stale
from workflows.state import ConversationState, MessageRecord, Outcome

R = TypeVar("R")


@dataclass(slots=True, kw_only=True)
class TurnContext:
    """What the steps of one turn share. `results` holds each step's result under its name.

    `contact_id` is who wrote, and so whose memory is asked and whom the answer is for: in a group another at each turn.
    `outcome` and `reason` are how the turn ends unless a later step knows better; `committed` is set once the answer
    may have left, and from then on no newer text interrupts the turn. `forbidden` tells at any time why nothing may
    leave, `superseded` whether newer texts want another draft. `guards` says what held the answer up or changed it.
    `variables` are a flow's own, from turn to turn; those of a draft that was dropped are too. `tools` are the names of
    those that the flow declares. `later` is what is to be sent after the turn, `waited` the time that humans took.
    """

    start: ConversationStart
    state: ConversationState
    texts: tuple[Inbound, ...]
    contact_id: str
    attempt: int = 1
    results: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome = Outcome.ANSWERED
    reason: str = ""
    committed: bool = False
    forbidden: Callable[[], Halt | None] = lambda: None
    superseded: Callable[[], bool] = lambda: False
    guards: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    tools: Collection[str] = ()
    later: list[Scheduled] = field(default_factory=list)
    waited: timedelta = timedelta(0)

    def keep(self, name: str, value: str) -> None:
        """Remember something for later turns, under a name of the flow's own.

        Raises:
            ValueError: too long, or too many.
        """
        if len(value) > policy.VARIABLE_CHARS or len({*self.variables, name}) > policy.VARIABLES:
            raise ValueError(f"a flow keeps at most {policy.VARIABLES} values of {policy.VARIABLE_CHARS} characters")
        self.variables[name] = value

    @property
    def text(self) -> str:
        """The new texts as one."""
        return "\n".join(said(text) for text in self.texts)

    def told(self) -> dict[str, Any]:
        """What the turn's record says of its drafts."""
        draft = self.results.get("reply")
        found = (
            {"sources": draft.sources, "handoff": draft.handoff, "firings": draft.firings}
            if isinstance(draft, Draft)
            else {}
        )
        spending = self.state.spending
        return {**spending.of(self.state.turn), **found}

    def result(self, step: str, kind: type[R]) -> R:
        """A step's result.

        Raises:
            TypeError: the step has not run, or gave something else.
        """
        found = self.results.get(step)
        if not isinstance(found, kind):
            raise TypeError(f"step {step!r} has no result of type {kind.__name__}")
        return found


def said(inbound: Inbound) -> str:
    """A text as the agent reads it; attachments are named, since their bytes stay at the provider."""
    kinds = ", ".join(item.content_type for item in inbound.attachments)
    named = f"[attachment: {kinds}]" if kinds else ""
    return " ".join(part for part in (inbound.text[: policy.MAX_TEXT], named) if part)


async def screen(turn: TurnContext) -> None:
    """Settle consent before anything else looks at the texts; what is left of them is for the agent."""
    state, remaining = turn.state, []
    for inbound in turn.texts:
        match consent.keyword(inbound, channel=turn.start.channel, opted_out=state.opted_out):
            case OptOut.STOP:
                state.opted_out, turn.outcome = True, Outcome.OPTED_OUT
            case OptOut.START:
                state.opted_out, turn.outcome = False, Outcome.OPTED_IN
            case OptOut.HELP:
                turn.outcome = Outcome.HELPED  # the provider answers this word itself
            case None:
                remaining.append(inbound)
    turn.texts = tuple(remaining)
    if state.opted_out:
        turn.outcome, turn.texts = Outcome.OPTED_OUT, ()
    elif remaining and handoff.is_held(state):
        turn.outcome, turn.texts = Outcome.HELD, ()
    elif remaining:
        turn.outcome = Outcome.ANSWERED


def accepted(turn: TurnContext) -> bool:
    """Whether something is left to answer."""
    return bool(turn.texts)


async def afford(turn: TurnContext) -> None:
    """A conversation that has used up its day's budget waits for a human. The person is told so once a day."""
    spending = turn.state.spending
    if turn.texts and (over := spending.over(turn.state.rules.budget, workflow.now())):
        turn.outcome, turn.reason = Outcome.HELD, over
        if spending.told:
            turn.texts = ()


async def recall(turn: TurnContext) -> Recollection:
    """Ask this person's memory, over all channels and earlier conversations."""
    query = turn.text[: policy.MAX_TEXT]
    known = tuple(message.id for message in _window(turn))
    request = RecallRequest(query=query, contact_id=turn.contact_id, exclude=known, limit=policy.RECALLED)
    found: Recollection = await act(MemoryActivities.recall, request)
    return found


async def without_memory(_: TurnContext, __: BaseException) -> Recollection:
    """Memory being away never holds an answer up."""
    return Recollection(degraded=True)


async def reply(turn: TurnContext) -> Draft:
    """Have the agent write, unless it may not any more."""
    if turn.outcome is Outcome.HELD:
        turn.state.spending.told = True
        return Draft(text=policy.SPENT, kind="apology")
    recalled = turn.results.get("recall")
    request = Turn(
        text=turn.text,
        messages=tuple(Utterance(role=CONTACT, text=said(t), at=t.at, channel=turn.start.channel) for t in turn.texts),
        history=_history(turn),
        recalled=recalled.items if isinstance(recalled, Recollection) else (),
        channel=turn.start.channel,
        contact_id=turn.contact_id,
        conversation_id=turn.start.conversation_id,
        attempt=turn.attempt,
        flow=turn.state.flow.partition("@")[0],
    )
    draft = await _written(turn, request)
    account(turn, draft)
    return draft


async def _written(turn: TurnContext, request: Turn) -> Draft:
    """What the agent writes: by one activity, or by a workflow that has one for each request to the model."""
    draft: Draft
    if turn.state.rules.durability is Durability.REPLY:
        draft = await act(ReplyActivities.reply, request, summary=f"turn {turn.state.turn}")
        return draft
    draft = await workflow.execute_child_workflow(
        AGENT_REPLY,
        request,
        id=f"{turn.start.conversation_id}-reply-{turn.state.turn}-{turn.attempt}",
        result_type=Draft,
        execution_timeout=policy.REPLY.total,
        # A draft that nobody wants any more must not hold the next one up.
        cancellation_type=workflow.ChildWorkflowCancellationType.TRY_CANCEL,
        static_summary=f"turn {turn.state.turn}",
    )
    return draft


def account(turn: TurnContext, draft: Draft) -> None:
    """What a draft cost counts, whether or not it is sent."""
    turn.state.spending.add(draft.usage, draft.cost, workflow.now(), turn=turn.state.turn)


async def check(turn: TurnContext) -> None:
    """What the guardrails found in the draft: a text that must not be answered is not, and the turn says why."""
    draft = turn.result("reply", Draft)
    if blocked := [firing for firing in draft.firings if firing.action == BLOCKED]:
        turn.reason = "; ".join(f"{firing.check}: {firing.reason}" for firing in blocked)
        if draft.kind == "apology":  # the agent wrote what must not leave: somebody has to look
            turn.outcome = Outcome.PARKED


async def apologise(turn: TurnContext, error: BaseException) -> Draft:
    """The agent failed for good: say so, and park the turn for a human."""
    turn.outcome, turn.reason = Outcome.PARKED, reason_of(error)
    return Draft(text=policy.APOLOGY, kind="apology")


async def deliver(turn: TurnContext) -> tuple[SendReceipt, ...]:
    """Send the draft, part by part. Each part has a key of its own, so none is ever repeated for another's sake."""
    since = await _until_open(turn) + turn.waited
    turn.committed = True
    draft, kind = _in_time(turn, turn.result("reply", Draft), since)
    # An apology for being late is a message of its own: an earlier attempt of the answer may be in the transcript.
    event = turn.texts[0].key + (":late" if guard.LATE in turn.guards else "")
    receipts = []
    for number, text in enumerate(parts.split(draft.text) or (("",) if draft.media else ())):
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
    """When the person's quiet hours end, if they are now."""
    return quiet.opens_at(state.rules.quiet_hours, state.time_zone or state.rules.time_zone, now)


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


async def remember(turn: TurnContext) -> None:
    """Keep both sides, under ids that make a repeat overwrite itself."""
    await act(MemoryActivities.remember, RememberRequest(items=_memories(turn)))


async def remember_later(turn: TurnContext, _: BaseException) -> None:
    """Memory is away: the conversation's backlog writes it when it is back."""
    keep(turn)


def keep(turn: TurnContext) -> None:
    """Leave both sides to the conversation's backlog."""
    kept = window.fit(
        [*turn.state.backlog, *_memories(turn)],
        max_messages=policy.BACKLOG_ITEMS,
        max_chars=policy.BACKLOG_CHARS,
        length=lambda item: len(item.text) + len(item.preceding),
    )
    turn.state.backlog = list(kept)


def _history(turn: TurnContext) -> tuple[Utterance, ...]:
    """The window, with what colleagues wrote to each other meanwhile."""
    window_ = _window(turn)
    said_ = [Utterance(role=m.author, text=m.body, at=m.created_at, channel=turn.start.channel) for m in window_]
    noted = [Utterance(role=OPERATOR, text=f"[note] {note.text}", at=note.at) for note in turn.state.notes]
    return tuple(sorted([*said_, *noted], key=lambda u: u.at or turn.state.created_at)) if noted else tuple(said_)


def _window(turn: TurnContext) -> tuple[MessageRecord, ...]:
    """The recent messages before this turn that the agent sees word for word."""
    return window.fit(
        [m for m in turn.state.messages if m.turn < turn.state.turn and m.body],
        max_messages=policy.WINDOW_MESSAGES,
        max_chars=policy.WINDOW_CHARS,
        length=lambda m: len(m.body),
    )


def _memories(turn: TurnContext) -> tuple[MemoryItem, ...]:
    items: list[MemoryItem] = []
    earlier = [m for m in turn.state.messages if m.turn < turn.state.turn]
    preceding = earlier[-1].body if earlier else ""
    for message in turn.state.messages:
        if message.turn != turn.state.turn or not message.body:
            continue
        items.append(
            MemoryItem(
                id=item_id(message.id),
                contact_id=turn.contact_id,
                conversation_id=turn.start.conversation_id,
                channel=turn.start.channel,
                turn=message.turn,
                role=message.author,
                text=message.body,
                at=message.created_at,
                source=message.id,
                preceding=preceding,
            )
        )
        preceding = message.body
    return tuple(items)


DEFAULT: Flow[TurnContext] = Flow(
    "default",
    (
        Step(name="screen", run=screen),
        Step(name="afford", run=afford, after=("screen",), when=accepted),
        Step(
            name="recall",
            run=recall,
            after=("afford",),
            when=accepted,
            call=policy.RECALL,
            fallback=without_memory,
        ),
        Step(name="reply", run=reply, after=("recall",), call=policy.REPLY, fallback=apologise),
        Step(name="check", run=check, after=("reply",)),
        Step(name="deliver", run=deliver, after=("check",), call=policy.DELIVER, guarded=True, fallback=undelivered),
        Step(name="remember", run=remember, after=("deliver",), call=policy.REMEMBER, fallback=remember_later),
    ),
)


def parking(reason: str) -> Flow[TurnContext]:
    """What a turn runs that has no flow: consent is settled, and the rest waits for a human."""

    async def park(turn: TurnContext) -> None:
        turn.outcome, turn.reason = Outcome.PARKED, reason

    return Flow(
        "parking",
        (Step(name="screen", run=screen), Step(name="park", run=park, after=("screen",), when=accepted)),
    )
