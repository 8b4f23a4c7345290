"""One conversation, for as long as it lasts: takes texts in, and runs the flow for one turn at a time."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from memory.item import CONTACT
from messaging.model import OptOut
from workflows import approval, catalogue, consent, contracts, policy, steps, views
from workflows.approval import Decide
from workflows.contracts import (
    ConversationStart,
    MemoryActivities,
    PreviousRun,
    PreviousState,
    RememberRequest,
    RevivalActivities,
    Takeover,
)
from workflows.flow import Flow, Halt, Run, Step, StepFailed, call
from workflows.inbox import DeliveryUpdate, Inbound
from workflows.policy import TurnPolicy
from workflows.state import ConversationState, Direction, MessageRecord, Outcome, TurnRecord, Verdict
from workflows.steps import TurnContext

catalogue.load()


@workflow.defn(name=contracts.WORKFLOW)
class ConversationWorkflow:
    """Signals only append; the main loop decides. Ends when idle; the next text starts a run that goes on from it."""

    @workflow.init
    def __init__(self, start: ConversationStart) -> None:
        self._start = start
        self._state = start.carried or ConversationState(created_at=start.created_at, updated_at=workflow.now())
        self._may_redraft = False
        self._idle = False

    @workflow.run
    async def run(self, start: ConversationStart) -> ConversationState:
        """Returns the state that a later run of the same conversation goes on from."""
        if start.previous_run_id is not None:
            await self._revive(PreviousRun(conversation_id=start.conversation_id, run_id=start.previous_run_id))
        idle = asyncio.create_task(self._watch_idle())
        backlog = asyncio.create_task(self._write_backlog())
        while not await self._ended():
            await workflow.wait_condition(self._is_due)
            if texts := self._take(policy.TURN_TEXTS):
                self._state.closing = False  # a text opens again what was about to close
                await self._take_turn(texts)
                if self._idle:
                    self._idle, idle = False, asyncio.create_task(self._watch_idle())
            if self._is_long() and not self._may_end():
                await _stop(backlog, idle)
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(replace(start, previous_run_id=None, carried=self._state))
        await _stop(backlog, idle)
        return self._state

    @workflow.signal
    def receive(self, inbound: Inbound) -> None:
        """A text came in."""
        self._state.pending.append(inbound)

    @workflow.signal
    def delivery(self, update: DeliveryUpdate) -> None:
        """One of our messages got further."""
        self._state.merge(update)

    @workflow.update
    def takeover(self, request: Takeover) -> views.ConversationView:
        """The agent is silent until `release`; a draft in writing is not sent."""
        self._state.assignee = request.assignee
        return self.view()

    @takeover.validator
    def _check_takeover(self, request: Takeover) -> None:
        if not request.assignee.strip():
            raise ApplicationError("assignee: who takes over must be named", type="invalid_input")
        if self._state.assignee not in {None, request.assignee}:
            raise ApplicationError("assignee: somebody else has taken over; release first", type="conflict")

    @workflow.update
    def release(self) -> views.ConversationView:
        """The agent answers again, from the next text on."""
        self._state.assignee = None
        return self.view()

    @workflow.update
    def close(self) -> views.ConversationView:
        """End the conversation now; the next text opens it again."""
        self._state.closing = True
        return replace(self.view(), state="closed")

    @workflow.update
    def approve(self, request: Decide) -> views.ConversationView:
        """A human says yes to what a step asked."""
        approval.decide(self._state, Verdict.APPROVED, request)
        return self.view()

    @approve.validator
    def _check_approve(self, request: Decide) -> None:
        approval.check(self._state, Verdict.APPROVED, request)

    @workflow.update
    def decline(self, request: Decide) -> views.ConversationView:
        """A human says no to what a step asked."""
        approval.decide(self._state, Verdict.DECLINED, request)
        return self.view()

    @decline.validator
    def _check_decline(self, request: Decide) -> None:
        approval.check(self._state, Verdict.DECLINED, request)

    @workflow.query
    def view(self) -> views.ConversationView:
        """Where the conversation stands."""
        return views.view(self._start, self._state)

    @workflow.query
    def transcript(self) -> views.Transcript:
        """The most recent messages."""
        return views.Transcript(messages=tuple(self._state.messages))

    @workflow.query
    def last_turn(self) -> TurnRecord | None:
        """What the last turn did, step by step."""
        return self._state.last_turn

    def _is_due(self) -> bool:
        return bool(self._state.pending) or self._may_end()

    def _may_end(self) -> bool:
        """Closed or idle, with nothing left to write. One who opted out is kept: the run is what remembers that."""
        return (self._state.closing or (self._idle and not self._state.opted_out)) and not self._state.backlog

    def _is_long(self) -> bool:
        info = workflow.info()
        return info.get_current_history_length() >= policy.EVENT_BUDGET or info.is_continue_as_new_suggested()

    async def _ended(self) -> bool:
        if self._state.pending or not self._may_end():
            return False
        self._state.open = False
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._state.pending:  # a text came while the last handler finished
            self._state.open, self._state.closing = True, False
            return False
        return True

    def _take(self, most: int) -> tuple[Inbound, ...]:
        """The next turn's texts: all that wait, or under `enqueue` the first; what was seen before is dropped."""
        taken: list[Inbound] = []
        while self._state.pending and len(taken) < most:
            inbound = self._state.pending.pop(0)
            if not self._state.accept(inbound.key):
                continue
            taken.append(inbound)
            self._state.rules = inbound.rules
            if inbound.rules.turn_policy is TurnPolicy.ENQUEUE:
                break
        return tuple(taken)

    async def _take_turn(self, texts: tuple[Inbound, ...]) -> None:
        state, started, drafts = self._state, workflow.now(), 0
        keys = [text.key for text in texts]
        state.turn += 1
        self._record(texts)
        flow = self._flow()
        while True:
            drafts += 1
            turn = TurnContext(
                start=self._start,
                state=state,
                texts=texts,
                attempt=drafts,
                forbidden=self._forbidden,
                variables=dict(state.variables),
                tools=flow.all_tools(),
            )
            run = Run(flow, turn, self._guard, turn.results)
            room = policy.TURN_TEXTS - len(texts)
            if not await self._draft(run, redraft=room > 0 and drafts <= policy.MAX_REDRAFTS):
                break
            newer = self._take(room)
            self._record(newer)
            keys += [text.key for text in newer]
            texts = turn.texts + newer  # what consent has settled is not asked again
        state.variables = turn.variables
        approval.withdraw(state)
        for key in keys:
            if message := state.find(key):
                message.status = turn.outcome.value
        state.last_turn = TurnRecord(
            number=state.turn,
            keys=tuple(keys),
            started_at=started,
            ended_at=workflow.now(),
            outcome=turn.outcome,
            reason=turn.reason,
            drafts=drafts,
            steps=tuple(run.records.values()),
            **turn.told(),
        )
        workflow.set_current_details(f"turn {state.turn}: {turn.outcome.value} {turn.reason}".rstrip())

    def _flow(self) -> Flow[TurnContext]:
        try:
            return catalogue.choose(self._state)
        except catalogue.UnknownFlow as unknown:
            workflow.logger.error(f"turn {self._state.turn} is parked: {unknown}")
            return steps.parking(str(unknown))

    async def _draft(self, run: Run[TurnContext], *, redraft: bool) -> bool:
        """Run the flow once; whether newer texts want it run again."""
        turn = run.context
        self._may_redraft = redraft and self._state.rules.turn_policy is not TurnPolicy.ENQUEUE
        try:
            if self._state.rules.turn_policy is TurnPolicy.INTERRUPT and redraft:
                return await self._interruptible(run)
            await run.execute()
        except Halt as halt:
            if halt.outcome is None:
                return True
            turn.outcome, turn.reason = halt.outcome, halt.reason
        except StepFailed as failed:
            turn.outcome, turn.reason = Outcome.PARKED, str(failed)
        return False

    async def _interruptible(self, run: Run[TurnContext]) -> bool:
        task = asyncio.create_task(run.execute())
        await workflow.wait_condition(lambda: task.done() or (self._has_newer() and self._may_interrupt(run)))
        if task.done():
            task.result()
            return False
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return True

    @staticmethod
    def _may_interrupt(run: Run[TurnContext]) -> bool:
        return not run.context.committed and not run.in_place

    def _guard(self, _: Step[TurnContext]) -> None:
        """Look again just before something leaves: what was right when the draft began may be wrong by now."""
        if halt := self._forbidden():
            raise halt
        if self._may_redraft and self._has_newer():
            raise Halt("newer text", outcome=None)

    def _forbidden(self) -> Halt | None:
        """Why nothing may leave now, if something forbids it."""
        state = self._state
        if state.opted_out or any(self._is_stop(p) for p in state.pending if not state.has_seen(p.key)):
            return Halt("opted out before the answer was sent", outcome=Outcome.OPTED_OUT)
        if state.assignee is not None:
            return Halt("taken over before the answer was sent", outcome=Outcome.HELD)
        if state.closing:
            return Halt("closed before the answer was sent", outcome=Outcome.PARKED)
        return None

    def _is_stop(self, inbound: Inbound) -> bool:
        word = consent.keyword(inbound, channel=self._start.channel, opted_out=self._state.opted_out)
        return word is OptOut.STOP

    def _has_newer(self) -> bool:
        return any(not self._state.has_seen(inbound.key) for inbound in self._state.pending)

    def _record(self, texts: tuple[Inbound, ...]) -> None:
        for inbound in texts:
            self._state.record(
                MessageRecord(
                    id=inbound.key,
                    direction=Direction.INBOUND,
                    author=CONTACT,
                    body=inbound.text[: policy.MAX_TEXT],
                    status="received",
                    turn=self._state.turn,
                    created_at=inbound.at,
                    provider_sid=inbound.sid,
                    media=inbound.attachments,
                )
            )

    async def _revive(self, previous: PreviousRun) -> None:
        """Go on from where a closed run ended. What waits already came to this run."""
        try:
            found: PreviousState = await call(policy.REVIVE, RevivalActivities.revive, previous)
        except ActivityError:
            workflow.logger.warning("the run before this one could not be read; its memory is still there")
            return
        if found.state is not None:
            pending, early = self._state.pending, self._state.early
            self._state = found.state
            self._state.open, self._state.closing, self._state.assignee = True, False, None
            self._state.pending, self._state.early = pending, early
            self._state.updated_at = workflow.now()

    async def _watch_idle(self) -> None:
        """One timer for all messages: when it fires, it looks how much later the deadline has become."""
        await workflow.wait_condition(lambda: self._state.turn > 0)
        while (left := self._idle_at() - workflow.now()) > timedelta(0):
            deadline = self._idle_at()
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(partial(self._is_sooner, deadline), timeout=left, timeout_summary="idle")
        self._idle = True

    def _is_sooner(self, deadline: datetime) -> bool:
        return self._idle_at() < deadline

    def _idle_at(self) -> datetime:
        return self._state.updated_at + timedelta(seconds=self._state.rules.idle_close)

    async def _write_backlog(self) -> None:
        """Write what memory could not take, for as long as that needs."""
        while True:
            await workflow.wait_condition(lambda: bool(self._state.backlog))
            batch = tuple(self._state.backlog[:50])
            try:
                await call(policy.BACKLOG, MemoryActivities.remember, RememberRequest(items=batch), summary="backlog")
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                # Refused for good, say by a memory of another model: an operator has to act, and may take long.
                await workflow.sleep(timedelta(minutes=10), summary="memory backlog")
                continue
            written = {item.id for item in batch}
            self._state.backlog = [item for item in self._state.backlog if item.id not in written]


async def _stop(*tasks: asyncio.Task[None]) -> None:
    """Nothing may follow the command that ends a run, so what runs beside it has to end first."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
