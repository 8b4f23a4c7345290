"""Test credentials and Twilio's magic numbers, by the genuine SDK."""

import pytest
from twilio.rest import Client

from tests.simulator.harness import OURS, THEIRS, Receiver, Running, refused, simulator

OK = "+15005550006"


@pytest.fixture
def test_sdk(sim: Running) -> Client:
    config = sim.config
    return Client(config.test_account_sid, config.test_auth_token, http_client=sim.sdk.http_client)


@pytest.mark.parametrize(
    ("to", "sender", "code"),
    [
        (THEIRS, "+15005550001", 21212),
        (THEIRS, "+15005550007", 21606),
        (THEIRS, "+15005550008", 21611),
        (THEIRS, OURS, 21606),
        ("+15005550001", OK, 21211),
        ("+15005550002", OK, 21612),
        ("+15005550003", OK, 21408),
        ("+15005550004", OK, 21610),
        ("+15005550009", OK, 21614),
    ],
)
def test_a_magic_number_has_its_answer(test_sdk: Client, to: str, sender: str, code: int) -> None:
    assert refused(lambda: test_sdk.messages.create(to=to, from_=sender, body="x")) == (400, code)


def test_nothing_is_kept_sent_or_announced(sim: Running, test_sdk: Client, product: Receiver) -> None:
    message = test_sdk.messages.create(to=THEIRS, from_=OK, body="x", status_callback=f"{product.base}/s")
    assert (message.status, message.account_sid) == ("queued", sim.config.test_account_sid)
    assert (sim.messages(), sim.sdk.messages.list()) == ([], [])
    assert sim.http.get("/_sim/health").json()["webhooks_pending"] == 0
    assert product.hooks == []
    assert refused(message.fetch) == (403, 20008)


def test_only_sending_and_buying_are_open_to_them(sim: Running, test_sdk: Client) -> None:
    assert test_sdk.incoming_phone_numbers.create(phone_number=OK).phone_number == OK
    assert refused(lambda: test_sdk.incoming_phone_numbers.create(phone_number="+15005550000")) == (400, 21422)
    assert refused(lambda: test_sdk.incoming_phone_numbers.create(phone_number="+15005550001")) == (400, 21421)
    assert refused(lambda: test_sdk.incoming_phone_numbers.create(area_code="533")) == (400, 21452)
    assert [number.phone_number for number in sim.sdk.incoming_phone_numbers.list()] == [OURS]
    assert refused(test_sdk.conversations.v1.conversations.create) == (403, 20008)
    other = Client(test_sdk.username, test_sdk.password, sim.config.account_sid, http_client=sim.sdk.http_client)
    assert refused(lambda: other.messages.create(to=THEIRS, from_=OK, body="x")) == (404, 20404)


def test_the_account_itself_can_do_without_magic() -> None:
    with simulator(live_magic=False) as sim:
        assert sim.sdk.messages.create(to="+15005550009", from_=OURS, body="x").sid
        assert refused(lambda: sim.sdk.messages.create(to=THEIRS, from_=OK, body="x")) == (400, 21606)
