"""A conversation's turns: which texts are taken together and when, and one run of the flow for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

from temporalio import workflow

from workflows import (
    answer,
    approval,
    catalogue,
    consent,
    contact,
    guard,
    handoff,
    ids,
    outbox,
    parked,
    policy,
    remembering,
    saying,
    steps,
    telling,
    tracing,
    views,
)
from workflows.alert import AlertKind
from workflows.context import TurnContext
from workflows.contracts import ConversationStart
from workflows.departure import Departures
from workflows.flow import Flow, Halt, Run, Step, StepFailed
from workflows.inbox import Inbound
from workflows.outgoing import Outgoing, Scheduled
from workflows.policy import MessageClass, TurnPolicy
from workflows.state import ConversationState, Outcome, TurnRecord

_REDRAFTING = frozenset({TurnPolicy.COALESCE, TurnPolicy.INTERRUPT})
_REMEMBERED = frozenset({Outcome.HELD, Outcome.PARKED})
_MEANWHILE = "came while a turn was in progress"


class Turns:
    """Takes texts from the inbox and runs the flow for them, one turn at a time.

    `was_stopped` says that a draft of the latest turn was cancelled: its activity may be reporting just now, and the
    server refuses a hand-over that meets a report.
    """

    def __init__(self, start: ConversationStart, state: ConversationState, departures: Departures) -> None:
        self._start = start
        self._state = state
        self._departures = departures
        self._running = False
        self._may_redraft = False
        self.was_stopped = False
        self._guards: list[str] = []
        self._author: str | None = None
        self._retry_of: int | None = None

    # --- when ---

    def are_due(self) -> bool:
        """Whether a turn is to begin now."""
        state, now = self._state, workflow.now()
        if not state.pending:
            return False
        if state.opted_out or handoff.is_held(state) or any(self._is_word(text) for text in state.pending):
            return True  # nothing is said to these, or at once by the provider
        if self._opens_at(now) is not None:
            return False
        settled = self._settles_at()
        return settled is None or settled <= now

    def deadlines(self) -> Iterator[datetime]:
        """The times at which something here may become due."""
        if self._state.pending and (settled := self._settles_at()) is not None:
            yield settled
        if (self._state.pending or self._running) and (opens := self._opens_at(workflow.now())) is not None:
            yield opens

    def _settles_at(self) -> datetime | None:
        """When the texts that wait have been followed by silence for long enough; None for at once."""
        state = self._state
        rules = state.pending[-1].rules if state.pending else state.rules
        if (state.own_policy or rules.turn_policy) not in _REDRAFTING or not rules.quiet_period:
            return None
        if state.waiting_since is None or state.last_waiting is None or len(state.pending) >= rules.most_texts:
            return None
        return min(
            state.last_waiting + timedelta(seconds=rules.quiet_period),
            state.waiting_since + timedelta(seconds=max(rules.longest_wait, rules.quiet_period)),
        )

    def _opens_at(self, now: datetime) -> datetime | None:
        return answer.opens_at(self._state, now)

    # --- which ---

    def take(self, room: int) -> tuple[Inbound, ...]:
        """The next texts of the turn's author, or under `enqueue` one; what was seen before is dropped."""
        state, taken = self._state, list[Inbound]()
        while state.pending and len(taken) < room:
            inbound = state.pending[0]
            if self._is_new(inbound) and not self._is_for_this(inbound):
                break
            state.pending.pop(0)
            if not inbound.retry_of and not state.accept(inbound.key):
                continue
            taken.append(inbound)
            state.rules = inbound.rules
            if state.turn_policy is TurnPolicy.ENQUEUE:
                break
        state.waiting_since = state.last_waiting = workflow.now() if state.pending else None
        for inbound in taken:
            if inbound.retry_of:
                self._take_up(inbound)
                continue
            guard.notice(state, inbound)
            state.received(inbound)
        if taken:
            state.inactive = False
            state.scheduled = [s for s in state.scheduled if not s.cancelled_by_reply]
        return tuple(taken)

    def _take_up(self, inbound: Inbound) -> None:
        """A text of a parked turn: it is in the transcript, unless that was long ago."""
        if (message := self._state.find(inbound.key)) is None:
            self._state.received(inbound)
        else:
            message.turn, message.status, message.reason = self._state.turn, "received", ""
        self._state.updated_at = workflow.now()

    def _is_word(self, inbound: Inbound) -> bool:
        return consent.keyword(inbound, channel=self._start.channel, opted_out=self._state.opted_out) is not None

    def _has_newer(self) -> bool:
        """Whether the next text is for the turn in progress. What follows another's text is not: order is kept."""
        newer = next((inbound for inbound in self._state.pending if self._is_new(inbound)), None)
        return newer is not None and self._is_for_this(newer)

    def _is_new(self, inbound: Inbound) -> bool:
        return bool(inbound.retry_of) or not self._state.has_seen(inbound.key)

    def _is_for_this(self, inbound: Inbound) -> bool:
        """Whether this turn may answer it: in a group, nobody gets an answer that was meant for another. What is run
        again is by itself, so that a text that fails for good takes no other with it."""
        if self._retry_of is not None and inbound.retry_of != self._retry_of:
            return False
        return self._author is None or inbound.author == self._author

    # --- one turn ---

    async def begin(self) -> bool:
        """Take what waits and answer it; whether there was anything."""
        state, self._author, self._retry_of, self.was_stopped = self._state, None, None, False
        state.turn += 1
        texts = self.take(1)
        if not texts:
            state.turn -= 1
            return False
        flow = self._flow()
        self._author = None if flow.together else texts[0].author
        self._retry_of = texts[0].retry_of
        if state.turn_policy is not TurnPolicy.ENQUEUE:
            texts += self.take(min(policy.TURN_TEXTS, state.rules.most_texts) - 1)
        await contact.ask(self._start, state)
        self._state.closing = False  # a text opens again what was about to close
        self._running = True
        with tracing.within(tracing.child(_traces(texts)[0], self._start.conversation_id, state.turn)):
            rejecting = asyncio.create_task(self._reject()) if self._state.turn_policy is TurnPolicy.REJECT else None
            try:
                await self._run(texts, flow)
            finally:
                self._running = False
            if rejecting is not None:
                await rejecting
        return True

    async def _run(self, texts: tuple[Inbound, ...], flow: Flow[TurnContext]) -> None:
        state, started, drafts, self._guards = self._state, workflow.now(), 0, []
        taken = texts
        while True:
            drafts += 1
            turn = TurnContext(
                start=self._start,
                state=state,
                texts=texts,
                contact_id=self._author or self._start.contact_id,
                attempt=drafts,
                forbidden=self._forbidden,
                superseded=self._is_superseded,
                variables=dict(state.variables),
                tools=flow.all_tools(),
            )
            run = Run(flow, turn, self._guard, turn.results)
            room = policy.TURN_TEXTS - len(texts)
            if not await self._draft(run, redraft=room > 0 and drafts <= policy.MAX_REDRAFTS):
                break
            newer = self.take(room)
            taken += newer
            texts = turn.texts + newer  # what consent has settled is not asked again
        state.variables = turn.variables
        saying.take_up(state, turn.later, workflow.now())
        approval.withdraw(state)
        keys = [text.key for text in taken]
        for key in keys:
            if message := state.find(key):
                message.status, message.reason = turn.outcome.value, turn.reason
        state.last_turn = TurnRecord(
            number=state.turn,
            keys=tuple(keys),
            started_at=started,
            ended_at=workflow.now(),
            outcome=turn.outcome,
            reason=turn.reason,
            drafts=drafts,
            steps=tuple(run.records.values()),
            guards=(*self._guards, *turn.guards),
            **turn.told(),
        )
        state.turns = [*state.turns, state.last_turn][-policy.TURN_RECORDS :]
        state.settle_turn(keys, turn.outcome, turn.reason)
        workflow.set_current_details(views.details(self._start, state))
        self._tell(state.last_turn, taken)
        self._follow_up(turn, keys, texts, remembered="remember" in turn.results)

    def _tell(self, record: TurnRecord, texts: tuple[Inbound, ...]) -> None:
        state, (parent, *links) = self._state, _traces(texts)
        answered = state.last_sent is not None and state.last_sent >= record.started_at
        telling.tell(
            telling.TurnEnded(
                conversation_id=self._start.conversation_id,
                channel=self._start.channel,
                provider=self._start.route.provider,
                number=record.number,
                outcome=record.outcome.value,
                texts=len(texts),
                drafts=record.drafts,
                started_at=record.started_at,
                ended_at=record.ended_at,
                waited=(state.last_sent - texts[0].at).total_seconds() if answered and state.last_sent else None,
                usage=record.usage,
                cost=record.cost,
                context=tracing.here(),
                parent=parent,
                links=tuple(links),
            )
        )

    def _follow_up(self, turn: TurnContext, keys: list[str], texts: tuple[Inbound, ...], *, remembered: bool) -> None:
        """What a turn's end leaves to be done, by how it ended."""
        state, now = self._state, workflow.now()
        # Histories of before replay without: what keeps a conversation open would have kept theirs.
        if turn.outcome is Outcome.PARKED and workflow.patched("parked"):
            parked.park(turn, keys, turn.texts or texts, now)
        if turn.outcome in _REMEMBERED and not remembered:
            remembering.keep(turn)
        if turn.outcome is Outcome.PARKED and not state.closing:
            state.alert(AlertKind.PARKED, now, turn.reason)
        elif turn.outcome is Outcome.HELD:
            handoff.expect_answer(state, now)
        elif turn.outcome is Outcome.OPTED_OUT:
            state.scheduled = []
        elif turn.outcome is Outcome.ANSWERED and state.rules.nudge_after:
            nudge = Scheduled(
                id=f"nudge-{state.turn}",
                at=now + timedelta(seconds=state.rules.nudge_after),
                text=state.rules.nudge_text,
            )
            state.scheduled = [*state.scheduled, nudge][-policy.SCHEDULED :]

    def _flow(self) -> Flow[TurnContext]:
        try:
            return catalogue.choose(self._state)
        except catalogue.UnknownFlow as unknown:
            workflow.logger.error(f"turn {self._state.turn} is parked: {unknown}")
            return steps.parking(str(unknown))

    async def _draft(self, run: Run[TurnContext], *, redraft: bool) -> bool:
        """Run the flow once; whether newer texts want it run again."""
        turn = run.context
        self._may_redraft = redraft
        try:
            return await self._stoppable(run)
        except Halt as halt:
            self._guards.append(halt.reason)
            if halt.outcome is None or await self._another_left(turn):
                return True
            turn.outcome, turn.reason = halt.outcome, halt.reason
            if halt.outcome is Outcome.HELD:
                handoff.request(self._state, halt.reason, workflow.now())
        except StepFailed as failed:
            turn.outcome, turn.reason = Outcome.PARKED, str(failed)
        return False

    async def _another_left(self, turn: TurnContext) -> bool:
        """Whether it was somebody else who stopped it, who is gone: the answer is written anew, if none of it left."""
        if turn.committed or not self._departures.is_anothers(self._author):
            return False
        await self._departures.work()
        return self._forbidden() is None

    async def _stoppable(self, run: Run[TurnContext]) -> bool:
        """Run the flow, and stop it as soon as its draft is in vain; whether it is to be written anew."""
        task = asyncio.create_task(run.execute())
        await workflow.wait_condition(lambda: task.done() or (self._is_in_vain() and _may_stop(run)))
        if task.done():
            task.result()
            return False
        self.was_stopped = True
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and task.exception() is None:
            return False  # the cancellation was lost on a step that had just ended, and the guard let the rest pass
        if halt := self._forbidden():
            raise halt
        self._guards.append("newer text")
        return True

    def _is_in_vain(self) -> bool:
        if self._forbidden() is not None:
            return True
        return self._state.turn_policy is TurnPolicy.INTERRUPT and self._is_superseded()

    def _is_superseded(self) -> bool:
        """Whether newer texts want the draft written anew. Asked each time: the policy may change meanwhile."""
        return self._may_redraft and self._state.turn_policy in _REDRAFTING and self._has_newer()

    def _guard(self, _: Step[TurnContext]) -> None:
        """Look again just before something leaves."""
        if halt := self._forbidden() or guard.blow_fuses(self._state, workflow.now()):
            raise halt
        if self._is_superseded():
            raise Halt("newer text", outcome=None)

    def _forbidden(self) -> Halt | None:
        return guard.forbidden(self._start, self._state, workflow.now())

    # --- reject ---

    async def _reject(self) -> None:
        """Answer what comes while a turn runs with the rules' own text. Words of consent are not for this."""
        state = self._state
        while True:
            await workflow.wait_condition(lambda: not self._running or bool(self._rejectable()))
            if not self._running:
                return
            texts = self._rejectable()
            state.pending = [text for text in state.pending if text not in texts]
            for text in texts:
                if not state.accept(text.key):
                    continue
                state.received(text, status=Outcome.REFUSED.value, reason=_MEANWHILE)
                state.settle_turn([text.key], Outcome.REFUSED, _MEANWHILE)
            if self._forbidden() is None and guard.blow_fuses(state, workflow.now()) is None:
                key = ids.send_key(self._start.conversation_id, texts[0].key)
                notice = Outgoing(key=key, text=state.rules.reject_text, kind=MessageClass.NOTICE)
                await outbox.try_to_send(self._start, state, notice, forbidden=self._forbidden)

    def _rejectable(self) -> list[Inbound]:
        if self._forbidden() is not None:
            return []
        return [t for t in self._state.pending if not self._state.has_seen(t.key) and not self._is_word(t)]


def _traces(texts: tuple[Inbound, ...]) -> list[str]:
    """The trace contexts of the texts, or one that is empty."""
    return [text.trace for text in texts if text.trace] or [""]


def _may_stop(run: Run[TurnContext]) -> bool:
    return not run.context.committed and not run.in_place
