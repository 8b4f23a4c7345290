"""Texts from phones: into the message log, into their conversation, and to the webhook of the number they went to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from simulator import address, callbacks, segments
from simulator.clock import Clock
from simulator.config import SimulatorConfig
from simulator.consent import Consent
from simulator.delivery import Delivery
from simulator.pools import Pools
from simulator.records import Message, Number
from simulator.sids import Sids
from simulator.store import Store
from simulator.switches import Switches
from simulator.texting import Outgoing, Texting
from simulator.transcript import Transcript
from simulator.views import Urls, message_view
from simulator.webhooks import Webhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    sender: str
    recipient: str
    body: str
    media: list[dict[str, str]] = field(default_factory=list)
    profile_name: str | None = None
    extras: dict[str, Any] = field(default_factory=dict)
    """See Message.extras."""


class Arrivals:
    """`capture` puts a text into the conversation that takes it, and returns that one's sid."""

    def __init__(
        self,
        *,
        config: SimulatorConfig,
        clock: Clock,
        sids: Sids,
        store: Store,
        transcript: Transcript,
        webhooks: Webhooks,
        consent: Consent,
        pools: Pools,
        switches: Switches,
        texting: Texting,
        urls: Urls,
    ) -> None:
        self._config = config
        self._clock = clock
        self._sids = sids
        self._store = store
        self._transcript = transcript
        self._webhooks = webhooks
        self._consent = consent
        self._pools = pools
        self._switches = switches
        self._texting = texting
        self._urls = urls
        self.capture: Callable[[Message], Awaitable[str | None]]

    async def receive(self, text: Incoming) -> Message:
        now = self._clock.now()
        message = Message(
            sid=self._sids.new("MM" if text.media or text.extras.get("others") else "SM"),
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
        self._store.messages.add(message)
        heard = self._consent.heard(message)
        taken = await self.capture(message)
        self._store.messages.change(message, conversation_sid=taken)
        self._transcript.add("inbound", **message_view(message))
        number = self._store.number(text.recipient)
        if number is not None and (taken is None or self._switches.dual_delivery):
            self._announce(message, number, heard.kind)
        if heard.answer is not None:
            self._texting.send(
                Outgoing(
                    sender=message.number,
                    recipient=message.phone,
                    body=heard.answer,
                    direction="outbound-reply",
                    by_twilio=True,
                )
            )
        return message

    def _announce(self, message: Message, number: Number, opt_out_type: str) -> None:
        hook = self._pools.inbound(number)
        if hook.service is not None:
            self._store.messages.change(message, messaging_service_sid=hook.service)
        if not hook.url:
            return
        quoted = self._store.messages.get(message.extras.get("reply_to", ""))
        params = callbacks.inbound(self._config.account_sid, message, self._urls, quoted)
        self._webhooks.send(
            Delivery(
                url=hook.url,
                method=hook.method,
                params=(*params, ("OptOutType", opt_out_type)) if opt_out_type else params,
                event="message",
                subject=message.sid,
                order=f"{message.number} {message.phone}",
                twiml=True,
                fallback_url=hook.fallback_url,
                fallback_method=hook.fallback_method,
            )
        )
