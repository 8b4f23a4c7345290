"""The API as Twilio and operators see it, with Temporal behind it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import httpx
import pytest
from temporalio.client import Client
from twilio.request_validator import RequestValidator

from api.app import create_app
from api.limits import FORM as MAX_BODY
from runtime import settings as configuration
from tests.integration.harness import Bench
from tests.support.ports import eventually
from tests.support.twilio import ACCOUNT, OURS, TOKEN, Twilio

PUBLIC = "https://example.org"


@asynccontextmanager
async def api(**overrides: object) -> AsyncIterator[httpx.AsyncClient]:
    """The application, and a client to it. Its spool is its own unless one is given."""
    with TemporaryDirectory() as folder:
        async with _api({"messaging_spool": Path(folder), **overrides}) as http:
            yield http


@asynccontextmanager
async def _api(overrides: Mapping[str, object]) -> AsyncIterator[httpx.AsyncClient]:
    settings = configuration.load(
        **{
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "public_url": PUBLIC,
            "messaging_id_key": "a key that is only for the tests",
            **overrides,
        }
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            yield http


@pytest.fixture
async def http(
    bench: Bench, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    async with api(temporal_task_queue=bench.queue) as http:
        yield http


@pytest.fixture
def twilio(http: httpx.AsyncClient) -> Twilio:
    return Twilio(http, PUBLIC)


def someone() -> str:
    """A number of one's own, from the range that is reserved for fiction."""
    return f"+1555010{uuid.uuid4().int % 10_000:04}{uuid.uuid4().int % 100:02}"


async def conversations(http: httpx.AsyncClient) -> list[dict[str, str]]:
    items: list[dict[str, str]] = (await http.get("/v1/conversations", params={"limit": 200})).json()["items"]
    return items


async def test_a_signed_text_is_acknowledged_empty_and_starts_a_conversation(
    http: httpx.AsyncClient, twilio: Twilio, bench: Bench
) -> None:
    sender = someone()
    answer = await twilio.text("hello", sid=f"SM{uuid.uuid4().hex}", From=sender)

    assert (answer.status_code, answer.text) == (200, "<Response/>")
    assert answer.headers["content-type"].startswith("text/xml")
    await eventually(lambda: _is_true(bench.agent.turns))
    turn = bench.agent.turns[0]
    assert (turn.text, turn.channel) == ("hello", "sms")
    assert sender[1:] not in turn.conversation_id + turn.contact_id

    # The conversation cannot be answered by the test's outbox: it came by Twilio. It is still there to be read.
    conversation = (await http.get(f"/v1/conversations/{turn.conversation_id}")).json()
    assert conversation["workflow_id"] == turn.conversation_id
    assert conversation["state"] == "active"
    messages = (await http.get(f"/v1/conversations/{turn.conversation_id}/messages")).json()["items"]
    assert (messages[0]["direction"], messages[0]["body"], messages[0]["turn"]) == ("inbound", "hello", 1)
    page = await eventually(lambda: http.get("/console"))
    assert page.status_code == 200


async def test_a_webhook_that_is_set_to_get_is_taken_too(http: httpx.AsyncClient, bench: Bench) -> None:
    form = {
        "AccountSid": ACCOUNT,
        "MessageSid": f"SM{uuid.uuid4().hex}",
        "From": someone(),
        "To": OURS,
        "Body": "by get",
    }
    target = f"/webhooks/twilio/messages?{urlencode(form)}"
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC + target, {})
    answer = await http.get(target, headers={"X-Twilio-Signature": signature})
    forged = await http.get(target + "+else", headers={"X-Twilio-Signature": signature})

    assert (answer.status_code, forged.status_code) == (200, 403)
    await eventually(lambda: _is_true(bench.agent.turns))
    assert [turn.text for turn in bench.agent.turns] == ["by get"]


async def _is_true(value: object) -> bool:
    return bool(value)


async def test_the_same_webhook_twenty_times_at_once_is_one_turn(twilio: Twilio, bench: Bench) -> None:
    sid, sender = f"SM{uuid.uuid4().hex}", someone()
    answers = await asyncio.gather(*(twilio.text("hello", sid=sid, From=sender) for _ in range(20)))
    last = await twilio.text("bye", sid=f"SM{uuid.uuid4().hex}", From=sender)
    await eventually(lambda: _is_true(bench.agent.turns and "bye" in bench.agent.turns[-1].text))

    assert {answer.status_code for answer in [*answers, last]} == {200}
    assert [turn.text for turn in bench.agent.turns] in (["hello", "bye"], ["hello", "hello\nbye"])


async def test_a_conversations_event_is_answered_and_our_own_echo_is_not(
    http: httpx.AsyncClient, twilio: Twilio, bench: Bench
) -> None:
    sid = f"CH{uuid.uuid4().hex}"

    def event(author: str, source: str) -> dict[str, str]:
        return {
            "EventType": "onMessageAdded",
            "AccountSid": ACCOUNT,
            "ConversationSid": sid,
            "MessageSid": f"IM{uuid.uuid4().hex}",
            "ParticipantSid": f"MB{uuid.uuid4().hex}",
            "Author": author,
            "Source": source,
            "Body": f"from {source}",
            "Attributes": "{}",
            "Index": "0",
            "DateCreated": "2026-11-23T12:00:00.000Z",
        }

    path = "/webhooks/twilio/conversations"
    echo = await twilio.post(path, event("agent", "API"))
    genuine = await twilio.post(path, event(someone(), "SMS"))
    await eventually(lambda: _is_true(bench.agent.turns))

    assert (echo.status_code, genuine.status_code, genuine.text) == (200, 200, "")
    assert [(turn.text, turn.conversation_id) for turn in bench.agent.turns] == [("from SMS", f"twilio-{sid}")]
    assert (await http.get(f"/v1/conversations/twilio-{sid}")).json()["provider_sid"] == sid


async def test_a_wrong_signature_is_403_and_no_workflow(http: httpx.AsyncClient, twilio: Twilio, bench: Bench) -> None:
    await twilio.text("hello", sid=f"SM{uuid.uuid4().hex}", From=someone())
    await eventually(lambda: _is_true(bench.agent.turns))
    before = len(await eventually(lambda: conversations(http)))
    form = {**twilio.last, "From": someone(), "MessageSid": f"SM{uuid.uuid4().hex}"}

    for signature in (b"AAAA", b"", "ünï".encode(), twilio.sign("/webhooks/twilio/status", form).encode()):
        answer = await http.post("/webhooks/twilio/messages", data=form, headers={b"X-Twilio-Signature": signature})
        assert answer.status_code == 403, signature
        assert answer.json()["code"] == "invalid_signature"
    missing = await http.post("/webhooks/twilio/messages", data=form)

    assert missing.status_code == 403
    assert len(await conversations(http)) == before
    assert len(bench.agent.turns) == 1


@pytest.mark.parametrize("field", ["From", "To", "MessageSid", "AccountSid"])
async def test_a_form_without_a_field_that_is_needed_is_400_and_names_it(twilio: Twilio, field: str) -> None:
    answer = await twilio.text("hello", **{field: None})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in answer.json()["detail"]


async def test_hostile_bodies_are_refused(http: httpx.AsyncClient, twilio: Twilio) -> None:
    path = "/webhooks/twilio/messages"
    large = await http.post(path, content=b"x" * (MAX_BODY + 1))
    assert large.status_code == 413
    for changes in ({"NumMedia": "1000000000"}, {"NumMedia": "x"}, {"Body": "a\x00b"}):
        answer = await twilio.text("hello", **changes)  # type: ignore[arg-type]
        assert answer.status_code == 400, changes
    many = await twilio.post(path, {f"f{n}": "" for n in range(2_000)})
    assert many.status_code == 400


async def test_a_tampered_body_is_refused(twilio: Twilio) -> None:
    await twilio.text("hello", From=someone())
    signature = twilio.sign("/webhooks/twilio/messages", twilio.last)

    answer = await twilio.post("/webhooks/twilio/messages", {**twilio.last, "Body": "pay me"}, signature=signature)

    assert answer.status_code == 403


async def test_a_status_callback_of_nobody_is_taken_and_starts_nothing(twilio: Twilio) -> None:
    form = {
        "MessageSid": f"SM{uuid.uuid4().hex}",
        "MessageStatus": "delivered",
        "AccountSid": ACCOUNT,
        "From": OURS,
        "To": someone(),
    }
    answer = await twilio.post("/webhooks/twilio/status?key=abc", form)

    assert (answer.status_code, answer.text) == (200, "")


async def test_a_token_is_needed_where_tokens_are_configured(
    temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    async with api(messaging_api_tokens="first,second") as http:
        for path in ("/v1/conversations", "/console", "/metrics"):
            assert (await http.get(path)).status_code == 401
            assert (await http.get(path, headers={"Authorization": "Bearer nope"})).status_code == 401
            assert (await http.get(path, headers={"Authorization": "Bearer second"})).status_code == 200
        assert (await http.get("/livez")).status_code == 200


async def test_unknown_conversations_and_wrong_queries_are_problems(http: httpx.AsyncClient) -> None:
    missing = await http.get("/v1/conversations/nobody")
    wrong = await http.get("/v1/conversations", params={"limit": 0})
    cursor = await http.get("/v1/conversations", params={"cursor": "?"})

    assert (missing.status_code, missing.json()["code"]) == (404, "conversation_not_found")
    assert wrong.status_code == 422
    assert "limit" in wrong.json()["detail"]
    assert cursor.status_code == 422


async def test_takeover_release_and_close(http: httpx.AsyncClient, bench: Bench, client: Client) -> None:
    person = bench.conversation()
    await person.text("hello")
    await person.turn(1)
    path = f"/v1/conversations/{person.id}"

    taken = await http.post(f"{path}/takeover", json={"assignee": "ana"})
    refused = await http.post(f"{path}/takeover", json={"assignee": "bo"})
    released = await http.post(f"{path}/release")
    closed = await http.post(f"{path}/close")

    assert taken.json()["assignee"] == "ana"
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert released.json()["assignee"] is None
    assert closed.status_code == 200
    await eventually(lambda: _is_closed(http, path))
    late = await http.post(f"{path}/takeover", json={"assignee": "ana"})
    again = await http.post(f"{path}/close")
    assert (late.status_code, late.json()["code"]) == (409, "conversation_closed")
    assert again.status_code == 200
    assert (await http.post("/v1/conversations/nobody/release")).status_code == 404


async def _is_closed(http: httpx.AsyncClient, path: str) -> bool:
    return bool((await http.get(path)).json()["state"] == "closed")


async def test_the_openapi_document_describes_every_route(http: httpx.AsyncClient) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]

    assert {"/webhooks/twilio/messages", "/webhooks/twilio/status", "/webhooks/twilio/conversations"} <= paths.keys()
    assert {"/v1/conversations", "/v1/conversations/{conversation_id}/messages", "/livez", "/readyz"} <= paths.keys()
