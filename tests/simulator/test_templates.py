"""Content templates, by the genuine SDK: JSON bodies, approval, and what a phone gets of them."""

import pytest
from twilio.rest.content.v1.content import ContentList
from twilio.rest.content.v1.content.approval_create import ApprovalCreateList

from tests.simulator.harness import OURS, OURS_WHATSAPP, THEIRS, Receiver, Running, eventually, refused

ANN = f"whatsapp:{THEIRS}"


def made(sim: Running, types: dict, name: str = "order", **variables: str):
    request = {"friendly_name": name, "language": "en", "variables": variables, "types": types}
    return sim.sdk.content.v1.contents.create(ContentList.ContentCreateRequest(request))


def text(sim: Running):
    return made(sim, {"twilio/text": {"body": "Hi {{1}}, order {{2}}"}}, **{"1": "you"})


def approve(sim: Running, sid: str) -> None:
    request = {"name": "order_update", "category": "UTILITY"}
    approval = sim.sdk.content.v1.contents(sid).approval_create
    assert approval.create(ApprovalCreateList.ContentApprovalRequest(request)).status == "received"


def test_a_template_lives_from_create_to_delete(sim: Running) -> None:
    template = text(sim)
    contents = sim.sdk.content.v1.contents
    assert template.types == {"twilio/text": {"body": "Hi {{1}}, order {{2}}"}}
    assert contents(template.sid).fetch().variables == {"1": "you"}
    others = [made(sim, {"twilio/text": {"body": str(n)}}, str(n)).sid for n in range(3)]
    assert [row.sid for row in contents.list(page_size=2)] == [*others[::-1], template.sid]
    assert contents(template.sid).approval_fetch().fetch().whatsapp["status"] == "unsubmitted"
    approve(sim, template.sid)
    assert contents(template.sid).approval_fetch().fetch().whatsapp["status"] == "approved"
    rows = sim.sdk.content.v1.content_and_approvals.list()
    assert [row.approval_requests["status"] for row in rows if row.sid == template.sid] == ["approved"]
    assert template.delete()
    assert refused(template.fetch) == (404, 20404)


@pytest.mark.parametrize(
    "fields",
    [{"types": {"twilio/text": {"body": "x"}}}, {"language": "en"}, {"language": "en", "types": {}},
     {"language": "en", "types": {"twilio/none": {}}}, {"language": "en", "types": {"twilio/text": "x"}}],
)  # fmt: skip
def test_a_bad_template_is_refused(sim: Running, fields: dict) -> None:
    auth = (sim.config.account_sid, sim.config.auth_token)
    answer = sim.http.post("/content/v1/Content", json=fields, auth=auth)
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)
    form = sim.http.post("/content/v1/Content", data={"language": "en"}, auth=auth)
    assert (form.status_code, form.json()["code"]) == (400, 20001)


def test_a_text_is_rendered_with_its_variables(sim: Running) -> None:
    template = text(sim)
    sent = sim.sdk.messages.create(to=THEIRS, from_=OURS, content_sid=template.sid, content_variables='{"2": "A7"}')
    assert sent.body == "Hi you, order A7"
    assert [(m["body"], m["content_sid"], m["buttons"]) for m in sim.messages()] == [(sent.body, template.sid, [])]


def test_quick_replies_become_buttons(sim: Running) -> None:
    actions = [{"type": "QUICK_REPLY", "title": "Yes", "id": "yes-{{1}}"}, {"type": "QUICK_REPLY", "title": "No"}]
    template = made(
        sim, {"twilio/quick-reply": {"body": "Ok?", "actions": actions}, "twilio/text": {"body": "Ok? Y/N"}}
    )
    sim.text("Hello", channel="whatsapp")
    sim.sdk.messages.create(to=ANN, from_=OURS_WHATSAPP, content_sid=template.sid, content_variables='{"1": "7"}')
    sim.sdk.messages.create(to=THEIRS, from_=OURS, content_sid=template.sid)
    buttons = [{"text": "Yes", "payload": "yes-7"}, {"text": "No", "payload": "No"}]
    sent = [m for m in sim.messages() if m["direction"] != "inbound"]
    assert [(m["body"], m["buttons"]) for m in sent] == [("Ok?", buttons), ("Ok? Y/N", [])]


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"content_sid": "HX" + "0" * 32}, 21655), ({"content_sid": "ours", "content_variables": "{"}, 21656),
     ({"content_sid": "ours", "content_variables": "[]"}, 21656)],
)  # fmt: skip
def test_a_bad_send_is_refused(sim: Running, fields: dict[str, str], code: int) -> None:
    sid = text(sim).sid
    wanted = {name: sid if value == "ours" else value for name, value in fields.items()}
    assert refused(lambda: sim.sdk.messages.create(to=THEIRS, from_=OURS, **wanted)) == (400, code)
    conversation = sim.sdk.conversations.v1.conversations.create()
    expected = {21655: 50526, 21656: 50527}[code]
    assert refused(lambda: conversation.messages.create(**wanted)) == (400, expected)


def outcome(sim: Running, product: Receiver, sid: str, variables: str = '{"2": "A7"}') -> tuple[str, str | None]:
    """Last status and error code of a template sent to somebody who has not written."""
    message = sim.sdk.messages.create(
        to=ANN, from_=OURS_WHATSAPP, content_sid=sid, content_variables=variables, status_callback=f"{product.base}/s"
    )
    assert message.status == "queued"
    done = {"failed", "undelivered", "delivered"}
    hooks = eventually(
        lambda: [h for h in product.at("/s") if h["MessageSid"] == message.sid and h["MessageStatus"] in done]
    )
    return hooks[0]["MessageStatus"], hooks[0].form.get("ErrorCode", [None])[0]


def test_outside_the_window_whatsapp_takes_approved_templates_only(sim: Running, product: Receiver) -> None:
    sid = text(sim).sid
    assert outcome(sim, product, sid) == ("failed", "63016")
    approve(sim, sid)
    assert outcome(sim, product, sid) == ("delivered", None)
    assert outcome(sim, product, sid, "{}") == ("failed", "63028")
    for status, code in (("rejected", "63040"), ("paused", "63041"), ("disabled", "63042")):
        assert sim.http.post("/_sim/templates", json={"sid": sid, "status": status}).status_code == 200
        assert outcome(sim, product, sid) == ("failed", code)


def test_a_conversation_sends_a_template(sim: Running) -> None:
    template, conversation = text(sim), sim.sdk.conversations.v1.conversations.create()
    conversation.participants.create(messaging_binding_address=THEIRS, messaging_binding_proxy_address=OURS)
    said = conversation.messages.create(content_sid=template.sid, content_variables='{"2": "A7"}', body="not this")
    assert (said.body, said.content_sid) == (None, template.sid)
    assert [m["body"] for m in eventually(sim.messages)] == ["Hi you, order A7"]
