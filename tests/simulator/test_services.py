"""Conversations services with their users and roles, and the limits on all of them, by the genuine SDK."""

import json

import pytest

from tests.simulator.harness import OURS, THEIRS, Running, refused, simulator


@pytest.fixture
def v1(sim: Running):
    return sim.sdk.conversations.v1


def test_a_chat_participant_is_a_user_with_the_default_roles(v1) -> None:
    service = v1.services(v1.configuration().fetch().default_chat_service_sid)
    defaults = service.configuration().fetch()
    participant = v1.conversations.create().participants.create(identity="ann")
    assert participant.role_sid == defaults.default_conversation_role_sid
    user = v1.users("ann").fetch()
    assert (user.identity, user.role_sid) == ("ann", defaults.default_chat_service_role_sid)
    assert [row.participant_user_sid for row in v1.participant_conversations.list(identity="ann")] == [user.sid]
    assert refused(lambda: v1.users.create(identity="ann")) == (409, 50201)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [({"identity": ""}, 400, 50204), ({"identity": "x" * 257}, 400, 50207), ({"identity": "US" + "0" * 32}, 400, 50206),
     ({"identity": "x", "role_sid": "RL" + "0" * 32}, 404, 50100), ({"identity": "x", "attributes": "{"}, 400, 50304)],
)  # fmt: skip
def test_a_bad_user_is_refused(v1, fields: dict[str, str], status: int, code: int) -> None:
    assert refused(lambda: v1.users.create(**fields)) == (status, code)


def test_a_user_sees_what_is_unread_and_leaves(v1) -> None:
    conversation = v1.conversations.create(friendly_name="Ann")
    conversation.participants.create(identity="ann")
    for n in range(3):
        conversation.messages.create(body=str(n))
    (row,) = v1.users("ann").user_conversations.list()
    assert (row.conversation_sid, row.unread_messages_count, row.notification_level) == (
        conversation.sid,
        None,
        "default",
    )
    changed = v1.users("ann").user_conversations(conversation.sid).update(
        last_read_message_index=0, notification_level="muted"
    )  # fmt: skip
    assert (changed.unread_messages_count, changed.notification_level) == (2, "muted")
    assert refused(
        lambda: v1.users("ann").user_conversations(conversation.sid).update(notification_level="loud")
    ) == (400, 50210)  # fmt: skip
    assert v1.users("ann").user_conversations(conversation.sid).delete()
    assert conversation.participants.list() == []
    assert refused(v1.users("ann").user_conversations(conversation.sid).fetch) == (404, 20404)


def test_a_deleted_user_is_in_no_conversation(v1) -> None:
    conversation = v1.conversations.create()
    conversation.participants.create(identity="ann")
    assert v1.users("ann").delete()
    assert (conversation.participants.list(), v1.users.list()) == ([], [])


def test_roles_are_of_their_service(v1) -> None:
    service = v1.services.create(friendly_name="Other")
    assert {(row.friendly_name, row.type) for row in v1.services(service.sid).roles.list()} == {
        ("channel admin", "conversation"), ("channel user", "conversation"), ("service admin", "service"),
        ("service user", "service"),
    }  # fmt: skip
    made = v1.services(service.sid).roles.create(friendly_name="x", type="conversation", permission=["sendMessage"])
    configured = v1.services(service.sid).configuration().update(default_conversation_role_sid=made.sid)
    assert configured.default_conversation_role_sid == made.sid
    there = v1.services(service.sid).conversations.create().participants.create(identity="bea")
    assert there.role_sid == made.sid
    assert refused(v1.roles(made.sid).fetch) == (404, 20404)
    assert refused(lambda: v1.roles.create(friendly_name="x", type="king", permission=["a"])) == (400, 50105)
    assert refused(lambda: v1.roles.create(friendly_name="x", type="service", permission=[])) == (400, 20001)


def test_a_deleted_service_takes_everything_with_it(v1) -> None:
    service = v1.services.create(friendly_name="Other")
    there = v1.services(service.sid).conversations.create()
    there.participants.create(messaging_binding_address=THEIRS, messaging_binding_proxy_address=OURS)
    assert v1.services(service.sid).delete()
    assert refused(v1.services(service.sid).conversations.create) == (404, 20404)
    assert v1.participant_conversations.list(address=THEIRS) == []
    assert refused(v1.services("IS" + "0" * 32).delete) == (400, 20001)


def test_the_account_has_defaults(v1) -> None:
    service = v1.services.create(friendly_name="Other")
    changed = v1.configuration().update(
        default_chat_service_sid=service.sid, default_inactive_timer="PT5M", default_closed_timer="PT1H"
    )
    assert (changed.default_chat_service_sid, changed.default_inactive_timer) == (service.sid, "PT5M")
    made = v1.conversations.create(timers_inactive="PT2M")
    assert made.chat_service_sid == service.sid
    assert set(made.timers) == {"date_inactive", "date_closed"}
    assert refused(lambda: v1.configuration().update(default_inactive_timer="PT1S")) == (400, 50375)
    assert refused(lambda: v1.configuration().update(default_chat_service_sid="IS0")) == (404, 50050)


def test_notifications_are_kept(v1) -> None:
    service = v1.services(v1.configuration().fetch().default_chat_service_sid)
    notifications = service.configuration.notifications
    assert notifications().fetch().new_message["enabled"] is False
    changed = notifications().update(new_message_enabled=True, new_message_with_media_template="x", log_enabled=True)
    assert (changed.new_message["enabled"], changed.new_message["with_media"]["template"]) == (True, "x")
    assert notifications().fetch().log_enabled is True


def test_more_actions_than_allowed_are_refused() -> None:
    with simulator(actions_per_second=3) as sim:
        sim.http.post("/_sim/clock", json={"paused": True})
        v1 = sim.sdk.conversations.v1
        first, second, _ = (v1.conversations.create() for _ in range(3))
        assert refused(v1.conversations.create) == (429, 50063)
        ann = [json.dumps({"identity": "ann"})]
        assert refused(lambda: v1.conversation_with_participants.create(participant=ann)) == (429, 50063)
        for n in range(3):
            first.messages.create(body=str(n))
        assert refused(lambda: first.participants.create(identity="ann")) == (429, 50063)
        assert second.messages.create(body="x").index == 0
        assert v1.users.create(identity="bea").sid
        assert len(v1.conversations.list()) == 3  # reading costs nothing
        sim.http.post("/_sim/clock", json={"advance": 1})
        assert v1.conversations.create().sid
