"""Sends once. A repeat is preceded by a look, and what cannot be proven is not sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity

from activities import failures
from activities.consents import Consents
from activities.heartbeat import beating
from messaging.backend import ConversationalBackend
from messaging.errors import MessagingError
from messaging.model import DeliveryStatus, Media, Message, SendOutcome, SendProof, Template
from workflows.contracts import DeliveryActivities, SendOrder, SendReceipt
from workflows.policy import SendPolicy

# A provider that does not carry our key back lists a send within seconds of taking it; only after that is a
# send that is not listed one that never happened.
SETTLING = timedelta(seconds=5)

# Under `never_lost`, how long a send may stay without a proof before it is sent again. Reports and lists take seconds.
LOST_AFTER = timedelta(minutes=2)

_CLEAN = "not sent"


class Delivery(DeliveryActivities):
    """Sends through the backend that the conversation came by."""

    def __init__(
        self,
        backends: Mapping[str, ConversationalBackend],
        *,
        consents: Consents | None = None,
        settling: timedelta = SETTLING,
    ) -> None:
        self._backends = backends
        self._consents = consents
        self._settling = settling

    @activity.defn(name="deliver")
    async def deliver(self, order: SendOrder) -> SendReceipt:
        """The receipt of the one send of this key. Raises ApplicationError."""
        try:
            backend = self._backends[order.route.provider]
        except KeyError:
            known = ", ".join(sorted(self._backends))
            raise failures.not_configured(order.route.provider, known) from None
        async with beating():
            again = _may_have_left()
            if again and (found := await self._find(backend, order)):
                return found
            # From here on it is known that no earlier attempt has left anything.
            try:
                if order.contact_id and self._consents and await self._consents.has_opted_out(order.contact_id):
                    raise failures.opted_out()
                if order.stale_at is not None and _now() > order.stale_at:
                    raise failures.stale()
                return await _to_the_end(self._send(backend, order, proof="resent" if again else "accepted"))
            except MessagingError as error:
                if error.retryable and not error.ambiguous:
                    activity.heartbeat(_CLEAN, activity.info().attempt)
                raise failures.of_provider(error, backend.get_config(), attempt=activity.info().attempt) from error

    async def _send(self, backend: ConversationalBackend, order: SendOrder, *, proof: str) -> SendReceipt:
        message = await backend.send_message(order.route.conversation_sid, _message(order), key=order.key)
        return SendReceipt(message_sid=message.sid, status=message.delivery_status, proof=proof)

    async def _find(self, backend: ConversationalBackend, order: SendOrder) -> SendReceipt | None:
        """What an earlier attempt left behind; None when it is proven that it left nothing."""
        proof = await self._look(backend, order)
        if proof.outcome is not SendOutcome.CONFIRMED and not backend.capabilities.proves_absence:
            await asyncio.sleep(self._settling.total_seconds())
            proof = await self._look(backend, order)
        match proof.outcome:
            case SendOutcome.CONFIRMED:
                sid = proof.message.sid if proof.message else ""
                status = proof.message.delivery_status if proof.message else DeliveryStatus.UNKNOWN
                return SendReceipt(message_sid=sid, status=status, proof="found")
            case SendOutcome.UNCERTAIN:
                if order.policy is SendPolicy.NEVER_LOST and _now() - activity.info().scheduled_time > LOST_AFTER:
                    return None
                raise failures.uncertain(again_in=self._settling)
            case SendOutcome.ABSENT:
                return None

    async def _look(self, backend: ConversationalBackend, order: SendOrder) -> SendProof:
        """A look that fails tells nothing of the send: it is made again, however often, and nothing is sent before."""
        try:
            return await backend.find_message(
                order.route.conversation_sid,
                order.key,
                message=_message(order),
                since=order.since,
                known=order.known,
            )
        except MessagingError as error:
            if error.retryable:
                raise failures.uncertain(
                    again_in=timedelta(seconds=error.retry_after or 0) or self._settling
                ) from error
            raise failures.unseen(error) from error


def _message(order: SendOrder) -> Message:
    if order.template:
        template = Template(sid=order.template, variables=order.template_variables)
        return Message(body=order.text, template=template)
    return Message(body=order.text, media=tuple(Media(url=url) for url in order.media))


def _now() -> datetime:
    """By the server's clock, as this attempt began: the workflow's times are the server's too."""
    return activity.info().started_time


async def _to_the_end(send: Coroutine[Any, Any, SendReceipt]) -> SendReceipt:
    """What is on the wire cannot be called back: a cancellation waits until it is known what became of it."""
    sending = asyncio.ensure_future(send)
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        return await sending


def _may_have_left() -> bool:
    """Whether an attempt before this one may have reached the provider: any that did not say otherwise at its end."""
    info = activity.info()
    return info.attempt > 1 and list(info.heartbeat_details) != [_CLEAN, info.attempt - 1]
