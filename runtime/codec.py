"""What Temporal keeps of us, encrypted: payloads by AES-256-GCM under a ring of keys, the first of which encrypts.

Keys are those of MESSAGING_CODEC_KEYS. What was written before there were any is read as it is, so that encryption can
begin, and keys can change, under open conversations.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError, Message
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import PayloadCodec

VARIABLE = "MESSAGING_CODEC_KEYS"

# As Temporal's own samples call it, so that its tools know that there is something to decode.
ENCODING = b"binary/encrypted"
_KEY_ID = "encryption-key-id"

# NIST SP 800-38D, 8.2.2: random, and then at most 2^32 payloads under one key.
_NONCE = 12


class CannotDecrypt(ValueError):
    """A payload is of a key that the ring does not hold, or was changed. `key_id` says of which."""

    def __init__(self, key_id: str, why: str) -> None:
        super().__init__(f"a payload of the key {key_id} {why}")
        self.key_id = key_id


def key_of(text: str) -> bytes:
    """A key as it is written.

    Raises:
        ValueError: it is none; nothing of it is repeated.
    """
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError("a key is not 64 hexadecimal digits (make one with: openssl rand -hex 32)")
    return bytes.fromhex(text)


@dataclass(frozen=True, slots=True)
class Sealing(PayloadCodec):
    """Encrypts with the first key, decrypts with whichever it was. `ring` is by key id."""

    ring: Mapping[str, AESGCM]

    @classmethod
    def of(cls, keys: Iterable[str]) -> Sealing | None:
        """None without any key. Raises ValueError where one is wrong."""
        found = {_id(key): AESGCM(key) for key in map(key_of, keys)}
        return cls(found) if found else None

    @classmethod
    def of_environment(cls) -> Sealing | None:
        """As TEMPORAL_* belongs to whoever connects, wherever it does, so do the keys. Raises ValueError."""
        return cls.of(part.strip() for part in os.environ.get(VARIABLE, "").split(",") if part.strip())

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each as one of its own."""
        name, key = next(iter(self.ring.items()))
        return [_sealed(payload, name, key) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """As they were; those that are not encrypted stay as they are.

        Raises:
            CannotDecrypt
        """
        return [self._opened(payload) if is_sealed(payload) else payload for payload in payloads]

    def _opened(self, payload: Payload) -> Payload:
        name = payload.metadata.get(_KEY_ID, b"").decode("ascii", "replace")
        key = self.ring.get(name)
        if key is None:
            raise CannotDecrypt(name, f"is encrypted, and {VARIABLE} does not hold this key")
        try:
            return Payload.FromString(key.decrypt(payload.data[:_NONCE], payload.data[_NONCE:], name.encode()))
        except (InvalidTag, DecodeError, ValueError):
            raise CannotDecrypt(name, "is not what we encrypted") from None


def is_sealed(payload: Payload) -> bool:
    """Whether it is one of ours, encrypted."""
    return payload.metadata.get("encoding") == ENCODING


async def unseal(events: Iterable[HistoryEvent], sealing: PayloadCodec | None) -> list[HistoryEvent]:
    """Copies of the events, with everything in them readable, messages of failures too.

    Raises:
        CannotDecrypt
    """
    copies = [HistoryEvent.FromString(event.SerializeToString()) for event in events]
    for message in (found for event in copies for found in _below(event)):
        if isinstance(message, Payload) and sealing and is_sealed(message):
            [opened] = await sealing.decode([message])
            message.CopyFrom(opened)
    for message in (found for event in copies for found in _below(event)):
        if isinstance(message, Failure) and message.HasField("encoded_attributes"):
            _tell(message)
    return copies


def _below(message: Message) -> Iterator[Message]:
    """This message and all in it, the inner ones first."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inner = [one for one in value.values() if isinstance(one, Message)]
        else:
            inner = list(value) if field.is_repeated else [value]
        for one in inner:
            yield from _below(one)
    yield message


def _tell(failure: Failure) -> None:
    # What the SDK's failure converter put aside.
    try:
        kept: Any = json.loads(failure.encoded_attributes.data)
    except ValueError:
        return
    if isinstance(kept, dict):
        failure.message = str(kept.get("message", failure.message))
        failure.stack_trace = str(kept.get("stack_trace", failure.stack_trace))


def _sealed(payload: Payload, name: str, key: AESGCM) -> Payload:
    nonce = os.urandom(_NONCE)
    data = nonce + key.encrypt(nonce, payload.SerializeToString(), name.encode())
    return Payload(metadata={"encoding": ENCODING, _KEY_ID: name.encode()}, data=data)


def _id(key: bytes) -> str:
    """Tells keys apart and says nothing of them; two names for one key cannot happen."""
    return hashlib.sha256(b"key id\0" + key).hexdigest()[:16]
