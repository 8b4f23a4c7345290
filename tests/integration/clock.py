"""A bench on a server that skips time: hours pass at once."""

from __future__ import annotations

import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from runtime.temporal import CONVERTER
from tests.integration.harness import Bench, Conversation
from tests.support.ports import eventually
from workflows import contracts
from workflows.contracts import ConversationStart, Route
from workflows.inbox import Attachment, Inbound

SERVER = Path(sys.executable).with_name("temporal-test-server")


@dataclass(slots=True)
class Clock:
    """A bench whose hours pass at once."""

    env: WorkflowEnvironment
    bench: Bench

    async def passes(self, **time: float) -> None:
        await self.env.sleep(timedelta(**time))

    async def text(
        self,
        person: Conversation,
        body: str,
        *,
        channel: str = "sms",
        age: timedelta = timedelta(0),
        key: str | None = None,
        attachments: tuple[Attachment, ...] = (),
    ) -> str:
        """A text that comes in now, as this clock has it, or `age` ago."""
        now = await self.env.get_current_time()
        person.count += 1
        key = key or f"{person.id}-in-{person.count}"
        inbound = Inbound(
            key=key,
            sid=key,
            text=body,
            at=now - age,
            author=f"contact-{person.id}",
            attachments=attachments,
            rules=person.rules,
        )
        start = ConversationStart(
            conversation_id=person.id,
            contact_id=f"contact-{person.id}",
            channel=channel,
            route=Route(provider="outbox", conversation_sid="pair"),
            created_at=now,
        )
        await self.env.client.start_workflow(
            contracts.WORKFLOW,
            start,
            id=person.id,
            task_queue=self.bench.queue,
            start_signal="receive",
            start_signal_args=[inbound],
        )
        return key

    async def is_closed(self, person: Conversation) -> bool:
        return (await person.handle.describe()).status is WorkflowExecutionStatus.COMPLETED

    async def closes(self, person: Conversation) -> None:
        await eventually(lambda: self.is_closed(person))


@asynccontextmanager
async def skipping(**ports: Any) -> AsyncIterator[Clock]:
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=CONVERTER, test_server_existing_path=str(SERVER)
    ) as env:
        bench = Bench(env.client, f"time-{uuid.uuid4().hex}", **ports)
        async with bench.worker():
            yield Clock(env, bench)
