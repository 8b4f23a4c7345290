"""What we ask Conversations for, as the SDK's arguments; refused here when Twilio could only refuse it."""

from __future__ import annotations

import math
import uuid
from typing import Any

from messaging import errors
from messaging.model import ConversationConfig, ConversationState, Message, Participant
from messaging.providers.twilio import resources, templates
from messaging.providers.twilio.plain_text import text
from messaging.providers.twilio.vocabulary import KEY_ATTRIBUTE

# https://www.twilio.com/docs/conversations/conversations-limits , in characters
_MAX_NAME = 256
# https://www.twilio.com/docs/conversations/states-timers , in seconds
_LEAST_INACTIVE, _LEAST_CLOSED = 60, 600
MAX_BODY = 1600  # https://www.twilio.com/docs/conversations/conversations-limits
# https://www.twilio.com/docs/conversations/api/conversation-message-resource : `MediaSid` is one.
MAX_MEDIA = 1


def conversation(config: ConversationConfig, messaging_service_sid: str | None) -> dict[str, Any]:
    """Of a new conversation.

    Raises:
        errors.InvalidConversation
    """
    if config.state not in {ConversationState.ACTIVE, ConversationState.INACTIVE}:
        raise errors.InvalidConversation("state: a new conversation is active or inactive")
    wrong = errors.InvalidConversation
    timers = {
        "timers_inactive": _timer("inactive_after", config.timers.inactive_after, _LEAST_INACTIVE),
        "timers_closed": _timer("closed_after", config.timers.closed_after, _LEAST_CLOSED),
    }
    given = {
        "friendly_name": text("friendly_name", config.friendly_name, wrong, most=_MAX_NAME),
        "unique_name": text("unique_name", config.unique_name, wrong, most=_MAX_NAME),
        "messaging_service_sid": config.messaging_service_sid or messaging_service_sid,
        # Left out while it is the default: some fakes take the name of a state only on update.
        "state": None if config.state is ConversationState.ACTIVE else config.state.value,
        "attributes": resources.write_attributes(config.attributes, errors.InvalidConversation)
        if config.attributes
        else None,
        **timers,
    }
    return {name: value for name, value in given.items() if value}


def _timer(name: str, seconds: float | None, least: int) -> str | None:
    if seconds is None:
        return None
    if not (math.isfinite(seconds) and seconds >= least):
        raise errors.InvalidConversation(f"timers.{name}: at least {least} seconds expected")
    return f"PT{seconds:.0f}S"


def require_message(outbound: Message) -> None:
    """Before anything of it is uploaded.

    Raises:
        errors.InvalidMessage
    """
    if not outbound.body and not outbound.media and not outbound.template:
        raise errors.InvalidMessage("body: missing; text, media, both or a template expected")
    text("body", outbound.body, errors.InvalidMessage, most=MAX_BODY)
    text("author", outbound.author, errors.InvalidMessage, most=_MAX_NAME)
    if len(outbound.media) > MAX_MEDIA:
        raise errors.InvalidMessage(f"media: {len(outbound.media)} of them, at most {MAX_MEDIA} expected")


def message(outbound: Message, key: str | None, *, author: str, media_sid: str | None = None) -> dict[str, Any]:
    """Of a new message, with our key among its attributes. A template says what else there is to say.

    One without a key gets one all the same: it is how our own messages are known when they come back.

    Raises:
        errors.InvalidMessage
    """
    attributes = {**outbound.attributes, KEY_ATTRIBUTE: key or uuid.uuid4().hex}
    given = {
        "author": author,
        **(
            templates.parameters(outbound.template)
            if outbound.template
            else {"body": outbound.body, "media_sid": media_sid}
        ),
        "attributes": resources.write_attributes(attributes, errors.InvalidMessage),
    }
    return {name: value for name, value in given.items() if value}


def participant(wanted: Participant) -> dict[str, Any]:
    """Of a new participant: an identity, a pair of addresses, or a projected address.

    Raises:
        errors.InvalidParticipant
    """
    binding, wrong = wanted.binding, errors.InvalidParticipant
    projected = binding is not None and binding.projected_address is not None and binding.address is None
    if (wanted.identity is None) == (binding is None) and not projected:
        raise errors.InvalidParticipant(
            "identity, binding: exactly one of them expected, or an identity with a projected_address"
        )
    if wanted.identity == "":
        raise errors.InvalidParticipant(f"identity: 1 to {_MAX_NAME} characters expected")
    if binding is not None and (binding.address is None) != (binding.proxy_address is None):
        raise errors.InvalidParticipant("binding: an address and its proxy_address expected")
    if binding is not None and binding.address is None and binding.projected_address is None:
        raise errors.InvalidParticipant("binding: an address or a projected_address expected")
    given = {
        "identity": text("identity", wanted.identity, wrong, most=_MAX_NAME),
        "messaging_binding_address": binding.address.raw if binding and binding.address else None,
        "messaging_binding_proxy_address": binding.proxy_address.raw if binding and binding.proxy_address else None,
        "messaging_binding_projected_address": binding.projected_address.raw
        if binding and binding.projected_address
        else None,
        "role_sid": wanted.role_sid,
        "attributes": resources.write_attributes(wanted.attributes, errors.InvalidParticipant)
        if wanted.attributes
        else None,
    }
    return {name: value for name, value in given.items() if value}
