"""A worker process: runs conversations and their activities until it is told to stop. `python worker.py`."""

from __future__ import annotations

import asyncio
import gc
import signal

from temporalio.worker import Worker

from activities.alerts import Alerts
from activities.consents import ContactConsents
from activities.delivery import Delivery
from activities.errands import Errands
from activities.forgetting import Forgetting
from activities.learning import Learning
from activities.listening import Listening
from activities.memory import Memories
from activities.reply import Replies
from activities.revival import Revival
from activities.sweeping import Sweeping
from activities.tools import implementations
from agents.guardrails import SECRETS
from agents.learning import RuleExtractor
from agents.summary import RuleSummariser
from runtime.container import Container, open_container
from runtime.dotenv import read_dotenv
from runtime.erasure import TemporalConversations
from runtime.settings import load
from runtime.telemetry import telemetry
from runtime.temporal import TemporalRuns, worker_options
from workflows.conversation import ConversationWorkflow
from workflows.errands import AttendanceWorkflow, OpeningWorkflow
from workflows.forgetting import ForgetWorkflow
from workflows.optout import ContactOptOutWorkflow
from workflows.sweeping import SweepWorkflow


def build(container: Container) -> Worker:
    """The worker, with every activity bound to its port."""
    guarded = container.settings.messaging_guardrails
    memories = Memories(container.memory, container.contacts, redacts=SECRETS in guarded)
    conversations = TemporalConversations(client=container.client, task_queue=container.settings.temporal_task_queue)
    forgetting = Forgetting(container.memory, container.contacts, conversations, container.backends)
    durable = container.agents.durable
    return Worker(
        container.client,
        workflows=[
            ConversationWorkflow,
            OpeningWorkflow,
            AttendanceWorkflow,
            ForgetWorkflow,
            ContactOptOutWorkflow,
            SweepWorkflow,
            *([durable.workflow] if durable else []),
        ],
        activities=[
            memories.recall,
            memories.remember,
            Learning(RuleExtractor(), RuleSummariser()).learn,
            Replies(container.agents.engine).reply,
            Delivery(container.backends, consents=container.consents).deliver,
            *ContactConsents(container.consents).activities,
            Listening(container.backends, container.transcriber).listen,
            Alerts().alert,
            Revival(TemporalRuns(container.client)).revive,
            *Errands(container.backends).activities,
            *forgetting.activities,
            *([Sweeping(container.backends, container.sweep).sweep_page] if container.sweep else []),
            *implementations(container.flows),
            *(durable.activities if durable else []),
        ],
        plugins=[durable.plugin] if durable else [],
        **worker_options(container.settings),
    )


async def main() -> None:
    """Run until SIGINT or SIGTERM, which also end the wait for a Temporal that does not answer."""
    stop, this, waiting = asyncio.Event(), asyncio.current_task(), True

    def end() -> None:
        stop.set()
        if this and waiting:
            this.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end)
    settings = load()
    level, log_format = settings.messaging_log_level, settings.messaging_log_format
    with telemetry("worker", level=level, log_format=log_format, serve=True) as signals:
        try:
            async with open_container(settings, signals) as container, build(container):
                waiting = False
                await stop.wait()
            del container
        except asyncio.CancelledError:
            if not stop.is_set():
                raise
    gc.collect()  # the native client must go before the interpreter does (temporalio/sdk-python#300)


if __name__ == "__main__":
    read_dotenv()
    asyncio.run(main())
