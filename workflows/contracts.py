"""What crosses the border of the workflow: its input, signals, queries and results, and the activities it calls.

One dataclass in, one out; fields are only ever added, with defaults. `activities/` implements the classes at the end.
What only `forgetting`, `errands` or `contact` uses is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from temporalio import activity

from agents.turn import Draft, Learned, Turn, Utterance
from memory.item import MemoryItem, Recalled
from messaging.model import DeliveryStatus
from workflows.inbox import Attachment
from workflows.policy import SendPolicy, TurnPolicy
from workflows.state import ConversationState

WORKFLOW = "ConversationWorkflow"

# The workflow of one reply, where each request to the model is an activity: `agents.durable`.
AGENT_REPLY = "AgentReply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where replies go: a provider's registry name and its id of the conversation."""

    provider: str
    conversation_sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationStart:
    """What a run begins with. `carried` comes from the run before it, or `previous_run_id` says where to find it.

    `indexed` says that the run was started with the search attributes of `workflows.index`, and keeps them true;
    `counts_parked` that the count of parked turns was there too, and `troubles` that what went wrong is.
    """

    conversation_id: str
    contact_id: str
    channel: str
    route: Route
    created_at: datetime
    previous_run_id: str | None = None
    carried: ConversationState | None = None
    indexed: bool = False
    counts_parked: bool = False
    troubles: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallRequest:
    """What to look for in this person's memory. `exclude` are sources that the reply sees anyway."""

    query: str
    contact_id: str
    exclude: tuple[str, ...] = ()
    limit: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """What came back. `degraded` says that memory was out of reach, not that there is nothing."""

    items: tuple[Recalled, ...] = ()
    degraded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOrder:
    """One message to send, once. `since` and `known` let a provider prove an earlier attempt without our key.

    `media` are public URLs. With a `template` that is sent instead of both, with its variables by name. After
    `stale_at` nothing is sent any more. With a `contact_id` that person's record of consent is asked first.
    """

    route: Route
    key: str
    text: str
    since: datetime
    known: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    template: str = ""
    template_variables: Mapping[str, str] = field(default_factory=dict)
    policy: SendPolicy = SendPolicy.NEVER_TWICE
    stale_at: datetime | None = None
    contact_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReceipt:
    """The send is proven. `proof` says how, by a name of `workflows.state.Proof`: `accepted` by the call itself,
    `found` by looking, or `resent` after it was found to be absent."""

    message_sid: str
    status: DeliveryStatus
    proof: str = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberRequest:
    """What to write to memory; writing it again changes nothing. `same` are pairs of ids of one person."""

    items: tuple[MemoryItem, ...]
    same: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousRun:
    """A closed run of a conversation."""

    conversation_id: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousState:
    """What a closed run ended with; None where it is past retention or did not end by itself."""

    state: ConversationState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """A human answers from now on."""

    assignee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Somebody else answers from now on, whoever does now."""

    assignee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNote:
    """For the colleagues and the agent, not for the person."""

    author: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorReply:
    """What a human writes to the person. The same `key` twice is one message."""

    author: str
    text: str
    key: str
    media: tuple[str, ...] = ()
    template: str = ""
    template_variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message of ours that is on its way. `id` is its send key; its status is in the transcript."""

    id: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRequest:
    """A message for later. The same `id` twice is one message, the later request's."""

    id: str
    at: datetime
    text: str
    cancelled_by_reply: bool = True
    template: str = ""
    template_variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What this conversation does differently from its deployment's rules; None leaves it as it is."""

    turn_policy: TurnPolicy | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNotice:
    """Something an operator must hear of. `reason` holds no text of the conversation."""

    conversation_id: str
    kind: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceNotes:
    """Audio to turn into text, in order, by the provider that holds it."""

    provider: str
    attachments: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What each says; empty where nobody could tell."""

    texts: tuple[str, ...]


class ListeningActivities:
    """Who turns voice notes into text."""

    @activity.defn(name="listen")
    async def listen(self, notes: VoiceNotes) -> Heard:
        """Fetch and transcribe them."""
        raise NotImplementedError


class AlertActivities:
    """Who hears of what went wrong."""

    @activity.defn(name="alert")
    async def alert(self, notice: AlertNotice) -> None:
        """Tell. May run again for the same one."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A text of the person's, or a fact out of it. `source` is the message's id, `preceding` the one before it."""

    source: str
    fact: Learned
    preceding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnRequest:
    """Texts to find facts in; and what leaves the window, to go into the `summary` so far."""

    heard: tuple[Told, ...] = ()
    summary: str = ""
    leaving: tuple[Utterance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What a turn taught. `summary` is empty where nothing has left the window."""

    facts: tuple[Told, ...] = ()
    summary: str = ""


class LearningActivities:
    """What is learnt of a turn."""

    @activity.defn(name="learn")
    async def learn(self, request: LearnRequest) -> Lesson:
        """Find facts, and sum up."""
        raise NotImplementedError


class MemoryActivities:
    """What this person's memory does."""

    @activity.defn(name="recall")
    async def recall(self, request: RecallRequest) -> Recollection:
        """Look in memory."""
        raise NotImplementedError

    @activity.defn(name="remember")
    async def remember(self, request: RememberRequest) -> None:
        """Write to memory."""
        raise NotImplementedError


class ReplyActivities:
    """What the agent does."""

    @activity.defn(name="reply")
    async def reply(self, turn: Turn) -> Draft:
        """Have the agent answer. May run again for the same turn."""
        raise NotImplementedError


class DeliveryActivities:
    """What the provider does."""

    @activity.defn(name="deliver")
    async def deliver(self, order: SendOrder) -> SendReceipt:
        """Send once; look before any repeat."""
        raise NotImplementedError


class RevivalActivities:
    """What is known of earlier runs."""

    @activity.defn(name="revive")
    async def revive(self, previous: PreviousRun) -> PreviousState:
        """Fetch what a closed run ended with."""
        raise NotImplementedError
