"""Which call goes where: by product, method and path. `*` is a placeholder."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from simulator.errors import TwilioError, not_found
from simulator.rest import (
    account,
    addresses,
    chat_messages,
    configuration,
    conversations,
    conversations_with_participants,
    credentials,
    hooks,
    media,
    message_media,
    messages,
    messaging_services,
    numbers,
    numbers_by_kind,
    participants,
    roles,
    services,
    templates,
    typing_indicators,
    users,
)
from simulator.rest.call import Call, Reply

Handler = Callable[[Call], Reply | Awaitable[Reply]]


class Route(NamedTuple):
    parts: tuple[str, ...]
    handler: Handler
    sends: bool

    @property
    def name(self) -> str:
        """What a fault calls it: the resource and what is done, as `messages.create`."""
        return f"{self.handler.__module__.rpartition('.')[2]}.{self.handler.__name__}"


_ACCOUNTS = (("GET", "Accounts.json", account.listing),)
_API = (
    ("POST", "*/Messages.json", messages.create),
    ("GET", "*/Messages.json", messages.listing),
    ("GET", "*/Messages/*", messages.fetch),
    ("POST", "*/Messages/*", messages.update),
    ("DELETE", "*/Messages/*", messages.delete),
    ("GET", "*/Messages/*/Media.json", message_media.listing),
    ("GET", "*/Messages/*/Media/*", message_media.fetch),
    ("DELETE", "*/Messages/*/Media/*", message_media.delete),
    ("POST", "*/Messages/*/Feedback.json", message_media.feedback),
    ("GET", "*/IncomingPhoneNumbers.json", numbers.listing),
    ("POST", "*/IncomingPhoneNumbers.json", numbers.create),
    ("GET", "*/IncomingPhoneNumbers/Local.json", numbers_by_kind.list_local),
    ("POST", "*/IncomingPhoneNumbers/Local.json", numbers_by_kind.create_local),
    ("GET", "*/IncomingPhoneNumbers/Mobile.json", numbers_by_kind.list_mobile),
    ("POST", "*/IncomingPhoneNumbers/Mobile.json", numbers_by_kind.create_mobile),
    ("GET", "*/IncomingPhoneNumbers/TollFree.json", numbers_by_kind.list_toll_free),
    ("POST", "*/IncomingPhoneNumbers/TollFree.json", numbers_by_kind.create_toll_free),
    ("GET", "*/IncomingPhoneNumbers/*", numbers.fetch),
    ("POST", "*/IncomingPhoneNumbers/*", numbers.update),
    ("DELETE", "*/IncomingPhoneNumbers/*", numbers.delete),
    ("GET", "*", account.fetch),
)
_CONVERSATIONS = (
    ("GET", "Configuration", configuration.fetch),
    ("POST", "Configuration", configuration.update),
    ("GET", "Configuration/Addresses", addresses.listing),
    ("POST", "Configuration/Addresses", addresses.create),
    ("GET", "Configuration/Addresses/*", addresses.fetch),
    ("POST", "Configuration/Addresses/*", addresses.update),
    ("DELETE", "Configuration/Addresses/*", addresses.delete),
    ("GET", "Services", services.listing),
    ("POST", "Services", services.create),
    ("GET", "Services/*", services.fetch),
    ("DELETE", "Services/*", services.delete),
    ("GET", "Credentials", credentials.listing),
    ("POST", "Credentials", credentials.create),
    ("GET", "Credentials/*", credentials.fetch),
    ("POST", "Credentials/*", credentials.update),
    ("DELETE", "Credentials/*", credentials.delete),
)
_ONLY_IN_SERVICE = (
    ("GET", "Configuration", services.fetch_configuration),
    ("POST", "Configuration", services.update_configuration),
    ("GET", "Configuration/Notifications", services.fetch_notifications),
    ("POST", "Configuration/Notifications", services.update_notifications),
    ("GET", "Bindings", services.no_bindings),
    ("GET", "Bindings/*", services.no_binding),
    ("DELETE", "Bindings/*", services.no_binding),
)
# Both for the default service, and under /Services/{IS}.
_OF_SERVICE = (
    ("GET", "Configuration/Webhooks", hooks.fetch_webhooks),
    ("POST", "Configuration/Webhooks", hooks.update_webhooks),
    ("GET", "ParticipantConversations", conversations.of_participant),
    ("GET", "Conversations", conversations.listing),
    ("POST", "Conversations", conversations.create),
    ("GET", "Conversations/*", conversations.fetch),
    ("POST", "Conversations/*", conversations.update),
    ("DELETE", "Conversations/*", conversations.delete),
    ("GET", "Conversations/*/Participants", participants.listing),
    ("POST", "Conversations/*/Participants", participants.create),
    ("GET", "Conversations/*/Participants/*", participants.fetch),
    ("POST", "Conversations/*/Participants/*", participants.update),
    ("DELETE", "Conversations/*/Participants/*", participants.delete),
    ("GET", "Conversations/*/Messages", chat_messages.listing),
    ("POST", "Conversations/*/Messages", chat_messages.create),
    ("GET", "Conversations/*/Messages/*", chat_messages.fetch),
    ("POST", "Conversations/*/Messages/*", chat_messages.update),
    ("DELETE", "Conversations/*/Messages/*", chat_messages.delete),
    ("GET", "Conversations/*/Messages/*/Receipts", chat_messages.receipts),
    ("GET", "Conversations/*/Messages/*/Receipts/*", chat_messages.fetch_receipt),
    ("GET", "Conversations/*/Webhooks", hooks.list_scoped),
    ("POST", "Conversations/*/Webhooks", hooks.create_scoped),
    ("GET", "Conversations/*/Webhooks/*", hooks.fetch_scoped),
    ("POST", "Conversations/*/Webhooks/*", hooks.update_scoped),
    ("DELETE", "Conversations/*/Webhooks/*", hooks.delete_scoped),
    ("POST", "ConversationWithParticipants", conversations_with_participants.create),
    ("GET", "Users", users.listing),
    ("POST", "Users", users.create),
    ("GET", "Users/*", users.fetch),
    ("POST", "Users/*", users.update),
    ("DELETE", "Users/*", users.delete),
    ("GET", "Users/*/Conversations", users.list_conversations),
    ("GET", "Users/*/Conversations/*", users.fetch_conversation),
    ("POST", "Users/*/Conversations/*", users.update_conversation),
    ("DELETE", "Users/*/Conversations/*", users.leave_conversation),
    ("GET", "Roles", roles.listing),
    ("POST", "Roles", roles.create),
    ("GET", "Roles/*", roles.fetch),
    ("POST", "Roles/*", roles.update),
    ("DELETE", "Roles/*", roles.delete),
)
_MESSAGING_V1 = (
    ("GET", "Services", messaging_services.listing),
    ("POST", "Services", messaging_services.create),
    ("GET", "Services/*", messaging_services.fetch),
    ("POST", "Services/*", messaging_services.update),
    ("DELETE", "Services/*", messaging_services.delete),
    ("GET", "Services/*/PhoneNumbers", messaging_services.list_numbers),
    ("POST", "Services/*/PhoneNumbers", messaging_services.add_number),
    ("GET", "Services/*/PhoneNumbers/*", messaging_services.fetch_number),
    ("DELETE", "Services/*/PhoneNumbers/*", messaging_services.remove_number),
    ("GET", "Services/*/ChannelSenders", messaging_services.list_channels),
    ("POST", "Services/*/ChannelSenders", messaging_services.add_channel),
    ("GET", "Services/*/ChannelSenders/*", messaging_services.fetch_channel),
    ("DELETE", "Services/*/ChannelSenders/*", messaging_services.remove_channel),
)
_MESSAGING_V2 = (("POST", "Indicators/Typing.json", typing_indicators.create_v2),)
_MESSAGING_V3 = (("POST", "Indicators/Typing.json", typing_indicators.create_v3),)
_CONTENT_LISTS = (
    ("GET", "Content", templates.listing),
    ("GET", "ContentAndApprovals", templates.list_with_approvals),
)
_CONTENT = (
    *_CONTENT_LISTS,
    ("POST", "Content", templates.create),
    ("GET", "Content/*", templates.fetch),
    ("PUT", "Content/*", templates.update),
    ("DELETE", "Content/*", templates.delete),
    ("GET", "Content/*/ApprovalRequests", templates.fetch_approval),
    ("POST", "Content/*/ApprovalRequests/whatsapp", templates.create_approval),
)
_MCS = (
    ("POST", "Services/*/Media", media.create),
    ("GET", "Services/*/Media/*", media.fetch),
    ("DELETE", "Services/*/Media/*", media.delete),
    ("GET", "Services/*/Media/*/Content", media.content),
)
_MEDIA = (("GET", "*", media.download),)
_SENDS = frozenset({messages.create, chat_messages.create})

IN_SERVICE = "conversations in a service"
_ROOTS = (
    ("api", "2010-04-01", _ACCOUNTS),
    ("api", "2010-04-01/Accounts", _API),
    ("conversations", "v1", _CONVERSATIONS),
    ("conversations", "v1", _OF_SERVICE),
    (IN_SERVICE, "v1", _ONLY_IN_SERVICE),
    (IN_SERVICE, "v1", _OF_SERVICE),
    ("messaging", "v1", _MESSAGING_V1),
    ("messaging", "v2", _MESSAGING_V2),
    ("messaging", "v3", _MESSAGING_V3),
    ("content", "v1", _CONTENT),
    ("content", "v2", _CONTENT_LISTS),
    ("mcs", "v1", _MCS),
    ("media", "", _MEDIA),
)


def _table() -> dict[tuple[str, int], list[tuple[str, Route]]]:
    """By product and number of parts, so that few candidates are left to compare."""
    table: dict[tuple[str, int], list[tuple[str, Route]]] = {}
    for product, root, rows in _ROOTS:
        for method, path, handler in rows:
            parts = (*root.split("/"), *path.split("/")) if root else tuple(path.split("/"))
            table.setdefault((product, len(parts)), []).append((method, Route(parts, handler, handler in _SENDS)))
    return table


_TABLE = _table()
NAMES = frozenset(route.name for rows in _TABLE.values() for _, route in rows)


def match(product: str, method: str, parts: tuple[str, ...], path: str) -> tuple[Route, tuple[str, ...]]:
    """The route and what stood at its placeholders. Raises TwilioError 20404, or 20004 for a known path."""
    known = False
    for allowed, route in _TABLE.get((product, len(parts)), ()):
        if all(want in ("*", part) for want, part in zip(route.parts, parts, strict=True)):
            if allowed == method:
                return route, tuple(part for want, part in zip(route.parts, parts, strict=True) if want == "*")
            known = True
    if known:
        raise TwilioError(20004, "Method not allowed", 405)
    raise not_found(path)
