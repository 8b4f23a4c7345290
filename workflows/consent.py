"""Consent by keyword: what a person texts to stop, start or ask for help.

The provider may have recognised the word itself and answered it; then it says so and its word counts. A deployment may
have words of its own, as in a Messaging Service's Advanced Opt-Out: they are rules, and travel with each text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from messaging.model import Channel, OptOut
from workflows.inbox import Inbound

# https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out: the whole message, any case. Twilio lists English
# words only; in other languages they are each customer's own, but for these three French ones:
# https://www.twilio.com/docs/proxy/opt-out-keywords
_CARRIED: Mapping[str, OptOut] = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), OptOut.STOP),
    **dict.fromkeys(("ARRET", "ARRETE", "ARRETT"), OptOut.STOP),
    **dict.fromkeys(("START", "YES", "UNSTOP"), OptOut.START),
    **dict.fromkeys(("HELP", "INFO"), OptOut.HELP),
}
# Elsewhere no carrier listens for these words, and "cancel", "yes" or "help" are what people say to an agent.
_WORDS: Mapping[str, OptOut] = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "OPTOUT"), OptOut.STOP),
    **dict.fromkeys(("START", "UNSTOP"), OptOut.START),
}
# Since 2026-03-16 Twilio keeps one list for these three:
# https://help.twilio.com/hc/en-us/articles/223134027-Twilio-support-for-opt-out-keywords-SMS-STOP-filtering-
_CARRIERS = frozenset({Channel.SMS.value, Channel.MMS.value, Channel.RCS.value})


def keyword(inbound: Inbound, *, channel: str, opted_out: bool) -> OptOut | None:
    """The consent keyword this text is, if it is one. "Yes" opts in only who has opted out."""
    if inbound.opt_out:
        return OptOut(inbound.opt_out)
    typed = spelled(inbound.text)
    word = _own(inbound, typed) or (_CARRIED if channel in _CARRIERS else _WORDS).get(typed)
    return None if word is OptOut.START and not opted_out else word


def spelled(text: str) -> str:
    """A text as words are compared: without case, accents and the white space around it."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.strip()) if not unicodedata.combining(c))
    return bare.upper()


def _own(inbound: Inbound, typed: str) -> OptOut | None:
    rules = inbound.rules
    words = ((rules.stop_words, OptOut.STOP), (rules.start_words, OptOut.START), (rules.help_words, OptOut.HELP))
    return next((word for listed, word in words if typed in listed), None)
