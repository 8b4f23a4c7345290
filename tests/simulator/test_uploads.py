"""The media service, which the SDK does not wrap: plain HTTP, as its documentation shows."""

import base64
import json
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from simulator.rest import media as media_resource
from simulator.uploads import too_large
from tests.simulator.harness import OURS, THEIRS, Receiver, Running, eventually, refused, simulator

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MCS = {"X-Sim-Original-Host": "mcs.us1.twilio.com"}


@pytest.fixture
def http(sim: Running) -> httpx.Client:
    sim.http.auth = (sim.config.account_sid, sim.config.auth_token)
    return sim.http


def service_of(sim: Running) -> str:
    return sim.sdk.conversations.v1.configuration().fetch().default_chat_service_sid


def upload(sim: Running, http: httpx.Client, content: bytes = PNG, kind: str = "image/png", query: str = "") -> dict:
    path = f"/v1/Services/{service_of(sim)}/Media{query}"
    answer = http.post(path, content=content, headers={**MCS, "Content-Type": kind})
    assert answer.status_code == 201, answer.text
    return answer.json()


def opened(sim: Running, http: httpx.Client, sid: str) -> httpx.Response:
    link = http.get(f"/v1/Services/{service_of(sim)}/Media/{sid}", headers=MCS).json()["links"]
    parts = urlsplit(link["content_direct_temporary"])
    assert parts.netloc == "media.us1.twilio.com"
    return httpx.get(f"{sim.base}/media{parts.path}?{parts.query}", trust_env=False)  # without credentials


def test_a_file_is_uploaded_fetched_opened_and_deleted(sim: Running, http: httpx.Client) -> None:
    made = upload(sim, http, query="?Filename=dot.png&Author=ann")
    service = service_of(sim)
    path = f"/v1/Services/{service}/Media/{made['sid']}"
    assert made | {"date_created": 0, "date_updated": 0, "date_upload_updated": 0} == {
        "sid": made["sid"], "account_sid": sim.config.account_sid, "service_sid": service, "date_created": 0,
        "date_updated": 0, "date_upload_updated": 0, "links": {"content": f"{path}/Content"}, "size": len(PNG),
        "content_type": "image/png", "filename": "dot.png", "author": "ann", "category": "media",
        "message_sid": None, "channel_sid": None, "url": path, "is_multipart_upstream": False,
    }  # fmt: skip
    answer = opened(sim, http, made["sid"])
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
    content = http.get(f"{path}/Content", headers=MCS)
    assert (content.status_code, urlsplit(content.headers["location"]).netloc) == (307, "media.us1.twilio.com")
    assert http.delete(path, headers=MCS).status_code == 204
    assert http.get(path, headers=MCS).status_code == 404


def test_a_form_is_uploaded_too(sim: Running, http: httpx.Client) -> None:
    path = f"/v1/Services/{service_of(sim)}/Media"
    made = http.post(path, files={"media": ("dot.png", PNG, "image/png")}, headers=MCS).json()
    assert (made["filename"], made["content_type"], made["size"]) == ("dot.png", "image/png", len(PNG))
    assert opened(sim, http, made["sid"]).content == PNG


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [(b"", "image/png", 400, 20001), (b"x", "picture", 400, 50511), (b"x", "", 400, 50511),
     (b"x" * 11, "image/png", 413, 50512)],
)  # fmt: skip
def test_a_bad_file_is_refused(sim: Running, http, monkeypatch, content, kind, status, code) -> None:
    monkeypatch.setattr(media_resource, "MAX_UPLOAD", 10)
    headers = {**MCS, "Content-Type": kind}
    answer = http.post(f"/v1/Services/{service_of(sim)}/Media", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_nobody_uploads_or_opens_without_a_key(sim: Running, http: httpx.Client) -> None:
    made = upload(sim, http)
    assert httpx.post(f"{sim.base}/mcs/v1/Services/{service_of(sim)}/Media", trust_env=False).status_code == 401
    wrong = httpx.get(f"{sim.base}/media/{made['sid']}?Expires=99999999999&Signature=x", trust_env=False)
    assert (wrong.status_code, wrong.json()["code"]) == (403, 20003)


def test_a_conversation_sends_a_file_to_phones_once(sim: Running, http: httpx.Client) -> None:
    conversation = sim.sdk.conversations.v1.conversations.create()
    conversation.participants.create(messaging_binding_address=THEIRS, messaging_binding_proxy_address=OURS)
    made = upload(sim, http, query="?Filename=dot.png")
    said = conversation.messages.create(author="agent", body="Look", media_sid=made["sid"])
    assert said.media == [{"sid": made["sid"], "size": len(PNG), "content_type": "image/png", "filename": "dot.png"}]
    (got,) = eventually(sim.messages)
    assert (got["body"], got["media"][0]["content_type"], got["sid"][:2]) == ("Look", "image/png", "MM")
    assert sim.http.get(got["media"][0]["url"], auth=None).content == PNG
    media = sim.sdk.messages(got["sid"]).media.list()
    assert [row.sid for row in media] == [made["sid"]]
    shown = http.get(f"/v1/Services/{service_of(sim)}/Media/{made['sid']}", headers=MCS).json()
    assert (shown["message_sid"], shown["channel_sid"]) == (said.sid, conversation.sid)

    def again(sid: str) -> tuple[int, int]:
        return refused(lambda: conversation.messages.create(media_sid=sid))

    assert again(made["sid"]) == (400, 50508)
    assert again("ME" + "0" * 32) == (404, 50507)
    assert again("photo") == (400, 50510)


def test_what_a_person_attaches_is_there_for_both_products(sim: Running, http, product: Receiver) -> None:
    data = "data:image/png;base64," + base64.b64encode(PNG).decode()
    conversation = sim.sdk.conversations.v1.conversations.create()
    conversation.participants.create(messaging_binding_address=THEIRS, messaging_binding_proxy_address=OURS)
    sim.text("", media=[data])
    product.wait(2)
    (event,) = product.events("onMessageAdded")
    (media,) = json.loads(event["Media"])
    assert (media["ContentType"], media["Size"]) == ("image/png", len(PNG))
    assert opened(sim, http, media["Sid"]).content == PNG
    (hook,) = product.at("/webhooks/twilio/messages")
    redirect = http.get(httpx.URL(hook["MediaUrl0"]).path)
    parts = urlsplit(redirect.headers["location"])
    assert httpx.get(f"{sim.base}/media{parts.path}?{parts.query}", trust_env=False).content == PNG


def test_a_phone_uploads_and_names_a_file(sim: Running) -> None:
    answer = sim.http.post("/_sim/media?filename=a.txt", content=b"hi", headers={"Content-Type": "text/plain"})
    file = answer.json()
    shown = {"url": file["url"], "content_type": "text/plain", "filename": "a.txt"}
    assert sim.text("", media=[file["url"]])["media"] == [shown]
    shown = sim.http.get(file["url"])
    assert (shown.content, shown.headers["content-disposition"]) == (b"hi", "attachment")
    assert sim.http.get("/_sim/media/ME0").status_code == 404
    bad = sim.http.post("/_sim/inbound", json={"from": THEIRS, "media": ["data:image/png;base64,?"]})
    assert (bad.status_code, bad.json()["field"]) == (400, "media")


@pytest.mark.parametrize(("channel", "size", "code"), [("sms", 5 << 20, None), ("sms", (5 << 20) + 1, 30019),
                                                       ("whatsapp", (16 << 20) + 1, 63021)])  # fmt: skip
def test_each_channel_has_its_limit(channel: str, size: int, code: int | None) -> None:
    failure = too_large(channel, [{"size": size}])
    assert (failure and failure[1]) == code


@pytest.mark.parametrize(
    ("kind", "served"),
    [("图/png", None), ("image/png%0d%0aX:y", None), ("é", None), ("", "text/plain"), ("image/png", "image/png")],
)
def test_a_type_that_is_none_is_not_served(sim: Running, kind: str, served: str | None) -> None:
    url = sim.text("", media=[f"data:{kind};base64,AAAA"])["media"][0]["url"]
    assert sim.http.get(url).headers["content-type"].partition(";")[0] == (served or "application/octet-stream")


def test_files_survive_a_restart_and_the_oldest_make_room(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    with simulator(data=data, max_media_bytes=10) as sim:
        uploads = [sim.http.post("/_sim/media", content=bytes([n]) * 4).json() for n in range(3)]
    with simulator(data=data) as sim:
        answers = [sim.http.get(row["url"]) for row in uploads]
        assert [answer.status_code for answer in answers] == [404, 200, 200]
        assert answers[2].content == b"\2" * 4
        sim.http.post("/_sim/reset")
    assert list((tmp_path / "data.jsonl.media").iterdir()) == []
