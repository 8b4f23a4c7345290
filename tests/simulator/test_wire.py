"""What no SDK shows: methods, headers, XML, prefixes and the simulator's own addresses, by plain HTTP."""

from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.simulator.harness import OURS, THEIRS, Running, simulator

AC = "AC" + "0" * 32
ACCOUNT = f"/2010-04-01/Accounts/{AC}"


@pytest.fixture
def http(sim: Running) -> httpx.Client:
    sim.http.auth = (sim.config.account_sid, sim.config.auth_token)
    return sim.http


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("PUT", f"{ACCOUNT}/Messages.json", 405, 20004),
        ("DELETE", f"{ACCOUNT}/Messages.json", 405, 20004),
        ("PATCH", "/v1/Conversations", 405, 20004),
        ("POST", "/v1/ParticipantConversations", 405, 20004),
        ("DELETE", "/messaging/v1/Services", 405, 20004),
        ("GET", "/v1/Nothing", 404, 20404),
        ("GET", "/verify/v2/Services", 404, 20404),
        ("GET", f"/2010-04-01/Accounts/{'AC' + '1' * 32}/Messages.json", 404, 20404),
        ("GET", "/v1/Services/IS0/Conversations", 404, 20404),
        ("GET", f"{ACCOUNT}/Messages/..%2F..%2Fx.json", 404, 20404),
    ],
)
def test_a_wrong_method_or_path_has_its_code(
    http: httpx.Client, method: str, path: str, status: int, code: int
) -> None:
    answer = http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json().keys() == {"code", "message", "more_info", "status"}


def test_every_answer_has_the_headers_of_a_real_one(http: httpx.Client) -> None:
    for path in ("/v1/Conversations", "/conversations/v1/Nothing"):
        headers = http.get(path).headers
        assert headers["twilio-request-id"].startswith("RQ")
        assert float(headers["twilio-request-duration"]) >= 0
        assert headers["x-api-domain"] == "conversations.twilio.com"
        assert (headers["x-home-region"], headers["x-powered-by"]) == ("us1", "AT-5000")
        assert headers["access-control-expose-headers"] == "ETag"
    stranger = httpx.get(http.base_url.join("/v1/Conversations"), trust_env=False)
    assert (stranger.status_code, stranger.headers["www-authenticate"]) == (401, 'Basic realm="Twilio API"')


def test_without_json_in_the_path_the_2010_api_speaks_xml(http: httpx.Client) -> None:
    form = {"To": THEIRS, "From": OURS, "Body": "a < b & c"}
    made = http.post(f"{ACCOUNT}/Messages", data=form)
    assert (made.status_code, made.headers["content-type"]) == (201, "application/xml")
    message = ET.fromstring(made.content).find("Message")
    assert [message.findtext(name) for name in ("Body", "To", "NumMedia")] == ["a < b & c", THEIRS, "0"]
    sid = message.findtext("Sid")
    assert ET.fromstring(http.get(f"{ACCOUNT}/Messages/{sid}").content).findtext("Message/Sid") == sid
    rows = ET.fromstring(http.get(f"{ACCOUNT}/Messages?PageSize=1").content).find("Messages")
    assert (rows.get("pagesize"), [row.findtext("Sid") for row in rows]) == ("1", [sid])
    lost = http.get(f"{ACCOUNT}/Messages/SM0")
    assert (lost.status_code, ET.fromstring(lost.content).findtext("RestException/Code")) == (404, "20404")


def test_a_prefix_or_a_host_names_the_product(http: httpx.Client) -> None:
    def services(**how: str) -> str:
        answer = http.get(how.pop("path", "/v1/Services"), headers=how)
        return answer.json()["services"][0]["sid"][:2]

    assert services() == "IS"
    assert services(path="/conversations/v1/Services") == "IS"
    assert services(path="/messaging/v1/Services") == "MG"
    assert services(host="messaging.twilio.com") == "MG"
    assert services(**{"X-Sim-Original-Host": "messaging.ashburn.us1.twilio.com"}) == "MG"


def test_the_simulator_can_name_itself_on_every_page() -> None:
    with simulator(own_urls=True, public_url="http://sim.test") as sim:
        sim.http.auth = (sim.config.account_sid, sim.config.auth_token)
        for n in range(3):
            sim.sdk.messaging.v1.services.create(friendly_name=str(n))
            sim.sdk.conversations.v1.conversations.create()
        for path, key in (("/messaging/v1/Services", "services"), ("/v1/Conversations", "conversations")):
            seen, url = [], f"{path}?PageSize=2"
            while url:
                page = sim.http.get(url).json()
                seen += [row["url"] for row in page[key]]
                url = (page["meta"]["next_page_url"] or "").removeprefix("http://sim.test")
            assert len(seen) >= 3
            for url in seen:
                assert sim.http.get(url.removeprefix("http://sim.test")).json()["url"] == url


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "nope", 404, None),
        ("POST", "", 404, None),
        ("GET", "clock/", 404, None),
        ("PUT", "clock", 405, "GET, HEAD, POST"),
        ("DELETE", "inbound", 405, "POST"),
    ],
)
def test_a_control_call_that_there_is_not_is_answered_in_the_controls_own_form(
    sim: Running, method: str, path: str, status: int, allowed: str | None
) -> None:
    answer = sim.http.request(method, f"/_sim/{path}")
    assert (answer.status_code, answer.headers.get("allow")) == (status, allowed)
    assert answer.json()["error"].startswith(f"{method} /_sim/{path}: ")
