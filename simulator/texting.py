"""Programmable Messaging, outwards: texts to phones, with their statuses over time.

Statuses: https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from simulator import address, callbacks, consent, segments
from simulator.clock import Clock, Timer
from simulator.config import SimulatorConfig
from simulator.consent import Consent
from simulator.content import Failure
from simulator.delivery import Delivery
from simulator.faults import DELIVERY, Faults
from simulator.pools import Pools
from simulator.records import Message, Number
from simulator.sids import Sids
from simulator.store import Store
from simulator.switches import Switches
from simulator.throughput import Throughput
from simulator.transcript import Transcript
from simulator.views import message_view
from simulator.webhooks import Webhooks

NEXT = {
    "scheduled": "accepted",
    "accepted": "queued",
    "queued": "sending",
    "sending": "sent",
    "sent": "delivered",
    "delivered": "read",
}
MAX_BODY = 1600
"""Characters of one text; https://www.twilio.com/docs/api/errors/21617"""
MAX_VALIDITY = 36_000
"""Seconds that a message may wait at Twilio, unless it says less."""
_WITH_TWILIO = frozenset({"accepted", "queued", "sending"})
_SILENT = frozenset({"accepted"})  # the one status after the first that has no callback
_READABLE = frozenset({"whatsapp", "rcs"})
_WINDOW = 24 * 3600  # seconds; https://www.twilio.com/docs/api/errors/63016
_OUT_OF_WINDOW: Failure = (
    "failed",
    63016,
    "Failed to send freeform message because you are outside the allowed window. Please use a Message Template.",
)
_OPTED_OUT: Failure = ("failed", *consent.REFUSED)
_OVERFLOW: Failure = ("failed", 30001, "Queue overflow")
_EXPIRED: Failure = ("failed", 30036, "Validity Period Expired")
_NO_SENDER: Failure = ("failed", 21703, "The Messaging Service has no sender for this channel.")
# https://www.twilio.com/docs/api/errors
_CARRIER = {
    30002: "Account suspended",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30034: "US A2P 10DLC - Message from an Unregistered Number",
}
# Which end shows instead of which status.
_ENDS = frozenset({("failed", "sent"), ("undelivered", "delivered"), ("sent", "delivered")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What to send. `sender` None: the messaging service chooses."""

    recipient: str
    body: str
    sender: str | None
    direction: str = "outbound-api"
    media: list[dict[str, str]] = field(default_factory=list)
    mms: bool = False
    """Also without media, as in a group."""
    buttons: list[dict[str, str]] = field(default_factory=list)
    failure: Failure | None = None
    """How the channel will refuse it, when that is known beforehand."""
    status_callback: str | None = None
    messaging_service_sid: str | None = None
    content_sid: str | None = None
    send_at: float | None = None
    validity: int = MAX_VALIDITY
    conversation_sid: str | None = None
    chat_message_sid: str | None = None
    by_twilio: bool = False
    """Twilio's own answer to a keyword: it reaches whoever sent that."""


class Texting:
    """`moved` hears of each step of a conversation's text."""

    def __init__(
        self,
        *,
        config: SimulatorConfig,
        clock: Clock,
        sids: Sids,
        store: Store,
        transcript: Transcript,
        webhooks: Webhooks,
        faults: Faults,
        consent: Consent,
        pools: Pools,
        switches: Switches,
        throughput: Throughput,
    ) -> None:
        self._config = config
        self._clock = clock
        self._sids = sids
        self._store = store
        self._transcript = transcript
        self._webhooks = webhooks
        self._faults = faults
        self._consent = consent
        self._pools = pools
        self._switches = switches
        self._throughput = throughput
        self._timers: dict[str, Timer] = {}
        self.moved: Callable[[Message], None] = lambda _: None

    def send(self, out: Outgoing) -> Message:
        message = self.draft(out)
        message.fate = self._fate(message, out)
        self._store.messages.add(message)
        self._transcript.add("outbound", **message_view(message))
        self._begin(message)
        return message

    def draft(self, out: Outgoing) -> Message:
        """The message as it would be sent, which it is not."""
        now = self._clock.now()
        sms = address.channel(out.recipient) == "sms"
        return Message(
            sid=self._sids.new("MM" if out.media or out.mms else "SM"),
            direction=out.direction,
            sender=out.sender or "",
            recipient=out.recipient,
            body=out.body,
            status="scheduled" if out.send_at else "accepted" if out.messaging_service_sid else "queued",
            created=now,
            updated=now,
            num_segments=segments.count(out.body) if sms else 1,
            media=out.media,
            buttons=out.buttons,
            messaging_service_sid=out.messaging_service_sid,
            status_callback=out.status_callback,
            content_sid=out.content_sid,
            send_at=out.send_at,
            validity=out.validity,
            conversation_sid=out.conversation_sid,
            chat_message_sid=out.chat_message_sid,
        )

    def number(self, value: str) -> Number | None:
        return self._store.number(value)

    def in_window(self, person: str, number: str | None) -> bool:
        """Whether free-form texts reach this person: on WhatsApp, for a day after their last one. Without a number,
        any of ours on the channel counts."""
        if address.channel(person) != "whatsapp" or not self._switches.whatsapp_window:
            return True
        heard = reversed(self._store.messages_from.of(person).values())
        last = next((m for m in heard if m.inbound and number in {None, m.recipient}), None)
        return last is not None and self._clock.now() - last.created <= _WINDOW

    def typing(self, *, phone: str, number: str, message_sid: str | None) -> None:
        """The person sees that an answer is being written; what they wrote up to that message is read."""
        if message_sid is not None:
            for message in self._store.messages_from.of(phone).values():
                if message.inbound and message.number == number and not message.read:
                    self._store.messages.change(message, read=True)
                if message.sid == message_sid:
                    break
        channel = address.channel(phone)
        self._transcript.add("typing", phone=phone, number=number, channel=channel, message_sid=message_sid)

    def cancel(self, message: Message) -> None:
        """A scheduled message is not sent."""
        self._drop_timer(message.sid)
        self._move(message, "canceled")

    def forget(self, message: Message) -> None:
        """It is deleted, and nothing comes of it any more. One that only made room for newer ones goes on its way."""
        self._drop_timer(message.sid)

    def saw(self, phone: str) -> int:
        """The person looked: WhatsApp messages that arrived are now read. Returns how many."""
        arrived = [
            message
            for message in self._store.messages_to.of(phone).values()
            if message.status == "delivered" and message.channel in _READABLE
        ]
        for message in arrived:
            self._drop_timer(message.sid)
            self._move(message, "read")
        return len(arrived)

    def resume(self) -> None:
        """After a restart, what was on its way goes on."""
        for message in self._store.messages.rows.values():
            if not message.inbound:
                self._begin(message)

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._throughput.clear()

    def _fate(self, message: Message, out: Outgoing) -> Failure | None:
        """How this message will end, when that is not by being delivered."""
        fields = {"to": message.recipient, "from": message.sender, "body": message.body}
        if (fault := self._faults.take(DELIVERY, fields=fields)) is not None:
            return fault.outcome, fault.code, _CARRIER.get(fault.code, "Delivery failed by an armed fault")
        if not out.by_twilio and self._opted_out(message):
            return _OPTED_OUT
        if out.failure is not None:
            return out.failure
        free = not message.content_sid
        return _OUT_OF_WINDOW if free and not self.in_window(message.recipient, message.sender or None) else None

    def _opted_out(self, message: Message) -> bool:
        return self._consent.refused(message.sender or None, message.recipient, message.messaging_service_sid)

    def _begin(self, message: Message) -> None:
        """The way of a message whose sender is known leads through that sender's queue."""
        if message.status == "queued" and message.sender:
            self._enter_queue(message)
        else:
            self._schedule(message)

    def _enter_queue(self, message: Message) -> None:
        before = message.leaves_at
        if before is None and self._throughput.full(message.sender):
            self._timers[message.sid] = self._clock.after(self._config.delays.sending, self._end, message, _OVERFLOW)
            return
        leaves = self._throughput.enter(message.sender, message.num_segments, before)
        if leaves != before:
            self._store.messages.change(message, leaves_at=leaves)
        self._schedule(message, leaves or 0.0)

    def _schedule(self, message: Message, not_before: float = 0.0) -> None:
        status = NEXT.get(message.status)
        if status is None:
            return
        if status == "read" and (message.channel not in _READABLE or self._config.delays.read is None):
            return
        now = self._clock.now()
        if message.status == "scheduled":
            due = max(now, message.send_at or 0.0)
        else:
            due = max(now + (getattr(self._config.delays, status, None) or 0.0), not_before)
        deadline = (message.send_at or message.created) + message.validity
        if message.status in _WITH_TWILIO and due > deadline:
            self._timers[message.sid] = self._clock.at(max(now, deadline), self._end, message, _EXPIRED)
        else:
            self._timers[message.sid] = self._clock.at(due, self._advance, message, status)

    def _advance(self, message: Message, status: str) -> None:
        self._timers.pop(message.sid, None)
        if message.fate is not None and (message.fate[0], status) in _ENDS:
            self._end(message, message.fate)
            return
        if message.status == "accepted" and not message.sender:
            sender = self._pools.choose(message.messaging_service_sid or "", message.recipient)
            if sender is None:
                self._end(message, _NO_SENDER)
                return
            self._store.messages.change(message, sender=sender.address)
            if message.fate is None and self._opted_out(message):
                self._store.messages.change(message, fate=_OPTED_OUT)
        self._move(message, status)
        self._begin(message)

    def _end(self, message: Message, fate: Failure) -> None:
        self._timers.pop(message.sid, None)
        status, code, text = fate
        if status != message.status:
            self._move(message, status, error_code=code, error_message=text)

    def _move(self, message: Message, status: str, **fields: object) -> None:
        now = self._clock.now()
        if status == "sent":
            fields["sent"] = now
        self._store.messages.change(message, status=status, updated=now, **fields)
        self._transcript.add(
            "status",
            sid=message.sid,
            phone=message.phone,
            number=message.number,
            channel=message.channel,
            status=status,
            error_code=message.error_code,
        )
        if message.conversation_sid is not None:
            self.moved(message)
        elif message.status_callback and status not in _SILENT:
            self._webhooks.send(
                Delivery(
                    url=message.status_callback,
                    params=callbacks.status(self._config.account_sid, message),
                    event="status",
                    subject=message.sid,
                    order=f"status {message.sid}",
                )
            )

    def _drop_timer(self, sid: str) -> None:
        if (timer := self._timers.pop(sid, None)) is not None:
            timer.cancel()
