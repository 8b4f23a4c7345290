"""Users of a service, and the conversations that each is in. https://www.twilio.com/docs/conversations/api/user-resource"""

from dataclasses import replace
from typing import Any

from simulator import digits, events
from simulator.assets import User
from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.records import Conversation, Participant
from simulator.rest import conversations, paging
from simulator.rest.call import GONE, Call, Reply
from simulator.rest.participants import MAX_ATTRIBUTES
from simulator.sids import looks_like

_MAX_IDENTITY = 256
_LEVELS = ("default", "muted")


def create(call: Call) -> Reply:
    identity = call.text("Identity")
    if not identity:
        raise TwilioError(50204, "Identity not provided")
    if len(identity) > _MAX_IDENTITY:
        raise TwilioError(50207, "Identity too long")
    if looks_like("US", identity):
        raise TwilioError(50206, "Identity should not match user SID pattern")
    if call.world.people.known(call.service, identity) is not None:
        raise TwilioError(50201, "User already exists", 409)
    user = call.world.people.user(call.service, identity, **_fields(call))
    call.world.emitter.emit_user("onUserAdded", user, source=call.source)
    return Reply(body=_show(call, user), status=201)


def listing(call: Call) -> Reply:
    rows = [user for user in call.world.store.users.rows.values() if user.service == call.service]
    return paging.v1(call, "users", rows, lambda row: _show(call, row))


def fetch(call: Call) -> Reply:
    return Reply(body=_show(call, _find(call)))


async def update(call: Call) -> Reply:
    fields: dict[str, Any] = _fields(call)
    described = replace(_find(call), **fields)
    await call.world.prehooks.ask(
        "onUserUpdate", call.service, lambda: events.user_fields(described), source=call.source
    )
    user = _find(call)
    call.world.store.users.change(user, updated=call.world.clock.now(), **fields)
    call.world.emitter.emit_user("onUserUpdated", user, source=call.source)
    return Reply(body=_show(call, user))


def delete(call: Call) -> Reply:
    """A user who is gone is in no conversation any more."""
    user = _find(call)
    for participant in _memberships(call, user):
        conversation = call.world.store.conversations.rows[participant.conversation]
        call.world.talks.leave(conversation, participant, source=call.source)
    call.world.store.users.remove(user.sid)
    return GONE


def list_conversations(call: Call) -> Reply:
    user = _find(call)
    rows = _memberships(call, user)
    return paging.v1(call, "conversations", rows, lambda row: _show_conversation(call, user, row))


def fetch_conversation(call: Call) -> Reply:
    user, participant = _membership(call)
    return Reply(body=_show_conversation(call, user, participant))


def update_conversation(call: Call) -> Reply:
    user, participant = _membership(call)
    fields: dict[str, Any] = call.given(last_read_at="LastReadTimestamp", notification_level="NotificationLevel")
    if fields.get("notification_level", "default") not in _LEVELS:
        raise TwilioError(50210, "Invalid notification level")
    if (index := call.text("LastReadMessageIndex")) is not None:
        if (number := digits.whole(index)) is None:
            raise TwilioError(50421, "Invalid last read message index format")
        fields["last_read_index"] = number
    call.world.store.participants.change(participant, updated=call.world.clock.now(), **fields)
    return Reply(body=_show_conversation(call, user, participant))


def leave_conversation(call: Call) -> Reply:
    _, participant = _membership(call)
    conversation = call.world.store.conversations.rows[participant.conversation]
    call.world.talks.leave(conversation, participant, source="API")
    return GONE


def _fields(call: Call) -> dict[str, str]:
    fields = call.given(friendly_name="FriendlyName", role_sid="RoleSid")
    if (sid := fields.get("role_sid")) is not None:
        role = call.world.store.roles.get(sid)
        if role is None or role.service != call.service:
            raise TwilioError(50100, "Role not found", 404)
        if role.type != "service":
            raise TwilioError(50105, "Invalid role type")
    return fields | conversations.attributes(call, MAX_ATTRIBUTES)


def _find(call: Call) -> User:
    user = call.world.people.known(call.service, call.ids[0])
    if user is None:
        raise not_found(f"/Users/{call.ids[0]}")
    return user


def _memberships(call: Call, user: User) -> list[Participant]:
    store = call.world.store
    return [
        participant
        for participant in store.by_identity.of(user.identity).values()
        if (found := store.conversations.get(participant.conversation)) is not None and found.service == user.service
    ]


def _membership(call: Call) -> tuple[User, Participant]:
    user, conversation = _find(call), conversations.find(call, 1)
    for participant in _memberships(call, user):
        if participant.conversation == conversation.sid:
            return user, participant
    raise not_found(f"/Users/{call.ids[0]}/Conversations/{call.ids[1]}")


def _show(call: Call, user: User) -> dict[str, Any]:
    url = f"{call.world.urls.conversations}/v1{call.service_path}/Users/{user.sid}"
    return {
        "sid": user.sid,
        "account_sid": call.world.config.account_sid,
        "chat_service_sid": user.service,
        "role_sid": user.role_sid,
        "identity": user.identity,
        "friendly_name": user.friendly_name,
        "attributes": user.attributes,
        "is_online": None,
        "is_notifiable": None,
        "date_created": iso(user.created),
        "date_updated": iso(user.updated),
        "url": url,
        "links": {"user_conversations": f"{url}/Conversations"},
    }


def _show_conversation(call: Call, user: User, participant: Participant) -> dict[str, Any]:
    conversation: Conversation = call.world.store.conversations.rows[participant.conversation]
    shown = conversations.show(call, conversation)
    base = f"{call.world.urls.conversations}/v1{call.service_path}"
    here = f"{base}/Conversations/{conversation.sid}"
    return {
        "account_sid": shown["account_sid"],
        "chat_service_sid": conversation.service,
        "conversation_sid": conversation.sid,
        "unread_messages_count": _unread(call, participant),
        "last_read_message_index": participant.last_read_index,
        "participant_sid": participant.sid,
        "user_sid": user.sid,
        "friendly_name": conversation.friendly_name,
        "conversation_state": conversation.state,
        "timers": shown["timers"],
        "attributes": conversation.attributes,
        "date_created": shown["date_created"],
        "date_updated": shown["date_updated"],
        "created_by": "system",
        "notification_level": participant.notification_level,
        "unique_name": conversation.unique_name,
        "url": f"{base}/Users/{user.sid}/Conversations/{conversation.sid}",
        "links": {"participant": f"{here}/Participants/{participant.sid}", "conversation": here},
    }


def _unread(call: Call, participant: Participant) -> int | None:
    """None as long as nothing was ever read."""
    if participant.last_read_index is None:
        return None
    said = call.world.store.said.of(participant.conversation).values()
    return sum(message.index > participant.last_read_index for message in said)
