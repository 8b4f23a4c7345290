"""A provider that somebody else wrote, behind the API and the worker: named by a setting, and nothing else."""

from __future__ import annotations

import importlib
import json
import sys
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from api.app import create_app
from messaging import registry
from messaging.errors import ProviderNotFound
from messaging.model import ConversationConfig
from runtime import providers
from runtime import settings as configuration
from runtime.settings import Settings
from tests.integration.harness import Bench, bench_for
from tests.support.ports import eventually
from tests.unit.messaging.installed import announce

EXAMPLE = Path(__file__).parents[2] / "examples" / "provider"
SECRET = "a-secret-of-the-tests"


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The example of docs/adding-a-provider.md, as an installation leaves it."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    folder = tmp_path_factory.mktemp("installed")
    announce(folder, project["name"], project["entry-points"][registry.GROUP])
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(folder)
        patched.syspath_prepend(EXAMPLE)
        yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "pigeonhole"]:
        del sys.modules[name]


@pytest.fixture
def settings(tmp_path: Path, temporal_address: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Nothing of Twilio's is set."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    monkeypatch.setenv("MESSAGING_PROVIDERS", "pigeonhole")
    options = {"pigeonhole": {"folder": str(tmp_path), "secret": SECRET, "poll_seconds": 0.05}}
    monkeypatch.setenv("MESSAGING_PROVIDER_OPTIONS", json.dumps(options))
    return configuration.load(messaging_id_key="a key that is only for the tests", messaging_spool=tmp_path / "spool")


@pytest.fixture
async def bench(client: Client, settings: Settings) -> AsyncIterator[Bench]:
    others = dict(providers.backends(settings))
    for backend in others.values():
        await backend.start()
    async with bench_for(client, others=others) as bench:
        yield bench
    for backend in others.values():
        await backend.stop()


@pytest.fixture
async def http(settings: Settings, bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings.model_copy(update={"temporal_task_queue": bench.queue}))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            yield http


def letter(sid: str, text: str, conversation: str) -> tuple[bytes, dict[str, str]]:
    """A genuine webhook: its body and headers."""
    webhooks: Any = importlib.import_module("pigeonhole.webhooks")
    content = {"event": "letter.posted", "sid": sid, "conversation": conversation, "from": "ada", "text": text}
    body = json.dumps(content).encode()
    return body, {webhooks.HEADER: webhooks.sign(body, SECRET), "content-type": "application/json"}


async def test_a_letter_is_answered_by_the_provider_it_came_by(http: httpx.AsyncClient, bench: Bench) -> None:
    backend = bench.others["pigeonhole"]
    sid = (await backend.create_conversation(ConversationConfig(friendly_name="Ada"))).sid
    body, headers = letter("1", "hello", sid)

    answers = [await http.post("/webhooks/pigeonhole/letters", content=body, headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    letters: Any = importlib.import_module("pigeonhole.letters")
    path = Path(str(backend.get_config().provider_specific["folder"]))

    async def written() -> Any:
        return letters.Letters(path).letters(sid) or None

    found = await eventually(written)
    assert [item["text"] for item in found] == ["re: hello"]
    assert len(bench.agent.turns) == 1


async def test_a_forged_letter_starts_nothing(http: httpx.AsyncClient, bench: Bench) -> None:
    body, headers = letter("1", "hello", "PH1")
    answer = await http.post("/webhooks/pigeonhole/letters", content=body + b" ", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "invalid_signature")
    assert (await http.get("/v1/conversations/pigeonhole-PH1")).status_code == 404


@pytest.mark.parametrize("path", ["twilio/messages", "twilio/conversations", "carrier/messages"])
async def test_a_provider_that_is_not_named_is_not_served(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.post(f"/webhooks/{path}", content=b"From=x")

    assert (answer.status_code, answer.json()["detail"]) == (404, "provider: not served here; there is pigeonhole")


def test_an_unknown_name_is_refused_with_those_there_are(settings: Settings) -> None:
    with pytest.raises(ProviderNotFound, match="there is pigeonhole, twilio, twilio_messaging"):
        providers.backends(settings.model_copy(update={"messaging_providers": ("smoke",)}))
