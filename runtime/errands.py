"""Opens conversations that we start, and lets people in and out: asked of a worker, durably, once for each key."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError

from messaging.model import Address, Channel
from runtime.directory import ConversationSummary, NoWorker
from runtime.gateway import Gateway
from runtime.temporal import TemporalUnreachable
from workflows import errands, ids
from workflows.contracts import ConversationStart, Route
from workflows.errands import Attendance, Attended, Opened, Opening

T = TypeVar("T", Opened, Attended)

# Somebody waits for the answer over HTTP; what is not done by then goes on, and the same key finds it.
PATIENCE = timedelta(seconds=20)


class KeyReused(Exception):
    """Another request came under the same idempotency key."""


class ProviderRefused(Exception):
    """The provider did not do it. `code` is an `ErrorCode`, `reason` a sentence without a number in it."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Errands:
    """`senders` are our own addresses by channel."""

    client: Client
    gateway: Gateway
    provider: str
    senders: Mapping[Channel, str] = field(default_factory=dict)

    async def open(self, *, to: str, key: str, provider: str | None, name: str) -> str:
        """The id of an open conversation with this address, that a second request under this key finds again.

        Raises:
            KeyReused, ProviderRefused, NoWorker, TemporalUnreachable, Unresolved
        """
        theirs = Address.parse(to)
        contact_id = await self.gateway.identities.contact_id(theirs)
        order = Opening(
            provider=provider or self.provider,
            to=theirs.raw,
            sender=self.senders.get(theirs.channel, ""),
            unique_name=f"conversation-{ids.token(key)}",
            friendly_name=name,
        )
        opened = await self._run(errands.OPENING, order, key, Opened)
        start = ConversationStart(
            conversation_id=ids.conversation_id(
                self.gateway.id_key,
                provider=order.provider,
                conversation_sid=opened.conversation_sid,
                channel=theirs.channel.value,
            ),
            contact_id=contact_id,
            channel=theirs.channel.value,
            route=Route(provider=order.provider, conversation_sid=opened.conversation_sid),
            created_at=datetime.now(UTC),
        )
        with _reachable():
            await self.gateway.open(start)
        return start.conversation_id

    async def attend(
        self,
        conversation: ConversationSummary,
        *,
        key: str,
        identity: str | None = None,
        address: Address | None = None,
        leaves: str = "",
    ) -> Attended:
        """Let somebody in or out.

        Raises:
            KeyReused, ProviderRefused, NoWorker, TemporalUnreachable
        """
        order = Attendance(
            provider=conversation.view.provider if conversation.view else "",
            conversation_sid=conversation.provider_sid,
            identity=identity or "",
            address=address.raw if address else "",
            proxy_address=self.senders.get(address.channel, "") if address else "",
            leaves=leaves,
        )
        return await self._run(errands.ATTENDANCE, order, key, Attended)

    async def _run(self, name: str, order: Any, key: str, kind: type[T]) -> T:
        errand = f"errand-{ids.token(name, key)}"
        with _reachable(), contextlib.suppress(WorkflowAlreadyStartedError):
            await self.client.start_workflow(
                name,
                order,
                id=errand,
                task_queue=self.gateway.task_queue,
                # One that failed may be tried again, one that worked is its own answer.
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                rpc_timeout=PATIENCE,
            )
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                with _reachable():
                    result: T = await self.client.get_workflow_handle(errand, result_type=kind).result()
        except TimeoutError:
            raise NoWorker from None
        except WorkflowFailureError as failed:
            raise _refusal(failed) from failed
        if result.asked != order:
            raise KeyReused
        return result


@contextlib.contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except (RPCError, RuntimeError) as error:
        raise TemporalUnreachable from error


def _refusal(failed: WorkflowFailureError) -> ProviderRefused:
    cause: BaseException | None = failed.cause
    while isinstance(cause, ActivityError):
        cause = cause.cause
    if isinstance(cause, ApplicationError):
        return ProviderRefused(cause.type or "provider_error", cause.message)
    return ProviderRefused("timeout", "the provider did not answer in time")
