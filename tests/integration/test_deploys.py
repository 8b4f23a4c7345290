"""Two workers of two builds, side by side: a conversation stays with its build until it continues as new."""

from __future__ import annotations

import uuid

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from agents.turn import Draft, Turn
from runtime import settings as configuration
from runtime.settings import SettingsError
from runtime.temporal import deployment
from tests.integration.harness import Agent, Bench, Conversation
from tests.support.ports import eventually


def agent(name: str) -> Agent:
    async def reply(turn: Turn) -> Draft:
        return Draft(text=f"{name}: {turn.text}")

    return Agent(reply)


def build(client: Client, queue: str, name: str) -> Bench:
    return Bench(client, queue, agent=agent(name))


async def make_current(client: Client, name: str, build_id: str) -> None:
    """Route new runs to this build, as soon as the server has heard of its worker."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=name, build_id=build_id, identity="tests"
    )

    async def made() -> bool:
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
        except RPCError:
            return False
        return True

    await eventually(made)


async def runs(client: Client, conversation: Conversation) -> int:
    return len([run async for run in client.list_workflows(f"WorkflowId = '{conversation.id}'")])


async def test_a_conversation_moves_to_the_new_build_at_the_end_of_its_turn(client: Client) -> None:
    name, queue = f"shop-{uuid.uuid4().hex}", f"deploys-{uuid.uuid4().hex}"
    old, new = build(client, queue, "old"), build(client, queue, "new")
    new.outbox, new.memory = old.outbox, old.memory
    person = old.conversation()
    async with old.worker(deployment_config=deployment(name, "1")):
        await make_current(client, name, "1")
        await person.text("one")
        await person.turn(1)
        async with new.worker(deployment_config=deployment(name, "2")):
            await make_current(client, name, "2")
            stranger = new.conversation()
            await stranger.text("hello")  # who comes now begins with the new build
            await stranger.turn(1)
            # An open one first hears of it by its next text: pinned, it answers with the build that it began with.
            await person.text("two")
            await eventually(lambda: _is(person, client, 2))
            await person.text("three")
            await person.turn(3)

    assert old.outbox.bodies == ["old: one", "new: hello", "old: two", "new: three"]


async def _is(person: Conversation, client: Client, count: int) -> bool:
    return await runs(person.bench.client, person) == count


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"messaging_deployment": "shop"}, "MESSAGING_BUILD_ID"),
        ({"messaging_build_id": "1"}, "MESSAGING_DEPLOYMENT"),
        ({"messaging_deployment": "a.shop", "messaging_build_id": "1"}, "MESSAGING_DEPLOYMENT"),
    ],
)
def test_half_a_deployment_is_refused(given: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        configuration.load(**given)
