"""What an operator must hear of. Raised where it is noticed, told by the main loop, kept in the state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AlertKind(StrEnum):
    """Why. A label of a metric, so it is one of these."""

    PARKED = "parked"
    UNCERTAIN = "uncertain"
    UNDELIVERED = "undelivered"
    HANDOFF = "handoff"
    OVERDUE = "overdue"
    BUDGET = "budget"
    LOOP = "loop"
    APPROVAL = "approval"


@dataclass(slots=True, kw_only=True)
class Alert:
    """One thing to look at. `reason` holds no text of the conversation."""

    kind: AlertKind
    at: datetime
    reason: str = ""
    told: bool = False
