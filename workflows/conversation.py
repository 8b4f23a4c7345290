"""One conversation, for as long as it lasts: takes texts in, and runs the flow for one turn at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from messaging.model import ConversationState as ProviderConversationState
from workflows import (
    approval,
    backlog,
    catalogue,
    contracts,
    departure,
    desk,
    handoff,
    index,
    outbox,
    parked,
    policy,
    requests,
    tracing,
    views,
)
from workflows.alarm import Alarm
from workflows.approval import Decide
from workflows.companions import Companions
from workflows.contracts import (
    Adjustment,
    Assignment,
    ConversationStart,
    NewNote,
    OperatorReply,
    Posted,
    PreviousRun,
    ScheduleRequest,
    Takeover,
)
from workflows.departure import Departures
from workflows.desk import Desk
from workflows.fate import Asked, Fates
from workflows.glance import Glance, glanced
from workflows.inbox import DeliveryUpdate, Inbound, ProviderState
from workflows.length import PATCH, SIGNAL, UPDATE, Length
from workflows.parked import Drop, ParkedTurns, Retry
from workflows.reviving import revived
from workflows.state import ConversationState, TurnRecord, Verdict
from workflows.turns import Turns

catalogue.load()


@workflow.defn(name=contracts.WORKFLOW)
class ConversationWorkflow:
    """Signals only append; the main loop decides. Ends when idle; the next text starts a run that goes on from it."""

    @workflow.init
    def __init__(self, start: ConversationStart) -> None:
        self._start = start
        self._state = start.carried or ConversationState(created_at=start.created_at, updated_at=workflow.now())
        self._ready = start.previous_run_id is None
        self._forget_asked = self._forgotten = False
        self._messages_gone = 0
        self.length = Length()

    @workflow.run
    async def run(self, start: ConversationStart) -> ConversationState:
        """Returns the state that a later run of the same conversation goes on from."""
        if start.previous_run_id is not None:
            previous = PreviousRun(conversation_id=start.conversation_id, run_id=start.previous_run_id)
            self._state = await revived(self._state, previous)
        self._ready = True
        self._departures = Departures(start, self._state)
        self._turns, self._desk = Turns(start, self._state, self._departures), Desk(start, self._state)
        if not (cancels := not workflow.patched("nothing-is-cancelled")):
            self.length.add(PATCH)
        beside = Companions(cancels=cancels)
        beside.start(Alarm(self._deadlines, self.length, cancels=cancels).keep(beside.are_ended))
        beside.start(backlog.write(self._state, beside.are_ended))
        while not await self._ended():
            await workflow.wait_condition(self._is_due)
            index.show(start, self._state)
            if self._departures.are_due():
                await self._departures.work()
            if self._desk.is_due():
                await self._desk.work()
            if self._turns.are_due():
                await self._turns.begin()
                if self._desk.is_due():
                    await self._desk.work()
            blank = self._forget()
            if (blank or self._may_hand_over()) and not self._may_end():
                await beside.end()
                await workflow.wait_condition(workflow.all_handlers_finished)
                index.show(start, self._state)
                workflow.continue_as_new(
                    replace(start, previous_run_id=None, carried=self._state, troubles=start.indexed),
                    initial_versioning_behavior=_UPGRADE if _is_versioned() else None,
                    search_attributes=index.attributes(start, self._state, workflow.now()) if start.indexed else None,
                )
        await beside.end()
        return self._state

    # --- signals ---

    @workflow.signal
    def receive(self, inbound: Inbound) -> None:
        """A text came in."""
        self.length.hear(SIGNAL)
        self._state.pending.append(replace(inbound, trace=tracing.here()))
        self._state.last_waiting = workflow.now()
        self._state.waiting_since = self._state.waiting_since or self._state.last_waiting

    @workflow.signal
    def delivery(self, update: DeliveryUpdate) -> None:
        """One of our messages got further."""
        self.length.hear(SIGNAL)
        if departure.is_refusal(update):
            self._state.refusals = [*self._state.refusals, update][-policy.REFUSALS :]
        else:
            self._state.merge(update)

    @workflow.signal
    def provider_state(self, told: ProviderState) -> None:
        """Stay in step with the provider: what it has closed takes no message any more."""
        self.length.hear(SIGNAL)
        self._state.inactive = told.state is ProviderConversationState.INACTIVE
        self._state.closing = self._state.closing or told.state is ProviderConversationState.CLOSED

    # --- updates ---

    @workflow.update
    async def takeover(self, request: Takeover) -> views.ConversationView:
        """The agent is silent until `release`; a draft in writing is not sent."""
        await self._begun()
        handoff.take(self._state, request.assignee, workflow.now())
        return self.view()

    @takeover.validator
    def _check_takeover(self, request: Takeover) -> None:
        requests.check_takeover(self._state, request)

    @workflow.update
    async def assign(self, request: Assignment) -> views.ConversationView:
        """Somebody else answers, whoever has taken over."""
        await self._begun()
        handoff.take(self._state, request.assignee, workflow.now())
        return self.view()

    @assign.validator
    def _check_assign(self, request: Assignment) -> None:
        requests.check_assign(request)

    @workflow.update
    async def release(self) -> views.ConversationView:
        """The agent answers again, from the next text on."""
        await self._begun()
        handoff.release(self._state)
        return self.view()

    @workflow.update
    async def note(self, request: NewNote) -> views.ConversationView:
        """Kept for the colleagues and the agent."""
        await self._begun()
        handoff.note(self._state, request.author, request.text, workflow.now())
        return self.view()

    @note.validator
    def _check_note(self, request: NewNote) -> None:
        requests.check_note(request)

    @workflow.update
    async def reply(self, request: OperatorReply) -> Posted:
        """A human writes to the person: sent and proven as any message, after what is being sent."""
        await self._begun()
        outgoing = requests.replies(self._start, self._state, request)
        if (known := self._state.find(outgoing[0].key)) is None:
            if not self._state.accept(outgoing[0].key):
                raise ApplicationError("key: its message was sent before, and is forgotten by now", type="already_sent")
            known, *_ = [outbox.intend(self._state, out, workflow.now()) for out in outgoing]
            self._state.outgoing += outgoing
            handoff.answered(self._state)
        return Posted(id=known.id, status=known.status)

    @reply.validator
    def _check_reply(self, request: OperatorReply) -> None:
        requests.check_reply(self._start, self._state, request, workflow.now())

    @workflow.update
    async def schedule(self, request: ScheduleRequest) -> views.ConversationView:
        """Send this later; a text of the person cancels it, unless the request says otherwise."""
        await self._begun()
        others = [s for s in self._state.scheduled if s.id != request.id]
        self._state.scheduled = [*others, requests.scheduled(request)]
        return self.view()

    @schedule.validator
    def _check_schedule(self, request: ScheduleRequest) -> None:
        requests.check_schedule(self._state, request, workflow.now())

    @workflow.update
    async def unschedule(self, scheduled_id: str) -> views.ConversationView:
        """Do not send it after all; one that is not there is no error."""
        await self._begun()
        self._state.scheduled = [s for s in self._state.scheduled if s.id != scheduled_id]
        return self.view()

    @workflow.update
    async def adjust(self, request: Adjustment) -> views.ConversationView:
        """Let this conversation differ from its deployment's rules."""
        await self._begun()
        self._state.own_policy = request.turn_policy or self._state.own_policy
        self._state.time_zone = self._state.time_zone if request.time_zone is None else request.time_zone
        return self.view()

    @adjust.validator
    def _check_adjust(self, request: Adjustment) -> None:
        requests.check_adjust(request)

    @workflow.update
    async def close(self) -> views.ConversationView:
        """End the conversation now; the next text opens it again."""
        await self._begun()
        self._state.closing = True
        return replace(self.view(), state="closed")

    @workflow.update
    async def forget(self) -> int:
        """Let go of all that was said, when the turn has ended and memory has taken its part; how many messages.

        A new run follows, with an empty history.
        """
        await self._begun()
        self._forget_asked = True
        await workflow.wait_condition(lambda: self._forgotten)
        return self._messages_gone

    @workflow.update
    def approve(self, request: Decide) -> views.ConversationView:
        """A human says yes to what a step asked."""
        self.length.hear(UPDATE)
        approval.decide(self._state, Verdict.APPROVED, request)
        return self.view()

    @approve.validator
    def _check_approve(self, request: Decide) -> None:
        approval.check(self._state, Verdict.APPROVED, request)

    @workflow.update
    def decline(self, request: Decide) -> views.ConversationView:
        """A human says no to what a step asked."""
        self.length.hear(UPDATE)
        approval.decide(self._state, Verdict.DECLINED, request)
        return self.view()

    @decline.validator
    def _check_decline(self, request: Decide) -> None:
        approval.check(self._state, Verdict.DECLINED, request)

    @workflow.update
    async def retry_turn(self, request: Retry) -> views.ConversationView:
        """Run a parked turn's texts again, as a turn of their own."""
        await self._begun()
        parked.retry(self._state, request)
        return self.view()

    @retry_turn.validator
    def _check_retry(self, request: Retry) -> None:
        parked.check_retry(self._state, request)

    @workflow.update
    async def drop_turn(self, request: Drop) -> views.ConversationView:
        """Let a parked turn go."""
        await self._begun()
        parked.drop(self._state, request)
        return self.view()

    @drop_turn.validator
    def _check_drop(self, request: Drop) -> None:
        parked.check_drop(self._state, request)

    # --- queries ---

    @workflow.query
    def view(self) -> views.ConversationView:
        """Where the conversation stands."""
        return views.view(self._start, self._state)

    @workflow.query
    def glance(self) -> Glance:
        """The same in short, for lists."""
        return glanced(self._start, self._state)

    @workflow.query
    def transcript(self) -> views.Transcript:
        """The most recent messages."""
        return views.Transcript(messages=tuple(self._state.messages))

    @workflow.query
    def is_blank(self) -> bool:
        """Whether nothing is held here that somebody said."""
        return self._state.is_blank()

    @workflow.query
    def last_turn(self) -> TurnRecord | None:
        """What the last turn did, step by step."""
        return self._state.last_turn

    @workflow.query
    def turns(self) -> views.Turns:
        """What the latest turns did, step by step."""
        return views.Turns(turns=tuple(self._state.turns))

    @workflow.query
    def parked(self) -> ParkedTurns:
        """The turns that failed and wait for a human."""
        return parked.listed(self._state)

    @workflow.query
    def fates(self, asked: Asked) -> Fates:
        """What became of these texts; of those that came here."""
        found = {key: fate for key in asked.keys if (fate := self._state.fate(key)) is not None}
        return Fates(found=found)

    # --- the loop ---

    async def _begun(self) -> None:
        """For updates: what an earlier run knew must be there first."""
        self.length.hear(UPDATE)
        await workflow.wait_condition(lambda: self._ready)

    def _is_due(self) -> bool:
        work = self._departures.are_due() or self._turns.are_due() or self._desk.is_due()
        return work or index.is_news(self._start, self._state) or self._may_forget() or self._may_end()

    def _may_forget(self) -> bool:
        return self._forget_asked and not self._forgotten and not self._state.backlog

    def _forget(self) -> bool:
        """Between turns, so that nobody still holds what is to go; whether a new run is to follow."""
        if self._may_forget():
            self._forgotten, self._messages_gone = True, self._state.forget()
        return self._forgotten

    def _deadlines(self) -> Iterator[datetime]:
        yield from self._turns.deadlines()
        yield from self._desk.deadlines()
        if self._state.turn or self._state.messages:
            yield desk.ends_at(self._state)

    def _may_end(self) -> bool:
        """Closed or idle, with nothing left to do. One who opted out is kept: the run is what remembers that; so is
        one with a turn that waits for a human."""
        state = self._state
        if self._forget_asked and not self._forgotten:
            return False
        if state.backlog or state.outgoing or state.refusals or any(not alert.told for alert in state.alerts):
            return False
        kept = state.opted_out or bool(state.parked)
        idle = desk.expired(state, workflow.now()) and not kept and not self._desk.is_busy()
        return not state.pending and (state.closing or idle)

    def _may_hand_over(self) -> bool:
        """Whether the run is long, and nothing is on its way that would meet its end: the server refuses that once."""
        calm = not (self._turns.was_stopped or self._state.backlog)
        most = policy.EVENT_BUDGET + (0 if calm else policy.EVENT_PATIENCE)
        info = workflow.info()
        # The server suggests it for a history that grew by what we do not count. A newer build is gone over to at once.
        suggested = info.is_continue_as_new_suggested() or info.is_target_worker_deployment_version_changed()
        return self.length.events >= most or suggested

    async def _ended(self) -> bool:
        if not self._may_end():
            return False
        self._state.open = False
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._may_end():  # a text came while the last handler finished
            self._state.open, self._state.closing = True, False
            return False
        return True


_UPGRADE = workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE


def _is_versioned() -> bool:
    return workflow.info().get_current_deployment_version() is not None
