"""A whole stack with every secret set: none of them is printed, logged, listed or kept where it does not belong."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from runtime import access
from runtime.access import Scope
from tests.support.stack import Phone, Stack, running

pytestmark = pytest.mark.slow

SAID = "my order is the marker 4711-B"
PHONE = "+15550100077"
TOKEN, ENTRY = access.new("ana", Scope.OPERATE)

SECRETS: Mapping[str, str] = {
    "the token that signs": secrets.token_hex(16),
    "the token before": secrets.token_hex(16),
    "a plain API token": secrets.token_urlsafe(24),
    "a named API token": TOKEN,
    "its hash": ENTRY.rpartition("=")[2],
    "the key of ids": secrets.token_hex(32),
    "the key that encrypts": secrets.token_hex(32),
    "the key before": secrets.token_hex(32),
    "the key of Qdrant": secrets.token_hex(16),
    "the secret of another provider": secrets.token_hex(16),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    environment = {
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": f"{SECRETS['the token that signs']},{SECRETS['the token before']}",
        "MESSAGING_API_TOKENS": f"{SECRETS['a plain API token']},{ENTRY}",
        "MESSAGING_ID_KEY": SECRETS["the key of ids"],
        "MESSAGING_CODEC_KEYS": f"{SECRETS['the key that encrypts']},{SECRETS['the key before']}",
        "QDRANT_API_KEY": SECRETS["the key of Qdrant"],
        "MESSAGING_PROVIDER_OPTIONS": f'{{"carrier": {{"secret": "{SECRETS["the secret of another provider"]}"}}}}',
        "MESSAGING_LOG_LEVEL": "DEBUG",
    }
    with running(tmp_path_factory.mktemp("secrets") / "data", **environment) as stack:
        yield stack


async def provoke(api: str, http: httpx.AsyncClient) -> list[str]:
    """Everything that could make somebody say too much; what is said."""
    ours, wrong = {"Authorization": f"Bearer {TOKEN}"}, {"Authorization": f"Bearer {SECRETS['a plain API token']}x"}
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": api}
    signed = {"X-Twilio-Signature": "wrong"}
    answers = [
        *[await http.get(f"{api}{path}", headers=ours) for path in ("/metrics", "/v1/conversations", "/console")],
        *[await http.get(f"{api}{path}", headers=wrong) for path in ("/metrics", "/v1/conversations", "/console")],
        *[await http.get(f"{api}{path}") for path in ("/openapi.json", "/readyz", "/livez", "/console/login")],
        await http.post(f"{api}/console/login", content=f"token={TOKEN}x", headers=form),
        await http.post(f"{api}/console/login", content=f"token={TOKEN}", headers=form),
        await http.post(f"{api}/webhooks/twilio/messages", data={"From": PHONE, "Body": SAID}, headers=signed),
        await http.post(f"{api}/codec/decode", json={"payloads": [{"data": "AAAA"}]}, headers=ours),
        await http.post(f"{api}/v1/conversations/nobody/takeover", json={}, headers=ours),
    ]
    assert {401, 403, 404} <= {answer.status_code for answer in answers}
    return [f"{answer.headers}\n{answer.text}" for answer in answers]


async def test_no_secret_is_said_anywhere(stack: Stack) -> None:
    async with httpx.AsyncClient(timeout=20) as http:
        await Phone(stack, PHONE, http).ask(SAID)
        stack.kill("worker")  # whatever is logged at a start is logged once more
        await Phone(stack, PHONE, http).ask("And one more.")
        said = await provoke(stack.urls["api"], http)
    listed = [Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace") for pid in stack.pids.values()]
    logs = {
        path.name: path.read_text(errors="replace") for path in [*stack.data.glob("logs/*.log"), stack.data / "dev.log"]
    }
    places = {
        **logs,
        "an answer": "\n".join(said),
        "the list of processes": "\n".join(listed),
        "dev.json": str(stack.urls),
    }

    assert len(logs) == 6
    assert all(len(text) > 20 for name, text in logs.items() if name in {"api.log", "worker.log"}), "nothing was logged"
    found = [
        f"{secret} in {place}" for secret, value in SECRETS.items() for place, text in places.items() if value in text
    ]
    assert found == []


async def test_what_people_say_stands_nowhere_in_temporals_files(stack: Stack) -> None:
    async with httpx.AsyncClient(timeout=20) as http:
        phone = Phone(stack, PHONE, http)
        if SAID not in [row["body"] for row in await phone.messages()]:
            await phone.ask(SAID)
    files = list(stack.data.glob("temporal.db*"))
    kept = b"".join(path.read_bytes() for path in files)

    assert len(kept) > 100_000
    assert b"ConversationWorkflow" in kept, "these are not the files"
    for word in (SAID, "4711-B", PHONE[1:]):
        assert word.encode() not in kept
    assert "--ui-codec-endpoint" in Path(f"/proc/{stack.pids['temporal']}/cmdline").read_text()
