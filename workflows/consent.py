"""Consent by keyword: what a person texts to stop, start or ask for help.

The provider may have recognised the word itself and answered it; then it says so and its word counts.
"""

from __future__ import annotations

from collections.abc import Mapping

from messaging.model import Channel, OptOut
from workflows.inbox import Inbound

# https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out: the whole message, any case.
_SMS_WORDS: Mapping[str, OptOut] = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), OptOut.STOP),
    **dict.fromkeys(("START", "YES", "UNSTOP"), OptOut.START),
    **dict.fromkeys(("HELP", "INFO"), OptOut.HELP),
}
# Elsewhere no carrier listens for these words, and "cancel", "yes" or "help" are what people say to an agent.
_WORDS: Mapping[str, OptOut] = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "OPTOUT"), OptOut.STOP),
    **dict.fromkeys(("START", "UNSTOP"), OptOut.START),
}


def keyword(inbound: Inbound, *, channel: str, opted_out: bool) -> OptOut | None:
    """The consent keyword this text is, if it is one. "Yes" opts in only who has opted out."""
    if inbound.opt_out:
        return OptOut(inbound.opt_out)
    words = _SMS_WORDS if channel in {Channel.SMS, Channel.MMS} else _WORDS
    word = words.get(inbound.text.strip().upper())
    return None if word is OptOut.START and not opted_out else word
