"""Who was forgotten, and when: what they wrote before that is nobody's to fetch again."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError

from workflows.forgetting import FORGET, ForgetReceipt

FORGETTING = "forget-"  # and the contact's id: the workflow of one forgetting
_MOST = 1_000  # of the latest; they are kept no longer than what they have removed would have been
_PATIENCE = timedelta(seconds=5)


async def times(client: Client) -> dict[str, datetime]:
    """By contact id, linked ones included, when forgetting was asked for last.

    Raises:
        RPCError
    """
    found: dict[str, datetime] = {}
    async for run in client.list_workflows(f"WorkflowType = '{FORGET}'", limit=_MOST):
        ids = [run.id.removeprefix(FORGETTING)]
        if run.status is WorkflowExecutionStatus.COMPLETED:
            handle = client.get_workflow_handle(run.id, run_id=run.run_id, result_type=ForgetReceipt)
            try:
                receipt: ForgetReceipt = await handle.result(rpc_timeout=_PATIENCE)
            except WorkflowFailureError:
                continue
            ids += receipt.contact_ids
        for name in ids:
            found[name] = max(run.start_time, found.get(name, run.start_time))
    return found
