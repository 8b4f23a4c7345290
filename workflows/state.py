"""All that a conversation knows, in one serialisable object that continue-as-new carries."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from agents.turn import Firing
from memory import window
from memory.item import CONTACT, MemoryItem
from messaging.model import DeliveryStatus
from workflows import policy
from workflows.alert import Alert, AlertKind
from workflows.budget import Spending
from workflows.fate import COALESCED, HANDLED, IN_PROGRESS, WAITING, Fate
from workflows.handoff import Handoff, Note
from workflows.inbox import Attachment, DeliveryUpdate, Inbound
from workflows.outgoing import Outgoing, Scheduled


class Direction(StrEnum):
    """Whose message it is."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Outcome(StrEnum):
    """How a turn ended. Every inbound message carries the one of its turn."""

    ANSWERED = "answered"
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    HELPED = "helped"
    HELD = "held"
    REFUSED = "refused"
    PARKED = "parked"
    DROPPED = "dropped"
    """Parked, and let go by a human."""


class Proof(StrEnum):
    """What is known of a send of ours, and how."""

    INTENDED = "intended"
    ACCEPTED = "accepted"
    FOUND = "found"
    """By looking at the provider after an unclear outcome."""
    REPORTED = "reported"
    """By the provider's own report about our key."""
    RESENT = "resent"
    """Found to be absent after an unclear outcome, and sent again."""
    UNCERTAIN = "uncertain"
    FAILED = "failed"


_OPEN = frozenset({Proof.INTENDED, Proof.UNCERTAIN})


@dataclass(slots=True, kw_only=True)
class MessageRecord:
    """One message of the transcript. `id` is ours: the event key inbound, the send key outbound.

    `kind`, `proof` and `by` are of ours only: what it is, how it was proven, and which human wrote it. `contact` is of
    theirs only: who wrote it. `reason` says why a message failed, or why a text was not answered.
    """

    id: str
    direction: Direction
    author: str
    body: str
    status: str
    turn: int
    created_at: datetime
    provider_sid: str = ""
    media: tuple[Attachment, ...] = ()
    error_code: int | None = None
    kind: str = ""
    proof: str = ""
    reason: str = ""
    by: str = ""
    contact: str = ""


class Verdict(StrEnum):
    """What became of a question to a human."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    """The turn ended without needing the answer."""


@dataclass(slots=True, kw_only=True)
class ApprovalRecord:
    """A step's question to a human. Decided without `by`, it was the deadline that decided."""

    token: str
    step: str
    turn: int
    question: str
    asked_at: datetime
    deadline: datetime
    verdict: Verdict = Verdict.PENDING
    by: str = ""
    note: str = ""
    decided_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class StepRecord:
    """What became of one step of a turn. Milliseconds are workflow time."""

    name: str
    status: str
    reason: str = ""
    started_at: datetime | None = None
    milliseconds: int = 0


@dataclass(slots=True, kw_only=True)
class TurnRecord:
    """What became of a turn: which texts, how it ended and why, and every step of its last attempt.

    `usage` and `cost` (US dollars, as far as known) are of all its drafts. `sources` are what the last draft rests on,
    `handoff` why it asks for a human, `firings` the guardrails that fired.
    `guards` are the reasons for which something was not sent, or was sent otherwise than drafted.
    """

    number: int
    keys: tuple[str, ...]
    started_at: datetime
    ended_at: datetime
    outcome: Outcome
    reason: str = ""
    drafts: int = 0
    steps: tuple[StepRecord, ...] = ()
    usage: dict[str, int] = field(default_factory=dict)
    cost: float | None = None
    sources: tuple[str, ...] = ()
    handoff: str = ""
    firings: tuple[Firing, ...] = ()
    guards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedText:
    """What of a text is needed to run it again."""

    key: str
    sid: str
    text: str
    at: datetime
    author: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(slots=True, kw_only=True)
class ParkedTurn:
    """A turn that failed. Without `texts` it can only be dropped; `sent` says that its answer may have left in part."""

    turn: int
    reason: str
    at: datetime
    keys: tuple[str, ...] = ()
    texts: tuple[ParkedText, ...] = ()
    sent: bool = False


@dataclass(slots=True, kw_only=True)
class ConversationState:
    """Bounded in every field but `pending`, which holds what nobody has looked at yet.

    `consent_known` is what the contact's record last had of `opted_out`. `waiting_since` and `last_waiting` are of
    `pending`; `quick` and `repeats` count texts that came like a bot's; `failed` holds the messages whose failure was
    reported and has not been looked at; `refusals` reports of who, among several, wants no more; `stopped_by` is the
    participant who opted out for all, as the provider names them; `outgoing` is what a human wrote. `summary` tells
    what was said up to turn `summarised`. `seen` are keys whose turn has not ended, `fates` what became of the others.
    """

    created_at: datetime
    updated_at: datetime
    open: bool = True
    closing: bool = False
    opted_out: bool = False
    consent_known: bool = False
    assignee: str | None = None
    turn: int = 0
    rules: policy.Rules = field(default_factory=policy.Rules)
    pending: list[Inbound] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    messages: list[MessageRecord] = field(default_factory=list)
    early: list[DeliveryUpdate] = field(default_factory=list)
    backlog: list[MemoryItem] = field(default_factory=list)
    spending: Spending = field(default_factory=Spending)
    last_turn: TurnRecord | None = None
    turns: list[TurnRecord] = field(default_factory=list)
    shown: str = "active "
    flow: str = ""
    approvals: list[ApprovalRecord] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    last_inbound: datetime | None = None
    last_sent: datetime | None = None
    waiting_since: datetime | None = None
    last_waiting: datetime | None = None
    inactive: bool = False
    own_policy: policy.TurnPolicy | None = None
    time_zone: str = ""
    handoff: Handoff | None = None
    notes: list[Note] = field(default_factory=list)
    summary: str = ""
    summarised: int = 0
    outgoing: list[Outgoing] = field(default_factory=list)
    scheduled: list[Scheduled] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    refusals: list[DeliveryUpdate] = field(default_factory=list)
    stopped_by: str = ""
    sends: list[datetime] = field(default_factory=list)
    quick: int = 0
    repeats: int = 0
    alerts: list[Alert] = field(default_factory=list)
    parked: list[ParkedTurn] = field(default_factory=list)
    fates: dict[str, str] = field(default_factory=dict)

    @property
    def turn_policy(self) -> policy.TurnPolicy:
        """The turn policy in force: the conversation's own, or the deployment's."""
        return self.own_policy or self.rules.turn_policy

    def is_blank(self) -> bool:
        """Whether nothing here tells what somebody said."""
        said = self.messages or self.summary or self.backlog or self.pending or self.notes or self.parked
        return not (said or self.outgoing or self.scheduled)

    def forget(self) -> int:
        """Let go of everything that was said; how many messages that were.

        What keeps promises stays: consent, which keys were seen (as hashes), whose turn it is, what was spent.
        """
        forgotten = len(self.messages)
        self.messages, self.backlog, self.notes, self.outgoing, self.scheduled = [], [], [], [], []
        self.early, self.failed, self.refusals, self.approvals, self.variables = [], [], [], [], {}
        self.last_turn, self.summary, self.parked = None, "", []
        return forgotten

    def alert(self, kind: AlertKind, now: datetime, reason: str = "") -> None:
        """Something to look at; the main loop tells it."""
        self.alerts.append(Alert(kind=kind, at=now, reason=reason))
        del self.alerts[: -policy.ALERTS]

    def accept(self, key: str) -> bool:
        """Whether this key is new; from now on it is not."""
        if self.has_seen(key):
            return False
        self.seen.append(_digest(key))
        del self.seen[: -policy.SEEN_KEYS]
        return True

    def has_seen(self, key: str) -> bool:
        """Whether this key was accepted before."""
        digest = _digest(key)
        return digest in self.fates or digest in self.seen

    def settle(self, key: str, fate: Fate) -> None:
        """Keep what became of a text."""
        digest = _digest(key)
        if digest in self.seen:
            self.seen.remove(digest)
        self.fates.pop(digest, None)
        self.fates[digest] = fate.encoded()
        if len(self.fates) > policy.SEEN_KEYS:
            del self.fates[next(iter(self.fates))]

    def settle_turn(self, keys: Sequence[str], outcome: Outcome, reason: str) -> None:
        """Keep what became of a turn's texts; those that were answered with the first are told apart."""
        for number, key in enumerate(keys):
            together = number and outcome is Outcome.ANSWERED
            state = COALESCED if together else outcome.value
            self.settle(key, Fate(state=state, turn=self.turn, reason=reason))

    def fate(self, key: str) -> Fate | None:
        """What became of a text; None where it has not come here, or is forgotten."""
        if any(inbound.key == key for inbound in self.pending):
            return Fate(state=WAITING)
        if (kept := self.fates.get(_digest(key))) is not None:
            return Fate.decoded(kept)
        if _digest(key) not in self.seen:
            return None
        message = self.find(key)
        running = message is not None and message.status == "received"
        return Fate(state=IN_PROGRESS, turn=self.turn) if running else Fate(state=HANDLED)

    def received(self, inbound: Inbound, *, status: str = "received", reason: str = "") -> None:
        """A text of theirs is in the transcript."""
        self.last_inbound = max(inbound.at, self.last_inbound or inbound.at)
        self.record(
            MessageRecord(
                id=inbound.key,
                direction=Direction.INBOUND,
                author=CONTACT,
                body=inbound.text[: policy.MAX_TEXT],
                status=status,
                turn=self.turn,
                created_at=inbound.at,
                provider_sid=inbound.sid,
                media=inbound.attachments,
                reason=reason,
                contact=inbound.author,
            )
        )

    def record(self, message: MessageRecord) -> None:
        """Append to the transcript, which forgets its oldest."""
        self.messages.append(message)
        self.updated_at = message.created_at
        kept = window.fit(
            self.messages,
            max_messages=policy.TRANSCRIPT_MESSAGES,
            max_chars=policy.TRANSCRIPT_CHARS,
            length=lambda m: len(m.body),
        )
        del self.messages[: len(self.messages) - max(len(kept), 1)]

    def find(self, message_id: str) -> MessageRecord | None:
        """The transcript's message of this id."""
        return next((m for m in reversed(self.messages) if m.id == message_id), None)

    def merge(self, update: DeliveryUpdate) -> None:
        """Move a message's status on by rank. A report that is ahead of its send waits for it."""
        for message in reversed(self.messages):
            if message.direction is Direction.OUTBOUND and (
                message.id == update.key or (message.provider_sid and message.provider_sid == update.message_sid)
            ):
                self._apply(message, update)
                return
        self.early.append(update)
        del self.early[:-20]  # reports about messages that the transcript has long forgotten

    def sent(self, message: MessageRecord, sid: str, status: DeliveryStatus, proof: Proof = Proof.ACCEPTED) -> None:
        """The provider has this message."""
        message.provider_sid = sid or message.provider_sid
        message.proof = proof.value
        message.status = _status(message.status).later(status).value
        waiting = [u for u in self.early if u.message_sid == sid]
        self.early = [u for u in self.early if u.message_sid != sid]
        for update in waiting:
            self._apply(message, update)

    def _apply(self, message: MessageRecord, update: DeliveryUpdate) -> None:
        message.provider_sid = message.provider_sid or update.message_sid
        if message.proof in _OPEN:
            message.proof = Proof.REPORTED.value
        merged = _status(message.status).later(update.status)
        if merged is update.status and merged.value != message.status:
            message.error_code = update.error_code or message.error_code
            if merged in {DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED}:
                message.reason = update.failure or message.reason
                self.failed.append(message.id)
        message.status = merged.value


def _status(value: str) -> DeliveryStatus:
    try:
        return DeliveryStatus(value)
    except ValueError:
        return DeliveryStatus.UNKNOWN


def _digest(key: str) -> str:
    # 64 bits keep a thousand keys apart and small; the full key is in the history.
    return hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
