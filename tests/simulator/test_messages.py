"""Programmable Messaging by the genuine SDK."""

import httpx
import pytest
from twilio.rest import Client

from tests.simulator.harness import (
    OURS,
    OURS_WHATSAPP,
    THEIRS,
    Receiver,
    Running,
    ToSimulator,
    eventually,
    refused,
    simulator,
)

AC = "AC" + "0" * 32


def test_a_message_is_created_fetched_redacted_and_deleted(sim: Running) -> None:
    message = sim.sdk.messages.create(to=THEIRS, from_=OURS, body="Hello 👋")
    assert (message.status, message.direction, message.num_segments, message.num_media) == (
        "queued", "outbound-api", "1", "0",
    )  # fmt: skip
    assert message.sid.startswith("SM")
    eventually(lambda: message.fetch().status == "delivered")
    assert message.update(body="").body == ""
    assert message.delete()
    assert refused(message.fetch) == (404, 20404)


def test_the_wire_is_twilios(sim: Running) -> None:
    answer = sim.http.post(
        f"/2010-04-01/Accounts/{AC}/Messages.json",
        data={"To": THEIRS, "From": OURS, "Body": "x"},
        auth=(AC, sim.config.auth_token),
    )
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["twilio-request-id"].startswith("RQ")
    assert answer.headers["twilio-concurrent-requests"] == "1"
    assert body["date_created"].endswith(" +0000")
    assert body["uri"] == f"/2010-04-01/Accounts/{AC}/Messages/{body['sid']}.json"
    assert set(body) == {
        "account_sid", "api_version", "body", "date_created", "date_sent", "date_updated", "direction", "error_code",
        "error_message", "from", "messaging_service_sid", "num_media", "num_segments", "price", "price_unit", "sid",
        "status", "subresource_uris", "to", "uri",
    }  # fmt: skip


def test_a_list_goes_over_pages_newest_first_and_filters(sim: Running) -> None:
    for n in range(5):
        sim.sdk.messages.create(to=THEIRS, from_=OURS, body=str(n))
    sim.sdk.messages.create(to="+15550002222", from_=OURS, body="other")
    assert [m.body for m in sim.sdk.messages.list(to=THEIRS, page_size=2)] == ["4", "3", "2", "1", "0"]
    assert len(sim.sdk.messages.list(from_=OURS)) == 6
    assert sim.sdk.messages.list(to="+15559999999") == []
    page = sim.sdk.messages.page(to=THEIRS, page_size=2)
    eventually(lambda: sim.sdk.messages.list(to=THEIRS, limit=2)[1].status == "delivered")
    sim.sdk.messages.list(to=THEIRS, limit=2)[1].delete()  # the row that the next page starts from
    assert [m.body for m in page.next_page()] == ["2", "1"]
    created = sim.sdk.messages.list(limit=1)[0].date_created
    assert (
        len(sim.sdk.messages.list(date_sent_after=created.replace(microsecond=0).replace(year=created.year - 1))) == 5
    )
    assert sim.sdk.messages.list(date_sent_before=created.replace(year=created.year - 1)) == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"from_": OURS, "body": "x", "to": ""}, 21604),
        ({"to": THEIRS, "body": "x"}, 21603),
        ({"to": THEIRS, "from_": OURS}, 21602),
        ({"to": THEIRS, "from_": OURS, "body": "x" * 1601}, 21617),
        ({"to": "hello", "from_": OURS, "body": "x"}, 21211),
        ({"to": OURS, "from_": OURS, "body": "x"}, 21266),
        ({"to": THEIRS, "from_": "+15551112222", "body": "x"}, 21606),
        ({"to": f"whatsapp:{THEIRS}", "from_": "whatsapp:+15551112222", "body": "x"}, 63007),
        ({"to": f"whatsapp:{THEIRS}", "from_": OURS, "body": "x"}, 21910),
        ({"to": THEIRS, "from_": OURS, "body": "x", "status_callback": "nowhere"}, 21609),
        ({"to": "+15005550001", "from_": OURS, "body": "x"}, 21211),
        ({"to": "+15005550002", "from_": OURS, "body": "x"}, 21612),
        ({"to": "+15005550003", "from_": OURS, "body": "x"}, 21408),
        ({"to": "+15005550004", "from_": OURS, "body": "x"}, 21610),
        ({"to": "+15005550009", "from_": OURS, "body": "x"}, 21614),
        ({"to": THEIRS, "from_": "+15005550001", "body": "x"}, 21212),
        ({"to": THEIRS, "from_": "+15005550007", "body": "x"}, 21606),
        ({"to": THEIRS, "from_": "+15005550008", "body": "x"}, 21611),
    ],
)
def test_a_bad_message_is_refused_with_its_code(shared: Running, fields: dict[str, str], code: int) -> None:
    assert refused(lambda: shared.sdk.messages.create(**fields)) == (400, code)


@pytest.fixture(scope="module")
def shared():
    with simulator() as running:
        yield running


def test_strangers_are_sent_away(shared: Running) -> None:
    wrong = Client(AC, "wrong", http_client=ToSimulator(shared.base, shared.sdk.http_client.session))
    assert refused(lambda: wrong.messages("SM0").fetch()) == (401, 20003)
    other = Client(AC, shared.config.auth_token, account_sid="AC" + "1" * 32, http_client=shared.sdk.http_client)
    assert refused(lambda: other.messages("SM0").fetch()) == (404, 20404)


def test_an_api_key_opens_too() -> None:
    key = "SK" + "1" * 32
    with simulator(api_keys={key: "secret"}) as running:
        client = Client(key, "secret", account_sid=AC, http_client=running.sdk.http_client)
        assert client.api.v2010.accounts(AC).fetch().status == "active"


def test_statuses_come_in_order_signed_with_their_query(sim: Running, product: Receiver) -> None:
    callback = f"{product.base}/webhooks/twilio/status?oid=a%20b&n=1"
    message = sim.sdk.messages.create(to=THEIRS, from_=OURS, body="x", status_callback=callback)
    hooks = product.wait(3)
    assert [hook["MessageStatus"] for hook in hooks] == ["sending", "sent", "delivered"]
    for hook in hooks:
        assert hook.url == callback
        assert hook.genuine(sim.config.auth_token)
        assert hook["MessageSid"] == hook["SmsSid"] == message.sid
        assert "ErrorCode" not in hook.form


def test_a_messaging_service_chooses_the_sender(sim: Running, product: Receiver) -> None:
    message = sim.sdk.messages.create(
        to=THEIRS, messaging_service_sid="MG" + "0" * 32, body="x", status_callback=f"{product.base}/s"
    )
    assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")
    hooks = product.wait(4)
    assert [hook["MessageStatus"] for hook in hooks] == ["queued", "sending", "sent", "delivered"]
    assert hooks[0]["From"] == OURS
    assert message.fetch().from_ == OURS


def test_a_text_arrives_signed_with_all_fields(sim: Running, product: Receiver) -> None:
    sid = sim.text("Grüße & co 👋")["sid"]
    (hook,) = product.wait(1)
    assert hook.path == "/webhooks/twilio/messages"
    assert hook.genuine(sim.config.auth_token)
    assert hook.headers["user-agent"] == "TwilioProxy/1.1"
    assert hook.headers["accept"] == "*/*"
    assert hook.headers["i-twilio-idempotency-token"]
    assert {name: hook[name] for name in hook.form} == {
        "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "AccountSid": AC, "From": THEIRS, "To": OURS,
        "Body": "Grüße & co 👋", "NumMedia": "0", "NumSegments": "1", "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
    }  # fmt: skip


def test_a_whatsapp_picture_without_words_has_blank_body_and_media(sim: Running, product: Receiver) -> None:
    source = "https://example.com/cat.jpg"
    sid = sim.text("", channel="whatsapp", media=[source], profile_name="Ann")["sid"]
    (hook,) = product.wait(1)
    assert hook.genuine(sim.config.auth_token)
    assert (hook["Body"], hook["NumMedia"], hook["MediaContentType0"], hook["MessageType"]) == (
        "", "1", "image/jpeg", "image",
    )  # fmt: skip
    assert (hook["From"], hook["To"], hook["WaId"]) == (f"whatsapp:{THEIRS}", OURS_WHATSAPP, THEIRS[1:])
    media = sim.sdk.messages(sid).media.list()
    assert [m.content_type for m in media] == ["image/jpeg"]
    path = httpx.URL(hook["MediaUrl0"]).path
    assert sim.http.get(path, auth=(AC, sim.config.auth_token)).headers["location"] == source


def test_texts_of_one_person_arrive_in_order(sim: Running, product: Receiver) -> None:
    for n in range(20):
        sim.text(str(n))
    assert [hook["Body"] for hook in product.wait(20)] == [str(n) for n in range(20)]


def test_twiml_in_the_answer_is_sent(sim: Running, product: Receiver) -> None:
    product.answers.append((200, "text/xml", "<Response><Message>Hi</Message></Response>"))
    sim.text("Hello")
    reply = eventually(lambda: [m for m in sim.messages() if m["direction"] == "outbound-reply"])[0]
    assert reply["body"] == "Hi"


def test_an_unavailable_product_is_tried_again_with_the_same_token(sim: Running, product: Receiver) -> None:
    product.answers += [(503, "text/plain", ""), (500, "text/plain", "")]
    sim.text("Hello")
    hooks = product.wait(3)
    assert len({hook.headers["i-twilio-idempotency-token"] for hook in hooks}) == 1
    attempts = eventually(lambda: [a for a in sim.http.get("/_sim/webhooks").json()["attempts"] if a["attempt"] == 3])
    assert attempts[0]["status"] == 200


def test_whatsapp_outside_the_window_fails_later(sim: Running, product: Receiver) -> None:
    def send() -> object:
        return sim.sdk.messages.create(
            to=f"whatsapp:{THEIRS}", from_=OURS_WHATSAPP, body="x", status_callback=f"{product.base}/s"
        )

    assert send().status == "queued"
    hook = product.wait(2)[-1]
    assert (hook["MessageStatus"], hook["ErrorCode"]) == ("failed", "63016")
    sim.text("Hello", channel="whatsapp")
    message = send()
    eventually(lambda: message.fetch().status == "delivered")
    assert sim.http.post("/_sim/read", json={"phone": f"whatsapp:{THEIRS}"}).json() == {"read": 1}
    assert message.fetch().status == "read"


def test_stop_blocks_and_start_opens(sim: Running) -> None:
    sim.text("Stop")
    assert refused(lambda: sim.sdk.messages.create(to=THEIRS, from_=OURS, body="x")) == (400, 21610)
    sim.text("START")
    assert sim.sdk.messages.create(to=THEIRS, from_=OURS, body="x").sid


def test_a_number_can_have_another_webhook(sim: Running, product: Receiver) -> None:
    (number,) = sim.sdk.incoming_phone_numbers.list()
    assert number.phone_number == OURS
    number.update(sms_url=f"{product.base}/elsewhere?x=1", sms_method="GET")
    sim.text("Hello")
    (hook,) = product.wait(1)
    assert (hook.method, hook.path, hook["Body"]) == ("GET", "/elsewhere", "Hello")
    assert hook.genuine(sim.config.auth_token)
