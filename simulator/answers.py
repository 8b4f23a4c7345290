"""What webhooks answer, carried out: TwiML with its messages, redirects and actions."""

from collections import deque
from typing import Final

from simulator import address, callbacks, twiml, weburl
from simulator.clock import Clock
from simulator.config import SimulatorConfig
from simulator.delivery import Delivery
from simulator.records import Message
from simulator.sids import Sids
from simulator.signature import Params
from simulator.store import Store
from simulator.texting import MAX_BODY, Outgoing, Texting
from simulator.transcript import Transcript
from simulator.transport import Answer
from simulator.webhooks import Webhooks

_DOCUMENTS: Final = 50  # https://www.twilio.com/docs/api/errors/14106
_REPLIES: Final = 10  # to one text; https://www.twilio.com/docs/api/errors/14109
_LOOP: Final = (15, 30.0)  # replies to a person, in seconds; https://www.twilio.com/docs/api/errors/14107

_PAIRS: Final = 10_000  # of senders and people whose replies are counted, before counting begins anew


class Answers:
    def __init__(
        self,
        *,
        config: SimulatorConfig,
        clock: Clock,
        sids: Sids,
        store: Store,
        transcript: Transcript,
        webhooks: Webhooks,
        texting: Texting,
    ) -> None:
        self._config = config
        self._clock = clock
        self._sids = sids
        self._store = store
        self._transcript = transcript
        self._webhooks = webhooks
        self._texting = texting
        self._replied: dict[tuple[str, str], deque[float]] = {}

    def take(self, delivery: Delivery, answer: Answer) -> None:
        """A webhook took its request. If that told of a text, the answer may hold TwiML."""
        message = self._store.messages.get(delivery.subject) if delivery.twiml else None
        if message is None:
            return
        self._store.messages.change(message, heard=True)
        if answer.body:
            self._webhooks.spawn(self._carry_out(message, delivery.params, answer), delivery)

    def clear(self) -> None:
        self._replied.clear()

    async def _carry_out(self, message: Message, params: Params, answer: Answer) -> None:
        replies = 0
        for _ in range(_DOCUMENTS):
            then: Delivery | None = None
            for verb in self._read(message, answer):
                if isinstance(verb, twiml.Redirect):
                    then = self._next(message, answer.url, verb.url, verb.method, params)
                elif isinstance(verb, twiml.Wrong):
                    self._warn(message, verb.code, verb.message, answer.url)
                elif replies >= _REPLIES:
                    self._warn(message, 14109, f"More than {_REPLIES} replies to one text", answer.url)
                else:
                    replies += 1
                    then = self._reply(message, verb, answer.url)
                if then is not None:
                    break  # what follows is unreachable
            if then is None:
                return
            found = await self._webhooks.ask(then)
            if not isinstance(found, Answer) or not found.good:
                return
            answer = found
        self._warn(message, 14106, f"More than {_DOCUMENTS} documents", answer.url)

    def _read(self, message: Message, answer: Answer) -> list[twiml.Verb]:
        try:
            return twiml.verbs(answer.body, answer.content_type)
        except twiml.TwimlError as problem:
            self._warn(message, problem.code, problem.message, answer.url)
            return []

    def _reply(self, message: Message, verb: twiml.Say, base: str) -> Delivery | None:
        """Sends it. Returns the request to its action, whose answer goes on."""
        recipient, sender = verb.to or message.phone, verb.sender or message.number
        media = [self._link(message, base, url) for url in verb.media]
        if not all(media):
            return None
        if (problem := self._problem(sender, recipient, verb.body)) is not None:
            self._warn(message, *problem, base)
            return None
        sent = self._texting.send(
            Outgoing(
                sender=sender,
                recipient=recipient,
                body=verb.body,
                direction="outbound-reply",
                media=callbacks.media(self._sids, filter(None, media)),
                status_callback=self._link(message, base, verb.status_callback) if verb.status_callback else None,
            )
        )
        if not verb.action:
            return None
        params = callbacks.status(self._config.account_sid, sent)
        return self._next(message, base, verb.action, verb.method, params)

    def _problem(self, sender: str, recipient: str, body: str) -> tuple[int, str] | None:
        if not address.valid(recipient):
            return 14101, "Message: invalid To attribute"
        if self._store.number(sender) is None:
            return 14102, "Message: invalid From attribute"
        if len(body) > MAX_BODY:
            return 21617, f"The concatenated message body exceeds the {MAX_BODY} character limit"
        return (14107, "Message rate limit exceeded") if self._loops(sender, recipient) else None

    def _next(self, message: Message, base: str, target: str, method: str, params: Params) -> Delivery | None:
        url = self._link(message, base, target)
        if url is None:
            return None
        return Delivery(url=url, method=method, params=params, event="twiml", subject=message.sid, order="")

    def _link(self, message: Message, base: str, target: str) -> str | None:
        """A URL of the document at `base`; None, and the debugger is told, when it is none."""
        url = weburl.joined(base, target)
        if url is None:
            self._warn(message, 11100, "Invalid URL format", target)
        return url

    def _loops(self, sender: str, recipient: str) -> bool:
        most, within = _LOOP
        if len(self._replied) > _PAIRS:
            self._replied.clear()
        now, times = self._clock.now(), self._replied.setdefault((sender, recipient), deque(maxlen=most))
        if len(times) == most and now - times[0] < within:
            return True
        times.append(now)
        return False

    def _warn(self, message: Message, code: int, text: str, url: str) -> None:
        self._transcript.add("debugger", code=code, message=text, subject=message.sid, url=url)
