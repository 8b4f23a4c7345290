"""STOP, START and HELP. https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out

Standard: for one of our numbers and a person on SMS. Twilio answers, and the webhook does not say so.
Advanced: for a Messaging Service with all its senders and a person on any channel; words and texts of one's own, and
the webhook has OptOutType.
"""

from dataclasses import dataclass
from typing import Any

from simulator.errors import ControlError
from simulator.pools import Pools
from simulator.records import Message, OptOut, Setting
from simulator.store import Store
from simulator.switches import Switches

KINDS = ("STOP", "START", "HELP")
WORDS: dict[str, frozenset[str]] = {
    "STOP": frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}),
    "START": frozenset({"START", "YES", "UNSTOP"}),
    "HELP": frozenset({"HELP", "INFO"}),
}
ANSWERS = {
    "STOP": "You are unsubscribed and get no more messages from this number. Reply START to subscribe again.",
    "START": "You are subscribed again. Reply HELP for help, STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe. Message and data rates may apply.",
}
REFUSED = (21610, "Attempt to send to unsubscribed recipient")
_KEPT = {"STOP": {"STOP"}, "START": {"START", "UNSTOP"}, "HELP": {"HELP"}}
"""Of Advanced Opt-Out's words, those that cannot be taken away."""
_SETTING = "opt_out "
_MOST_WORDS, _LONGEST = 30, 320  # bounds of this simulator


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a keyword leads to. `kind`: the webhook's OptOutType, empty with standard handling."""

    answer: str | None = None
    kind: str = ""


class Consent:
    def __init__(self, store: Store, pools: Pools, switches: Switches) -> None:
        self._store = store
        self._pools = pools
        self._switches = switches

    def refused(self, number: str | None, person: str, service: str | None = None) -> bool:
        """Whether this person wants nothing from this sender; None: from the service, whichever sender it chooses."""
        if not self._switches.opt_out or not self._store.opt_outs.rows:
            return False
        service = self._service_of(number) if number is not None else service
        if service is not None and self._advanced(service) is not None:
            return self._out(service, person)
        return number is not None and self._out(number, person)

    def heard(self, message: Message) -> Heard:
        if not self._switches.opt_out:
            return Heard()
        service = self._service_of(message.number)
        rules = self._advanced(service) if service is not None else None
        if rules is None or service is None:
            if message.channel != "sms":
                return Heard()
            return Heard(answer=self._apply(_kind(message.body, WORDS), message.number, message, ANSWERS))
        words = {kind: frozenset(rules["keywords"][kind]) for kind in KINDS}
        kind = _kind(message.body, words)
        if kind == "START" and message.body.strip().upper() == "YES" and not self._out(service, message.phone):
            return Heard()  # an answer to a question
        return Heard(answer=self._apply(kind, service, message, rules["texts"]), kind=kind)

    def advance(self, given: dict[str, Any]) -> dict[str, Any]:
        """Turns Advanced Opt-Out of a service on, with its words and texts, or off. Raises ControlError."""
        if unknown := given.keys() - {"messaging_service_sid", "advanced", "texts", "keywords"}:
            raise ControlError(min(unknown), "unknown; messaging_service_sid, advanced, texts or keywords expected")
        service = given.get("messaging_service_sid", self._pools.default)
        if not isinstance(service, str) or self._pools.service(service) is None:
            raise ControlError("messaging_service_sid", "no such Messaging Service")
        if not isinstance(given.get("advanced", True), bool):
            raise ControlError("advanced", "true or false expected")
        if not given.get("advanced", True):
            self._store.settings.remove(_SETTING + service)
            return self.show()
        texts, keywords = _of_kinds("texts", given.get("texts")), _of_kinds("keywords", given.get("keywords"))
        rules = {
            "texts": ANSWERS | {kind: _text(f"texts.{kind}", text) for kind, text in texts.items()},
            "keywords": {kind: sorted(WORDS[kind]) for kind in KINDS}
            | {kind: sorted(_words(f"keywords.{kind}", words) | _KEPT[kind]) for kind, words in keywords.items()},
        }
        self._store.settings.add(Setting(sid=_SETTING + service, value=rules))
        return self.show()

    def show(self) -> dict[str, Any]:
        rules = {
            sid.removeprefix(_SETTING): row.value
            for sid, row in self._store.settings.rows.items()
            if sid.startswith(_SETTING)
        }
        pairs = (sid.partition(" ") for sid in self._store.opt_outs.rows)
        return {"advanced": rules, "opted_out": [{"from": sender, "person": person} for sender, _, person in pairs]}

    def _service_of(self, number: str) -> str | None:
        """The Messaging Service that one of our senders belongs to."""
        row = self._store.number(number)
        return (row.messaging_service_sid or self._pools.default) if row is not None else None

    def _advanced(self, service: str) -> dict[str, Any] | None:
        row = self._store.settings.get(_SETTING + service)
        return row.value if row is not None else None

    def _out(self, scope: str, person: str) -> bool:
        return self._store.opt_outs.get(f"{scope} {person}") is not None

    def _apply(self, kind: str, scope: str, message: Message, texts: dict[str, str]) -> str | None:
        """Keeps what the person wants; returns what Twilio answers."""
        out, key = self._out(scope, message.phone), f"{scope} {message.phone}"
        if kind == "STOP" and not out:
            self._store.opt_outs.add(OptOut(sid=key, created=message.created))
            return texts["STOP"]
        if kind == "START" and out:
            self._store.opt_outs.remove(key)
            return texts["START"]
        return texts["HELP"] if kind == "HELP" and not out else None


def _kind(body: str, words: dict[str, frozenset[str]]) -> str:
    """The whole text, but for spaces around it, must be the word."""
    said = body.strip().upper()
    return next((kind for kind in KINDS if said in words[kind]), "")


def _of_kinds(field: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or value.keys() - set(KINDS):
        raise ControlError(field, f"an object with {', '.join(KINDS)} expected")
    return value


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise ControlError(field, f"a text of up to {_LONGEST} characters expected")
    return value


def _words(field: str, value: Any) -> set[str]:
    if not isinstance(value, list) or len(value) > _MOST_WORDS:
        raise ControlError(field, f"a list of up to {_MOST_WORDS} words expected")
    return {_text(field, word).strip().upper() for word in value}
