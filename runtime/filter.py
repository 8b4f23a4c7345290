"""Which conversations a list shows, in Temporal's words: https://docs.temporal.io/list-filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflows import contracts, index


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which conversations a list shows; None for all.

    `state` is open, active, held, waiting or closed; `trouble` a value of `workflows.trouble.Trouble`, of open ones;
    `prefix` is how an id begins; `parked` says that only those with a parked turn are wanted.
    """

    state: str | None = None
    trouble: str | None = None
    channel: str | None = None
    assignee: str | None = None
    contact: str | None = None
    prefix: str | None = None
    parked: bool = False

    def query(self) -> str:
        """As the visibility store takes it."""
        parts = [f"WorkflowType = '{contracts.WORKFLOW}'", _STATES[self.state]]
        wanted = ((index.CHANNEL, self.channel), (index.ASSIGNEE, self.assignee), (index.CONTACT, self.contact))
        parts += [f"{key.name} = {_quoted(value)}" for key, value in wanted if value is not None]
        if self.trouble is not None:
            parts += ["ExecutionStatus = 'Running'", f"{index.TROUBLE.name} = {_quoted(self.trouble)}"]
        parts += [f"{index.PARKED.name} > 0"] if self.parked else []
        if self.prefix is not None:
            parts.append(f"WorkflowId STARTS_WITH {_quoted(self.prefix)}")
        return " AND ".join(parts)


# A run that was continued is not a conversation of its own.
_STATES: Mapping[str | None, str] = {
    None: "ExecutionStatus != 'ContinuedAsNew'",
    "open": "ExecutionStatus = 'Running'",
    "active": f"ExecutionStatus = 'Running' AND {index.STATE.name} = 'active'",
    "held": f"ExecutionStatus = 'Running' AND {index.STATE.name} = 'held'",
    "waiting": f"ExecutionStatus = 'Running' AND {index.STATE.name} = 'waiting'",
    "closed": "ExecutionStatus NOT IN ('Running', 'ContinuedAsNew')",
}


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
