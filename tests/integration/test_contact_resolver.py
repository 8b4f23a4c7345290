"""`MESSAGING_CONTACT_RESOLVER`: a deployment's own ids of people decide who is one person."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from messaging.model import Address
from runtime.identity import Identities, Unresolved, load_resolver
from tests.integration.harness import Bench
from tests.integration.test_api import PUBLIC, api, someone
from tests.support.ports import eventually
from tests.support.twilio import Twilio

ROOT = Path(__file__).parents[2]
KEY = b"a key that is only for the tests"

SOURCE = """
from messaging.model import Address

PEOPLE: dict[str, str] = {}
is_broken = False

def resolve(address: Address) -> str | None:
    if is_broken:
        raise RuntimeError("the directory of people is away")
    return PEOPLE.get(address.value)

async def later(address: Address) -> str | None:
    return resolve(address)

def number(address: Address):
    return 17

def nothing() -> str:
    return ""

def many(address: Address):
    yield "x"
"""


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module of resolvers."""
    name = f"people_{uuid.uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


@pytest.mark.parametrize("function", ["resolve", "later"])
async def test_one_person_with_two_numbers_is_one_contact_and_a_stranger_keeps_the_id_of_the_address(
    bench: Bench, temporal_address: str, monkeypatch: pytest.MonkeyPatch, people: str, function: str
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    settings = {"temporal_task_queue": bench.queue, "messaging_contact_resolver": f"{people}:{function}"}
    async with api(**settings) as http:
        home, work, stranger = someone(), someone(), someone()
        sys.modules[people].PEOPLE.update(dict.fromkeys((home, work), f"customer-{home}"))
        for number in (home, work, stranger):
            answer = await Twilio(http, PUBLIC).text("hello", sid=f"SM{uuid.uuid4().hex}", From=number)
            assert answer.status_code == 200
        await eventually(lambda: _holds(len(bench.agent.turns) == 3))
        told = {turn.conversation_id: turn.contact_id for turn in bench.agent.turns}
        assert len(told) == 3
        default = await Identities(KEY).contact_id(Address.parse(stranger))
        own = await Identities(KEY, load_resolver(f"{people}:{function}")).contact_id(Address.parse(home))
        assert sorted(told.values()) == sorted([own, own, default])
        assert home not in own

        async def listed() -> bool:
            found = (await http.get("/v1/conversations", params={"contact": own})).json()["items"]
            return {row["id"] for row in found} == {one for one, contact in told.items() if contact == own}

        await eventually(listed)


async def test_texts_wait_in_the_spool_while_the_resolver_fails_and_others_do_not_wait_for_them(
    bench: Bench, temporal_address: str, monkeypatch: pytest.MonkeyPatch, people: str
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    async with api(temporal_task_queue=bench.queue, messaging_contact_resolver=f"{people}:resolve") as http:
        twilio, sender, module = Twilio(http, PUBLIC), someone(), sys.modules[people]
        module.is_broken = True
        for text in ("one", "two"):
            assert (await twilio.text(text, sid=f"SM{uuid.uuid4().hex}", From=sender)).status_code == 200
        wanted = {"to": someone(), "greeting": "hello", "provider": "outbox"}
        answer = await http.post("/v1/conversations", json=wanted, headers={"Idempotency-Key": "one"})
        assert (answer.status_code, answer.json()["code"]) == (503, "contact_unresolved")
        assert not bench.agent.turns

        module.PEOPLE[sender] = "customer-1"
        module.is_broken = False
        await eventually(lambda: _holds("".join(turn.text for turn in bench.agent.turns).endswith("two")))
        # The second may come while the first is being answered, which then is answered anew.
        said = [turn.text for turn in bench.agent.turns]
        assert said in (["one", "two"], ["one", "one\ntwo"], ["one\ntwo"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing", "has no 'missing'. It must be a function"),
        ("nothing", "must be a function, async or not, of a messaging.model.Address"),
        ("PEOPLE", "is dict, but must be a function"),
        ("many", "is a generator or a class, but must be a function"),
    ],
)
def test_what_is_no_resolver_is_refused_by_the_settings_name(people: str, name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^MESSAGING_CONTACT_RESOLVER=") as refused:
        load_resolver(f"{people}:{name}")
    assert reason in str(refused.value)


async def test_an_id_that_is_none_is_refused_rather_than_guessed(people: str) -> None:
    with pytest.raises(Unresolved, match="gave int"):
        await Identities(KEY, load_resolver(f"{people}:number")).contact_id(Address.parse("+15550100001"))


def test_the_api_does_not_start_with_a_resolver_that_is_not_there(tmp_path: Path) -> None:
    environment = {
        "PYTHONPATH": str(ROOT),
        "PATH": "/usr/bin:/bin",
        "MESSAGING_ID_KEY": KEY.decode(),
        "TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
        "TWILIO_AUTH_TOKEN": "t" * 32,
        "MESSAGING_CONTACT_RESOLVER": "nobody_has_this:resolve",
    }
    command = [sys.executable, "-m", "cli", "api", "--port", "0"]
    ended = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert len(ended.stderr.splitlines()) == 1
    assert "MESSAGING_CONTACT_RESOLVER='nobody_has_this:resolve': there is no module" in ended.stderr


async def _holds(truth: bool) -> bool:
    return truth
