"""The numbers and rules of a conversation, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from temporalio.common import RetryPolicy

from workflows.budget import Budget


class TurnPolicy(StrEnum):
    """What to do with texts that arrive while an answer is being written."""

    ENQUEUE = "enqueue"
    """Answer each text by itself, in order."""
    COALESCE = "coalesce"
    """Let the draft finish, drop it, and write one answer to all texts."""
    INTERRUPT = "interrupt"
    """As coalesce, but stop the draft at once."""
    REJECT = "reject"
    """Answer them with a fixed text, without the agent, and let the draft go out."""


class SendPolicy(StrEnum):
    """What to do with a send that the provider can neither prove nor disprove."""

    NEVER_TWICE = "never_twice"
    """It stays uncertain, and a human hears of it."""
    NEVER_LOST = "never_lost"
    """After a while it is sent again; the person may get it twice."""


class Stale(StrEnum):
    """What becomes of an answer that comes too late to be sent as it is."""

    APOLOGISE = "apologise"
    HOLD = "hold"


class ConsentScope(StrEnum):
    """What a STOP stops."""

    CONVERSATION = "conversation"
    CONTACT = "contact"
    """Every conversation of this person, on whatever channel."""


class MessageClass(StrEnum):
    """What a message of ours is. Rules may differ by it."""

    ANSWER = "answer"
    APOLOGY = "apology"
    NOTICE = "notice"
    """Said by the product itself: a rejection, a nudge, what was scheduled, a template."""
    OPERATOR = "operator"


class FlowChange(StrEnum):
    """When a conversation goes over to another flow than the one it began with."""

    TURN = "turn"
    """At the end of its turn."""
    CONVERSATION = "conversation"
    """Never while it is open: the next one begins with it."""


DEFAULT_FLOW = "default@1"


class Durability(StrEnum):
    """What of a model's reply is kept when a worker dies."""

    REPLY = "reply"
    """The whole reply, as one activity: it is written anew."""
    REQUEST = "request"
    """Each request to the model and each tool call, as an activity of its own, in a workflow of the reply's own."""


class WindowUnit(StrEnum):
    """What the window's budget counts."""

    CHARACTERS = "characters"
    TOKENS = "tokens"
    """About those of a language model; no tokeniser is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a deployment decides. They travel with each text, so that a change reaches open conversations.

    All times are in seconds, and 0 turns off what a time or a number governs. `idle_close` is the time without a text
    in either direction. `quiet_period`, `longest_wait` and `most_texts` are of `coalesce`. `stale_after` is the age of
    the last text beyond which its answer is not sent as it is. `quiet_hours` is "HH:MM-HH:MM" in `time_zone`. `media`
    are the kinds that the agent can read, `transcribe` says that audio is turned into text for it. `stop_words`,
    `start_words` and `help_words` are those of the deployment's own, in upper case. `sms_segments` are
    the most that one SMS has; what is longer goes out in several. `window` is the budget for what the agent sees word
    for word of the conversation. `flow` is a flow's name@version.
    """

    turn_policy: TurnPolicy = TurnPolicy.COALESCE
    idle_close: float = 24 * 3600
    budget: Budget = field(default_factory=Budget)
    durability: Durability = Durability.REPLY
    flow: str = DEFAULT_FLOW
    flow_change: FlowChange = FlowChange.TURN
    inactive_after: float = 0
    quiet_period: float = 0
    longest_wait: float = 30
    most_texts: int = 20
    reject_text: str = "One moment, please. I am still answering your last message."
    stale_after: float = 3600
    stale: Stale = Stale.APOLOGISE
    sends_per_hour: int = 500
    loop_turns: int = 100
    never_lost: tuple[MessageClass, ...] = ()
    consent: ConsentScope = ConsentScope.CONVERSATION
    template: str = ""
    template_variables: Mapping[str, str] = field(default_factory=dict)
    quiet_hours: str = ""
    time_zone: str = "UTC"
    nudge_after: float = 0
    nudge_text: str = "Is there anything else I can help you with?"
    sla: float = 900
    handoff_words: tuple[str, ...] = ()
    stop_words: tuple[str, ...] = ()
    start_words: tuple[str, ...] = ()
    help_words: tuple[str, ...] = ()
    media: tuple[str, ...] = ("image", "audio", "video", "document")
    transcribe: bool = False
    sms_segments: int = 0
    window: int = 2_400
    window_unit: WindowUnit = WindowUnit.CHARACTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How a step's activity runs. A `local` one spares the server an event batch; it must be quick.

    `timeout` bounds one attempt, `total` all of them; `heartbeat` is how soon a dead worker is noticed. A cancelled one
    is abandoned at once, unless it is `waited_for`: then it ends by itself first, and its result counts.
    """

    timeout: timedelta
    total: timedelta | None = None
    heartbeat: timedelta | None = None
    retry: RetryPolicy | None = None
    local: bool = False
    waited_for: bool = False


ONCE = RetryPolicy(maximum_attempts=1)

# How soon a killed worker is noticed. Workers report every two seconds at the latest (`runtime.temporal`), so one that
# is only slow may be silent for two more. Less costs more Actions, and begins replies twice on a busy machine.
HEARTBEAT = timedelta(seconds=4)

# What a killed worker ran is begun anew at once; how long an error waits, it says itself (`activities.failures`).
AT_ONCE = timedelta(milliseconds=100)

# Memory is asked within the workflow task: one try, and a conversation goes on without it.
RECALL = Call(timeout=timedelta(seconds=3), retry=ONCE, local=True)

# Agents take seconds, sometimes minutes. The heartbeat notices a killed worker; each attempt may be a new worker's.
REPLY = Call(
    timeout=timedelta(minutes=5),
    total=timedelta(minutes=20),
    heartbeat=HEARTBEAT,
    retry=RetryPolicy(initial_interval=AT_ONCE, maximum_interval=timedelta(seconds=30), maximum_attempts=8),
)

# A provider that is away for minutes is normal; after an hour the answer would puzzle more than help.
DELIVER = Call(
    timeout=timedelta(seconds=60),
    total=timedelta(hours=1),
    heartbeat=HEARTBEAT,
    retry=RetryPolicy(initial_interval=AT_ONCE, maximum_interval=timedelta(seconds=30)),
    # What is on the wire when a STOP comes cannot be called back, but it must be known.
    waited_for=True,
)

# Quick by rules. An extractor that asks a model belongs into the agent's own reply, or into a flow of one's own.
LEARN = Call(timeout=timedelta(seconds=5), retry=ONCE, local=True)

# First try in place; what fails goes to the backlog, which never gives up.
REMEMBER = Call(timeout=timedelta(seconds=5), retry=ONCE, local=True)
BACKLOG = Call(
    timeout=timedelta(seconds=30),
    retry=RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=1)),
)

# A person's record of consent: changed for as long as that needs, asked within the workflow task.
CONSENT = Call(
    timeout=timedelta(seconds=15),
    retry=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
)
ASK_CONSENT = Call(timeout=timedelta(seconds=3), retry=ONCE, local=True)

# Nobody is answered while somebody who stopped is still there; after that it stops for all.
LEAVE = Call(
    timeout=timedelta(seconds=30),
    total=timedelta(minutes=2),
    retry=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=15)),
)

# A minute of speech is transcribed in seconds; who cannot be heard is answered all the same.
LISTEN = Call(
    timeout=timedelta(minutes=2),
    total=timedelta(minutes=5),
    heartbeat=HEARTBEAT,
    retry=RetryPolicy(maximum_attempts=3),
)

# An alert is a log line and a number.
ALERT = Call(timeout=timedelta(seconds=5), retry=RetryPolicy(maximum_attempts=3), local=True)

REVIVE = Call(timeout=timedelta(seconds=5), retry=RetryPolicy(maximum_attempts=5), local=True)

# Forgetting is never given up by itself: an operator sees it in the list of workflows, with its last error.
_PATIENT = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
SURVEY = Call(timeout=timedelta(minutes=5), retry=_PATIENT)
# It waits for the turn that is in progress, whose agent may take minutes.
ERASE = Call(timeout=timedelta(minutes=30), heartbeat=timedelta(seconds=10), retry=_PATIENT)

# A server deletes histories in its own time, within a minute or so; the last look finds nothing. In seconds.
FORGET_PAUSES = (1, 2, 4, 8, 15, *[30] * 30)

# Utterances that memory offers for one reply: of a dozen texts, none is missed, however it is asked for.
RECALLED = 12

# What the agent sees of the conversation itself, word for word, within the rules' budget; what is older it gets as a
# summary and from memory. Bounds the input of each reply.
WINDOW_MESSAGES = 12

# What the workflow carries for the transcript. With the rest it stays far under Temporal's 2 MB for one payload.
TRANSCRIPT_MESSAGES = 40
TRANSCRIPT_CHARS = 12_000

# Sends that a look for another one passes over. It looks at the last seconds only, so the latest are enough.
KNOWN_SENDS = 8

# Texts whose repetition is recognised. Providers repeat within minutes; this is hundreds of turns.
SEEN_KEYS = 1_000

# Writes waiting for memory to come back, before the oldest are let go. In characters of text: one may take six bytes.
BACKLOG_ITEMS = 500
BACKLOG_CHARS = 150_000

# Replay runs at about 1,800 events per CPU second, so a conversation that is not in a worker's cache answers within
# 0.2 s. A turn has about 20 events, and one turn with a burst of texts must still fit under 500.
EVENT_BUDGET = 320

# Events that a long run waits for what is on its way, such as a write to memory, before it hands over all the same.
EVENT_PATIENCE = 100

# Texts answered together. With MAX_TEXT this keeps the agent's input far under Temporal's 2 MB for one payload.
TURN_TEXTS = 20

# A person who keeps writing gets an answer to what is there after so many dropped drafts.
MAX_REDRAFTS = 5

# Longest text handed on from one message: Conversations allows 32 KB inbound, a workflow must stay bounded.
MAX_TEXT = 4_000

SPENT = "That is all I can answer today. A colleague will get back to you."
# Turns whose records a conversation keeps for those who ask what happened. A record has about a kilobyte.
TURN_RECORDS = 12

# Questions to humans that a conversation remembers, the latest.
APPROVALS = 10
QUESTION_CHARS = 1_000

# What a flow may keep of a conversation from turn to turn: slots of a dialogue, not its texts.
VARIABLES = 30
VARIABLE_CHARS = 1_000

APOLOGY = "Sorry, I cannot answer right now. A colleague will get back to you."
LATE = "Sorry, your message reached me late, and my answer may no longer fit. Please write again if you still need it."
HANDED_OVER = "I am passing you on to a colleague, who will write to you here."
UNREADABLE = "Sorry, I cannot read this kind of attachment. Please write it to me as text."

# https://www.twilio.com/docs/whatsapp/key-concepts#the-24-hour-window; closed a little early, as clocks differ.
WHATSAPP_WINDOW = timedelta(hours=24) - timedelta(seconds=30)

# Two bots answer each other within seconds, and sooner or later repeat themselves; people do so rarely a dozen times.
LOOP_WITHIN = timedelta(seconds=10)
LOOP_REPEATS = 12

# Sends of the last hour that are counted; more is no conversation.
COUNTED_SENDS = 1_000

# What waits to be sent, is scheduled, noted or alerted at one time. They are carried, so they are bounded.
WAITING_REPLIES = 20
SCHEDULED = 20
NOTES = 20
REFUSALS = 50  # of a group: https://www.twilio.com/docs/conversations/conversations-limits
NOTE_CHARS = 1_000
ALERTS = 20

# Turns that failed and wait for a human. Their texts are kept so that they can run again; the oldest go first.
PARKED_TURNS = 20
PARKED_CHARS = 24_000
PARKED_REASON = 300
