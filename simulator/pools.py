"""Messaging Services: which of its senders a pool chooses. https://www.twilio.com/docs/messaging/services"""

from dataclasses import dataclass

from simulator import address
from simulator.assets import MessagingService
from simulator.clock import Clock
from simulator.config import SimulatorConfig
from simulator.records import Number
from simulator.store import Store

_US_PREFIX = 5  # characters of +1 and an area code


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundHook:
    """Where a text to a number is announced: an empty `url` is nowhere; `service` is the pool the number belongs to."""

    url: str
    method: str
    fallback_url: str
    fallback_method: str
    service: str | None


class Pools:
    """Every account has a default service (MG and the account's digits); its senders are those in no other service."""

    def __init__(self, *, config: SimulatorConfig, clock: Clock, store: Store) -> None:
        self._clock = clock
        self._store = store
        self.default = "MG" + config.account_sid[2:]

    def furnish(self) -> None:
        """The default service leaves inbound texts to the numbers' own webhooks."""
        if self.default not in self._store.messaging_services.rows:
            now = self._clock.now()
            name = "Default Messaging Service for Conversations"
            self._store.messaging_services.add(
                MessagingService(
                    sid=self.default,
                    friendly_name=name,
                    use_inbound_webhook_on_number=True,
                    created=now,
                    updated=now,
                )
            )

    def service(self, sid: str | None) -> MessagingService | None:
        return self._store.messaging_services.get(sid or "")

    def senders(self, sid: str, channel: str | None = None) -> list[Number]:
        owner = None if sid == self.default else sid
        return [
            number
            for number in self._store.numbers.rows.values()
            if number.messaging_service_sid == owner and channel in {None, address.channel(number.address)}
        ]

    def choose(self, sid: str, recipient: str) -> Number | None:
        """The sender that this person knows; else one of their area; else the one that has sent the least."""
        service, senders = self.service(sid), self.senders(sid, address.channel(recipient))
        if service is None or not senders:
            return None
        if service.sticky_sender and (known := self._known(sid, recipient, senders)) is not None:
            return known
        if service.area_code_geomatch and recipient.startswith("+1"):
            near = [number for number in senders if number.address[:_US_PREFIX] == recipient[:_US_PREFIX]]
            senders = near or senders
        return min(senders, key=lambda number: len(self._store.messages_from.of(number.address)))

    def inbound(self, number: Number) -> InboundHook:
        service = self.service(number.messaging_service_sid)
        if service is None or service.use_inbound_webhook_on_number:
            return InboundHook(
                url=number.sms_url,
                method=number.sms_method,
                fallback_url=number.sms_fallback_url,
                fallback_method=number.sms_fallback_method,
                service=service.sid if service is not None else None,
            )
        return InboundHook(
            url=service.inbound_request_url or "",
            method=service.inbound_method,
            fallback_url=service.fallback_url or "",
            fallback_method=service.fallback_method,
            service=service.sid,
        )

    def _known(self, sid: str, recipient: str, senders: list[Number]) -> Number | None:
        by_address = {number.address: number for number in senders}
        for message in reversed(self._store.messages_to.of(recipient).values()):
            if message.messaging_service_sid == sid and message.sender in by_address:
                return by_address[message.sender]
        return None
