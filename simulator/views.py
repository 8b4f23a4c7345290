"""A message as the control API, the transcript and the phone page see it, and where resources are on Twilio's hosts."""

from typing import Any

from simulator.clock import iso_ms
from simulator.config import SimulatorConfig
from simulator.records import Message


class Urls:
    """Absolute addresses of resources: on Twilio's own hosts, or on the simulator's."""

    def __init__(self, config: SimulatorConfig) -> None:
        own = config.public_url if config.own_urls else None
        self.api = own or "https://api.twilio.com"
        self.conversations = own or "https://conversations.twilio.com"
        self.account = f"/2010-04-01/Accounts/{config.account_sid}"

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
        "media": [{"url": m["url"], "content_type": m["content_type"]} for m in message.media],
        "content_sid": message.content_sid,
        "status": message.status,
        "extras": message.extras,
        "heard": message.heard,
        "error_code": message.error_code,
        "conversation_sid": message.conversation_sid,
        "chat_message_sid": message.chat_message_sid,
        "created": iso_ms(message.created),
    }
