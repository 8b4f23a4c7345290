"""Twilio's standard opt-out on SMS. https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out

The keyword still reaches the number's webhook, without OptOutType: only Advanced Opt-Out adds that.
"""

from simulator.records import Message, OptOut
from simulator.store import Store

STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START = frozenset({"START", "YES", "UNSTOP"})
HELP = frozenset({"HELP", "INFO"})
ANSWERS = {
    "STOP": "You are unsubscribed and get no more messages from this number. Reply START to subscribe again.",
    "START": "You are subscribed again. Reply HELP for help, STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe. Message and data rates may apply.",
}


class Consent:
    def __init__(self, store: Store) -> None:
        self._store = store

    def refused(self, number: str, person: str) -> bool:
        return self._store.opt_outs.get(f"{number} {person}") is not None

    def heard(self, message: Message) -> str | None:
        """What Twilio itself answers to this inbound text, if anything."""
        word, key = message.body.strip().upper(), f"{message.number} {message.phone}"
        out = self._store.opt_outs.get(key) is not None
        if word in STOP:
            if out:
                return None
            self._store.opt_outs.add(OptOut(sid=key, created=message.created))
            return ANSWERS["STOP"]
        if word in START and out:
            self._store.opt_outs.remove(key)
            return ANSWERS["START"]
        return ANSWERS["HELP"] if word in HELP and not out else None
