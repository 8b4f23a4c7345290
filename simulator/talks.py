"""Conversations: who is in one, what is said in it, and who hears of that. `intake` has what comes from outside."""

from typing import Any

from simulator import events
from simulator.clock import Clock
from simulator.config import SimulatorConfig
from simulator.defaults import Defaults
from simulator.events import Events
from simulator.fanout import Fanout
from simulator.groups import Groups
from simulator.idleness import Idleness
from simulator.people import People
from simulator.records import ChatMessage, Conversation, Message, Participant, Receipt
from simulator.sids import Sids
from simulator.store import Store
from simulator.texting import Texting
from simulator.transcript import Transcript

RECEIPT_STATUSES = frozenset({"sent", "delivered", "read", "failed", "undelivered"})


class Talks:
    """`source` None, wherever it occurs: nobody is told, as for a REST call without X-Twilio-Webhook-Enabled."""

    def __init__(
        self,
        *,
        config: SimulatorConfig,
        clock: Clock,
        sids: Sids,
        store: Store,
        transcript: Transcript,
        emitter: Events,
        texting: Texting,
        people: People,
        groups: Groups,
    ) -> None:
        self._config = config
        self._clock = clock
        self._sids = sids
        self._store = store
        self._transcript = transcript
        self._events = emitter
        self._texting = texting
        self._people = people
        self._groups = groups
        groups.activate = self._set_up
        self._fanout = Fanout(sids=sids, store=store, texting=texting, groups=groups)
        self._idleness = Idleness(clock=clock, store=store, settle=self._tired)
        self.defaults = Defaults(config, store)

    def open(self, *, service: str | None = None, source: str | None = None, **fields: Any) -> Conversation:
        now = self._clock.now()
        fields.setdefault("messaging_service_sid", self.defaults["messaging_service"])
        fields["timers"] = self.defaults.timers | fields.get("timers", {})
        fields = {"created": now, "updated": now} | fields
        conversation = Conversation(
            sid=self._sids.new("CH"), service=service or self.defaults.chat_service, active_at=now, **fields
        )
        self._store.conversations.add(conversation)
        self._idleness.watch(conversation)
        self._log(conversation, "opened")
        if source is not None:
            fields = events.conversation_fields(conversation)
            self._events.emit("onConversationAdded", conversation, fields, source=source)
        return conversation

    def update(self, conversation: Conversation, fields: dict[str, Any], *, source: str | None) -> None:
        before = conversation.state
        now = self._clock.now()
        self._store.conversations.change(conversation, **({"updated": now, "active_at": now} | fields))
        self._idleness.watch(conversation)
        if source is not None:
            params = events.conversation_fields(conversation)
            self._events.emit("onConversationUpdated", conversation, params, source=source)
        if conversation.state != before:
            self._state_changed(conversation, before, reason="API", source=source)

    def remove(self, conversation: Conversation, *, source: str | None) -> None:
        if source is not None:
            params = events.changed(events.conversation_fields(conversation), conversation.updated, self._clock.now())
            self._events.emit("onConversationRemoved", conversation, params, source=source)
        for sid in list(self._store.members.of(conversation.sid)):
            self._store.participants.remove(sid)
        for sid in list(self._store.said.of(conversation.sid)):
            self._store.chat_messages.remove(sid)
        for sid in list(self._store.hooks_of.of(conversation.sid)):
            self._store.hooks.remove(sid)
        self._store.conversations.remove(conversation.sid)
        self._log(conversation, "removed")

    def join(self, conversation: Conversation, *, source: str | None, **fields: Any) -> Participant:
        now = self._clock.now()
        fields = {"created": now, "updated": now} | fields
        if (identity := fields.get("identity")) is not None:
            self._people.user(conversation.service, identity)
            if fields.get("role_sid") is None:
                fields["role_sid"] = self._people.default(conversation.service, "default_conversation_role_sid")
        participant = Participant(sid=self._sids.new("MB"), conversation=conversation.sid, **fields)
        self._store.participants.add(participant)
        self._stir(conversation)
        if source is not None:
            params = events.participant_fields(participant)
            self._events.emit("onParticipantAdded", conversation, params, source=source)
        return participant

    def leave(self, conversation: Conversation, participant: Participant, *, source: str | None) -> None:
        self._store.participants.remove(participant.sid)
        self._stir(conversation)
        if source is not None:
            params = events.changed(events.participant_fields(participant), participant.updated, self._clock.now())
            self._events.emit("onParticipantRemoved", conversation, params, source=source)

    def alter(
        self, conversation: Conversation, participant: Participant, fields: dict[str, Any], *, source: str | None
    ) -> None:
        self._store.participants.change(participant, **({"updated": self._clock.now()} | fields))
        if source is not None:
            params = events.changed(events.participant_fields(participant), participant.updated)
            if participant.last_read_index is not None:
                params["LastReadMessageIndex"] = str(participant.last_read_index)
            self._events.emit("onParticipantUpdated", conversation, params, source=source)

    def owner_of(self, pair: tuple[str, str]) -> Conversation | None:
        """The conversation that holds (person, our number); a closed one has let go of it."""
        for participant in self._store.pairs.of(pair).values():
            conversation = self._store.conversations.get(participant.conversation)
            if conversation is not None and conversation.state != "closed":
                return conversation
        return None

    def member(self, conversation: Conversation, author: str) -> Participant | None:
        members = self._store.members.of(conversation.sid).values()
        return next((p for p in members if author in {p.identity, p.address, p.projected_address} - {None}), None)

    def say(
        self,
        conversation: Conversation,
        *,
        author: str,
        source: str | None,
        relay_of: Message | None = None,
        **fields: Any,
    ) -> ChatMessage:
        now = self._clock.now()
        participant = self.member(conversation, author)
        message = ChatMessage(
            sid=self._sids.new("IM"),
            conversation=conversation.sid,
            index=conversation.next_index,
            author=author,
            participant=participant.sid if participant else None,
            **({"created": now, "updated": now} | fields),
        )
        before = conversation.state
        state = "active" if before == "inactive" else before
        self._store.conversations.change(
            conversation, next_index=message.index + 1, updated=now, active_at=now, state=state
        )
        if state != before:
            self._idleness.watch(conversation)
        self._store.chat_messages.add(message)
        for media in message.media:
            if (upload := self._store.uploads.get(media["sid"])) is not None:
                self._store.uploads.change(
                    upload, service=conversation.service, conversation=conversation.sid, message_sid=message.sid
                )
        if relay_of is not None:
            self._store.messages.change(relay_of, chat_message_sid=message.sid)
        if state != before:
            self._state_changed(conversation, before, reason="EVENT", source=source or "API")
        if source is not None:
            params = events.message_fields(message, conversation)
            self._events.emit("onMessageAdded", conversation, params, source=source, identity=author)
        self._fanout.relay(conversation, message, participant)
        return message

    def moved(self, message: Message) -> None:
        """A conversation's text on its way to a phone changed its status: the receipt follows."""
        conversation = self._store.conversations.get(message.conversation_sid or "")
        if conversation is None or message.status not in RECEIPT_STATUSES or message.chat_message_sid is None:
            return
        now = self._clock.now()
        receipt = self._store.receipts.get(message.receipt_sid or "")
        if receipt is None:
            participant = next(
                (p for p in self._store.members.of(conversation.sid).values() if p.address == message.recipient), None
            )
            receipt = Receipt(
                sid=self._sids.new("DY"),
                chat_message=message.chat_message_sid,
                conversation=conversation.sid,
                participant=participant.sid if participant else "",
                channel_message=message.sid,
                status=message.status,
                error_code=message.error_code or 0,
                created=now,
                updated=now,
            )
            self._store.receipts.add(receipt)
            self._store.messages.change(message, receipt_sid=receipt.sid)
        else:
            self._store.receipts.change(receipt, status=message.status, error_code=message.error_code or 0, updated=now)
        fields = events.receipt_fields(receipt, conversation)
        self._events.emit("onDeliveryUpdated", conversation, fields, source=message.channel.upper())

    def resume(self) -> None:
        """After a restart, timers run on."""
        for conversation in self._store.conversations.rows.values():
            self._idleness.watch(conversation)

    def stop(self) -> None:
        self._idleness.stop()

    def tell(self, event: str, conversation: Conversation, fields: dict[str, str], source: str | None) -> None:
        if source is not None:
            self._events.emit(event, conversation, fields, source=source)

    def _stir(self, conversation: Conversation) -> None:
        self._store.conversations.change(conversation, active_at=self._clock.now())

    def _tired(self, conversation: Conversation, state: str) -> None:
        before = conversation.state
        self._store.conversations.change(conversation, state=state, updated=self._clock.now())
        self._state_changed(conversation, before, reason="TIMER", source="API")

    def _set_up(self, conversation: Conversation) -> None:
        now = self._clock.now()
        self._store.conversations.change(conversation, state="active", updated=now, active_at=now)
        self._idleness.watch(conversation)
        self._state_changed(conversation, "initializing", reason="EVENT", source="API")

    def _state_changed(self, conversation: Conversation, before: str, *, reason: str, source: str | None) -> None:
        self._log(conversation, conversation.state)
        if source is not None:
            fields = events.state_fields(conversation, before, reason)
            self._events.emit("onConversationStateUpdated", conversation, fields, source=source)

    def _log(self, conversation: Conversation, event: str) -> None:
        self._transcript.add("conversation", sid=conversation.sid, event=event)
