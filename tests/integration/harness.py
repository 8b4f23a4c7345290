"""A conversation on the real server, with the real worker code around ports that a test can see into."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.alerts import Alerts
from activities.consents import ContactConsents
from activities.delivery import Delivery
from activities.errands import Errands
from activities.forgetting import Forgetting
from activities.learning import Learning
from activities.listening import Listening
from activities.memory import Memories
from activities.reply import Replies
from activities.revival import Revival
from activities.tools import implementations
from agents.durable import DurableReplies
from agents.learning import RuleExtractor
from agents.summary import RuleSummariser
from agents.transcriber import NoTranscriber, Transcriber
from agents.turn import Draft, Turn
from memory.contacts import ContactBook, InMemoryContacts
from memory.item import MemoryItem, Recalled
from messaging import errors
from messaging.backend import ConversationalBackend
from messaging.config import MessagingConfig
from messaging.errors import MessagingError
from messaging.model import (
    Capabilities,
    ConversationConfig,
    DeliveryStatus,
    Media,
    MediaContent,
    Message,
    Participant,
    SendOutcome,
    SendProof,
)
from messaging.model import Conversation as ProviderConversation
from runtime.consents import TemporalConsents
from runtime.erasure import TemporalConversations
from runtime.temporal import TemporalRuns, workflow_runner
from tests.support.ports import eventually
from workflows import contracts, index
from workflows.contracts import ConversationStart, Route
from workflows.conversation import ConversationWorkflow
from workflows.errands import AttendanceWorkflow, OpeningWorkflow
from workflows.flow import Flow
from workflows.forgetting import ForgetWorkflow
from workflows.inbox import Attachment, DeliveryUpdate, Inbound
from workflows.optout import ContactOptOutWorkflow
from workflows.policy import Rules
from workflows.state import TurnRecord
from workflows.views import ConversationView, Transcript


class Outbox:
    """A provider that keeps what it was sent. `fail` holds the errors of the next sends, raised before or after."""

    name = "outbox"

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.messages: list[Message] = []
        self.opened: list[str] = []
        self.people: dict[str, Participant] = {}
        self.calls = 0
        self.looks = 0
        self.fail_before: list[MessagingError] = []
        self.fail_after: list[MessagingError] = []
        self.fail_look: list[MessagingError] = []
        self.fail_leave: MessagingError | None = None
        self.capabilities = Capabilities(
            channels=frozenset(),
            conversations=True,
            participants=True,
            outbound_media=False,
            max_body=1600,
            proves_absence=True,
        )

    def get_config(self) -> MessagingConfig:
        return MessagingConfig(provider=self.name, max_retries=None)

    @property
    def bodies(self) -> list[str]:
        return [body for _, body in self.sent]

    async def send_message(self, sid: str, message: Message, *, key: str | None = None) -> Message:
        self.calls += 1
        if self.fail_before:
            raise self.fail_before.pop(0)
        self.sent.append((key or "", message.body))
        self.messages.append(message)
        if self.fail_after:
            raise self.fail_after.pop(0)
        return Message(sid=f"SM{len(self.sent)}", body=message.body, delivery_status=DeliveryStatus.QUEUED)

    async def create_conversation(self, config: ConversationConfig) -> ProviderConversation:
        if self.fail_before:
            raise self.fail_before.pop(0)
        self.opened.append(config.unique_name or "")
        return ProviderConversation(sid=f"CH{uuid.uuid5(uuid.NAMESPACE_OID, self.opened[-1]).hex}")

    async def add_participant(self, sid: str, participant: Participant) -> Participant:
        self.people[f"MB{len(self.people) + 1}"] = participant
        return replace(participant, sid=f"MB{len(self.people)}")

    async def list_participants(self, sid: str) -> tuple[Participant, ...]:
        return tuple(replace(participant, sid=name) for name, participant in self.people.items())

    async def remove_participant(self, sid: str, participant_sid: str) -> None:
        if self.fail_leave:
            raise self.fail_leave
        if self.people.pop(participant_sid, None) is None:
            raise errors.ParticipantNotFound("nobody of this sid")

    async def fetch_media(self, media: Media) -> MediaContent:
        return MediaContent(data=media.url.encode(), content_type=media.content_type)

    async def find_message(
        self,
        sid: str,
        key: str,
        *,
        message: Message | None = None,
        since: datetime | None = None,
        known: Collection[str] = (),
    ) -> SendProof:
        self.looks += 1
        if self.fail_look:
            raise self.fail_look.pop(0)
        for number, (sent_key, body) in enumerate(self.sent, start=1):
            if sent_key == key:
                return SendProof(outcome=SendOutcome.CONFIRMED, message=Message(sid=f"SM{number}", body=body))
        return SendProof(outcome=SendOutcome.ABSENT)


class Memory:
    """A memory that keeps all and recalls the newest; `away` makes it fail."""

    def __init__(self) -> None:
        self.items: dict[str, MemoryItem] = {}
        self.away: Exception | None = None

    async def remember(self, items: Collection[MemoryItem]) -> None:
        if self.away:
            raise self.away
        self.items.update({item.id: item for item in items})

    async def recall(
        self,
        query: str,
        *,
        contact_id: str,
        also: Collection[str] = (),
        limit: int = 5,
        exclude: Collection[str] = (),
    ) -> list[Recalled]:
        if self.away:
            raise self.away
        people = {contact_id, *also}
        found = [i for i in self.items.values() if i.contact_id in people and i.source not in exclude]
        return [
            Recalled(
                text=i.text,
                role=i.role,
                at=i.at,
                channel=i.channel,
                conversation_id=i.conversation_id,
                turn=i.turn,
                score=1.0,
                source=i.source,
            )
            for i in found[-limit:]
        ]

    async def all_of(self, contact_id: str) -> list[Recalled]:
        return await self.recall("", contact_id=contact_id, limit=len(self.items) or 1)

    async def forget(self, contact_id: str) -> int:
        if self.away:
            raise self.away
        mine = [key for key, item in self.items.items() if item.contact_id == contact_id]
        for key in mine:
            del self.items[key]
        return len(mine)

    async def close(self) -> None: ...


async def echo(turn: Turn) -> Draft:
    """An agent that says back what it got."""
    return Draft(text=f"re: {turn.text}")


@dataclass(slots=True)
class Agent:
    """Runs `reply` and keeps every turn it was given."""

    reply_with: Callable[[Turn], Awaitable[Draft]] = echo
    turns: list[Turn] = field(default_factory=list, repr=False)

    async def reply(self, turn: Turn) -> Draft:
        self.turns.append(turn)
        return await self.reply_with(turn)


@dataclass(slots=True)
class Bench:
    """The ports of a worker, and a way to talk to conversations on it."""

    client: Client
    queue: str
    outbox: Outbox = field(default_factory=Outbox)
    memory: Memory = field(default_factory=Memory)
    contacts: ContactBook = field(default_factory=InMemoryContacts)
    agent: Agent = field(default_factory=Agent)
    others: dict[str, ConversationalBackend] = field(default_factory=dict)
    workflow: type[Any] = ConversationWorkflow
    flows: tuple[Flow[Any], ...] = ()
    durable: DurableReplies | None = None
    transcriber: Transcriber = field(default_factory=NoTranscriber)

    def worker(self, **options: Any) -> Worker:
        memories, errands = Memories(self.memory, self.contacts), Errands({"outbox": self.outbox})  # type: ignore[dict-item]
        record = TemporalConsents(self.client, self.queue)
        conversations = TemporalConversations(client=self.client, task_queue=self.queue)
        backends = {"outbox": self.outbox, **self.others}
        forgetting = Forgetting(self.memory, self.contacts, conversations, backends)
        return Worker(
            self.client,
            task_queue=self.queue,
            workflows=[
                self.workflow,
                OpeningWorkflow,
                AttendanceWorkflow,
                ForgetWorkflow,
                ContactOptOutWorkflow,
                *([self.durable.workflow] if self.durable else []),
            ],
            activities=[
                memories.recall,
                memories.remember,
                Learning(RuleExtractor(), RuleSummariser()).learn,
                Replies(self.agent).reply,
                Delivery(
                    {"outbox": self.outbox, **self.others},  # type: ignore[dict-item]
                    consents=record,
                    settling=timedelta(0),
                ).deliver,
                *ContactConsents(record).activities,
                Listening({"outbox": self.outbox, **self.others}, self.transcriber).listen,  # type: ignore[dict-item]
                Alerts().alert,
                Revival(TemporalRuns(self.client)).revive,
                *errands.activities,
                *forgetting.activities,
                *implementations(self.flows),
                *(self.durable.activities if self.durable else []),
            ],
            plugins=[self.durable.plugin] if self.durable else [],
            workflow_runner=workflow_runner(),
            graceful_shutdown_timeout=timedelta(seconds=5),
            **options,
        )

    def conversation(self, rules: Rules | None = None) -> Conversation:
        return Conversation(self, f"conversation-{uuid.uuid4().hex}", rules or Rules())


@dataclass(slots=True)
class Conversation:
    """One person's conversation, as the gateway would drive it."""

    bench: Bench
    id: str
    rules: Rules
    count: int = 0
    listed: bool = False
    contact_id: str = ""
    channel: str = "sms"

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.bench.client.get_workflow_handle(self.id)

    async def text(
        self,
        body: str,
        *,
        key: str | None = None,
        previous_run_id: str | None = None,
        attachments: tuple[Attachment, ...] = (),
        author: str = "",
        participant: str = "",
    ) -> str:
        self.count += 1
        key = key or f"{self.id}-in-{self.count}"
        inbound = Inbound(
            key=key,
            sid=key,
            text=body,
            at=datetime.now(UTC),
            author=author or self.contact_id or f"contact-{self.id}",
            attachments=attachments,
            rules=self.rules,
            participant=participant,
        )
        start = ConversationStart(
            conversation_id=self.id,
            contact_id=self.contact_id or f"contact-{self.id}",
            channel=self.channel,
            route=Route(provider="outbox", conversation_sid="pair"),
            created_at=datetime.now(UTC),
            previous_run_id=previous_run_id,
            indexed=self.listed,
            counts_parked=self.listed,
            troubles=self.listed,
        )
        await self.bench.client.start_workflow(
            contracts.WORKFLOW,
            start,
            id=self.id,
            task_queue=self.bench.queue,
            memo={"contact_id": start.contact_id},
            start_signal="receive",
            start_signal_args=[inbound],
            search_attributes=index.attributes(start, None, start.created_at) if self.listed else None,
        )
        return key

    async def report(self, update: DeliveryUpdate) -> None:
        await self.handle.signal("delivery", update)

    async def view(self) -> ConversationView:
        return await self.handle.query(ConversationWorkflow.view)

    async def transcript(self) -> Transcript:
        return await self.handle.query(ConversationWorkflow.transcript)

    async def last_turn(self) -> TurnRecord | None:
        return await self.handle.query(ConversationWorkflow.last_turn)

    async def turn(self, number: int, *, within: float = 30.0) -> TurnRecord:
        """The record of turn `number`, when it has ended."""

        async def look() -> TurnRecord | None:
            record = await self.last_turn()
            return record if record and record.number >= number else None

        record = await eventually(look, within=within)
        assert record is not None
        return record


@asynccontextmanager
async def bench_for(client: Client, **ports: Any) -> AsyncIterator[Bench]:
    bench = Bench(client, f"queue-{uuid.uuid4().hex}", **ports)
    async with bench.worker():
        yield bench
    await asyncio.sleep(0)
