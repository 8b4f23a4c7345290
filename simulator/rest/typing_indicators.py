"""Typing indicators, versions 2 and 3. https://www.twilio.com/docs/whatsapp/api/typing-indicators-resource"""

import re

from simulator import address
from simulator.errors import TwilioError
from simulator.rest.call import Call, Reply

_DONE = Reply(body={"success": True})
_MESSAGE = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")


def create_v2(call: Call) -> Reply:
    """A form; WhatsApp only."""
    if call.text("channel") != "whatsapp":
        raise TwilioError(20001, "channel: whatsapp expected")
    return _answering(call, "whatsapp", call.text("messageId") or "")


def create_v3(call: Call) -> Reply:
    """JSON, told apart by `channel`: WHATSAPP names a message; RCS and APPLE name both sides."""
    fields = call.json()
    match fields.get("channel"):
        case "WHATSAPP":
            return _answering(call, "whatsapp", str(fields.get("messageId") or ""))
        case "RCS" | "APPLE" as channel:
            event = fields.get("event") or "START"
            if event != "START":
                raise TwilioError(20001, "event: START expected")
            sides = [str(fields.get(name) or "") for name in ("from", "to")]
            if not all(sides):
                raise TwilioError(20001, "from, to: both required")
            number, person = (address.on_channel(channel.lower(), side) for side in sides)
            call.world.texting.typing(phone=person, number=number, message_sid=None)
            return _DONE
        case _:
            raise TwilioError(20001, "channel: WHATSAPP, RCS or APPLE expected")


def _answering(call: Call, channel: str, sid: str) -> Reply:
    """Shown to whoever wrote that message, which is read by that, and all before it."""
    if not _MESSAGE.fullmatch(sid):
        raise TwilioError(20001, "messageId: the SM or MM sid of a message expected")
    message = call.world.store.messages.get(sid)
    if message is None or not message.inbound or message.channel != channel:
        raise TwilioError(20404, f"The requested resource {sid} was not found", 404)
    call.world.texting.typing(phone=message.phone, number=message.number, message_sid=message.sid)
    return _DONE
