"""All tables of one simulated account, and the journal under them."""

from collections.abc import Iterator
from typing import Any

from simulator.assets import Credential, MessagingService, Role, Template, Upload, User
from simulator.config import SimulatorConfig
from simulator.delivery import Delivery
from simulator.faults import Fault
from simulator.journal import Change, Journal
from simulator.records import (
    AddressConfig,
    ChatMessage,
    Conversation,
    Hook,
    Message,
    Number,
    OptOut,
    Participant,
    Receipt,
    Service,
    Setting,
)
from simulator.table import Index, Table

_SLACK = 50_000  # journal lines beyond three a live row before the file is rewritten


class Store:
    def __init__(self, config: SimulatorConfig) -> None:
        journal = self._journal = Journal(config.data)
        limit = config.max_messages
        self.messages_to = Index[Message](lambda m: m.recipient)
        self.messages_from = Index[Message](lambda m: m.sender or None, "sender")
        self.copies = Index[Message](lambda m: None if m.inbound else m.chat_message_sid)
        self.messages = Table(
            "messages",
            Message,
            journal,
            limit=limit,
            indexes=(self.messages_to, self.messages_from, self.copies),
        )
        self.numbers_at = Index[Number](lambda n: n.address, "address")
        self.numbers = Table("numbers", Number, journal, indexes=(self.numbers_at,))
        self.services = Table("services", Service, journal)
        self.roles = Table("roles", Role, journal)
        self.users_by = Index[User](lambda u: (u.service, u.identity))
        self.users = Table("users", User, journal, indexes=(self.users_by,))
        self.credentials = Table("credentials", Credential, journal)
        self.messaging_services = Table("messaging_services", MessagingService, journal)
        self.templates = Table("templates", Template, journal)
        self.uploads = Table("uploads", Upload, journal)
        self.unique_names = Index[Conversation](lambda c: c.unique_name and (c.service, c.unique_name), "unique_name")
        self.conversations = Table("conversations", Conversation, journal, indexes=(self.unique_names,))
        self.members = Index[Participant](lambda p: p.conversation)
        self.pairs = Index[Participant](lambda p: p.pair, "proxy_address")
        self.by_address = Index[Participant](lambda p: p.address)
        self.by_identity = Index[Participant](lambda p: p.identity, "identity")
        self.by_projected = Index[Participant](lambda p: p.projected_address, "projected_address")
        self.participants = Table(
            "participants",
            Participant,
            journal,
            indexes=(self.members, self.pairs, self.by_address, self.by_identity, self.by_projected),
        )
        self.said = Index[ChatMessage](lambda m: m.conversation)
        self.chat_messages = Table("chat_messages", ChatMessage, journal, limit=limit, indexes=(self.said,))
        self.receipts_of = Index[Receipt](lambda r: r.chat_message)
        self.receipts = Table("receipts", Receipt, journal, limit=limit, indexes=(self.receipts_of,))
        self.hooks_of = Index[Hook](lambda h: h.owner)
        self.hooks = Table("hooks", Hook, journal, indexes=(self.hooks_of,))
        self.address_configs = Table("address_configs", AddressConfig, journal)
        self.opt_outs = Table("opt_outs", OptOut, journal)
        self.settings = Table("settings", Setting, journal)
        self.deliveries = Table("deliveries", Delivery, journal)
        self.faults = Table("faults", Fault, journal)
        # In the order above, which is that of the journal after it was rewritten.
        tables = [table for table in vars(self).values() if isinstance(table, Table)]
        self._tables: dict[str, Table[Any]] = {table.name: table for table in tables}
        for op, name, sid, fields in journal.replay():
            if (table := self._tables.get(name)) is not None:
                table.load(op, sid, fields)
        self.compact()

    def compact(self) -> None:
        self._journal.rewrite(self._alive())

    def compact_if_long(self) -> None:
        if self._journal.lines > 3 * self.size + _SLACK:
            self.compact()

    @property
    def size(self) -> int:
        return sum(len(table.rows) for table in self._tables.values())

    def number(self, address: str) -> Number | None:
        """The sender of ours that has this address."""
        return next(iter(self.numbers_at.of(address).values()), None)

    def clear(self) -> None:
        for table in self._tables.values():
            for sid in list(table.rows):
                table.remove(sid)
        self.compact()

    def close(self) -> None:
        self._journal.close()

    def _alive(self) -> Iterator[Change]:
        for name, table in self._tables.items():
            for sid, row in table.rows.items():
                yield "put", name, sid, table.dump(row)
