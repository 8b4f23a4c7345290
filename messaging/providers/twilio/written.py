"""Whether the call that is being made has reached the wire: until then, nothing can have happened."""

from __future__ import annotations

from contextvars import ContextVar

WRITTEN: ContextVar[bool] = ContextVar("written", default=False)
"""Of the current task. The frame of a call clears it, the transport sets it."""
