"""Ids of our own. They are stable, they tell nothing, and nobody without the key gets a phone number out of them."""

from __future__ import annotations

import base64
import hashlib
import hmac

from messaging.model import Address


def contact_id(key: bytes, address: Address) -> str:
    """The person behind an address: the same for every channel of one phone number.

    A person without a number is known by the provider's stable id, or by the channel's identity.
    """
    if address.phone is not None:
        return f"contact-{_keyed(key, 'phone', address.phone)}"
    if address.external_id:
        return f"contact-{_keyed(key, 'external', address.external_id)}"
    return f"contact-{_keyed(key, address.channel.value, address.value)}"


def own_id(key: bytes, name: str) -> str:
    """The person whom a deployment knows by this id of its own."""
    return f"contact-{_keyed(key, 'own', name)}"


def further_ids(key: bytes, address: Address) -> tuple[str, ...]:
    """Other ids that the person behind an address has by what the address itself says: a number and a provider's id."""
    if address.phone is None or not address.external_id:
        return ()
    return (f"contact-{_keyed(key, 'external', address.external_id)}",)


def conversation_id(key: bytes, *, provider: str, conversation_sid: str, channel: str) -> str:
    """The workflow id of a conversation.

    A provider's own opaque id stays readable, so that it can be searched for; a pair of addresses is hashed.
    """
    if is_opaque(conversation_sid):
        return f"{provider}-{conversation_sid}"
    return f"{provider}-{channel}-{_keyed(key, provider, conversation_sid)}"


def send_key(conversation: str, event_key: str, part: int = 0) -> str:
    """What identifies one outbound message for ever: the same for every attempt, never the same for two messages."""
    return token(conversation, event_key, str(part))


def token(*parts: str) -> str:
    """The same for the same parts, and tells none of them."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def is_opaque(sid: str) -> bool:
    """Whether this is a provider's generated id (two letters, 32 hexadecimal digits), which gives nobody away."""
    return len(sid) == 34 and sid[:2].isalpha() and all(c in "0123456789abcdef" for c in sid[2:])  # noqa: PLR2004


def _keyed(key: bytes, *parts: str) -> str:
    digest = hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:15]).decode().lower()
