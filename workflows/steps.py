"""The default flow of a turn: screen → listen → afford → recall → reply → check → deliver → learn → remember."""

from __future__ import annotations

from dataclasses import replace

from temporalio import workflow

from agents.turn import BLOCKED, Draft, Media, Turn, Utterance
from memory.item import CONTACT
from messaging.model import OptOut
from workflows import consent, handoff, lesson, media, policy
from workflows.answer import deliver, undelivered
from workflows.context import TurnContext, said
from workflows.contracts import (
    AGENT_REPLY,
    Heard,
    ListeningActivities,
    MemoryActivities,
    RecallRequest,
    Recollection,
    ReplyActivities,
    VoiceNotes,
)
from workflows.flow import Flow, Step, act, reason_of
from workflows.inbox import Attachment, Inbound
from workflows.length import CHILD, count
from workflows.policy import Durability
from workflows.remembering import history, recent, remember, remember_later
from workflows.state import Outcome

# What users' flows are made of.
__all__ = [
    "DEFAULT",
    "TurnContext",
    "accepted",
    "account",
    "afford",
    "apologise",
    "check",
    "deliver",
    "listen",
    "parking",
    "recall",
    "remember",
    "remember_later",
    "reply",
    "said",
    "screen",
    "spoken",
    "undelivered",
    "unheard",
    "without_memory",
]


async def screen(turn: TurnContext) -> None:
    """Settle consent before anything else looks at the texts; what is left of them is for the agent.

    It waits for nothing: while consent is not settled, a START would be stopped like any draft for who has opted out.
    """
    state, remaining = turn.state, []
    for inbound in turn.texts:
        match consent.keyword(inbound, channel=turn.start.channel, opted_out=state.opted_out):
            case OptOut.STOP:
                state.opted_out, turn.outcome, state.stopped_by = True, Outcome.OPTED_OUT, inbound.participant
            case OptOut.START if inbound.participant == (state.stopped_by or inbound.participant):
                state.opted_out, turn.outcome = False, Outcome.OPTED_IN
            case OptOut.START:
                continue  # of several people, another one: they cannot speak for who stopped
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


def spoken(turn: TurnContext) -> bool:
    """Whether there are voice notes, and something that hears them."""
    return turn.state.rules.transcribe and bool(_voice_notes(turn))


async def listen(turn: TurnContext) -> Heard:
    """Turn voice notes into text, which then counts as what the person wrote."""
    notes = _voice_notes(turn)
    request = VoiceNotes(provider=turn.start.route.provider, attachments=tuple(item for _, item in notes))
    heard: Heard = await act(ListeningActivities.listen, request)
    said_by: dict[str, list[str]] = {}
    for (text, _), words in zip(notes, heard.texts, strict=True):
        said_by.setdefault(text.key, []).append(words[: policy.MAX_TEXT])
    texts = []
    for text in turn.texts:
        words = " ".join(part for part in (text.text, *said_by.get(text.key, ())) if part)
        texts.append(replace(text, text=words[: policy.MAX_TEXT]))
        if (message := turn.state.find(text.key)) is not None:
            message.body = texts[-1].text
    turn.texts = tuple(texts)
    return heard


async def unheard(_: TurnContext, __: BaseException) -> Heard:
    """Who cannot be heard is answered all the same."""
    return Heard(texts=())


def _voice_notes(turn: TurnContext) -> list[tuple[Inbound, Attachment]]:
    return [
        (text, item) for text in turn.texts for item in text.attachments if media.kind(item.content_type) == media.AUDIO
    ]


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
    known = tuple(message.id for message in recent(turn))
    request = RecallRequest(query=query, contact_id=turn.contact_id, exclude=known, limit=policy.RECALLED)
    found: Recollection = await act(MemoryActivities.recall, request)
    return found


async def without_memory(_: TurnContext, __: BaseException) -> Recollection:
    """Memory being away never holds an answer up."""
    return Recollection(degraded=True)


async def reply(turn: TurnContext) -> Draft:
    """Have the agent write, unless it may not any more, or need not."""
    if turn.outcome is Outcome.HELD:
        turn.state.spending.told = True
        return Draft(text=policy.SPENT, kind="apology")
    if canned := _without_the_agent(turn):
        return canned
    recalled = turn.results.get("recall")
    request = Turn(
        text=turn.text,
        messages=tuple(_utterance(turn, text) for text in turn.texts),
        history=history(turn),
        recalled=recalled.items if isinstance(recalled, Recollection) else (),
        channel=turn.start.channel,
        contact_id=turn.contact_id,
        conversation_id=turn.start.conversation_id,
        attempt=turn.attempt,
        flow=turn.state.flow.partition("@")[0],
        summary=turn.state.summary,
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
    count(CHILD)
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


def _utterance(turn: TurnContext, inbound: Inbound) -> Utterance:
    return Utterance(
        role=CONTACT,
        text=said(inbound),
        at=inbound.at,
        channel=turn.start.channel,
        media=tuple(
            Media(kind=media.kind(item.content_type), url=item.url, content_type=item.content_type)
            for item in inbound.attachments
        ),
    )


def _without_the_agent(turn: TurnContext) -> Draft | None:
    """What is said to who asks for a human, or sends only what the agent cannot read."""
    words = {text.text.strip(" \t\n.!?").casefold() for text in turn.texts}
    if words & set(turn.state.rules.handoff_words):
        return Draft(text=policy.HANDED_OVER, kind="answer", handoff="the person asked for a human")
    silent = all(not text.text.strip() for text in turn.texts)
    attached = [item for text in turn.texts for item in text.attachments]
    if silent and media.unreadable(attached, turn.state.rules.media):
        return Draft(text=policy.UNREADABLE, kind="answer")
    return None


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


DEFAULT: Flow[TurnContext] = Flow(
    "default",
    (
        Step(name="screen", run=screen),
        Step(name="listen", run=listen, after=("screen",), when=spoken, call=policy.LISTEN, fallback=unheard),
        Step(name="afford", run=afford, after=("screen", "listen"), when=accepted),
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
        Step(
            name="learn",
            run=lesson.learn,
            after=("deliver",),
            when=lesson.teaches,
            call=policy.LEARN,
            fallback=lesson.without_lesson,
        ),
        Step(name="remember", run=remember, after=("deliver", "learn"), call=policy.REMEMBER, fallback=remember_later),
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
