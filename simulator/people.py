"""Users and roles of Conversations services. https://www.twilio.com/docs/conversations/api/user-resource"""

from simulator.assets import Role, User
from simulator.clock import Clock
from simulator.records import Service
from simulator.sids import Sids
from simulator.store import Store

_OWN = ("sendMessage", "sendMediaMessage", "leaveConversation", "editOwnMessage", "deleteOwnMessage")
_ALL = (*_OWN, "addParticipant", "removeParticipant", "deleteAnyMessage", "editAnyMessage", "deleteConversation")
# What each new service has, as Twilio names it: type, friendly name, what it is the default for, permissions.
# https://www.twilio.com/docs/conversations/api/role-resource
_ROLES = (
    ("conversation", "channel admin", "default_conversation_creator_role_sid", _ALL),
    ("conversation", "channel user", "default_conversation_role_sid", _OWN),
    ("service", "service admin", None, ("createConversation", "joinConversation", "addParticipant", "editAnyUserInfo")),
    ("service", "service user", "default_chat_service_role_sid", ("createConversation", "joinConversation")),
)


class People:
    def __init__(self, *, clock: Clock, sids: Sids, store: Store) -> None:
        self._clock = clock
        self._sids = sids
        self._store = store

    def open_service(self, name: str, sid: str | None = None) -> Service:
        """A new service with the roles that each has."""
        now = self._clock.now()
        service = Service(sid=sid or self._sids.new("IS"), friendly_name=name, created=now, updated=now)
        for kind, title, default_for, permissions in _ROLES:
            role = self.add_role(service.sid, title, kind, permissions)
            if default_for is not None:
                service.settings[default_for] = role.sid
        return self._store.services.add(service)

    def add_role(self, service: str, name: str, kind: str, permissions: tuple[str, ...]) -> Role:
        now, sid = self._clock.now(), self._sids.new("RL")
        role = Role(
            sid=sid,
            service=service,
            friendly_name=name,
            type=kind,
            permissions=list(permissions),
            created=now,
            updated=now,
        )
        return self._store.roles.add(role)

    def known(self, service: str, name: str) -> User | None:
        """By sid or identity."""
        user = self._store.users.get(name)
        if user is not None and user.service == service:
            return user
        return next(iter(self._store.users_by.of((service, name)).values()), None)

    def user(self, service: str, identity: str, **fields: str) -> User:
        """Made when the identity is new: whoever joins a conversation is a user."""
        user = self.known(service, identity)
        if user is not None:
            return user
        now, made = self._clock.now(), dict(fields)
        if (role := self.default(service, "default_chat_service_role_sid")) is not None:
            made.setdefault("role_sid", role)
        user = User(sid=self._sids.new("US"), service=service, identity=identity, created=now, updated=now, **made)
        return self._store.users.add(user)

    def default(self, service: str, name: str) -> str | None:
        found = self._store.services.get(service)
        return found.settings.get(name) if found is not None else None
