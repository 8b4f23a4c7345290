"""What is said in a conversation goes to its phones: as texts of their own, rendered for their channels."""

from simulator import address, callbacks
from simulator.content import Rendered, render
from simulator.groups import Groups
from simulator.records import ChatMessage, Conversation, Participant
from simulator.sids import Sids
from simulator.store import Store
from simulator.texting import Outgoing, Texting
from simulator.uploads import too_large


class Fanout:
    def __init__(self, *, sids: Sids, store: Store, texting: Texting, groups: Groups) -> None:
        self._sids = sids
        self._store = store
        self._texting = texting
        self._groups = groups

    def relay(self, conversation: Conversation, message: ChatMessage, author: Participant | None) -> None:
        """To every phone in the conversation but the author's. What a phone says in a group MMS, the others of the
        group have heard already."""
        heard = author is not None and author.address is not None and author.proxy_address is None
        for participant in list(self._store.members.of(conversation.sid).values()):
            person, number = participant.address, participant.proxy_address
            grouped = number is None
            if grouped and not heard:
                number = self._groups.sender(conversation, author)
            if person and number and message.author != person:
                self._texting.send(self._copy(conversation, message, person, number, grouped=grouped))

    def _copy(
        self, conversation: Conversation, message: ChatMessage, person: str, number: str, *, grouped: bool
    ) -> Outgoing:
        """What one phone gets. A template is rendered for its channel."""
        channel = address.channel(person)
        rendered = Rendered(body=message.body or "", failure=too_large(channel, message.media))
        media = [{k: str(m[k]) for k in ("sid", "url", "content_type")} for m in message.media]
        template = self._store.templates.get(message.content_sid or "")
        if template is not None:
            in_window = self._texting.in_window(person, number)
            rendered = render(template, message.content_variables, channel, in_window=in_window)
            media = callbacks.media(self._sids, rendered.media)
        return Outgoing(
            sender=number,
            recipient=person,
            body=rendered.body,
            media=media,
            mms=grouped,
            buttons=rendered.buttons,
            failure=rendered.failure,
            content_sid=message.content_sid,
            conversation_sid=conversation.sid,
            chat_message_sid=message.sid,
        )
