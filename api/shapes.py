"""What goes over the wire of `/v1`: JSON in, JSON out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, model_validator

from messaging.model import Address, Channel
from workflows.state import Verdict

_PHONES = frozenset({Channel.SMS, Channel.MMS, Channel.WHATSAPP})
_MAX_DIGITS = 15  # ITU-T E.164


def _address(value: str) -> str:
    address = Address.parse(value)
    number = address.value[1:]
    is_phone = (
        address.value.startswith("+") and number.isascii() and number.isdecimal() and 7 <= len(number) <= _MAX_DIGITS  # noqa: PLR2004 - the shortest there are
    )
    if not address.value or (address.channel in _PHONES and not is_phone):
        raise ValueError("must be a number like +15550100000, with `whatsapp:` in front for WhatsApp")
    return address.raw


AddressText = Annotated[
    str,
    Field(min_length=1, max_length=256, pattern=r"^[!-{}~]+$", examples=["+15550100000", "whatsapp:+15550100000"]),
    AfterValidator(_address),
]
MediaUrl = Annotated[str, Field(pattern=r"^https?://\S+$", max_length=2_000)]
Name = Annotated[str, Field(min_length=1, max_length=256, pattern=r"\S")]


class ConversationOut(BaseModel):
    """A conversation. `id` is ours and equals the workflow's; `provider_sid` is empty where the provider has none.

    `state` is active, inactive, held (the agent is silent for a human), waiting (a human has to decide) or closed.
    """

    id: str
    state: str
    channel: str
    contact_id: str
    provider_sid: str
    workflow_id: str
    run_id: str
    created_at: datetime
    updated_at: datetime
    assignee: str | None


class ApprovalOut(BaseModel, from_attributes=True):
    """A step's question to a human. Without `by`, a decided one was decided by its deadline."""

    token: str
    step: str
    turn: int
    question: str
    asked_at: datetime
    deadline: datetime
    verdict: Verdict
    by: str
    note: str
    decided_at: datetime | None


class NoteOut(BaseModel, from_attributes=True):
    """What one of us told the others."""

    author: str
    text: str
    at: datetime


class ParkedTurnOut(BaseModel, from_attributes=True):
    """A turn that failed, without what was said. `texts` is how many can run again (0: it can only be dropped); `sent`
    says that something of its answer has left, or may have."""

    turn: int
    reason: str
    at: datetime
    texts: int
    sent: bool


class ConversationDetail(ConversationOut):
    """One conversation, with what is to be known before acting on it.

    `pending` counts texts that no turn has taken, `uncertain` sends that nobody could prove. `handoff` says why a human
    is wanted, `answer_due_at` until when. `window_closes_at` is until when the channel takes free-form messages.
    `answers`, `tokens` and `cost` (US dollars, as far as known) are what its agent used so far.
    """

    provider: str
    flow: str
    turn: int
    pending: int
    uncertain: int
    opted_out: bool
    handoff: str | None
    answer_due_at: datetime | None
    window_closes_at: datetime | None
    answers: int
    tokens: int
    cost: float
    approvals: list[ApprovalOut]
    parked: list[ParkedTurnOut]
    notes: list[NoteOut]


class MediaOut(BaseModel, from_attributes=True):
    """One attachment; its bytes are at the provider, behind its credentials."""

    url: str
    content_type: str


class MessageOut(BaseModel, from_attributes=True):
    """A message. `status` is the delivery status outbound, and inbound what became of its turn."""

    id: str
    direction: str
    author: str
    body: str
    media: list[MediaOut]
    status: str
    provider_sid: str
    turn: int
    created_at: datetime


class ConversationPage(BaseModel):
    """A page of conversations, latest first."""

    items: list[ConversationOut]
    next_cursor: str | None


class MessagePage(BaseModel):
    """A page of messages, oldest first; `next_cursor` leads to older ones."""

    items: list[MessageOut]
    next_cursor: str | None


class ParticipantOut(BaseModel):
    """Somebody in a conversation, by the provider's id."""

    sid: str
    identity: str | None
    address: str | None


class ParticipantPage(BaseModel):
    """Who is in a conversation."""

    items: list[ParticipantOut]
    next_cursor: str | None


class _Content(BaseModel):
    template: Annotated[str, Field(max_length=64)] = ""
    template_variables: Annotated[Mapping[str, str], Field(max_length=50)] = {}


class ConversationIn(_Content):
    """Whom to write to, and what. A template replaces the greeting where the channel's window is closed.

    `provider` is a registry name; without it, the deployment's own.
    """

    to: AddressText
    greeting: Annotated[str, Field(max_length=4_000)] = ""
    provider: Annotated[str, Field(max_length=64)] | None = None
    name: Annotated[str, Field(max_length=256)] = ""

    @model_validator(mode="after")
    def _says_something(self) -> ConversationIn:
        if not (self.greeting.strip() or self.template):
            raise ValueError("greeting: must not be empty where there is no template")
        return self


class MessageIn(_Content):
    """What to write, and who writes it: a colleague's name, or `system`; without it, whose token it is."""

    body: Annotated[str, Field(max_length=4_000)] = ""
    author: Name | None = None
    media: Annotated[
        list[Annotated[str, Field(pattern=r"^https?://\S+$", max_length=2_000)]], Field(max_length=10)
    ] = []

    @model_validator(mode="after")
    def _says_something(self) -> MessageIn:
        if not (self.body.strip() or self.media or self.template):
            raise ValueError("body: must not be empty where there is neither media nor a template")
        return self


class ParkedOut(ParkedTurnOut):
    """A parked turn, and the conversation that it is of."""

    conversation_id: str
    channel: str
    contact_id: str


class ParkedPage(BaseModel):
    """The parked turns of a page of conversations. `silent` are the ids of those that have some and do not answer."""

    items: list[ParkedOut]
    next_cursor: str | None
    silent: list[str]


class DropIn(BaseModel):
    """Who lets it go; the token's own name where none is given."""

    by: Name | None = None


class RetryIn(DropIn):
    """Who has it run again; `even_if_sent` where the person may have the answer already."""

    even_if_sent: bool = False


class AssigneeIn(BaseModel):
    """Who answers from now on; without it, whose token it is."""

    assignee: Name | None = None


class NoteIn(BaseModel):
    """For the colleagues and the agent; the person never sees it. Without `author`, it is by whose token it is."""

    author: Name | None = None
    text: Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")]


class DecisionIn(BaseModel):
    """The answer to the question of this token (a step's, not yours); without `by`, by whom you are."""

    token: Annotated[str, Field(min_length=1, max_length=64)]
    by: Name | None = None
    note: Annotated[str, Field(max_length=2_000)] = ""


class ParticipantIn(BaseModel):
    """Whom to let in: a chat identity, or an address that is reached by one of ours."""

    identity: Annotated[str, Field(max_length=256)] | None = None
    address: AddressText | None = None

    @model_validator(mode="after")
    def _is_one(self) -> ParticipantIn:
        if bool(self.identity) == bool(self.address):
            raise ValueError("identity, address: exactly one of them must be given")
        return self
