"""Messaging Services and sends through them, by the genuine SDK."""

import pytest

from tests.simulator.harness import OURS, THEIRS, Receiver, Running, eventually, refused


@pytest.fixture
def services(sim: Running):
    return sim.sdk.messaging.v1.services


def our_sid(sim: Running) -> str:
    return sim.sdk.incoming_phone_numbers.list()[0].sid


def other_number(sim: Running, address: str) -> str:
    """A second number of ours."""
    return sim.sdk.incoming_phone_numbers.create(phone_number=address).sid


def test_a_service_lives_from_create_to_delete(sim: Running, services) -> None:
    made = services.create(friendly_name="Pool", inbound_request_url="https://e.com/in", sticky_sender=False)
    assert (made.sid[:2], made.sticky_sender, made.validity_period, made.usecase) == ("MG", False, 36000, "undeclared")
    assert made.links["phone_numbers"] == f"https://messaging.twilio.com/v1/Services/{made.sid}/PhoneNumbers"
    assert made.update(friendly_name="Pool 2", status_callback="https://e.com/s").friendly_name == "Pool 2"
    assert services(made.sid).fetch().status_callback == "https://e.com/s"
    assert made.sid in [row.sid for row in services.list(page_size=1)]
    assert made.delete()
    assert refused(made.fetch) == (404, 20404)


@pytest.mark.parametrize(
    "fields",
    [{"friendly_name": ""}, {"friendly_name": "x", "inbound_request_url": "nowhere"},
     {"friendly_name": "x", "inbound_method": "PUT"}, {"friendly_name": "x", "validity_period": 36001},
     {"friendly_name": "x", "scan_message_content": "maybe"}],
)  # fmt: skip
def test_a_bad_service_is_refused(services, fields: dict[str, object]) -> None:
    assert refused(lambda: services.create(**fields)) == (400, 20001)


def test_a_number_belongs_to_one_service(sim: Running, services) -> None:
    first, second, sid = services.create(friendly_name="a"), services.create(friendly_name="b"), our_sid(sim)
    assert first.phone_numbers.create(phone_number_sid=sid).phone_number == OURS
    assert refused(lambda: first.phone_numbers.create(phone_number_sid=sid)) == (409, 21710)
    assert refused(lambda: second.phone_numbers.create(phone_number_sid=sid)) == (409, 21712)
    assert refused(lambda: second.phone_numbers.create(phone_number_sid="PN" + "0" * 32)) == (404, 21404)
    assert [row.sid for row in first.phone_numbers.list()] == [sid]
    assert first.phone_numbers(sid).fetch().capabilities == ["SMS", "MMS"]
    assert first.phone_numbers(sid).delete()
    assert second.phone_numbers.create(phone_number_sid=sid).sid == sid
    second.delete()
    assert first.phone_numbers.create(phone_number_sid=sid).sid == sid


def test_the_default_service_has_all_other_numbers(sim: Running, services) -> None:
    default = services("MG" + sim.config.account_sid[2:])
    assert [row.phone_number for row in default.phone_numbers.list()] == [OURS]
    (whatsapp,) = [row for row in default.channel_senders.list() if row.sender_type == "WHATSAPP"]
    assert whatsapp.sender == f"whatsapp:{sim.config.whatsapp_number}"
    pool = services.create(friendly_name="a")
    assert pool.channel_senders.create(sid=whatsapp.sid).sender == whatsapp.sender
    assert whatsapp.sid not in [row.sid for row in default.channel_senders.list()]
    assert pool.channel_senders(whatsapp.sid).delete()
    assert refused(default.delete) == (400, 20001)


def test_a_send_is_accepted_then_queued_by_the_chosen_sender(sim: Running, services, product: Receiver) -> None:
    pool = services.create(friendly_name="a", status_callback=f"{product.base}/pool")
    pool.phone_numbers.create(phone_number_sid=our_sid(sim))
    message = sim.sdk.messages.create(to=THEIRS, messaging_service_sid=pool.sid, body="x")
    assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")
    hooks = product.wait(4)
    assert [(hook.path, hook["MessageStatus"]) for hook in hooks] == [
        ("/pool", status) for status in ("queued", "sending", "sent", "delivered")
    ]
    assert {(hook["MessagingServiceSid"], hook["From"]) for hook in hooks} == {(pool.sid, OURS)}
    assert message.fetch().from_ == OURS
    named = sim.sdk.messages.create(to=THEIRS, from_=OURS, messaging_service_sid=pool.sid, body="x")
    assert (named.status, named.from_) == ("accepted", OURS)


@pytest.mark.parametrize(("sticky", "senders"), [(True, 1), (False, 2)])
def test_a_person_keeps_their_sender(sim: Running, services, sticky: bool, senders: int) -> None:
    pool = services.create(friendly_name="a", sticky_sender=sticky, area_code_geomatch=False)
    for sid in (our_sid(sim), other_number(sim, "+15550100077")):
        pool.phone_numbers.create(phone_number_sid=sid)
    used = set()
    for _ in range(4):
        message = sim.sdk.messages.create(to=THEIRS, messaging_service_sid=pool.sid, body="x")
        used.add(eventually(lambda sid=message.sid: sim.sdk.messages(sid).fetch().from_))
    assert len(used) == senders


def test_a_sender_of_the_persons_area_is_preferred(sim: Running, services) -> None:
    pool = services.create(friendly_name="a")
    for sid in (our_sid(sim), other_number(sim, "+12125550100")):
        pool.phone_numbers.create(phone_number_sid=sid)
    message = sim.sdk.messages.create(to="+12125559999", messaging_service_sid=pool.sid, body="x")
    assert eventually(lambda: message.fetch().from_) == "+12125550100"


def test_sends_that_no_pool_can_make_are_refused(sim: Running, services) -> None:
    pool = services.create(friendly_name="empty")

    def code(**fields: str) -> int:
        return refused(lambda: sim.sdk.messages.create(to=THEIRS, body="x", **fields))[1]

    assert code(messaging_service_sid=pool.sid) == 21703
    assert code(messaging_service_sid="MG" + "f" * 32) == 21705
    assert code(messaging_service_sid=pool.sid, from_=OURS) == 21712
    assert code(messaging_service_sid=pool.sid, fallback_from=OURS) == 21667
    assert code(fallback_from=OURS) == 21666
    assert code(fallback_from=OURS, from_=OURS) == 21664


def test_the_service_hears_its_numbers_texts(sim: Running, services, product: Receiver) -> None:
    pool = services.create(friendly_name="a", inbound_request_url=f"{product.base}/pool")
    pool.phone_numbers.create(phone_number_sid=our_sid(sim))
    sim.text("one")
    (hook,) = product.wait(1)
    assert (hook.path, hook["MessagingServiceSid"]) == ("/pool", pool.sid)
    pool.update(use_inbound_webhook_on_number=True)
    sim.text("two")
    assert product.wait(2)[1].path == "/webhooks/twilio/messages"
    pool.update(use_inbound_webhook_on_number=False, inbound_request_url="")
    sim.text("three")
    eventually(lambda: sim.http.get("/_sim/health").json()["webhooks_pending"] == 0)
    assert len(product.hooks) == 2
