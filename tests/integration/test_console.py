"""The console as plain pages and forms, with Temporal behind it: no script is run here."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest
from temporalio.client import Client

from agents.engine import AgentFailed
from agents.turn import Draft, Turn
from runtime import access
from runtime.access import Scope
from tests.integration.harness import Bench, Conversation, bench_for
from tests.integration.test_api import api, someone
from tests.support import flows
from tests.support.ports import eventually
from workflows import catalogue
from workflows.policy import Rules

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def bench(client: Client) -> AsyncIterator[Bench]:
    catalogue.install(flows.ALL, "tests.support.flows:ALL")
    async with bench_for(client, flows=flows.ALL) as bench:
        yield bench


@pytest.fixture
async def http(
    bench: Bench, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    async with api(temporal_task_queue=bench.queue) as http:
        yield http


async def listed(bench: Bench, body: str = "hello", rules: Rules | None = None) -> Conversation:
    """A conversation after its first turn, which lists show."""
    person = bench.conversation(rules)
    person.listed = True
    person.contact_id = f"contact-{person.id[-24:]}"
    await person.text(body)
    await person.turn(1)
    return person


async def words(http: httpx.AsyncClient, path: str, **params: str) -> str:
    """What a page says, without its markup."""
    answer = await http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return said(answer)


def said(answer: httpx.Response) -> str:
    main = answer.text.partition("</header>")[2]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


async def post(http: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    """As a browser posts a form of our own page, without following where it leads."""
    return await http.post(
        path, content=str(httpx.QueryParams(form)), headers={**FORM, "Origin": str(http.base_url).rstrip("/")}
    )


async def test_a_conversation_is_listed_with_how_it_stands_and_shown_as_a_chat(
    http: httpx.AsyncClient, bench: Bench
) -> None:
    person = await listed(bench, "Is <b>this</b> shown?")

    async def row() -> bool:
        return f"/console/{person.id}" in (await http.get("/console", params={"contact": person.contact_id})).text

    await eventually(row)
    page = await http.get(f"/console/{person.id}")

    assert "Is &lt;b&gt;this&lt;/b&gt; shown?" in page.text
    assert "re: Is <b>this</b> shown?" in said(page)
    assert f"/console/{person.id}/turns/1" in page.text
    assert f"/workflows/{person.id}/" in page.text, "the run in Temporal UI"
    for inline in ("<script>", "<style", " style=", " onclick="):
        assert inline not in page.text


async def test_taking_over_answering_noting_assigning_and_releasing_by_plain_forms(
    http: httpx.AsyncClient, bench: Bench
) -> None:
    person = await listed(bench)
    path = f"/console/{person.id}"
    http.cookies.set("console_name", "Ana")

    taken = await post(http, f"{path}/takeover?shelf=held")
    assert (taken.status_code, taken.headers["location"]) == (303, f"{path}?shelf=held")
    key = re.search(r'name="key" value="(\w+)"', (await http.get(path)).text)
    assert key
    for _ in range(2):  # sent twice by a double click, it is one message
        sent = await post(http, f"{path}/reply", text="It is me.\r\nAna", key=key[1])
        assert sent.status_code == 303
    noted = await post(http, f"{path}/note", text="A regular.")
    assert noted.status_code == 303

    async def is_sent() -> bool:
        return bench.outbox.bodies[-1] == "It is me.\nAna"

    await eventually(is_sent)
    assert bench.outbox.bodies.count("It is me.\nAna") == 1
    shown = await words(http, path)
    assert "You answer" in shown
    assert "Note of yours" in shown
    assert (await post(http, f"{path}/assign", assignee="Ben")).status_code == 303
    refused = await post(http, f"{path}/reply", text="me again", key="other")
    assert (refused.status_code, "somebody else has taken over" in said(refused)) == (409, True)
    assert "me again" in refused.text, "what was written is not lost"
    assert (await post(http, f"{path}/release")).status_code == 303
    assert (await person.view()).assignee is None


async def test_the_same_page_tells_why_an_answer_was_given(http: httpx.AsyncClient, bench: Bench) -> None:
    async def answer(turn: Turn) -> Draft:
        return Draft(text="At ten.", sources=("hours.md: Opening",), usage={"input_tokens": 1200}, cost=0.0042)

    bench.agent.reply_with = answer
    person = await listed(bench, "I like blue bells")
    await person.text("Which bells do I like?")
    await person.turn(2)

    shown = await words(http, f"/console/{person.id}/turns/2")
    first, missing = await words(http, f"/console/{person.id}/turns/1"), await http.get(f"/console/{person.id}/turns/9")

    for told in (
        "screen",
        "recall",
        "deliver",
        "remember",
        "hours.md: Opening",
        "1,200",
        "$0.004200",
        "at once",
        "SM2",
    ):
        assert told in shown, told
    assert "nothing fitting was found" in first
    assert (missing.status_code, "That turn is not kept" in missing.text) == (404, True)


async def test_a_decision_is_taken_in_the_chat(http: httpx.AsyncClient, bench: Bench) -> None:
    person = bench.conversation(Rules(flow="shop@1"))
    await person.text("pay 500, please")

    async def question() -> re.Match[str] | None:
        return re.search(r'name="token" value="(\w+)"', (await http.get(f"/console/{person.id}")).text)

    token = await eventually(question)
    assert token
    answer = await post(http, f"/console/{person.id}/decide", token=token[1], verdict="approved")
    await person.turn(1)

    assert answer.status_code == 303
    [approval] = (await person.view()).approvals
    assert (approval.verdict.value, approval.by) == ("approved", "operator")


async def test_a_parked_turn_is_run_again_or_let_go(http: httpx.AsyncClient, bench: Bench) -> None:
    async def broken(turn: Turn) -> Draft:
        raise AgentFailed("the agent is broken", retryable=False)

    bench.agent.reply_with = broken
    person = await listed(bench)
    path = f"/console/{person.id}"
    assert "Turn 1 is parked" in await words(http, path)

    async def is_on_the_shelf() -> bool:
        return person.id in (await http.get("/console?shelf=failed")).text

    await eventually(is_on_the_shelf)
    assert (await post(http, f"{path}/retry", turn="1")).status_code == 303
    await person.turn(2)
    assert (await post(http, f"{path}/drop", turn="2")).status_code == 303
    assert not (await person.view()).parked
    assert (await post(http, f"{path}/drop", turn="2")).status_code == 409
    assert (await post(http, f"{path}/drop", turn="x")).status_code == 422


async def test_a_number_that_is_searched_for_is_in_no_address(http: httpx.AsyncClient) -> None:
    number = someone()
    spelled = (number, f"{number[:5]} {number[5:8]}-{number[8:]}", number.replace("+", "00"), number[1:])
    places = {(await post(http, "/console/search", text=text)).headers["location"] for text in spelled}

    assert len(places) == 1
    assert re.fullmatch(r"/console\?contact=contact-\w+", places.pop())
    for text, place in (
        ("contact-abc", "/console?contact=contact-abc"),
        ("twilio_messaging-sms-abc", "/console?prefix=twilio_messaging-sms-abc"),
        (f"CH{'a' * 32}", f"/console?prefix=twilio-CH{'a' * 32}"),
        ("Ana", "/console?assignee=Ana"),
        ("", "/console"),
    ):
        assert (await post(http, "/console/search", text=text)).headers["location"] == place


async def test_who_may_only_look_is_offered_nothing_to_do(
    bench: Bench, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await listed(bench)
    token, entry = access.new("guest", Scope.READ)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    async with api(messaging_api_tokens=entry, temporal_task_queue=bench.queue) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        page = await http.get(f"/console/{person.id}")
        refused = await post(http, f"/console/{person.id}/takeover")
        asked = await http.get("/console", headers={"Authorization": "", "Accept": "text/html"})

    assert "You may look on" in page.text
    assert "<textarea" not in page.text
    assert (refused.status_code, "That you may not" in refused.text) == (403, True)
    assert asked.headers["location"] == "/console/login?next=/console"


async def test_what_cannot_be_shown_is_said_on_a_page(
    http: httpx.AsyncClient, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = await http.get("/console/nobody")
    gone = await http.get("/console?cursor=xyz")
    forged = await http.post("/console/nobody/close", headers={**FORM, "Sec-Fetch-Site": "cross-site"})
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    async with api() as lonely:
        away = await lonely.get("/console")

    assert [answer.status_code for answer in (missing, gone, forged, away)] == [404, 422, 403, 503]
    assert "No such conversation" in missing.text
    assert "Temporal is away" in away.text
    for answer in (missing, gone, forged, away):
        assert answer.headers["content-type"].startswith("text/html")
        assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_a_conversation_whose_worker_is_gone_is_still_shown(
    client: Client, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench_for(client) as bench:
        person = await listed(bench)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    async with api() as http:
        assert "No worker answers" in await words(http, f"/console/{person.id}")
