"""Requests from Twilio to the product: signed, retried, one first attempt at a time for each order key.

What waits is in the store, so what a restart interrupts goes on after it, with the same idempotency token.
"""

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from simulator.clock import Clock
from simulator.config import SimulatorConfig
from simulator.delivery import Delivery
from simulator.faults import WEBHOOK, Fault, Faults
from simulator.overrides import Overrides, Patience
from simulator.records import Setting
from simulator.signer import Signer
from simulator.store import Store
from simulator.transcript import Transcript
from simulator.transport import Answer, Failure, Message, Transport

# A Conversations webhook has codes of its own in the debugger; anything else the transport's.
_CONVERSATIONS = {"rt": 50076}
_CONVERSATIONS_OTHERWISE = 50057
_BASE = "webhook base"  # the setting that says where the product was
_NOT_GOOD = 11200  # https://www.twilio.com/docs/api/errors/11200


_LOG = logging.getLogger(__name__)


class Webhooks:
    """To be made inside a running event loop. `answered` hears of each good answer."""

    def __init__(
        self,
        *,
        config: SimulatorConfig,
        clock: Clock,
        store: Store,
        transcript: Transcript,
        faults: Faults,
        signer: Signer,
    ) -> None:
        self._config = config
        self._clock = clock
        self._store = store
        self._transcript = transcript
        self._faults = faults
        self._overrides = Overrides(config)
        self._transport = Transport(signer)
        self._lines: dict[str, deque[Delivery]] = {}
        """What waits behind the delivery that is being made, by order key."""
        self._held: dict[str, list[Delivery]] = {}
        """What a fault makes come after the next of its order."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.answered: Callable[[Delivery, Answer], None] = lambda _, __: None

    def send(self, delivery: Delivery) -> None:
        """Returns at once; the request is made in the background."""
        delivery.sid = str(uuid.uuid4())
        self._queue(self._store.deliveries.add(delivery))

    async def ask(self, delivery: Delivery) -> Answer | Failure:
        """Makes the request now, once, and returns what came of it: for whom the answer decides what happens next."""
        delivery.sid = str(uuid.uuid4())
        fault = self._fault(delivery)
        if fault is not None and fault.kind == "webhook_drop":
            self._log(delivery, error="dropped by a fault")
            return Failure(outcome="rt", error="dropped by a fault", code=_NOT_GOOD)
        if fault is not None and fault.kind == "webhook_delay":
            await self._clock.sleep(fault.seconds)
        if fault is not None and fault.kind == "webhook_duplicate":
            await self._again(delivery, fault)
        patience = self._overrides.patience(delivery.url, conversations=delivery.conversations)
        return await self._exchange(delivery, patience, fault)

    def resume(self) -> None:
        """After a restart: what has not been tried yet goes out, and retries come when they are due. A product that has
        moved meanwhile is found again."""
        base, kept = self._config.webhook_base, self._store.settings.get(_BASE)
        before = kept.value["url"] if kept is not None else base
        self._store.settings.add(Setting(sid=_BASE, value={"url": base}))
        for delivery in list(self._store.deliveries.rows.values()):
            if delivery.url.startswith(f"{before}/"):
                delivery.url = base + delivery.url.removeprefix(before)
            delivery.params = tuple((name, value) for name, value in delivery.params)
            if delivery.attempt:
                self._clock.at(delivery.due, self._retry, delivery)
            else:
                self._queue(delivery)

    @property
    def pending(self) -> int:
        return len(self._store.deliveries.rows)

    def cancel(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        self._lines.clear()
        self._held.clear()

    async def aclose(self) -> None:
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._transport.aclose()

    def _queue(self, delivery: Delivery) -> None:
        line = self._lines.get(delivery.order)
        if line is not None:
            line.append(delivery)
            return
        self._lines[delivery.order] = deque((delivery,))
        self.spawn(self._work(delivery.order), delivery)

    def spawn(self, work: Coroutine[Any, Any, None], delivery: Delivery) -> None:
        """Does this for the delivery in the background, until the end of the simulator or its reset."""
        task = asyncio.create_task(self._guarded(work, delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # cancelled before it began, it would be missed otherwise

    async def _work(self, order: str) -> None:
        """First attempts of one order key, until none is left."""
        line = self._lines[order]
        while line:
            delivery = line.popleft()
            await self._guarded(self._first(delivery), delivery)
        if self._lines.get(order) is line:
            del self._lines[order]

    async def _guarded(self, work: Coroutine[Any, Any, None], delivery: Delivery) -> None:
        """Whatever this raises is the end of this delivery, and of no other."""
        try:
            await work
        except Exception as problem:  # noqa: BLE001 - the next delivery of the line must not wait forever
            _LOG.exception("a delivery failed")
            self._store.deliveries.remove(delivery.sid)
            words = f"the simulator failed: {type(problem).__name__}"
            self._transcript.add("debugger", code=_NOT_GOOD, message=words, subject=delivery.subject, url=delivery.url)

    async def _first(self, delivery: Delivery) -> None:
        fault = self._fault(delivery)
        kind = fault.kind if fault is not None else ""
        if fault is not None and kind == "webhook_delay":
            await self._clock.sleep(fault.seconds)
        elif kind == "webhook_drop":
            self._log(delivery, error="dropped by a fault")
            self._store.deliveries.remove(delivery.sid)
            return
        elif fault is not None and kind == "webhook_reorder":
            self._held.setdefault(delivery.order, []).append(delivery)
            self._clock.after(fault.seconds, self._release, delivery.order)
            return
        await self._attempt(delivery, fault)
        if fault is not None and kind == "webhook_duplicate":
            await self._again(delivery, fault)
        for held in self._held.pop(delivery.order, ()):
            await self._attempt(held, None)

    async def _again(self, delivery: Delivery, fault: Fault) -> None:
        """A second time, whatever came of the first; nobody waits for what comes of this one."""
        token = delivery.sid
        if not fault.same_token:
            delivery.sid = str(uuid.uuid4())
        patience = self._overrides.patience(delivery.url, conversations=delivery.conversations)
        await self._exchange(delivery, patience, None)
        delivery.sid = token

    def _release(self, order: str) -> None:
        """Nothing came that could have overtaken these."""
        for delivery in self._held.pop(order, ()):
            self.spawn(self._attempt(delivery, None), delivery)

    def _retry(self, delivery: Delivery) -> None:
        if delivery.sid in self._store.deliveries.rows:
            self.spawn(self._attempt(delivery, None), delivery)

    async def _attempt(self, delivery: Delivery, fault: Fault | None) -> None:
        patience = self._overrides.patience(delivery.url, conversations=delivery.conversations)
        outcome = await self._exchange(delivery, patience, fault)
        if isinstance(outcome, Answer) and outcome.good:
            self._store.deliveries.remove(delivery.sid)
            self.answered(delivery, outcome)
            return
        kind = outcome.outcome if isinstance(outcome, Failure) else f"{outcome.status // 100}xx"
        if delivery.attempt < patience.retries and patience.tries_again(kind):
            due = self._clock.now() + self._backoff(delivery.attempt, outcome)
            self._store.deliveries.change(delivery, attempt=delivery.attempt + 1, due=due)
            self._clock.at(due, self._retry, delivery)
            return
        self._store.deliveries.remove(delivery.sid)
        self._give_up(delivery, outcome)

    async def _exchange(self, delivery: Delivery, patience: Patience, fault: Fault | None) -> Answer | Failure:
        params = delivery.params
        if delivery.conversations:
            params = (*params, ("RetryCount", str(delivery.attempt)))
        message = Message(
            method=delivery.method,
            url=delivery.url.partition("#")[0],
            params=params,
            json=delivery.json,
            token=delivery.sid,
            wrong=fault is not None and fault.kind == "webhook_signature",
        )
        started = time.perf_counter()
        outcome = await self._transport.exchange(message, patience)
        ms = round((time.perf_counter() - started) * 1000, 1)
        if isinstance(outcome, Answer):
            self._log(delivery, status=outcome.status, ms=ms)
        else:
            self._log(delivery, error=outcome.error, ms=ms)
        return outcome

    def _give_up(self, delivery: Delivery, outcome: Answer | Failure) -> None:
        """Into the debugger, and to the fallback URL if there is one."""
        code = outcome.code if isinstance(outcome, Failure) else _NOT_GOOD
        if delivery.conversations:
            kind = outcome.outcome if isinstance(outcome, Failure) else ""
            code = _CONVERSATIONS.get(kind, _CONVERSATIONS_OTHERWISE)
        words = outcome.error if isinstance(outcome, Failure) else f"answered {outcome.status}"
        url = delivery.url.partition("#")[0]
        self._transcript.add("debugger", code=code, message=words, subject=delivery.subject, url=url)
        if delivery.fallback_url:
            self.send(
                Delivery(
                    url=delivery.fallback_url,
                    method=delivery.fallback_method,
                    params=(*delivery.params, ("ErrorCode", str(code)), ("ErrorUrl", url)),
                    event=delivery.event,
                    subject=delivery.subject,
                    order=delivery.order,
                    twiml=delivery.twiml,
                )
            )

    def _backoff(self, attempt: int, outcome: Answer | Failure) -> float:
        seconds = self._config.webhook_backoff * float(2**attempt)
        if isinstance(outcome, Answer) and outcome.retry_after is not None:
            seconds = outcome.retry_after
        return min(seconds, self._config.webhook_backoff_max)

    def _fault(self, delivery: Delivery) -> Fault | None:
        if not self._faults.any:
            return None
        names = dict(delivery.params)
        body = names.get("Body", "")
        fields = {"to": names.get("To", ""), "from": names.get("From", names.get("Author", "")), "body": body}
        return self._faults.take(WEBHOOK, event=delivery.event, fields=fields)

    def _log(
        self, delivery: Delivery, *, status: int | None = None, error: str | None = None, ms: float | None = None
    ) -> None:
        self._transcript.add(
            "webhook",
            event=delivery.event,
            subject=delivery.subject,
            url=delivery.url,
            attempt=delivery.attempt + 1,
            idempotency_token=delivery.sid,
            status=status,
            error=error,
            ms=ms,
        )
