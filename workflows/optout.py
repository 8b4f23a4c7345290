"""A person who has opted out on every channel: an open run of this workflow, for as long as that holds.

Nothing is kept in it but that it is open, so it never grows, and it is there as soon as Temporal has taken its start.
"""

from __future__ import annotations

from temporalio import workflow

OPT_OUT = "ContactOptOut"


def record_id(contact_id: str) -> str:
    """Its workflow id."""
    return f"opt-out-{contact_id}"


@workflow.defn(name=OPT_OUT)
class ContactOptOutWorkflow:
    """Ends when the person opts in."""

    @workflow.init
    def __init__(self, contact_id: str) -> None:
        self._contact_id = contact_id
        self._opted_in = False

    @workflow.run
    async def run(self, contact_id: str) -> None:  # noqa: ARG002 - __init__ has it
        """Wait for the opt-in."""
        await workflow.wait_condition(lambda: self._opted_in)

    @workflow.signal
    def opt_in(self) -> None:
        """The person wants to be written to again."""
        self._opted_in = True
