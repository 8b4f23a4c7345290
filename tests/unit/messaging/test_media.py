"""Fetching what people attach: from whom, with what, how much, and what becomes of a refusal."""

from __future__ import annotations

import base64
from dataclasses import replace

import httpx
import pytest
import structlog

from messaging import errors
from messaging.instrumented import InstrumentedBackend
from messaging.model import Media
from messaging.providers.twilio.conversations import ConversationsBackend
from messaging.providers.twilio.media import MAX_BYTES, MEDIA_SERVICE
from messaging.providers.twilio.programmable import MessagingBackend
from messaging.providers.twilio.transport import ORIGINAL_HOST, Transport
from messaging.testing import ScriptedBackend
from messaging.testing.scripted import CAPABILITIES
from tests.unit.messaging import wire

URL = f"https://api.twilio.com/2010-04-01/Accounts/{wire.ACCOUNT}/Messages/{wire.sid('MM')}/Media/{wire.sid('ME')}"
STORED = "https://mms.twiliocdn.com/a/b?Signature=s"
PICTURE = b"\x89PNG and so on"
CREDENTIALS = "Basic " + base64.b64encode(f"{wire.ACCOUNT}:{wire.TOKEN}".encode()).decode()


class Storage:
    """Answers by URL; keeps what it was asked."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    async def __call__(self, request):
        self.asked.append(request)
        return self.answers[str(request.url)]

    @property
    def trail(self):
        return [(str(request.url), request.headers.get("Authorization")) for request in self.asked]


async def fetch(answers, media, kind=MessagingBackend, **options):
    storage = Storage(answers)

    def transport(**given):
        return Transport(**given, transport=httpx.MockTransport(storage))

    backend = kind(wire.config(**options), open_transport=transport)
    await backend.start(verify=False)
    try:
        return await backend.fetch_media(media), storage
    finally:
        await backend.stop()
        fetch.asked = storage.asked


def picture(**headers):
    return httpx.Response(200, stream=httpx.ByteStream(PICTURE), headers={"Content-Type": "image/png", **headers})


def redirect(to):
    return httpx.Response(307, headers={"Location": to})


async def test_credentials_go_to_the_provider_and_not_on_to_its_storage():
    content, storage = await fetch({URL: redirect(STORED), STORED: picture()}, Media(url=URL, filename="a.png"))
    assert (content.data, content.content_type, content.filename) == (PICTURE, "image/png", "a.png")
    assert storage.trail == [(URL, CREDENTIALS), (STORED, None)]


async def test_credentials_stay_on_the_same_host():
    content, storage = await fetch({URL: redirect(URL + "/1"), URL + "/1": picture()}, Media(url=URL))
    assert content.data == PICTURE
    assert storage.trail == [(URL, CREDENTIALS), (URL + "/1", CREDENTIALS)]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not a url",
        "https://example.com/1.png",
        "https://api.twilio.com.example.com/1.png",
        "http://api.twilio.com/1.png",
        "https://user:secret@api.twilio.com/1.png",
        "https://127.0.0.1/1.png",
        "https://[::1/1.png",
        "file:///etc/hosts",
    ],
)
async def test_what_is_not_the_providers_is_not_asked_for(url):
    with pytest.raises(errors.InvalidInput, match="url"):
        await fetch({}, Media(url=url))
    assert not fetch.asked


@pytest.mark.parametrize(
    "target",
    [
        "http://mms.twiliocdn.com/a",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://mms.twiliocdn.com:8443/a",
        "https://user@mms.twiliocdn.com/a",
        "https://mms.twiliocdn.com.example.com/a",
        "https://example.com/a",
    ],
)
async def test_a_redirect_elsewhere_is_not_followed(target):
    with pytest.raises(errors.NetworkError) as refused:
        await fetch({URL: redirect(target)}, Media(url=URL))
    assert len(fetch.asked) == 1
    assert (refused.value.retryable, refused.value.ambiguous) == (False, False)


async def test_redirects_end():
    with pytest.raises(errors.NetworkError, match="redirects"):
        await fetch({URL: redirect(URL)}, Media(url=URL))
    assert len(fetch.asked) == 4


class Long(httpx.AsyncByteStream):
    """Four times the bound; counts what was taken of it."""

    def __init__(self):
        self.given = 0

    async def __aiter__(self):
        while self.given < 4 * MAX_BYTES:
            self.given += 1024 * 1024
            yield bytes(1024 * 1024)


async def test_no_more_is_read_than_the_bound():
    stream = Long()
    with pytest.raises(errors.InvalidInput, match="larger than 16 MB"):
        await fetch({URL: httpx.Response(200, stream=stream)}, Media(url=URL))
    assert stream.given <= MAX_BYTES + 1024 * 1024


async def test_what_says_that_it_is_too_large_is_not_read():
    stream = Long()
    answer = httpx.Response(200, stream=stream, headers={"Content-Length": str(MAX_BYTES + 1)})
    with pytest.raises(errors.InvalidInput, match="larger"):
        await fetch({URL: answer}, Media(url=URL))
    assert stream.given == 0
    with pytest.raises(errors.InvalidInput, match="larger"):
        await fetch({}, Media(url=URL, size=MAX_BYTES + 1))
    assert not fetch.asked


async def test_what_fills_the_bound_is_taken():
    content, _ = await fetch({URL: httpx.Response(200, stream=httpx.ByteStream(bytes(MAX_BYTES)))}, Media(url=URL))
    assert len(content.data) == MAX_BYTES


async def test_packed_content_is_refused_and_never_asked_for():
    with pytest.raises(errors.NetworkError, match="packed"):
        await fetch({URL: picture(**{"Content-Encoding": "gzip"})}, Media(url=URL))
    assert fetch.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("served", "declared", "expected"),
    [
        ("image/PNG; charset=binary", "image/png", "image/png"),
        ("", "image/jpeg", "image/jpeg"),
        ("application/octet-stream", "audio/ogg; codecs=opus", "audio/ogg"),
        ("audio/ogg", "application/ogg", "audio/ogg"),
        ("no type", "image/png", "application/octet-stream"),
        ("", "", "application/octet-stream"),
        ("text/html", "text/html", "text/html"),
    ],
)
async def test_the_type_is_what_is_served_or_else_what_was_declared(served, declared, expected):
    content, _ = await fetch({URL: picture(**{"Content-Type": served})}, Media(url=URL, content_type=declared))
    assert content.content_type == expected


async def test_a_page_is_no_picture():
    with pytest.raises(errors.InvalidInput, match="page"):
        await fetch(
            {URL: picture(**{"Content-Type": "text/html; charset=utf-8"})}, Media(url=URL, content_type="image/png")
        )


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (401, errors.AuthenticationError, False),
        (403, errors.AuthorizationError, False),
        (404, errors.NotFound, True),
        (429, errors.RateLimit, True),
        (500, errors.NetworkError, True),
    ],
)
async def test_a_refusal_of_the_provider_is_classified(status, kind, retryable):
    with pytest.raises(kind) as refused:
        await fetch({URL: httpx.Response(status)}, Media(url=URL))
    assert (type(refused.value), refused.value.retryable, refused.value.ambiguous) == (kind, retryable, False)
    assert (refused.value.op, refused.value.provider) == ("fetch_media", "twilio_messaging")


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_what_the_storage_no_longer_gives_may_be_asked_for_again(status):
    with pytest.raises(errors.NotFound) as gone:
        await fetch({URL: redirect(STORED), STORED: httpx.Response(status)}, Media(url=URL))
    assert gone.value.retryable


async def test_a_connection_that_breaks_off_is_retryable():
    class Broken(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield PICTURE
            raise httpx.ReadError("gone")

    with pytest.raises(errors.NetworkError) as lost:
        await fetch({URL: httpx.Response(200, stream=Broken())}, Media(url=URL))
    assert (lost.value.retryable, lost.value.ambiguous) == (True, False)


async def test_a_base_url_takes_the_call():
    base = "http://127.0.0.1:9999"
    asked = URL.replace("https://api.twilio.com", base)
    content, storage = await fetch(
        {asked: redirect(f"{base}/x"), f"{base}/x": picture()}, Media(url=URL), base_url=base
    )
    assert content.data == PICTURE
    assert storage.asked[0].headers[ORIGINAL_HOST] == "api.twilio.com"


async def test_media_of_a_conversation_are_located_by_their_sid():
    service, me = wire.sid("IS"), wire.sid("ME")
    signed = f"https://media.us1.twilio.com/{me}?Expires=1"
    answers = {
        "https://conversations.twilio.com/v1/Configuration": httpx.Response(
            200, json={"default_chat_service_sid": service}
        ),
        f"{MEDIA_SERVICE}/{service}/Media/{me}": httpx.Response(
            200, json={"sid": me, "links": {"content_direct_temporary": signed}}
        ),
        signed: picture(),
    }
    content, storage = await fetch(answers, Media(sid=me, content_type="image/png"), ConversationsBackend)
    assert content.data == PICTURE
    assert storage.trail[-1] == (signed, None)
    assert {auth for _, auth in storage.trail[:-1]} == {CREDENTIALS}


@pytest.mark.parametrize("media", [Media(), Media(sid="../../x")])
async def test_media_that_cannot_be_located_are_not_asked_for(media):
    with pytest.raises((errors.InvalidInput, errors.NotFound)):
        await fetch({}, media, ConversationsBackend)
    assert not fetch.asked


async def test_a_signed_url_elsewhere_is_not_followed():
    service, me = wire.sid("IS"), wire.sid("ME")
    answers = {
        "https://conversations.twilio.com/v1/Configuration": httpx.Response(
            200, json={"default_chat_service_sid": service}
        ),
        f"{MEDIA_SERVICE}/{service}/Media/{me}": httpx.Response(
            200, json={"links": {"content_direct_temporary": "https://example.com/x"}}
        ),
    }
    with pytest.raises(errors.NetworkError):
        await fetch(answers, Media(sid=me), ConversationsBackend)


async def test_a_fetch_is_observed_like_every_operation_and_changes_nothing():
    scripted = ScriptedBackend()
    media = scripted.attach(PICTURE, "image/png")
    with structlog.testing.capture_logs() as logs:
        async with InstrumentedBackend(scripted) as backend:
            assert (await backend.fetch_media(media)).data == PICTURE
            with pytest.raises(errors.NotFound):
                await backend.fetch_media(Media(url=media.url + "0"))
    told = [(log["event"], log.get("error_code")) for log in logs if log["operation"] == "fetch_media"]
    assert told == [("messaging.operation", None), ("messaging.operation_failed", "not_found")]
    assert media.url not in repr(logs)


async def test_a_provider_without_media_says_so():
    async with ScriptedBackend(capabilities=replace(CAPABILITIES, inbound_media=False)) as backend:
        with pytest.raises(errors.UnsupportedProvider):
            await backend.fetch_media(Media(url=URL))
