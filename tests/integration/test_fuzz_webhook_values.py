"""One nasty value, header or hang-up at a time on the webhook routes, and a Temporal that takes everything."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from fastapi import FastAPI
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from twilio.request_validator import RequestValidator

from api.app import create_app
from runtime import providers
from runtime import settings as configuration
from runtime.attachments import Attachments
from runtime.directory import Directory
from runtime.errands import Errands
from runtime.gateway import Gateway
from runtime.inbox import Inbox
from runtime.ingress import Ingress
from runtime.intake import Intake
from runtime.spool import Spool
from tests.support.twilio import ACCOUNT, OURS, THEIRS, TOKEN

PUBLIC = "https://example.org"
FORM = "application/x-www-form-urlencoded"
PATHS = tuple(f"/webhooks/twilio/{route}" for route in ("messages", "status", "conversations"))
# "From: missing", "MessagingBinding.Address: ...", "body: not valid UTF-8"
NAMES_A_FIELD = re.compile(r"([A-Za-z][\w.]*|a parameter): \S")

Pairs = Sequence[tuple[str, str]]
Headers = Sequence[tuple[bytes, bytes]]


class Taker:
    """A Temporal client that takes everything, if it can be written down; no conversation runs yet."""

    namespace = "default"

    def __init__(self) -> None:
        self.taken = 0

    def get_workflow_handle(self, workflow_id: str) -> Taker:
        workflow_id.encode()
        return self

    async def signal(self, _name: str, payload: Any, **_: Any) -> None:
        await self._take(payload)
        raise RPCError("no such workflow", RPCStatusCode.NOT_FOUND, b"")

    async def describe(self, **_: Any) -> None:
        raise RPCError("no such workflow", RPCStatusCode.NOT_FOUND, b"")

    async def start_workflow(self, _name: str, start: Any, **options: Any) -> None:
        options["id"].encode()
        await self._take(start, options["memo"], *options["start_signal_args"])

    async def _take(self, *values: Any) -> None:
        await pydantic_data_converter.encode(values)
        self.taken += 1


@contextmanager
def app_with(client: Any, folder: Path) -> Iterator[FastAPI]:
    """The application around a client, as its lifespan would open it. `folder` is the spool's, which stays empty."""
    known = configuration.load(
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=TOKEN,
        public_url=PUBLIC,
        messaging_id_key="a key that is only for the tests",
    )
    app = create_app(known)
    gateway = Gateway(client=client, task_queue="none", id_key=known.id_key(), rules=known.rules)
    spool, directory = Spool(folder, megabytes=1), Directory(client)
    backends = providers.backends(known)
    app.state.ingress = Ingress(
        settings=known,
        client=client,
        gateway=gateway,
        spool=spool,
        intake=Intake(gateway=gateway, spool=spool),
        directory=directory,
        inbox=Inbox(directory),
        errands=Errands(client=client, gateway=gateway, provider=known.own_provider, senders=known.senders),
        attachments=Attachments(backends),
        backends=backends,
    )
    yield app
    assert spool.depth() == 0
    asyncio.run(spool.aclose())


@dataclass(slots=True)
class Answer:
    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""


async def post(app: FastAPI, path: bytes, query: bytes, headers: Headers, chunks: Sequence[bytes | None]) -> Answer:
    """One request as a server hands it over, raw. A chunk that is None is the client hanging up.

    Raises:
        Exception: what the application raised, which a server would print with its traceback.
    """
    answer, rest = Answer(), list(chunks)

    async def receive() -> dict[str, Any]:
        chunk = rest.pop(0) if rest else b""
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": bool(rest)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], dict(message["headers"])
        else:
            answer.body += message.get("body", b"")

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http"}
    scope |= {"path": path.decode("latin-1"), "raw_path": path, "query_string": query, "headers": list(headers)}
    await app({**scope, "client": ("127.0.0.1", 1), "server": ("api", 80)}, receive, send)
    return answer


def sign(path: str, query: bytes, body: bytes) -> bytes:
    """As Twilio would: what is no form counts as an empty one."""
    form: dict[str, Any] = {}
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        form.setdefault(name, []).append(value)
    url = PUBLIC + path + (f"?{query.decode('latin-1')}" if query else "")
    return RequestValidator(TOKEN).compute_signature(url, Multi(form)).encode()


class Multi(dict[str, list[str]]):
    def getlist(self, name: str) -> list[str]:
        return self[name]


def check(answer: Answer) -> None:
    """A success, or a problem document that names what is wrong."""
    assert 200 <= answer.status < 300 or 400 <= answer.status < 500, answer
    if answer.status < 400:
        return
    assert answer.headers[b"content-type"] == b"application/problem+json", answer
    problem = json.loads(answer.body)
    assert (problem["status"], bool(problem["code"])) == (answer.status, True)
    assert not {THEIRS, OURS} & set(problem["detail"].split()), "numbers are nobody's business"
    if answer.status == 400:
        assert NAMES_A_FIELD.match(problem["detail"]), problem


SM, CH, IM, MB, DY = (prefix + "0" * 31 + "1" for prefix in ("SM", "CH", "IM", "MB", "DY"))
TEXT = {"AccountSid": ACCOUNT, "MessageSid": SM, "SmsSid": SM, "From": THEIRS, "To": OURS, "Body": "hello"}
WHATSAPP = {"From": f"whatsapp:{THEIRS}", "To": f"whatsapp:{OURS}", "ExternalUserId": "whatsapp:US.1A2B"}
BUTTON = {"ButtonText": "Yes", "ButtonPayload": "yes", "Latitude": "1.5", "OptOutType": "STOP", "NumMedia": "0"}
PICTURE = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/Media/ME1", "MediaContentType0": "image/png"}
REPORT = {"AccountSid": ACCOUNT, "MessageSid": SM, "From": OURS, "To": THEIRS, "ErrorCode": "30003"}
EVENT = {
    "AccountSid": ACCOUNT,
    "Attributes": '{"a": [1]}',
    "Author": THEIRS,
    "Body": "hello",
    "ConversationSid": CH,
    "DateCreated": "2026-02-03T04:05:06.789Z",
    "DateUpdated": "2026-02-03T04:05:07Z",
    "DeliveryReceiptSid": DY,
    "ErrorCode": "0",
    "Index": "3",
    "Media": '[{"Sid": "ME1", "ContentType": "image/png", "Filename": "a.png", "Size": 7}]',
    "MessageSid": IM,
    "MessagingBinding.Address": THEIRS,
    "MessagingBinding.ProxyAddress": OURS,
    "MessagingBinding.Type": "sms",
    "ParticipantSid": MB,
    "Source": "SMS",
    "StateTo": "closed",
    "StateUpdated": "2026-02-03T04:05:09Z",
    "Status": "sent",
}
HAPPENINGS = [f"on{what}{done}" for what in ("Conversation", "Message", "Participant") for done in ("Added", "Updated")]
HAPPENINGS += ["onConversationRemoved", "onMessageRemoved", "onParticipantRemoved", "onConversationStateUpdated"]
HAPPENINGS += ["onDeliveryUpdated", "onMessageAdd", "onUserAdded", "onSomethingNew"]
GENUINE: Sequence[tuple[str, Mapping[str, str]]] = [
    *((PATHS[0], TEXT | more) for more in ({}, WHATSAPP | BUTTON, PICTURE, {"Direction": "outbound-api"})),
    *((PATHS[1], REPORT | {"MessageStatus": word}) for word in ("queued", "sent", "delivered", "failed", "new")),
    *((PATHS[2], EVENT | {"EventType": name}) for name in HAPPENINGS),
]

WORDS = (
    'null [] {} [1] NaN {"a": true -1 0 1e9 1000000000 ٣ ² + - | a|b whatsapp: rcs: ../../x %00 \U0010ffff \u202e☃ ,'
)
DATES = [
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-02-30T00:00:00Z",
    "Mon, 01 Jan 99999999999999999999 00:00:00 +0000",
    "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
    "Mon, 01 Jan 0001 00:00:00 +1400",
    "Mon, 99 Foo 2026 99:99:99 XYZ",
    "24:00",
]
MEDIA = [
    '[{"Size": 1e999}]',
    '[{"Sid": 1, "ContentType": [], "Filename": {}, "Size": true}]',
    '[{"ContentType": "\\ud800"}]',
    '[{"ContentType": "\\u0000"}]',
    '{"\\ud800": "\\udfff"}',
]
LONG = ["[" * 20_000, '{"a":' * 5_000, "9" * 5_000, "x" * 5_000, "☃" * 300]
PARSED = {
    PATHS[0]: "From NumMedia MediaUrl0 ExternalUserId",
    PATHS[1]: "MessageStatus ErrorCode To",
    PATHS[2]: "EventType DateCreated Media Attributes Index MessagingBinding.Address",
}
NASTY = [*WORDS.split(), *DATES, *MEDIA, *LONG, "", " ", "\0", "a\0b", "\r\n", "\u2028", "messenger: "]


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    with app_with(Taker(), tmp_path_factory.mktemp("spool")) as app:
        yield app


def signed(how: str, path: str, query: bytes, body: bytes) -> list[tuple[bytes, bytes]]:
    fits = {"genuine": [sign(path, query, body)], "wrong": [b"AAAA\xff"], "none": []}[how]
    return [(b"x-twilio-signature", value) for value in fits]


@pytest.mark.parametrize(("path", "form"), GENUINE)
def test_every_form_is_taken_as_twilio_sends_it(
    app: FastAPI, loop: asyncio.Runner, path: str, form: Mapping[str, str]
) -> None:
    body = urlencode(form).encode()
    headers = [(b"content-type", FORM.encode()), *signed("genuine", path, b"key=1", body)]
    assert loop.run(post(app, path.encode(), b"key=1", headers, [body])).status == 200


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in PARSED.items() for name in names.split()])
def test_a_nasty_value_of_a_field_that_is_parsed_is_taken_or_refused(
    app: FastAPI, loop: asyncio.Runner, path: str, name: str, value: str
) -> None:
    for form in (form for where, form in GENUINE if where == path and name in form):
        body = urlencode(form | {name: value}).encode()
        headers = [(b"content-type", FORM.encode()), *signed("genuine", path, b"", body)]
        check(loop.run(post(app, path.encode(), b"", headers, [body])))


@pytest.mark.parametrize("length", [b"1" * 5_000, b"-1", b"\xb2", b"1_0", b"0x10", b" 7 ", b"", b"65537", b"nan"])
def test_a_hostile_content_length_is_refused(app: FastAPI, loop: asyncio.Runner, length: bytes) -> None:
    check(loop.run(post(app, PATHS[0].encode(), b"", [(b"content-length", length)], [b"Body=x"])))


def test_a_client_that_hangs_up_in_the_middle_is_nobodys_traceback(app: FastAPI, loop: asyncio.Runner) -> None:
    loop.run(post(app, PATHS[0].encode(), b"", [], [b"Body=", None]))
