"""What comes in that should not: repeated, out of order, malformed, forged, from elsewhere."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.chaos.case import Case, Person, must
from tests.chaos.cases.away import third_api
from tests.chaos.ground import APIS, THIRD, Ground
from tests.support.ports import eventually

_PATH = "/webhooks/twilio/messages"
_HOSTILE = "1 MB form, NumMedia=10^9, NUL bytes, invalid UTF-8, missing From, 10,000 fields"
_SIGNATURES = "forged, missing, replayed, proxy-rewritten signatures; rotated tokens"

# What a process may grow by while it refuses: its allocator keeps some of what it has read.
_FLAT = 40 * 1024 * 1024
_ROUNDS = 20


async def _hundred_times(ground: Ground) -> str:
    person = Person(ground)
    await ground.start(THIRD)
    doors = [ground.twilio(name) for name in APIS]
    form = _form(ground, person, "#1-0")
    answers = await asyncio.gather(*(doors[number % 3].post(_PATH, form) for number in range(100)))
    codes = {answer.status_code for answer in answers}
    must(codes == {200}, f"200 each time expected, there is {codes}")
    await person.only("Answer to #1-0")
    turn = await person.last_turn()
    must(turn["number"] == 1 and len(turn["keys"]) == 1, f"one turn of one text expected: {turn}")
    return "100 webhooks, 3 processes, one turn"


def _form(ground: Ground, person: Person, body: str, sid: str = f"SM{1:032x}") -> dict[str, str]:
    return {
        "MessageSid": sid,
        "AccountSid": ground.account,
        "From": person.phone,
        "To": ground.number,
        "Body": body,
        "NumMedia": "0",
    }


async def _statuses_in_any_order(ground: Ground) -> str:
    person = Person(ground)
    await ground.fault("webhook_drop", event="status", times=20, match={"to": person.phone})
    await person.text("#1-0")
    await person.only("Answer to #1-0")
    await ground.clear_faults()
    [row] = await person.rows()
    url, seen = f"{ground.public}/webhooks/twilio/status", []
    path = f"{(await person.conversation())['id']}/messages"
    for status in ("read", "delivered", "sent"):
        form = {
            "MessageSid": row["sid"],
            "MessageStatus": status,
            "AccountSid": ground.account,
            "From": ground.number,
            "To": person.phone,
        }
        await ground.sim("POST", "webhooks", json={"url": url, "event": "status", "form": form})
        if status == "read":
            await eventually(lambda: _has_status(ground, path, "read"))
    await asyncio.sleep(2)
    seen = [item["status"] for item in (await ground.rest("GET", path))["items"]]
    must(seen[-1] == "read", f"read expected, it is {seen[-1]}")
    return "stays read"


async def _has_status(ground: Ground, path: str, status: str) -> bool:
    items: list[dict[str, Any]] = (await ground.rest("GET", path))["items"]
    return bool(items[-1]["status"] == status)


async def _hostile(ground: Ground) -> str:
    person = Person(ground)
    twilio = ground.twilio("api-1")
    good = _form(ground, person, "hello")
    nameless = {name: value for name, value in good.items() if name != "From"}
    forms = {
        "1 MB": {**good, "Body": "x" * 1_000_000},
        "NumMedia=10^9": {**good, "NumMedia": "1000000000"},
        "NUL bytes": {**good, "Body": "a\x00b"},
        "missing From": nameless,
        "10,000 fields": {**good, **{f"f{number}": "" for number in range(10_000)}},
    }
    codes: dict[str, int] = {}
    before = await _workflows(ground)
    memory = 0
    for number in range(_ROUNDS):
        codes |= {name: (await twilio.post(_PATH, form)).status_code for name, form in forms.items()}
        codes["invalid UTF-8"] = (await _raw(twilio.http, urlencode(good).encode() + b"&Body=%ff%fe\xff")).status_code
        memory = memory or (ground.memory("api-1") if number == 1 else 0)
    grown = ground.memory("api-1") - memory
    must(all(400 <= code < 500 for code in codes.values()), f"4xx expected: {codes}")
    must(await _workflows(ground) == before, "a workflow was started")
    must(grown < _FLAT, f"the process grew by {grown >> 20} MiB")
    return (
        f"{', '.join(f'{name}: {code}' for name, code in codes.items())}; {grown >> 20} MiB more after {_ROUNDS} rounds"
    )


async def _raw(http: httpx.AsyncClient, body: bytes) -> httpx.Response:
    headers = {"X-Twilio-Signature": "AAAA", "Content-Type": "application/x-www-form-urlencoded"}
    return await http.post(_PATH, content=body, headers=headers)


async def _workflows(ground: Ground) -> int:
    return (await (await ground.client()).count_workflows()).count


async def _signatures(ground: Ground) -> str:
    person, forged = Person(ground), Person(ground)
    twilio, form = ground.twilio(), _form(ground, person, "#1-0")
    bad = _form(ground, forged, "#2-0", sid=f"SM{2:032x}")
    codes = {
        "forged": (await twilio.post(_PATH, bad, signature="AAAA")).status_code,
        "by another token": (await ground.twilio(token="b" * 32).post(_PATH, bad)).status_code,
        "missing": (await twilio.http.post(_PATH, data=bad)).status_code,
        "changed on its way": (await twilio.post(_PATH, bad, signature=twilio.sign(_PATH, form))).status_code,
    }
    must(set(codes.values()) == {403}, f"403 expected: {codes}")
    genuine = [await twilio.post(_PATH, form) for _ in range(3)]
    # A proxy that calls us by another name and port: what counts is the address that the provider calls.
    inside = ground.twilio("api-2")
    genuine.append(await inside.http.post(_PATH, data=form, headers=_proxied(inside.sign(_PATH, form))))
    must(
        {answer.status_code for answer in genuine} == {200},
        "the genuine one, its replays and the proxied: 200 expected",
    )
    await person.only("Answer to #1-0")
    must(not await forged.answers(), "a forged text was answered")
    return "403 for four kinds of forgery; a genuine one three times and through a proxy is one turn"


def _proxied(signature: str) -> dict[str, str]:
    return {"X-Twilio-Signature": signature, "Host": "inside.example:8000", "X-Forwarded-Host": "elsewhere.example"}


async def _rotated(ground: Ground) -> str:
    old, new = ground.environment["TWILIO_AUTH_TOKEN"], "c" * 32
    async with third_api(ground, TWILIO_AUTH_TOKEN=f"{new},{old}"):
        person, found = Person(ground), {}
        for number, token in enumerate((old, new, "d" * 32)):
            twilio = ground.twilio(THIRD, token=token)
            form = _form(ground, person, f"#1-{number}", sid=f"SM{number + 1:032x}")
            found[token] = (await twilio.post(_PATH, form)).status_code
            if number < 2:
                await person.wait(number + 1)
        must(list(found.values()) == [200, 200, 403], f"200, 200, 403 expected: {list(found.values())}")
    return "both tokens are taken while they rotate, a third is not"


async def _media(ground: Ground) -> str:
    calls = []

    async def trap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(await reader.read(200))
        writer.close()

    server = await asyncio.start_server(trap, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        urls = [f"http://127.0.0.1:{port}/", f"http://[::1]:{port}/", f"http://localhost:{port}/"]
        urls += ["http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://192.168.0.1/"]
        for number, url in enumerate(urls):
            person = Person(ground)
            form = _form(ground, person, f"#1-{number}", sid=f"MM{number:032x}")
            form |= {"NumMedia": "1", "MediaUrl0": url, "MediaContentType0": "audio/ogg"}
            answer = await ground.twilio().post(_PATH, form)
            must(answer.status_code in {200, 400}, f"{url}: {answer.status_code}")
            if answer.status_code == 200:
                await person.wait(1)
        must(not calls, f"{len(calls)} calls reached an address inside: {calls[:1]}")
    return f"{len(urls)} addresses inside, none was called"


CASES = (
    Case(name="hundred-webhooks", line="one webhook 100 times over 3 API processes", run=_hundred_times),
    Case(
        name="statuses-backwards",
        line="read, delivered, sent arriving in that order",
        run=_statuses_in_any_order,
    ),
    Case(name="hostile-forms", line=_HOSTILE, run=_hostile),
    Case(name="signatures", line=_SIGNATURES, run=_signatures),
    Case(name="rotated-tokens", line=_SIGNATURES, run=_rotated),
    Case(
        name="media-inside",
        line="media URL to 169.254.169.254, private ranges, redirects, DNS rebinding",
        run=_media,
    ),
)
