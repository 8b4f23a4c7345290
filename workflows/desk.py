"""What is done between turns: a human's replies, what is scheduled, failures reported late, alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from memory.item import MemoryItem, item_id
from workflows import answer, contact, failure, guard, handoff, ids, outbox, policy, tracing
from workflows.alert import AlertKind
from workflows.contracts import AlertActivities, AlertNotice, ConversationStart
from workflows.failure import Remedy
from workflows.flow import Halt, call
from workflows.outgoing import Outgoing, Scheduled
from workflows.policy import MessageClass
from workflows.state import ConversationState, MessageRecord, Outcome, Proof


class Desk:
    """Works off what the state says is to be done."""

    def __init__(self, start: ConversationStart, state: ConversationState) -> None:
        self._start = start
        self._state = state

    def is_due(self) -> bool:
        """Whether there is something to do now."""
        state, now = self._state, workflow.now()
        return (
            bool(state.outgoing or state.failed)
            or contact.has_news(state)
            or any(not alert.told for alert in state.alerts)
            or bool(self._due(now))
            or (state.handoff is not None and state.handoff.due_at is not None and state.handoff.due_at <= now)
            or self._turns_inactive(now)
        )

    def is_busy(self) -> bool:
        """Whether something is still to come, so that the conversation may not end of itself."""
        state = self._state
        return bool(state.outgoing or state.failed or state.scheduled) or (
            state.handoff is not None and (state.handoff.due_at is not None or state.handoff.overdue)
        )

    def deadlines(self) -> Iterator[datetime]:
        """The times at which something here becomes due."""
        state = self._state
        if state.handoff is not None and state.handoff.due_at is not None:
            yield state.handoff.due_at
        if state.scheduled and not handoff.is_held(state):
            yield min(item.at for item in state.scheduled)
            if (opens := answer.opens_at(state, workflow.now())) is not None:
                yield opens
        if state.rules.inactive_after and not state.inactive and state.turn:
            yield self._inactive_at()

    async def work(self) -> None:
        """Everything that is due, once."""
        state, now = self._state, workflow.now()
        handoff.check(state, now)
        await contact.tell(self._start, state)
        state.inactive = state.inactive or self._turns_inactive(now)
        while state.failed:
            await self._remedy(state.failed.pop(0))
        while state.outgoing:
            await self._reply(state.outgoing[0])
            state.outgoing.pop(0)
        if not state.pending:
            for item in self._due(now):
                state.scheduled = [s for s in state.scheduled if s.id != item.id]
                await self._send_scheduled(item)
        await self._tell()

    # --- a human's reply ---

    async def _reply(self, out: Outgoing) -> None:
        templated = bool(out.template)

        def forbidden() -> Halt | None:
            return guard.forbidden_to_all(self._start, self._state, workflow.now(), template=templated)

        if (halt := forbidden()) is not None:
            if (message := self._state.find(out.key)) is not None:
                message.status, message.proof, message.reason = "failed", Proof.FAILED.value, halt.reason
            return
        with tracing.within(out.trace):
            left = await outbox.try_to_send(self._start, self._state, out, forbidden=forbidden)
        if left:
            self._remember(out.key)

    def _remember(self, key: str) -> None:
        message, start = self._state.find(key), self._start
        if message is None or not message.body:
            return
        item = MemoryItem(
            id=item_id(message.id),
            contact_id=start.contact_id,
            conversation_id=start.conversation_id,
            channel=start.channel,
            turn=message.turn,
            role=message.author,
            text=message.body,
            at=message.created_at,
            source=message.id,
        )
        self._state.backlog = [*self._state.backlog, item][-policy.BACKLOG_ITEMS :]

    # --- what is scheduled ---

    def _due(self, now: datetime) -> list[Scheduled]:
        state = self._state
        if state.pending or handoff.is_held(state) or not state.scheduled:
            return []
        if answer.opens_at(state, now) is not None:
            return []
        return sorted((item for item in state.scheduled if item.at <= now), key=lambda item: item.at)

    async def _send_scheduled(self, item: Scheduled) -> None:
        state, now = self._state, workflow.now()
        opened = answer.opens_at(state, item.at) or item.at
        if guard.is_late(state, opened, now):
            state.alert(AlertKind.UNDELIVERED, now, "what was scheduled came too late to be sent")
            return
        if halt := self._forbidden() or guard.blow_fuses(state, now):
            if halt.outcome is Outcome.HELD:
                handoff.request(state, halt.reason, now)
            return
        key = ids.send_key(self._start.conversation_id, f"scheduled:{item.id}:{item.at.isoformat()}")
        out = Outgoing(
            key=key,
            text=item.text,
            kind=MessageClass.NOTICE,
            template=item.template,
            template_variables=item.template_variables,
        )
        if await outbox.try_to_send(
            self._start, state, out, forbidden=self._forbidden, stale_at=guard.stale_at(state, opened)
        ):
            self._remember(key)

    def _forbidden(self) -> Halt | None:
        return guard.forbidden(self._start, self._state, workflow.now())

    # --- failures that were reported later ---

    async def _remedy(self, message_id: str) -> None:
        state, now = self._state, workflow.now()
        message = state.find(message_id)
        if message is None:
            return
        if failure.remedy(message.reason, message.error_code) is Remedy.TEMPLATE and self._may_use_template(message):
            out = Outgoing(
                key=ids.send_key(self._start.conversation_id, f"template:{message_id}"),
                text=message.body,
                kind=MessageClass.NOTICE,
                template=state.rules.template,
                template_variables=outbox.filled(state.rules.template_variables, message.body),
            )
            await outbox.try_to_send(self._start, state, out, forbidden=self._forbidden)
            return
        failure.settle(state, message.reason, message.error_code, now)
        code = message.error_code or "without a code"
        state.alert(AlertKind.UNDELIVERED, now, f"message of turn {message.turn} reported {message.status}: {code}")

    def _may_use_template(self, message: MessageRecord) -> bool:
        is_template = message.kind == MessageClass.NOTICE.value
        return bool(self._state.rules.template) and not is_template and self._forbidden() is None

    # --- time ---

    def _turns_inactive(self, now: datetime) -> bool:
        state = self._state
        return bool(state.rules.inactive_after and state.turn and not state.inactive) and self._inactive_at() <= now

    def _inactive_at(self) -> datetime:
        return self._state.updated_at + timedelta(seconds=self._state.rules.inactive_after)

    # --- alerts ---

    async def _tell(self) -> None:
        for alert in self._state.alerts:
            if alert.told:
                continue
            alert.told = True
            notice = AlertNotice(
                conversation_id=self._start.conversation_id, kind=alert.kind.value, reason=alert.reason
            )
            try:
                await call(policy.ALERT, AlertActivities.alert, notice)
            except ActivityError:
                workflow.logger.warning(f"alert that nobody heard: {alert.kind.value}")


def expired(state: ConversationState, now: datetime) -> bool:
    """Whether the conversation has been silent for so long that it ends of itself."""
    return bool(state.turn or state.messages) and now >= ends_at(state)


def ends_at(state: ConversationState) -> datetime:
    """When silence ends the conversation."""
    return state.updated_at + timedelta(seconds=state.rules.idle_close)
