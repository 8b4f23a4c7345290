"""From a provider's event to the conversation's workflow. When `accept` returns, Temporal holds the event."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.common import TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from messaging.model import Address, Channel, DeliveryStatus, EventKind, InboundEvent, Message
from runtime import spans
from runtime.identity import Identities, Resolver, load_resolver
from runtime.settings import Settings
from runtime.temporal import TemporalUnreachable, is_unreachable
from workflows import contracts, ids, index
from workflows.contracts import ConversationStart, Route
from workflows.inbox import Attachment, DeliveryUpdate, Inbound, ProviderState
from workflows.policy import MAX_TEXT, Rules, TurnPolicy

log = structlog.get_logger(__name__)

# Conversations webhooks must be answered within 5 s; past this a provider should rather hear "try again".
PATIENCE = timedelta(seconds=3)

# Reports before "sent" say nothing that the accepted send did not say.
_WORTH_TELLING = frozenset(
    {
        DeliveryStatus.SENT,
        DeliveryStatus.DELIVERED,
        DeliveryStatus.READ,
        DeliveryStatus.UNDELIVERED,
        DeliveryStatus.FAILED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Signals conversations, and starts them with their first text.

    `turn_policies` are those of channels that do not have the one of the rules.
    """

    client: Client
    task_queue: str
    id_key: bytes
    rules: Rules
    turn_policies: Mapping[str, TurnPolicy] = field(default_factory=dict)
    resolver: Resolver | None = None

    @property
    def identities(self) -> Identities:
        """Who is behind an address."""
        return Identities(self.id_key, self.resolver)

    async def accept(self, events: list[InboundEvent]) -> int:
        """Hand over all events in order; how many concerned a conversation.

        Raises:
            TemporalUnreachable, Unresolved: at least one was not taken. Handing all of them over again does no harm.
        """
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                return sum([await self._accepted(event) for event in events])
        except Exception as error:
            if is_unreachable(error):
                raise TemporalUnreachable from error
            raise

    def conversation_id(self, event: InboundEvent) -> str:
        """The workflow id of the event's conversation."""
        return ids.conversation_id(
            self.id_key,
            provider=event.provider,
            conversation_sid=event.conversation_sid,
            channel=_channel(event).value,
        )

    async def _accepted(self, event: InboundEvent) -> bool:
        with spans.about(self.conversation_id(event)):
            return await self._accept(event)

    async def contact_id(self, event: InboundEvent) -> str:
        """Who wrote. Raises Unresolved."""
        return await self.identities.contact_id(_sender(event))

    async def _accept(self, event: InboundEvent) -> bool:
        if event.kind is EventKind.MESSAGE_ADDED and event.message is not None and not event.echo:
            await self._receive(event, event.message, _sender(event))
            return True
        if event.kind is EventKind.DELIVERY_UPDATED and event.delivery is not None:
            return await self._report(event)
        if event.kind is EventKind.CONVERSATION_STATE_UPDATED and event.conversation is not None:
            told = ProviderState(state=event.conversation.state)
            return await self._signal(self.conversation_id(event), "provider_state", told)
        return False

    async def _receive(self, event: InboundEvent, message: Message, sender: Address) -> None:
        conversation = self.conversation_id(event)
        author, also = await self.identities.ids(sender)
        inbound = Inbound(
            key=event.event_key,
            sid=message.sid,
            text=message.body[:MAX_TEXT],
            at=event.received_at,
            author=author,
            also=also,
            attachments=tuple(Attachment(url=m.url, content_type=m.content_type) for m in message.media),
            opt_out=event.opt_out.value if event.opt_out else None,
            participant=event.participant.sid if event.participant else "",
            rules=self._rules(_channel(event)),
        )
        if await self._signal(conversation, "receive", inbound):
            return
        start = ConversationStart(
            conversation_id=conversation,
            contact_id=inbound.author,
            channel=_channel(event).value,
            route=Route(provider=event.provider, conversation_sid=event.conversation_sid),
            created_at=datetime.now(UTC),
            previous_run_id=await self._last_run(conversation),
        )
        await self.start(start, start_signal="receive", start_signal_args=[inbound])

    async def open(self, start: ConversationStart) -> None:
        """See to it that a run is open; one that begins goes on from what the last one knew.

        Raises:
            RPCError
        """
        previous = await self._last_run(start.conversation_id)
        await self.start(
            replace(start, previous_run_id=previous), id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
        )

    async def start(self, start: ConversationStart, **options: Any) -> None:
        """Start a run of this conversation, with all that a list shows and filters by.

        Raises:
            RPCError
        """
        try:
            listed = replace(start, indexed=True, counts_parked=True, troubles=True)
            await self._start(listed, options, index.attributes(listed, None, start.created_at))
        except RPCError as error:
            # A namespace that no worker has prepared yet. A text must not wait for a filter.
            if error.status is not RPCStatusCode.INVALID_ARGUMENT or "search attribute" not in error.message.lower():
                raise
            log.warning("search attributes are missing; this conversation is in no filtered list")
            await self._start(start, options, None)

    async def _start(
        self, start: ConversationStart, options: dict[str, Any], attributes: TypedSearchAttributes | None
    ) -> None:
        await self.client.start_workflow(
            contracts.WORKFLOW,
            start,
            id=start.conversation_id,
            task_queue=self.task_queue,
            memo=_memo(start),
            search_attributes=attributes,
            static_summary=f"{start.channel} conversation",
            rpc_timeout=PATIENCE,
            **options,
        )

    def _rules(self, channel: Channel) -> Rules:
        own = self.turn_policies.get(channel.value)
        return replace(self.rules, turn_policy=own) if own else self.rules

    async def _report(self, event: InboundEvent) -> bool:
        report = event.delivery
        if report is None or report.status not in _WORTH_TELLING:
            return False
        update = DeliveryUpdate(
            message_sid=report.message_sid,
            status=report.status,
            key=report.key,
            error_code=report.error_code,
            failure=report.category.value if report.category else "",
            participant=report.participant_sid or "",
        )
        return await self._signal(self.conversation_id(event), "delivery", update)

    async def _signal(self, conversation: str, name: str, payload: Any) -> bool:
        """Whether an open run took it. Half the cost of a signal-with-start for a conversation that is known."""
        try:
            await self.client.get_workflow_handle(conversation).signal(name, payload, rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    async def _last_run(self, conversation: str) -> str | None:
        """The run that a new one goes on from. If one is open by now, the start only signals it."""
        try:
            return (await self.client.get_workflow_handle(conversation).describe(rpc_timeout=PATIENCE)).run_id
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise


def open_gateway(settings: Settings, client: Client, flow: str) -> Gateway:
    """The gateway that these settings ask for; new conversations begin with this flow.

    Raises:
        SettingsError: MESSAGING_ID_KEY is missing.
        ValueError: MESSAGING_CONTACT_RESOLVER names nothing that can be used.
    """
    return Gateway(
        client=client,
        task_queue=settings.temporal_task_queue,
        id_key=settings.id_key(),
        rules=replace(settings.rules, flow=flow),
        turn_policies=settings.turn_policies(),
        resolver=load_resolver(settings.messaging_contact_resolver),
    )


def _sender(event: InboundEvent) -> Address:
    # Somebody without an address is known by the conversation only.
    return event.theirs or Address(channel=Channel.UNKNOWN, value=event.conversation_sid)


def _channel(event: InboundEvent) -> Channel:
    # Texts and pictures of one pair of numbers are one conversation.
    channel = event.theirs.channel if event.theirs else event.message.channel if event.message else Channel.UNKNOWN
    return Channel.SMS if channel is Channel.MMS else channel


def _memo(start: ConversationStart) -> dict[str, str]:
    """What a list shows. No address, no text."""
    sid = start.route.conversation_sid
    return {
        "channel": start.channel,
        "contact_id": start.contact_id,
        "provider": start.route.provider,
        "provider_sid": sid if ids.is_opaque(sid) else "",
        "created_at": start.created_at.isoformat(),
    }
