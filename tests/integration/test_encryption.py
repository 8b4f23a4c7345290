"""With keys set, the real server holds nothing that can be read, and everything works as without."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google.protobuf import json_format
from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client

from agents.turn import Draft, Turn
from runtime import access, replaying, temporal
from runtime.access import Scope
from runtime.account import explain
from runtime.codec import Sealing
from runtime.directory import Directory
from tests.integration.harness import Bench, Conversation, bench_for
from tests.integration.test_api import api
from tests.support.server import temporal_server
from workflows.contracts import NewNote

OLD, NEW = secrets.token_hex(32), secrets.token_hex(32)
SAID = "my-secret-order-4711"
ANSWERED = "an-answer-for-nobody-else"
# What our failures say in a history that is not encrypted.
FAILED = "did not classify"
NOTED = "a-regular-of-ours"
UI = "http://127.0.0.1:8233"


@pytest.fixture(scope="module")
def temporal_address() -> Iterator[str]:
    """One of its own: what looks at all conversations of the shared one has no keys."""
    with temporal_server() as address:
        yield address


async def reply(turn: Turn) -> Draft:
    return Draft(text=f"{ANSWERED}: {turn.text}")


async def refuse(_: Turn) -> Draft:
    raise RuntimeError


@asynccontextmanager
async def bench_with(address: str, *keys: str) -> AsyncIterator[Bench]:
    """A worker that has these keys, and nothing else of this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESSAGING_CODEC_KEYS", ",".join(keys))
        client = await Client.connect(address, data_converter=temporal.data_converter())
        async with bench_for(client) as bench:
            bench.agent.reply_with = reply
            yield bench


async def talk(bench: Bench, person: Conversation, turn: int) -> None:
    await person.text(f"{SAID} for the {turn}. time")
    assert (await person.turn(turn)).outcome.value == "answered"


async def fail(bench: Bench, person: Conversation, turn: int) -> None:
    bench.agent.reply_with = refuse
    await person.text(SAID)
    assert (await person.turn(turn, within=60)).outcome.value == "parked"


async def kept_of(client: Client, workflow_id: str) -> bytes:
    """Every byte that the server keeps of the latest run."""
    request = GetWorkflowExecutionHistoryRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
    )
    found = await client.workflow_service.get_workflow_execution_history(request)
    described = await client.get_workflow_handle(workflow_id).describe()
    return found.SerializeToString() + described.raw_description.SerializeToString()


async def test_nothing_that_anybody_said_stands_in_a_history(temporal_address: str) -> None:
    async with bench_with(temporal_address, NEW) as bench:
        person, directory = bench.conversation(), Directory(bench.client)
        await talk(bench, person, 1)
        await directory.note(person.id, NewNote(author="ana", text=NOTED))
        await fail(bench, person, 2)
        kept = await kept_of(bench.client, person.id)
        turns = await explain(directory.histories(person.id), (), await directory.turns(person.id))
        said = [message.body for message in await directory.messages(person.id)]
    async with bench_with(temporal_address) as plain:
        open_book = plain.conversation()
        await fail(plain, open_book, 1)
        readable = await kept_of(plain.client, open_book.id)

    for word in (SAID, ANSWERED, FAILED, NOTED):
        assert word.encode() not in kept, word
    assert all(word.encode() in readable for word in (SAID, FAILED)), "this test sees nothing at all"
    assert said[:2] == [f"{SAID} for the 1. time", f"{ANSWERED}: {SAID} for the 1. time"]
    assert ANSWERED in turns[0].drafts[0], "the turn is not explained"
    assert FAILED in turns[1].drafts[0]


@pytest.mark.parametrize("before", [(), (OLD,)], ids=["no key", "another key"])
async def test_keys_change_under_an_open_conversation(before: tuple[str, ...], temporal_address: str) -> None:
    async with bench_with(temporal_address, *before) as bench:
        person = bench.conversation()
        await talk(bench, person, 1)
    async with bench_with(temporal_address, NEW, *before) as after:
        after.queue = bench.queue
        async with after.worker():
            person.bench = after
            await talk(after, person, 2)
            history = await person.handle.fetch_history()
            assert len((await person.transcript()).messages) == 4
            assert (await replaying.replay(history)).is_clean


async def test_a_worker_without_the_key_loses_nothing(temporal_address: str) -> None:
    async with bench_with(temporal_address, NEW) as bench:
        person = bench.conversation()
        await talk(bench, person, 1)
        history = await person.handle.fetch_history()
    async with bench_with(temporal_address, OLD):
        found = await replaying.replay(history)
    assert not found.is_clean

    async with bench_with(temporal_address, NEW) as again:
        again.queue = bench.queue
        async with again.worker():
            person.bench = again
            await talk(again, person, 2)


def wire(payloads: Payloads) -> Mapping[str, Any]:
    """As Temporal UI posts them."""
    return json_format.MessageToDict(payloads)


async def encrypted(*texts: str) -> Payloads:
    return Payloads(payloads=await temporal.data_converter(Sealing.of([NEW])).encode(list(texts)))


async def test_the_codec_endpoint_decrypts_for_those_who_may_read(
    temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    given = {scope: access.new("ana", scope) for scope in Scope}
    tokens = ",".join(entry for _, entry in given.values())
    body = wire(await encrypted(SAID, NOTED))
    async with api(messaging_api_tokens=tokens, messaging_codec_keys=f"{NEW},{OLD}") as http:

        async def ask(what: str, scope: Scope | None) -> int:
            headers = {"Authorization": f"Bearer {given[scope][0]}"} if scope else {}
            return (await http.post(f"/codec/{what}", json=body, headers=headers)).status_code

        decoding = [await ask("decode", scope) for scope in (None, Scope.METRICS, Scope.READ)]
        encoding = [await ask("encode", scope) for scope in (None, Scope.READ, Scope.OPERATE)]
        reader = {"Authorization": f"Bearer {given[Scope.READ][0]}"}
        plain = (await http.post("/codec/decode", json=body, headers=reader)).json()
        writer = {"Authorization": f"Bearer {given[Scope.OPERATE][0]}"}
        sealed = (await http.post("/codec/encode", json=plain, headers=writer)).json()
        again = (await http.post("/codec/decode", json=sealed, headers=reader)).json()
        wrong = await http.post("/codec/decode", content=b'{"payloads": 7}', headers=reader)

    assert (decoding, encoding) == ([401, 403, 200], [401, 403, 200])
    found = json_format.ParseDict(plain, Payloads())
    assert await temporal.CONVERTER.decode(found.payloads, [str, str]) == [SAID, NOTED]
    assert sealed != plain
    assert again == plain
    assert wrong.status_code == 400


async def test_pages_of_temporal_ui_and_of_nothing_else_may_ask(
    temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    body = wire(await encrypted(SAID))
    token, entry = access.new("ana", Scope.READ)
    neighbour = {"Origin": UI, "Sec-Fetch-Site": "same-site", "X-Namespace": "default"}
    stranger = {**neighbour, "Origin": "http://127.0.0.1:4010"}
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace"}
    for tokens in ("", entry):
        async with api(messaging_api_tokens=tokens, messaging_codec_keys=NEW) as http:
            if tokens:
                form = {"Content-Type": "application/x-www-form-urlencoded"}
                await http.post(
                    "/console/login", content=f"token={token}", headers={"Origin": "http://127.0.0.1", **form}
                )
            before = await http.options("/codec/decode", headers={**neighbour, **asking})
            refused = await http.options("/codec/decode", headers={**stranger, **asking})
            shown = await http.post("/codec/decode", json=body, headers=neighbour)
            hidden = await http.post("/codec/decode", json=body, headers=stranger)
            elsewhere = await http.options("/v1/conversations", headers={**neighbour, **asking})

        assert (before.status_code, before.headers["access-control-allow-origin"]) == (200, UI)
        assert before.headers["access-control-allow-credentials"] == "true"
        assert (shown.status_code, shown.headers["access-control-allow-origin"]) == (200, UI)
        assert (refused.status_code, hidden.status_code) == (400, 403)
        assert all("access-control-allow-origin" not in one.headers for one in (refused, hidden, elsewhere))


async def test_without_keys_there_is_no_codec(temporal_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    async with api() as http:
        answer = await http.post("/codec/decode", json={"payloads": []})

    assert (answer.status_code, "MESSAGING_CODEC_KEYS" in answer.json()["detail"]) == (404, True)
