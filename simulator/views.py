"""A message as the control API, the transcript and the phone page see it, and where resources are on Twilio's hosts."""

from typing import Any

from simulator.clock import iso_ms
from simulator.config import SimulatorConfig
from simulator.records import Message

# The media service and its storage have hosts of their own, in a region.
_HOSTS = {"mcs": "mcs.us1.twilio.com", "media": "media.us1.twilio.com"}


class Urls:
    """Absolute addresses of resources: on Twilio's own hosts, or on the simulator's."""

    def __init__(self, config: SimulatorConfig) -> None:
        self._own = config.public_url if config.own_urls else None
        self.api = self.of("api")
        self.conversations = self.of("conversations")
        self.account = f"/2010-04-01/Accounts/{config.account_sid}"

    def of(self, product: str) -> str:
        """Where the paths of a product begin. On the simulator, a prefix names those whose paths are not their own."""
        if self._own is None:
            return "https://" + _HOSTS.get(product, f"{product}.twilio.com")
        return self._own if product in {"api", "conversations"} else f"{self._own}/{product}"

    def media(self, message: str, media: str) -> str:
        return f"{self.api}{self.account}/Messages/{message}/Media/{media}"


def message_view(message: Message) -> dict[str, Any]:
    return {
        "sid": message.sid,
        "direction": message.direction,
        "channel": message.channel,
        "phone": message.phone,
        "number": message.number,
        "body": message.body,
        "media": [{name: m[name] for name in ("url", "content_type", "filename") if name in m} for m in message.media],
        "content_sid": message.content_sid,
        "buttons": message.buttons,
        "status": message.status,
        "extras": message.extras,
        "heard": message.heard,
        "read": message.read,
        "error_code": message.error_code,
        "conversation_sid": message.conversation_sid,
        "chat_message_sid": message.chat_message_sid,
        "created": iso_ms(message.created),
    }
