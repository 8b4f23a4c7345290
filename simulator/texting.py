"""Programmable Messaging: texts out with their statuses over time, texts in with their webhooks.

Statuses: https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator import address, callbacks, segments, twiml
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
from simulator.transcript import Transcript
from simulator.transport import Answer
from simulator.views import Urls, message_view
from simulator.webhooks import Webhooks

NEXT = {
    "scheduled": "accepted",
    "accepted": "queued",
    "queued": "sending",
    "sending": "sent",
    "sent": "delivered",
    "delivered": "read",
}
_SILENT = frozenset({"accepted"})  # the one status after the first that has no callback
_WINDOW = 24 * 3600  # seconds; https://www.twilio.com/docs/api/errors/63016
_OUT_OF_WINDOW = (
    "failed",
    63016,
    "Failed to send freeform message because you are outside the allowed window. Please use a Message Template.",
)


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
    conversation_sid: str | None = None
    chat_message_sid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    sender: str
    recipient: str
    body: str
    media: list[dict[str, str]] = field(default_factory=list)
    profile_name: str | None = None
    extras: dict[str, Any] = field(default_factory=dict)
    """See Message.extras."""


class Texting:
    """`capture` says which conversation takes an inbound text; `moved` hears of each step of a conversation's text."""

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
        urls: Urls,
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
        self._urls = urls
        self._timers: dict[str, Timer] = {}
        self._doomed: dict[str, tuple[str, int, str]] = {}
        self.capture: Callable[[Message], str | None] = lambda _: None
        self.moved: Callable[[Message], None] = lambda _: None

    def send(self, out: Outgoing) -> Message:
        now = self._clock.now()
        sms = address.channel(out.recipient) == "sms"
        message = Message(
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
            conversation_sid=out.conversation_sid,
            chat_message_sid=out.chat_message_sid,
        )
        if (
            fault := self._faults.take(
                DELIVERY, fields={"to": out.recipient, "from": out.sender or "", "body": out.body}
            )
        ) is not None:
            self._doomed[message.sid] = (fault.outcome, fault.code, "Delivery failed by an armed fault")
        elif out.failure is not None:
            self._doomed[message.sid] = out.failure
        elif self._outside_window(message):
            self._doomed[message.sid] = _OUT_OF_WINDOW
        self._store.messages.add(message)
        self._transcript.add("outbound", **message_view(message))
        self._schedule(message)
        return message

    def receive(self, text: Incoming) -> Message:
        now = self._clock.now()
        message = Message(
            sid=self._sids.new("MM" if text.media else "SM"),
            direction="inbound",
            sender=text.sender,
            recipient=text.recipient,
            body=text.body,
            status="received",
            created=now,
            updated=now,
            sent=now,
            num_segments=segments.count(text.body) if address.channel(text.sender) == "sms" else 1,
            media=text.media,
            profile_name=text.profile_name,
            extras=text.extras,
        )
        message.conversation_sid = self.capture(message)
        self._store.messages.add(message)
        self._transcript.add("inbound", **message_view(message))
        number = self.number(text.recipient)
        if number is not None and (message.conversation_sid is None or self._config.dual_delivery):
            self._announce(message, number)
        answer = self._consent.heard(message) if self._config.opt_out and message.channel == "sms" else None
        if answer is not None:
            self.send(Outgoing(sender=message.number, recipient=message.phone, body=answer, direction="outbound-reply"))
        return message

    def number(self, value: str) -> Number | None:
        return next((number for number in self._store.numbers.rows.values() if number.address == value), None)

    def in_window(self, person: str, number: str | None) -> bool:
        """Whether free-form texts reach this person: on WhatsApp, for a day after their last one. Without a number,
        any of ours on the channel counts."""
        if address.channel(person) != "whatsapp" or not self._config.whatsapp_window:
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

    def saw(self, phone: str) -> int:
        """The person looked: WhatsApp messages that arrived are now read. Returns how many."""
        arrived = [
            message
            for message in self._store.messages_to.of(phone).values()
            if message.status == "delivered" and message.channel in {"whatsapp", "rcs"}
        ]
        for message in arrived:
            self._drop_timer(message.sid)
            self._move(message, "read")
        return len(arrived)

    def resume(self) -> None:
        """After a restart, what was on its way goes on."""
        for message in self._store.messages.rows.values():
            if not message.inbound:
                self._schedule(message)

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._doomed.clear()

    def _outside_window(self, message: Message) -> bool:
        return not message.content_sid and not self.in_window(message.recipient, message.sender or None)

    def _schedule(self, message: Message) -> None:
        status = NEXT.get(message.status)
        if status is None or message.sender == address.MAGIC_OK:
            return
        if status == "read" and (message.channel not in {"whatsapp", "rcs"} or self._config.delays.read is None):
            self._doomed.pop(message.sid, None)
            return
        if message.send_at and message.status == "scheduled":
            delay = max(0.0, message.send_at - self._clock.now())
        else:
            delay = getattr(self._config.delays, status, None) or 0.0
        self._timers[message.sid] = self._clock.after(delay, self._advance, message, status)

    def _advance(self, message: Message, status: str) -> None:
        self._timers.pop(message.sid, None)
        if message.sid not in self._store.messages.rows:
            return
        end, code, text = self._doomed.get(message.sid, (None, None, None))
        if (end, status) in {("failed", "sent"), ("undelivered", "delivered"), ("sent", "delivered")}:
            self._doomed.pop(message.sid)
            if end == "sent":
                return  # the carrier never says more
            self._move(message, str(end), error_code=code, error_message=text)
            return
        if message.status == "accepted" and not message.sender:
            sender = self._pools.choose(message.messaging_service_sid or "", message.recipient)
            if sender is None:
                lost = "The Messaging Service has no sender for this channel."
                self._move(message, "failed", error_code=21703, error_message=lost)
                return
            self._store.messages.change(message, sender=sender.address)
        self._move(message, status)
        self._schedule(message)

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

    def _announce(self, message: Message, number: Number) -> None:
        url, method, pool = self._pools.inbound(number)
        if pool is not None:
            self._store.messages.change(message, messaging_service_sid=pool)
        if not url:
            return
        quoted = self._store.messages.get(message.extras.get("reply_to", ""))
        self._webhooks.send(
            Delivery(
                url=url,
                method=method,
                params=callbacks.inbound(self._config.account_sid, message, self._urls, quoted),
                event="message",
                subject=message.sid,
                order=f"{message.number} {message.phone}",
                twiml=True,
            )
        )

    def answered(self, delivery: Delivery, answer: Answer) -> None:
        """A webhook was taken. If it told of a text, the answer may hold TwiML: replies to send."""
        message = self._store.messages.get(delivery.subject) if delivery.twiml else None
        if message is None:
            return
        self._store.messages.change(message, heard=True)
        try:
            replies = twiml.replies(answer.body, answer.content_type)
        except twiml.TwimlError as problem:
            self._transcript.add(
                "debugger", code=problem.code, message=problem.message, subject=message.sid, url=answer.url
            )
            return
        for reply in replies:
            recipient = reply.to or message.phone
            self.send(
                Outgoing(
                    sender=reply.sender or message.number,
                    recipient=recipient,
                    body=reply.body,
                    direction="outbound-reply",
                    media=callbacks.media(self._sids, reply.media),
                    status_callback=reply.status_callback or None,
                )
            )

    def _drop_timer(self, sid: str) -> None:
        if (timer := self._timers.pop(sid, None)) is not None:
            timer.cancel()
