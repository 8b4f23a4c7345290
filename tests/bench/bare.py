"""The practical limit: a workflow that does for each signal what a turn does, and nothing in it.

As a turn: a local activity, two regular ones, a local one. What the second regular one is here, sending is there.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

QUEUE = "bench-bare"
NAME = "BareWorkflow"

_TIMEOUT = timedelta(seconds=10)


@activity.defn(name="bare_echo")
async def echo(text: str) -> str:
    """Nothing."""
    return text


@workflow.defn(name=NAME)
class BareWorkflow:
    """Takes texts one by one, for ever."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    @workflow.run
    async def run(self) -> None:
        """Four activities a text."""
        while True:
            await workflow.wait_condition(lambda: bool(self._texts))
            text = self._texts.pop(0)
            await workflow.execute_local_activity("bare_echo", text, start_to_close_timeout=_TIMEOUT)
            await workflow.execute_activity("bare_echo", text, start_to_close_timeout=_TIMEOUT)
            await workflow.execute_activity("bare_send", text, start_to_close_timeout=_TIMEOUT)
            await workflow.execute_local_activity("bare_echo", text, start_to_close_timeout=_TIMEOUT)

    @workflow.signal
    def receive(self, text: str) -> None:
        """A text came in."""
        self._texts.append(text)
