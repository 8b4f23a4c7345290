"""What the product's webhook answers is carried out, and what it does wrong is in the debugger."""

import pytest

from tests.simulator.harness import OURS, THEIRS, Receiver, Running, eventually

XML = "text/xml"


def codes(sim: Running) -> list[int]:
    return [entry["code"] for entry in sim.http.get("/_sim/debugger").json()["entries"]]


def replies(sim: Running, phone: str = THEIRS) -> list[str]:
    return [m["body"] for m in sim.messages(phone) if m["direction"] == "outbound-reply"]


def test_messages_are_sent_in_order_with_their_attributes(sim: Running, product: Receiver) -> None:
    second = "<Message to='+15557650002' statusCallback='/s'><Body>two</Body><Media>/a.png</Media></Message>"
    product.answers.append((200, XML, f"<Response><Message>one</Message>{second}</Response>"))
    sim.text("Hi")
    eventually(lambda: replies(sim) == ["one"] and replies(sim, "+15557650002") == ["two"])
    (other,) = sim.messages("+15557650002")
    assert other["media"] == [{"url": f"{product.base}/a.png", "content_type": "image/png"}]
    assert eventually(lambda: product.at("/s"))[0].genuine(sim.config.auth_token)


def test_plain_text_is_the_reply(sim: Running, product: Receiver) -> None:
    product.answers.append((200, "text/plain", "Hello"))
    sim.text("Hi")
    eventually(lambda: replies(sim) == ["Hello"])


def test_a_redirect_goes_on_at_another_url_with_the_same_fields(sim: Running, product: Receiver) -> None:
    product.answers += [
        (200, XML, "<Response><Message>one</Message><Redirect>/next?a=1</Redirect><Message>never</Message></Response>"),
        (200, XML, "<Response><Message>two</Message></Response>"),
    ]
    sim.text("Hi")
    first, second = product.wait(2)
    assert (second.method, second.path, second["Body"], second["MessageSid"]) == (
        "POST", "/next", "Hi", first["MessageSid"],
    )  # fmt: skip
    assert second.genuine(sim.config.auth_token)
    eventually(lambda: replies(sim) == ["one", "two"])


def test_an_action_hears_of_the_message_and_goes_on(sim: Running, product: Receiver) -> None:
    product.answers += [
        (200, XML, "<Response><Message action='/done' method='GET'>one</Message><Message>never</Message></Response>"),
        (200, XML, "<Response><Message>two</Message></Response>"),
    ]
    sim.text("Hi")
    done = product.wait(2)[1]
    assert (done.method, done.path, done["MessageStatus"]) == ("GET", "/done", "queued")
    assert done.genuine(sim.config.auth_token)
    eventually(lambda: replies(sim) == ["one", "two"])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, XML, "<Response><Message>"), 12100),
        ((200, "application/json", "{}"), 12300),
        ((200, XML, "<Response>" + "x" * 70_000 + "</Response>"), 11750),
        ((200, XML, "<Response><Dial>1</Dial></Response>"), 14110),
        ((200, XML, "<Response><Message/></Response>"), 14103),
        ((200, XML, "<Response><Message to='me'>x</Message></Response>"), 14101),
        ((200, XML, "<Response><Message from='+15551112222'>x</Message></Response>"), 14102),
        ((200, XML, "<Response><Message action='x' method='PUT'>x</Message></Response>"), 14104),
        ((200, XML, "<Response>" + "<Message>x</Message>" * 11 + "</Response>"), 14109),
        ((200, XML, "<Response><Redirect>ftp://example.com</Redirect></Response>"), 11100),
        ((200, XML, "<Response><Redirect>http://[::1</Redirect></Response>"), 11100),
        ((200, XML, "<Response><Redirect>http://127.0.0.1:99999/</Redirect></Response>"), 11100),
        ((200, XML, "<Response><Message><Body>x</Body><Media>http://[::1</Media></Message></Response>"), 11100),
        ((200, XML, f"<Response><Message>{'x' * 1601}</Message></Response>"), 21617),
        ((200, "text/plain", "x" * 1601), 21617),
        ((404, XML, ""), 11200),
    ],
)
def test_a_wrong_answer_is_in_the_debugger(
    sim: Running, product: Receiver, answer: tuple[int, str, str], code: int
) -> None:
    product.answers.append(answer)
    sim.text("Hi")
    eventually(lambda: codes(sim) == [code])
    assert len(replies(sim)) == (10 if code == 14109 else 0)


def test_a_reply_whose_callback_or_action_is_no_url_is_sent_without_it(sim: Running, product: Receiver) -> None:
    message = "<Message statusCallback='http://127.0.0.1:99999/' action='http://[::1'>x</Message>"
    product.answers.append((200, XML, f"<Response>{message}</Response>"))
    sim.text("Hi")
    eventually(lambda: codes(sim) == [11100, 11100])
    eventually(lambda: replies(sim) == ["x"])


def test_a_circle_of_redirects_ends(sim: Running, product: Receiver) -> None:
    product.answers += [(200, XML, "<Response><Redirect/></Response>")] * 60
    sim.text("Hi")
    eventually(lambda: codes(sim) == [14106])
    assert len(product.hooks) == 51  # the first document and fifty more


def test_two_machines_that_answer_each_other_are_stopped(sim: Running, product: Receiver) -> None:
    reply = (200, XML, "<Response>" + "<Message>x</Message>" * 8 + "</Response>")
    product.answers += [reply] * 3
    sim.http.post("/_sim/clock", json={"paused": True})
    for n in range(2):
        sim.text(str(n))
    eventually(lambda: codes(sim) == [14107])
    assert len(replies(sim)) == 15
    sim.http.post("/_sim/clock", json={"advance": 31})
    sim.text("later")
    eventually(lambda: len(replies(sim)) == 23)


def test_a_failing_webhook_falls_back(sim: Running, product: Receiver) -> None:
    hooks = {"sms_url": f"{product.base}/main#rc=0", "sms_fallback_url": f"{product.base}/fallback"}
    sim.http.post("/_sim/numbers", json={"address": OURS, **hooks})
    product.answers += [(500, XML, ""), (200, XML, "<Response><Message>Sorry</Message></Response>")]
    sim.text("Hi")
    (hook,) = eventually(lambda: product.at("/fallback"))
    assert (hook["ErrorCode"], hook["ErrorUrl"], hook["Body"]) == ("11200", f"{product.base}/main", "Hi")
    assert hook.genuine(sim.config.auth_token)
    eventually(lambda: replies(sim) == ["Sorry"])
    assert sim.messages()[0]["heard"]
