"""The REST API under requests made from its own OpenAPI document, right ones and wrong ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from api.app import create_app
from runtime import access
from runtime import settings as configuration
from tests.integration.harness import Bench, bench_for
from tests.integration.test_api import PUBLIC, api
from tests.support.ports import free_port
from tests.support.twilio import ACCOUNT, TOKEN

KNOWN = configuration.load(
    twilio_account_sid=ACCOUNT, twilio_auth_token=TOKEN, public_url=PUBLIC, messaging_id_key="a key for the tests only"
)
SCHEMA = schemathesis.openapi.from_dict(create_app(KNOWN).openapi(), config=SchemathesisConfig())
# The webhook routes take what is signed only; they have tests of their own.
OPERATIONS = {
    found.ok().label: found.ok() for found in SCHEMA.get_all_operations() if not found.ok().path.startswith("/webhooks")
}
# What no example can know: that one of three fields must say something, the token of a question, the test's provider.
REACHED = {
    "POST /codec/decode": {404},
    "POST /codec/encode": {404},
    "POST /v1/conversations": {422},
    "POST /v1/conversations/{conversation_id}/messages": {422},
    "POST /v1/conversations/{conversation_id}/approve": {404},
    "POST /v1/conversations/{conversation_id}/decline": {404},
    "POST /v1/conversations/{conversation_id}/participants": {422},
    "POST /v1/conversations/{conversation_id}/turns/{turn}/retry": {404},
    "POST /v1/conversations/{conversation_id}/turns/{turn}/drop": {404},
    "GET /v1/conversations/{conversation_id}/participants": {200, 422},
    "DELETE /v1/conversations/{conversation_id}/participants/{participant_sid}": {422},
}
# What each operation needs to be heard at all.
BODIES: dict[str, dict[str, object]] = {
    "conversations": {"to": "+15550100000", "greeting": "hello"},
    "messages": {"body": "hello"},
    "takeover": {"assignee": "ana"},
    "assign": {"assignee": "ana"},
    "note": {"author": "ana", "text": "careful"},
    "approve": {"token": "t", "by": "ana"},
    "decline": {"token": "t", "by": "ana"},
    "participants": {"identity": "ana"},
    "retry": {"by": "ana"},
    "drop": {"by": "ana"},
}
# What needs no Temporal.
WITHOUT_TEMPORAL = {
    "POST /codec/decode": 404,
    "POST /codec/encode": 404,
    "GET /livez": 200,
    "GET /readyz": 200,
    "GET /metrics": 200,
}
EXAMPLES = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
load_all_checks()
CONFORMANCE = CHECKS.get_by_names(
    ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)


@dataclass(slots=True)
class Service:
    """The API with Temporal and a worker behind it, driven from outside of its loop."""

    runner: asyncio.Runner
    bench: Bench
    http: httpx.AsyncClient
    ids: dict[str, str] = field(default_factory=dict)
    answers: dict[str, list[tuple[Any, httpx.Response]]] = field(default_factory=dict)

    def conversation(self, label: str) -> str:
        """The id of one that has had a turn; each operation has its own."""
        if label not in self.ids:
            self.ids[label] = self.runner.run(self._conversation())
        return self.ids[label]

    def send(self, case: Any) -> httpx.Response:
        return self.runner.run(send(self.http, case))

    async def _conversation(self) -> str:
        person = self.bench.conversation()
        await person.text("hello")
        await person.turn(1)
        return person.id


async def send(http: httpx.AsyncClient, case: Any) -> httpx.Response:
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://127.0.0.1")).prepare()
    return await http.request(sent.method or "", sent.url or "", headers=dict(sent.headers), content=sent.body)


@pytest.fixture(scope="module")
def service(temporal_address: str) -> Iterator[Service]:
    async def enter(stack: AsyncExitStack) -> tuple[Bench, httpx.AsyncClient]:
        client = await Client.connect(temporal_address, data_converter=pydantic_data_converter)
        bench = await stack.enter_async_context(bench_for(client))
        # Whose token has a name need not give one, so that more of the examples are heard.
        token, entry = access.new("ana", access.Scope.ADMIN)
        http = await stack.enter_async_context(api(temporal_task_queue=bench.queue, messaging_api_tokens=entry))
        http.headers["Authorization"] = f"Bearer {token}"
        return bench, http

    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as environment:
        environment.setenv("TEMPORAL_ADDRESS", temporal_address)
        stack = AsyncExitStack()
        bench, http = runner.run(enter(stack))
        yield Service(runner, bench, http)
        runner.run(stack.aclose())


def draw(service: Service, label: str) -> list[tuple[Any, httpx.Response]]:
    """Every example of an operation with its answer, once; half of them are about a conversation that is there."""
    if label in service.answers:
        return service.answers[label]
    found = service.answers[label] = []
    operation = OPERATIONS[label]
    modes = [GenerationMode.POSITIVE]
    if operation.body or operation.query or operation.path_parameters:
        modes.append(GenerationMode.NEGATIVE)

    @EXAMPLES
    @given(st.one_of([operation.as_strategy(mode) for mode in modes]), st.booleans())
    def run(case: Any, known: bool) -> None:
        if known and case.path_parameters:
            case.path_parameters["conversation_id"] = service.conversation(label)
        found.append((case, service.send(case)))

    run()
    return found


def check(answer: httpx.Response) -> None:
    assert answer.status_code != 500, (answer.request.url, answer.text)
    assert answer.status_code < 500 or answer.status_code == 503, (answer.request.url, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["code"]
        assert problem["detail"]


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_request_is_a_500_and_every_refusal_is_a_problem(service: Service, label: str) -> None:
    seen: set[int] = set()
    for _, answer in draw(service, label):
        check(answer)
        seen.add(answer.status_code)
    assert seen & REACHED.get(label, {200, 201}), f"only {seen}: the examples reached nothing"


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_in_the_document(service: Service, label: str) -> None:
    undocumented = {
        answer.status_code
        for _, answer in draw(service, label)
        if answer.status_code < 500 and str(answer.status_code) not in OPERATIONS[label].definition.raw["responses"]
    }
    assert undocumented == set()


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_is_in_the_document_is_what_comes(service: Service, label: str) -> None:
    for case, answer in draw(service, label):
        if answer.status_code == 200:
            case.validate_response(answer, checks=CONFORMANCE)


# What no schema rules out: ids and cursors are strings.
ODD_REQUESTS = [
    *(
        f"/v1/conversations/{odd}"
        for odd in ("x" * 1_001, "x" * 60_000, "%00", "%FF", "a%2Fb", "%F0%9F%99%82", "..%2f")
    ),
    *(f"/v1/conversations?cursor={odd}" for odd in ("AAAA", "%C3%A9", "", "====", "A", "%00", "A" * 8_000, "e30=")),
    *("/v1/conversations?limit=1e2", "/v1/conversations?limit=" + "9" * 5_000, "/v1/conversations?limit=%D9%A3"),
]


@pytest.mark.parametrize("path", ODD_REQUESTS, ids=range(len(ODD_REQUESTS)))
def test_odd_ids_and_cursors_are_no_500(service: Service, path: str) -> None:
    check(service.runner.run(service.http.get(path)))


ODD_BODIES = [b"", b"\xff", b"[" * 20_000, b'{"assignee": "\\ud800"}', b'{"assignee": "\\u0000"}', b'{"assignee": NaN}']


@pytest.mark.parametrize("body", ODD_BODIES, ids=range(len(ODD_BODIES)))
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/json; charset=utf-16", ""])
def test_odd_bodies_are_no_500(service: Service, body: bytes, kind: str) -> None:
    path = f"/v1/conversations/{service.conversation('odd bodies')}/takeover"
    check(service.runner.run(service.http.post(path, content=body, headers={"content-type": kind})))


def test_without_temporal_everything_that_needs_it_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")

    async def ask(call: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]) -> int:
        async with api() as http:
            return (await call(http)).status_code

    def request(label: str) -> Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]:
        method, _, path = label.partition(" ")
        body = BODIES.get(path.rpartition("/")[2]) if method == "POST" else None
        known = path.format(conversation_id="twilio-CH1", participant_sid="MB1", turn=1)
        return lambda http: http.request(method, known, json=body)

    async def all_of_them() -> dict[str, int]:
        statuses = await asyncio.gather(*(ask(request(label)) for label in OPERATIONS))
        return dict(zip(OPERATIONS, statuses, strict=True))

    assert asyncio.run(all_of_them()) == {label: WITHOUT_TEMPORAL.get(label, 503) for label in OPERATIONS}
