"""Which call goes where: by product, method and path. `*` is a placeholder."""

from collections.abc import Callable
from typing import NamedTuple

from simulator.errors import not_found
from simulator.rest import account, chat_messages, configuration, conversations, messages, participants
from simulator.rest.call import Call, Reply

Handler = Callable[[Call], Reply]


class Route(NamedTuple):
    parts: tuple[str, ...]
    handler: Handler
    sends: bool


_API = (
    ("POST", "*/Messages.json", messages.create),
    ("GET", "*/Messages.json", messages.listing),
    ("GET", "*/Messages/*", messages.fetch),
    ("POST", "*/Messages/*", messages.update),
    ("DELETE", "*/Messages/*", messages.delete),
    ("GET", "*/Messages/*/Media.json", messages.list_media),
    ("GET", "*/Messages/*/Media/*", messages.fetch_media),
    ("GET", "*/IncomingPhoneNumbers.json", account.list_numbers),
    ("GET", "*/IncomingPhoneNumbers/*", account.fetch_number),
    ("POST", "*/IncomingPhoneNumbers/*", account.update_number),
    ("GET", "*", account.fetch),
)
_CONVERSATIONS = (
    ("GET", "Configuration", configuration.fetch),
    ("GET", "Configuration/Webhooks", configuration.fetch_webhooks),
    ("POST", "Configuration/Webhooks", configuration.update_webhooks),
    ("GET", "Configuration/Addresses", configuration.list_addresses),
    ("POST", "Configuration/Addresses", configuration.create_address),
    ("GET", "Configuration/Addresses/*", configuration.fetch_address),
    ("POST", "Configuration/Addresses/*", configuration.update_address),
    ("DELETE", "Configuration/Addresses/*", configuration.delete_address),
    ("GET", "Services", configuration.list_services),
    ("POST", "Services", configuration.create_service),
    ("GET", "Services/*", configuration.fetch_service),
    ("DELETE", "Services/*", configuration.delete_service),
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
    ("GET", "Conversations/*/Webhooks", configuration.list_scoped),
    ("POST", "Conversations/*/Webhooks", configuration.create_scoped),
    ("GET", "Conversations/*/Webhooks/*", configuration.fetch_scoped),
    ("DELETE", "Conversations/*/Webhooks/*", configuration.delete_scoped),
)
_SENDS = frozenset({messages.create, chat_messages.create})


def _table() -> dict[tuple[str, str, int], list[Route]]:
    """By product, method and number of parts, so that few candidates are left to compare."""
    table: dict[tuple[str, str, int], list[Route]] = {}
    for product, root, rows in (("api", "2010-04-01/Accounts", _API), ("conversations", "v1", _CONVERSATIONS)):
        for method, path, handler in rows:
            parts = (*root.split("/"), *path.split("/"))
            table.setdefault((product, method, len(parts)), []).append(Route(parts, handler, handler in _SENDS))
    return table


_TABLE = _table()


def match(product: str, method: str, parts: tuple[str, ...], path: str) -> tuple[Route, tuple[str, ...]]:
    """The route and what stood at its placeholders. Raises TwilioError 20404."""
    for route in _TABLE.get((product, method, len(parts)), ()):
        if all(want in ("*", part) for want, part in zip(route.parts, parts, strict=True)):
            return route, tuple(part for want, part in zip(route.parts, parts, strict=True) if want == "*")
    raise not_found(path)
