"""The HTTP client under the SDK: what it sends, and what it makes of what comes back."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from messaging import errors
from messaging.providers.twilio.transport import ORIGINAL_HOST, Transport

URL = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"


def answering(answer, *, base_url=None, timeout=2.0):
    """A transport whose far end is `answer`, and what it was sent."""
    sent: list[httpx.Request] = []

    async def far_end(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if isinstance(answer, BaseException):
            raise answer
        return await answer(request) if callable(answer) else answer

    return Transport(timeout=timeout, base_url=base_url, transport=httpx.MockTransport(far_end)), sent


async def ask(answer, method="POST", **options):
    transport, _ = answering(answer, **options)
    try:
        return await transport.request(method, URL, data={"To": "+1"}, auth=("AC1", "secret"))
    finally:
        await transport.close()


BEFORE = [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x"), httpx.ProxyError("x")]
AFTER = [
    httpx.ReadTimeout("x"),
    httpx.ReadError("x"),
    httpx.WriteError("x"),
    httpx.WriteTimeout("x"),
    httpx.RemoteProtocolError("x"),
    httpx.CloseError("x"),
]


@pytest.mark.parametrize("failure", BEFORE, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_what_was_never_written_can_be_repeated(failure, method):
    with pytest.raises(errors.NetworkError) as lost:
        await ask(failure, method)
    assert (lost.value.retryable, lost.value.ambiguous) == (True, False)
    assert isinstance(lost.value, errors.Timeout) == isinstance(failure, httpx.TimeoutException)


@pytest.mark.parametrize("failure", AFTER, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize(("method", "ambiguous"), [("GET", False), ("POST", True), ("DELETE", False)])
async def test_what_may_have_been_written_is_ambiguous_if_it_writes(failure, method, ambiguous):
    with pytest.raises(errors.NetworkError) as lost:
        await ask(failure, method)
    assert (lost.value.retryable, lost.value.ambiguous) == (not ambiguous, ambiguous)


async def test_the_whole_answer_must_come_in_time():
    async def never(_request):
        await asyncio.sleep(60)

    with pytest.raises(errors.Timeout) as late:
        await ask(never, timeout=0.05)
    assert late.value.ambiguous


@pytest.mark.parametrize(
    ("status", "content", "kind", "retryable", "ambiguous"),
    [
        (429, {"code": 20429}, errors.RateLimit, True, False),
        (429, "<html>", errors.RateLimit, True, False),
        (500, {"code": 20500}, errors.NetworkError, False, True),
        (500, {"code": 21610}, errors.NetworkError, False, True),
        (503, "<html>", errors.NetworkError, False, True),
        (504, "", errors.NetworkError, False, True),
        (400, {"code": 21610}, errors.RecipientBlocked, False, False),
        (400, {"code": "21211"}, errors.InvalidMessage, False, False),
        (400, {"code": 99999}, errors.InvalidInput, False, False),
        (400, "[]", errors.InvalidInput, False, False),
        (401, {"code": 20003}, errors.AuthenticationError, False, False),
        (401, "", errors.AuthenticationError, False, False),
        (403, "", errors.AuthorizationError, False, False),
        (404, {"code": 20404}, errors.NotFound, False, False),
        (302, "", errors.InvalidInput, False, False),
        (400, {"type": "t", "title": "t", "status": 400, "code": 63016}, errors.WindowClosed, False, False),
    ],
)
async def test_a_refusal_is_classified_by_code_then_status(status, content, kind, retryable, ambiguous):
    text = content if isinstance(content, str) else json.dumps(content | {"message": "to +15550100999"})
    with pytest.raises(kind) as refused:
        await ask(httpx.Response(status, text=text))
    assert type(refused.value) is kind
    assert (refused.value.retryable, refused.value.ambiguous) == (retryable, ambiguous)
    assert refused.value.status == status
    assert "+1555" not in str(refused.value)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_failing_server_that_was_only_read_can_be_asked_again(method):
    with pytest.raises(errors.NetworkError) as refused:
        await ask(httpx.Response(500), method)
    assert (refused.value.retryable, refused.value.ambiguous) == (True, False)


@pytest.mark.parametrize(
    ("value", "seconds"), [("3", 3), ("0.5", 0.5), ("99999999", 3600), ("soon", None), ("-1", None)]
)
async def test_headers_of_a_refusal_are_kept(value, seconds):
    request_id = "RQ" + "a" * 32
    headers = {"Retry-After": value, "Twilio-Request-Id": request_id}
    with pytest.raises(errors.RateLimit, match=request_id) as limited:
        await ask(httpx.Response(429, headers=headers))
    assert limited.value.retry_after == seconds


async def test_a_success_that_cannot_be_read_has_happened():
    with pytest.raises(errors.NetworkError) as unread:
        await ask(httpx.Response(201, text="<html>"))
    assert unread.value.ambiguous
    assert (await ask(httpx.Response(204), "DELETE")).status_code == 204


async def test_forms_repeat_names_and_json_is_json():
    transport, sent = answering(httpx.Response(200, json={}))
    await transport.request("POST", URL, data={"MediaUrl": ["https://a/1", "https://a/2"], "Timers.Closed": "PT600S"})
    await transport.request("POST", URL, data={"a": {"b": 1}}, headers={"Content-Type": "application/json"})
    await transport.close()
    assert sent[0].content == b"MediaUrl=https%3A%2F%2Fa%2F1&MediaUrl=https%3A%2F%2Fa%2F2&Timers.Closed=PT600S"
    assert sent[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert json.loads(sent[1].content) == {"a": {"b": 1}}


async def test_logs_hold_no_query(caplog):
    caplog.set_level("DEBUG")
    transport, _ = answering(httpx.Response(200, json={}))
    await transport.request("GET", URL, params={"To": "+15550100999"})
    await transport.close()
    assert "Messages.json" in caplog.text
    assert "5550100999" not in caplog.text


async def test_a_base_url_takes_every_call_and_tells_the_host_meant():
    transport, sent = answering(httpx.Response(200, json={}), base_url="http://127.0.0.1:4010/twilio")
    await transport.request("GET", "https://conversations.twilio.com/v1/Conversations?PageSize=2&Page=1", params={})
    await transport.request("GET", "http://127.0.0.1:4010/v1/Conversations?Page=2")
    await transport.close()
    assert str(sent[0].url) == "http://127.0.0.1:4010/twilio/v1/Conversations?PageSize=2&Page=1"
    assert sent[0].headers[ORIGINAL_HOST] == "conversations.twilio.com"
    assert str(sent[1].url) == "http://127.0.0.1:4010/v1/Conversations?Page=2"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "http://api.twilio.com/x",
        "https://api.twilio.com.evil.example/x",
        "https://eviltwilio.com/",
    ],
)
async def test_credentials_go_to_the_provider_only(url):
    transport, sent = answering(httpx.Response(200, json={}))
    with pytest.raises(errors.InternalError):
        await transport.request("GET", url, auth=("AC1", "secret"))
    await transport.close()
    assert sent == []


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_larger_than_any_genuine_one_is_not_read_on(packed):
    body = b'"' + b"x" * (17 * 1024 * 1024) + b'"'
    headers = {"Content-Encoding": "gzip"} if packed else {}
    with pytest.raises(errors.NetworkError, match="larger than") as lost:
        await ask(httpx.Response(200, content=gzip.compress(body) if packed else body, headers=headers))
    assert lost.value.ambiguous


async def test_a_retry_after_may_be_a_date():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    with pytest.raises(errors.RateLimit) as limited:
        await ask(httpx.Response(429, json={}, headers={"Retry-After": later}))
    assert 60 < limited.value.retry_after <= 90
