"""Webhooks that are asked before something happens, and may change or refuse it.

https://www.twilio.com/docs/conversations/conversations-webhooks
"""

from collections.abc import Callable
from typing import Any

from simulator import jsontext
from simulator.config import SimulatorConfig
from simulator.delivery import Delivery
from simulator.errors import TwilioError
from simulator.events import Events, Fields
from simulator.transcript import Transcript
from simulator.transport import Answer, Failure
from simulator.webhooks import Webhooks

# event -> what an answer may change, by the names of the answer, which are those of the records
_CHANGEABLE = {
    "onConversationAdd": ("friendly_name",),
    "onConversationUpdate": ("friendly_name",),
    "onMessageAdd": ("body", "author", "attributes"),
    "onMessageUpdate": ("body", "author", "attributes"),
}
REFUSED = 50056
_UNREADABLE = 50057
_TIMED_OUT = 50076


class Prehooks:
    def __init__(self, *, config: SimulatorConfig, emitter: Events, transcript: Transcript, webhooks: Webhooks) -> None:
        self._account = config.account_sid
        self._events = emitter
        self._transcript = transcript
        self._webhooks = webhooks

    async def ask(
        self,
        event: str,
        service: str,
        describe: Callable[[], Fields],
        *,
        source: str | None,
        identity: str | None = None,
    ) -> dict[str, str] | None:
        """What the product changes; None when nobody was asked, as always with `source` None. What was checked before
        may have changed while it was asked.

        Raises:
            TwilioError: the product refuses (50056).
        """
        hook = self._events.before(event, service) if source is not None else None
        if hook is None or source is None:
            return None
        fields = describe()
        common = self._events.common(event, source, identity)
        subject = fields.get("MessageSid") or fields.get("ParticipantSid") or fields.get("ConversationSid", "")
        found = await self._webhooks.ask(
            Delivery(
                url=hook.pre_url,
                method=hook.method,
                params=tuple((common | fields).items()),
                event=event,
                subject=subject,
                order="",
                conversations=True,
            )
        )
        if isinstance(found, Failure):  # the action goes on unchanged
            code = _TIMED_OUT if found.outcome == "rt" else _UNREADABLE
            self._warn(code, found.error, subject, hook.pre_url)
            return {}
        if not found.good:
            self._warn(REFUSED, f"answered {found.status}", subject, hook.pre_url)
            raise TwilioError(REFUSED, "Webhook disabled processing of command")
        return self._changes(event, found, subject)

    def _changes(self, event: str, answer: Answer, subject: str) -> dict[str, str]:
        if "json" not in answer.content_type or not answer.body.strip():
            return {}
        try:
            given: Any = jsontext.parse(answer.body)
        except ValueError:
            given = None
        if not isinstance(given, dict):
            self._warn(_UNREADABLE, "the answer is no JSON object", subject, answer.url)
            return {}
        return {name: given[name] for name in _CHANGEABLE.get(event, ()) if isinstance(given.get(name), str)}

    def _warn(self, code: int, text: str, subject: str, url: str) -> None:
        self._transcript.add("debugger", code=code, message=text, subject=subject, url=url)
