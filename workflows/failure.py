"""What a failed send asks for, whether it was refused at once or reported later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from messaging.errors import Category
from workflows import handoff
from workflows.alert import AlertKind
from workflows.state import ConversationState, Outcome


class Remedy(StrEnum):
    """What to do."""

    OPT_OUT = "opt_out"
    REFUSE = "refuse"
    TEMPLATE = "template"
    PARK = "park"


# The provider's own codes where our error says less: https://www.twilio.com/docs/api/errors
_BY_CODE: Mapping[int, Remedy] = {
    21610: Remedy.OPT_OUT,  # the person has sent STOP to this sender
    63016: Remedy.TEMPLATE,  # free-form outside of WhatsApp's window
}
_BY_CATEGORY: Mapping[str, Remedy] = {
    Category.BLOCKED.value: Remedy.REFUSE,
    Category.WINDOW.value: Remedy.TEMPLATE,
    "opted_out": Remedy.OPT_OUT,  # on another channel, as the contact's record says
}


def remedy(category: str, code: int | None) -> Remedy:
    """What to do about a failure of this category, or with this code of the provider's."""
    if code is not None and code in _BY_CODE:
        return _BY_CODE[code]
    return _BY_CATEGORY.get(category, Remedy.PARK)


def settle(state: ConversationState, category: str, code: int | None, now: datetime) -> Outcome:
    """Draw the consequence of a failed send; the outcome of the turn that it belongs to."""
    match remedy(category, code):
        case Remedy.OPT_OUT:
            state.opted_out = True
            state.scheduled = []
            return Outcome.REFUSED
        case Remedy.REFUSE:
            state.alert(AlertKind.UNDELIVERED, now, f"{category} {code or ''}".rstrip())
            return Outcome.REFUSED
        case Remedy.TEMPLATE:
            handoff.request(state, "the channel's window is closed", now)
            return Outcome.HELD
        case Remedy.PARK:
            return Outcome.PARKED
