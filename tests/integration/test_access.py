"""Who is let in to REST and the console, and by what."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

import httpx
import pytest

from runtime import access
from runtime.access import Scope
from tests.integration.harness import Bench
from tests.integration.test_api import PUBLIC, api

OURS = "http://127.0.0.1"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def given() -> Mapping[str, tuple[str, str]]:
    """A token and its entry, by scope; the scope's name is its owner's."""
    return {scope.value: access.new(scope.value, scope) for scope in Scope}


@pytest.fixture
async def http(
    given: Mapping[str, tuple[str, str]], bench: Bench, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    entries = ",".join(entry for _, entry in given.values())
    async with api(messaging_api_tokens=entries, temporal_task_queue=bench.queue) as http:
        yield http


@pytest.fixture
async def unlocked(temporal_address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """An API without tokens, as on a developer's machine."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    async with api() as http:
        yield http


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def logged_in(http: httpx.AsyncClient, token: str, **form: str) -> httpx.Response:
    headers = {"Origin": OURS, "Content-Type": FORM}
    content = str(httpx.QueryParams({"token": token, **form}))
    return await http.post("/console/login", content=content, headers=headers)


# What each scope is answered: metrics, a list, the console, a write (of a conversation that does not exist: 404).
ANSWERS = {
    "metrics": (200, 403, 403, 403),
    "read": (200, 200, 200, 403),
    "operate": (200, 200, 200, 404),
    "admin": (200, 200, 200, 404),
}


@pytest.mark.parametrize(("scope", "answers"), ANSWERS.items(), ids=ANSWERS.keys())
async def test_a_token_may_do_what_its_scope_says(
    scope: str, answers: tuple[int, ...], http: httpx.AsyncClient, given: Mapping[str, tuple[str, str]]
) -> None:
    headers = bearer(given[scope][0])
    looked = [await http.get(path, headers=headers) for path in ("/metrics", "/v1/conversations", "/console")]
    wrote = await http.post("/v1/conversations/nobody/release", headers=headers)

    assert tuple(answer.status_code for answer in [*looked, wrote]) == answers
    if wrote.status_code == 403:
        assert 'scope="operate"' in wrote.headers["www-authenticate"]


async def test_whose_token_it_is_acts_where_no_name_is_given(
    http: httpx.AsyncClient, given: Mapping[str, tuple[str, str]], bench: Bench
) -> None:
    person = bench.conversation()
    await person.text("hello")
    await person.turn(1)
    path, headers = f"/v1/conversations/{person.id}", bearer(given["operate"][0])

    taken = await http.post(f"{path}/takeover", json={}, headers=headers)
    noted = await http.post(f"{path}/note", json={"text": "a regular"}, headers=headers)
    wrote = await http.post(f"{path}/messages", json={"body": "It is me."}, headers=headers)

    others = await http.post(f"{path}/messages", json={"body": "And me."}, headers=bearer(given["admin"][0]))

    assert taken.json()["assignee"] == "operate"
    assert noted.json()["notes"][0]["author"] == "operate"
    assert (wrote.status_code, others.status_code) == (201, 409), "only who has it may write"


async def test_a_token_without_a_name_has_to_give_one(
    bench: Bench, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    async with api(messaging_api_tokens="plain") as http:
        answer = await http.post("/v1/conversations/nobody/takeover", json={}, headers=bearer("plain"))

    assert (answer.status_code, "assignee" in answer.json()["detail"]) == (422, True)


async def test_a_browser_is_sent_to_the_login_and_back(
    http: httpx.AsyncClient, given: Mapping[str, tuple[str, str]]
) -> None:
    sent = await http.get("/console?cursor=x%26y", headers={"Accept": "text/html"})
    page = await http.get(sent.headers["location"])
    answer = await logged_in(http, given["read"][0], next="/console?cursor=")
    cookie = answer.headers["set-cookie"].lower()

    assert (sent.status_code, page.status_code) == (303, 200)
    assert "cursor=x%26amp;y" in page.text or "cursor=x%26y" in page.text
    assert (answer.status_code, answer.headers["location"]) == (303, "/console?cursor=")
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in cookie.split(";")}
    assert given["read"][0].lower() not in cookie
    assert (await http.get("/console", headers={"Accept": "text/html"})).status_code == 200
    assert (await http.get("/v1/conversations")).status_code == 200

    out = await http.post("/console/logout", headers={"Origin": OURS})
    assert out.status_code == 303
    assert (await http.get("/console")).status_code == 401


@pytest.mark.parametrize(("origin", "secure"), [(PUBLIC, True), (OURS, False)])
async def test_the_session_travels_by_tls_only_where_the_browser_uses_it(
    origin: str, secure: bool, http: httpx.AsyncClient, given: Mapping[str, tuple[str, str]]
) -> None:
    headers = {"Origin": origin, "Content-Type": FORM}
    answer = await http.post("/console/login", content=f"token={given['read'][0]}", headers=headers)

    assert answer.status_code == 303
    assert ("; secure" in answer.headers["set-cookie"].lower()) is secure


async def test_a_wrong_token_opens_no_session(http: httpx.AsyncClient) -> None:
    answer = await logged_in(http, "nobody's")

    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
    assert "lets nobody in" in answer.text
    assert "nobody's" not in answer.text


@pytest.mark.parametrize(
    "after", ["https://evil.example", "//evil.example/console", "/\\evil.example", "/v1", "/consoles"]
)
async def test_the_login_leads_to_the_console_only(
    after: str, http: httpx.AsyncClient, given: Mapping[str, tuple[str, str]]
) -> None:
    assert (await logged_in(http, given["read"][0], next=after)).headers["location"] == "/console"


FOREIGN = {
    "another origin": {"Origin": "https://evil.example"},
    "a hidden origin": {"Origin": "null"},
    "another port of this machine": {"Origin": f"{OURS}:4010"},
    "another site": {"Sec-Fetch-Site": "cross-site", "Origin": OURS},
    "a sibling": {"Sec-Fetch-Site": "same-site"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN.keys())
async def test_another_page_cannot_act_with_a_session(
    headers: Mapping[str, str], http: httpx.AsyncClient, given: Mapping[str, tuple[str, str]]
) -> None:
    await logged_in(http, given["operate"][0])
    own = await http.post("/v1/conversations/nobody/release", headers={"Origin": OURS, "Sec-Fetch-Site": "same-origin"})
    foreign = await http.post("/v1/conversations/nobody/release", headers=headers)
    login = await http.post("/console/login", content="token=x", headers={"Content-Type": FORM, **headers})

    assert (own.status_code, foreign.status_code, login.status_code) == (404, 403, 403)


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN.keys())
async def test_another_page_cannot_act_where_no_token_is_needed(
    headers: Mapping[str, str], unlocked: httpx.AsyncClient
) -> None:
    assert (await unlocked.post("/v1/conversations/nobody/release")).status_code == 404
    assert (await unlocked.post("/v1/conversations/nobody/release", headers=headers)).status_code == 403


ELSEWHERE = {
    "a name that leads here (DNS rebinding)": {"Host": "evil.example"},
    "a tunnel that keeps its name": {"Host": "your-tunnel.example"},
    "a tunnel that hides it": {"Host": "localhost:8000", "X-Forwarded-For": "203.0.113.7"},
    "a proxy": {"Forwarded": "for=203.0.113.7"},
    "no name": {"Host": ""},
}


@pytest.mark.parametrize("headers", ELSEWHERE.values(), ids=ELSEWHERE.keys())
async def test_without_tokens_only_this_machine_is_let_in(
    headers: Mapping[str, str], unlocked: httpx.AsyncClient
) -> None:
    for path in ("/v1/conversations", "/console", "/metrics"):
        assert (await unlocked.get(path, headers=headers)).status_code == 401
        for name in ("localhost", "127.0.0.1:8000", "[::1]:8000"):
            assert (await unlocked.get(path, headers={"Host": name})).status_code == 200
    assert (await unlocked.get("/livez", headers=headers)).status_code == 200


async def test_every_answer_tells_a_browser_to_load_and_guess_nothing(
    unlocked: httpx.AsyncClient, http: httpx.AsyncClient
) -> None:
    paths = ("/livez", "/v1/conversations", "/console", "/console/login", "/nowhere", "/openapi.json", "/metrics")
    for answer in [await client.get(path) for path in paths for client in (unlocked, http)]:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'"), answer.url
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy or "unsafe" not in policy.partition("script")[2]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"


async def test_no_page_loads_scripts_from_elsewhere(unlocked: httpx.AsyncClient) -> None:
    assert {(await unlocked.get(path)).status_code for path in ("/docs", "/redoc")} == {404}


def test_the_command_prints_a_token_once_and_the_entry_for_it() -> None:
    command = [sys.executable, "-m", "cli", "token", "new", "ana", "--scope", "operate", "--until", "2099-12-31"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    token = done.stdout.strip()
    entry = next(line.strip() for line in done.stderr.splitlines() if ":sha256=" in line)
    grant = access.parse(entry)

    assert (grant.name, grant.scope, str(grant.until)) == ("ana", Scope.OPERATE, "2099-12-31")
    assert token not in done.stderr
    assert access.Access((grant,), b"").by_token(token, datetime.now(UTC)) == grant
