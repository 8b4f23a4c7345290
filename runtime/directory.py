"""The conversations there are, as Temporal knows them: listed by visibility, read by query, changed by update."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.service import RPCError, RPCStatusCode

from messaging.model import Page
from runtime import histories
from runtime.filter import Filter
from runtime.histories import RunHistory
from runtime.temporal import TemporalUnreachable
from workflows import index
from workflows.approval import Decide
from workflows.contracts import Assignment, NewNote, OperatorReply, Posted, Takeover
from workflows.conversation import ConversationWorkflow
from workflows.glance import Glance
from workflows.parked import Drop, ParkedSummary, ParkedTurns, Retry
from workflows.state import MessageRecord, TurnRecord, Verdict
from workflows.views import ConversationView

# A query needs a worker; an operator should hear soon that there is none.
PATIENCE = timedelta(seconds=5)
# Of many conversations some may be stuck, and a list must come all the same.
_BRIEFLY = timedelta(seconds=2)
_AT_ONCE = 32


_CURSOR = "cursor: must be the next_cursor of the page before"


class UnknownConversation(LookupError):
    """No conversation has this id."""


class ConversationEnded(Exception):
    """The conversation is there, but closed: nothing can be changed until somebody texts again."""


class NoWorker(Exception):
    """The conversation is there, but no worker answers for it."""


class InvalidCursor(ValueError):
    """The cursor is not one that a list returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationSummary:
    """One conversation in a list. `updated_at` is as recent as its latest run; a detail view is exact."""

    id: str
    state: str
    channel: str
    contact_id: str
    provider_sid: str
    workflow_id: str
    run_id: str
    created_at: datetime
    updated_at: datetime
    assignee: str | None = None
    view: ConversationView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedIn:
    """A parked turn, and the conversation that it is of."""

    conversation_id: str
    channel: str
    contact_id: str
    turn: ParkedSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedPage:
    """One page of parked turns. `silent` are conversations that have some and do not answer."""

    items: tuple[ParkedIn, ...]
    next_cursor: str | None
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """Reads and changes conversations."""

    client: Client

    async def list(
        self, wanted: Filter | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> Page[ConversationSummary]:
        """One page, latest first.

        Raises:
            InvalidCursor, TemporalUnreachable
        """
        query = (wanted or Filter()).query()
        found = self.client.list_workflows(query, page_size=limit, next_page_token=_decode(cursor))
        try:
            with connected():
                await found.fetch_next_page()
        except RPCError as error:
            if cursor is not None and error.status is not RPCStatusCode.UNAVAILABLE:
                raise InvalidCursor(_CURSOR) from error
            raise TemporalUnreachable from error
        items: dict[str, ConversationSummary] = {}
        for execution in found.current_page or ():
            # Of a conversation that was opened again, the latest run speaks for all.
            items.setdefault(execution.id, _summary(execution, await execution.memo()))
        token = found.next_page_token
        return Page(
            items=tuple(items.values()), next_cursor=base64.urlsafe_b64encode(token).decode() if token else None
        )

    async def count(self, wanted: Filter) -> int:
        """How many the lists of this filter have.

        Raises:
            TemporalUnreachable
        """
        try:
            with connected():
                return (await self.client.count_workflows(wanted.query(), rpc_timeout=PATIENCE)).count
        except RPCError as error:
            raise TemporalUnreachable from error

    async def glance(self, conversation_id: str) -> Glance:
        """One conversation in short.

        Raises:
            UnknownConversation, NoWorker, TemporalUnreachable
        """
        found: Glance = await self._query(conversation_id, ConversationWorkflow.glance)
        return found

    async def get(self, conversation_id: str) -> ConversationSummary:
        """One conversation, as it stands.

        Raises:
            UnknownConversation, NoWorker, TemporalUnreachable
        """
        view: ConversationView = await self._query(conversation_id, ConversationWorkflow.view)
        description = await self._handle(conversation_id).describe(rpc_timeout=PATIENCE)
        memo = await description.memo()
        return ConversationSummary(
            id=view.id,
            state=_state(view),
            channel=view.channel,
            contact_id=view.contact_id,
            provider_sid=str(memo.get("provider_sid", "")),
            workflow_id=description.id,
            run_id=description.run_id,
            created_at=view.created_at,
            updated_at=view.updated_at,
            assignee=view.assignee,
            view=view,
        )

    async def listed(self, conversation_id: str) -> ConversationSummary:
        """One conversation as a list has it: no worker is asked.

        Raises:
            UnknownConversation, TemporalUnreachable
        """
        try:
            with connected():
                description = await self._handle(conversation_id).describe(rpc_timeout=PATIENCE)
        except RPCError as error:
            raise _translate(error, conversation_id) from error
        return _summary(description, await description.memo())

    async def messages(self, conversation_id: str) -> tuple[MessageRecord, ...]:
        """The most recent messages, oldest first.

        Raises:
            UnknownConversation, NoWorker, TemporalUnreachable
        """
        messages: tuple[MessageRecord, ...] = (
            await self._query(conversation_id, ConversationWorkflow.transcript)
        ).messages
        return messages

    async def last_turn(self, conversation_id: str) -> TurnRecord | None:
        """What the last turn did.

        Raises:
            UnknownConversation, NoWorker, TemporalUnreachable
        """
        record: TurnRecord | None = await self._query(conversation_id, ConversationWorkflow.last_turn)
        return record

    async def turns(self, conversation_id: str) -> tuple[TurnRecord, ...]:
        """What the latest turns did, oldest first.

        Raises:
            UnknownConversation, NoWorker, TemporalUnreachable
        """
        turns: tuple[TurnRecord, ...] = (await self._query(conversation_id, ConversationWorkflow.turns)).turns
        return turns

    async def parked(self, *, limit: int = 50, cursor: str | None = None) -> ParkedPage:
        """The parked turns of up to `limit` open conversations, the latest conversations first.

        Raises:
            InvalidCursor, TemporalUnreachable
        """
        page = await self.list(Filter(state="open", parked=True), limit=limit, cursor=cursor)
        room = asyncio.Semaphore(_AT_ONCE)

        async def of(item: ConversationSummary) -> tuple[ParkedIn, ...] | None:
            async with room:
                try:
                    found: ParkedTurns = await self._query(item.id, ConversationWorkflow.parked, patience=_BRIEFLY)
                except (UnknownConversation, NoWorker):
                    return None
                whose = {"conversation_id": item.id, "channel": item.channel, "contact_id": item.contact_id}
                return tuple(ParkedIn(**whose, turn=turn) for turn in found.turns)

        turns = await asyncio.gather(*map(of, page.items))
        return ParkedPage(
            items=tuple(turn for found in turns for turn in found or ()),
            next_cursor=page.next_cursor,
            silent=tuple(item.id for item, found in zip(page.items, turns, strict=True) if found is None),
        )

    async def histories(self, conversation_id: str) -> AsyncIterator[RunHistory]:
        """Of its runs, the latest first.

        Raises:
            UnknownConversation, TemporalUnreachable
        """
        try:
            with connected():
                async for history in histories.of(self.client, conversation_id, patience=PATIENCE):
                    yield history
        except RPCError as error:
            raise _translate(error, conversation_id) from error

    async def takeover(self, conversation_id: str, assignee: str) -> None:
        """Let a human answer. Raises UnknownConversation, ConversationEnded, WorkflowUpdateFailedError."""
        await self._update(conversation_id, ConversationWorkflow.takeover, Takeover(assignee=assignee))

    async def assign(self, conversation_id: str, assignee: str) -> None:
        """Let another human answer. Raises UnknownConversation, ConversationEnded, WorkflowUpdateFailedError."""
        await self._update(conversation_id, ConversationWorkflow.assign, Assignment(assignee=assignee))

    async def note(self, conversation_id: str, note: NewNote) -> None:
        """Leave a note. Raises UnknownConversation, ConversationEnded, WorkflowUpdateFailedError."""
        await self._update(conversation_id, ConversationWorkflow.note, note)

    async def reply(self, conversation_id: str, reply: OperatorReply) -> Posted:
        """Write to the person, once for each key.

        Raises:
            UnknownConversation, ConversationEnded, WorkflowUpdateFailedError
        """
        posted: Posted = await self._update(conversation_id, ConversationWorkflow.reply, reply)
        return posted

    async def decide(self, conversation_id: str, answer: Decide, *, approved: bool) -> None:
        """Answer a step's question. Raises UnknownConversation, ConversationEnded, WorkflowUpdateFailedError."""
        update = ConversationWorkflow.approve if approved else ConversationWorkflow.decline
        await self._update(conversation_id, update, answer)

    async def retry_turn(self, conversation_id: str, request: Retry) -> None:
        """Run a parked turn again. Raises UnknownConversation, ConversationEnded, WorkflowUpdateFailedError."""
        await self._update(conversation_id, ConversationWorkflow.retry_turn, request)

    async def drop_turn(self, conversation_id: str, request: Drop) -> None:
        """Let a parked turn go. Raises UnknownConversation, ConversationEnded, WorkflowUpdateFailedError."""
        await self._update(conversation_id, ConversationWorkflow.drop_turn, request)

    async def release(self, conversation_id: str) -> None:
        """Let the agent answer again. Raises UnknownConversation, ConversationEnded."""
        await self._update(conversation_id, ConversationWorkflow.release)

    async def close(self, conversation_id: str) -> None:
        """End the conversation; ending a closed one is no error. Raises UnknownConversation."""
        with contextlib.suppress(ConversationEnded):
            await self._update(conversation_id, ConversationWorkflow.close)

    def _handle(self, conversation_id: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(conversation_id)

    async def _query(self, conversation_id: str, query: Any, *, patience: timedelta = PATIENCE) -> Any:
        try:
            with connected():
                return await self._handle(conversation_id).query(query, rpc_timeout=patience)
        except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
            raise UnknownConversation(conversation_id) from error
        except RPCError as error:
            raise _translate(error, conversation_id) from error

    async def _update(self, conversation_id: str, update: Any, *args: Any) -> Any:
        handle = self._handle(conversation_id)
        try:
            with connected():
                return await handle.execute_update(update, *args, rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND and await self._is_there(handle):
                raise ConversationEnded from error
            raise _translate(error, conversation_id) from error

    @staticmethod
    async def _is_there(handle: WorkflowHandle[Any, Any]) -> bool:
        try:
            await handle.describe(rpc_timeout=PATIENCE)
        except RPCError:
            return False
        return True


@contextlib.contextmanager
def connected() -> Iterator[None]:
    """What the client raises when it could not even connect. Raises TemporalUnreachable."""
    try:
        yield
    except (RuntimeError, OSError) as error:
        raise TemporalUnreachable from error


def _translate(error: RPCError, conversation_id: str) -> Exception:
    if error.status is RPCStatusCode.NOT_FOUND:
        return UnknownConversation(conversation_id)
    if error.status in {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.CANCELLED}:
        return NoWorker()
    return TemporalUnreachable()


def _state(view: ConversationView) -> str:
    if view.state == "closed":
        return view.state
    if any(question.verdict is Verdict.PENDING for question in view.approvals):
        return index.Standing.WAITING.value
    return index.Standing.HELD.value if view.assignee or view.handoff else view.state


def _summary(execution: WorkflowExecution, memo: Mapping[str, Any]) -> ConversationSummary:
    is_open = execution.status is WorkflowExecutionStatus.RUNNING
    created, shown = memo.get("created_at"), execution.typed_search_attributes
    return ConversationSummary(
        id=execution.id,
        state=shown.get(index.STATE, "active") if is_open else "closed",
        channel=str(memo.get("channel", "")),
        contact_id=str(memo.get("contact_id", "")),
        provider_sid=str(memo.get("provider_sid", "")),
        workflow_id=execution.id,
        run_id=execution.run_id,
        created_at=datetime.fromisoformat(created) if created else execution.start_time,
        updated_at=execution.close_time or max(execution.start_time, shown.get(index.ACTIVITY, execution.start_time)),
        assignee=shown.get(index.ASSIGNEE) if is_open else None,
    )


def _decode(cursor: str | None) -> bytes | None:
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor, altchars=b"-_", validate=True)
    except ValueError as error:
        raise InvalidCursor(_CURSOR) from error
