"""Payloads, encrypted and decrypted."""

from __future__ import annotations

import secrets

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.exceptions import ApplicationError

from runtime import temporal
from runtime.codec import CannotDecrypt, Sealing, is_sealed, unseal

OLD, NEW = secrets.token_hex(32), secrets.token_hex(32)
SAID = "Hello, it is Ana."


def sealing(*keys: str) -> Sealing:
    found = Sealing.of(keys)
    assert found is not None
    return found


async def sealed(text: str, *keys: str) -> Payload:
    [payload] = await temporal.data_converter(sealing(*keys)).encode([text])
    return payload


async def test_what_is_encrypted_is_read_again_and_looks_like_nothing() -> None:
    one, again = await sealed(SAID, NEW), await sealed(SAID, NEW)

    assert await temporal.data_converter(sealing(NEW)).decode([one], [str]) == [SAID]
    assert is_sealed(one)
    assert SAID.encode() not in one.SerializeToString()
    assert one.data != again.data, "the same nonce twice"


async def test_the_first_key_encrypts_and_all_decrypt() -> None:
    before, after = await sealed(SAID, OLD), await sealed(SAID, NEW, OLD)

    assert await temporal.data_converter(sealing(NEW, OLD)).decode([before, after], [str, str]) == [SAID, SAID]
    with pytest.raises(CannotDecrypt, match="MESSAGING_CODEC_KEYS does not hold"):
        await sealing(OLD).decode([after])
    with pytest.raises(CannotDecrypt):
        await sealing(NEW).decode([before])


async def test_what_was_never_encrypted_is_read_as_it_is() -> None:
    [plain] = await temporal.CONVERTER.encode([SAID])

    assert await temporal.data_converter(sealing(NEW)).decode([plain], [str]) == [SAID]


def flipped(payload: Payload, place: int) -> Payload:
    data = bytearray(payload.data)
    data[place] ^= 1
    return Payload(metadata=payload.metadata, data=bytes(data))


@pytest.mark.parametrize("place", [0, 12, -1], ids=["the nonce", "the content", "the tag"])
async def test_what_was_changed_is_refused(place: int) -> None:
    with pytest.raises(CannotDecrypt, match="not what we encrypted"):
        await sealing(NEW).decode([flipped(await sealed(SAID, NEW), place)])


async def test_one_that_is_cut_short_or_of_another_keys_name_is_refused() -> None:
    payload = await sealed(SAID, NEW)
    other = next(iter(sealing(OLD).ring))
    renamed = Payload(metadata={**payload.metadata, "encryption-key-id": other.encode()}, data=payload.data)

    for broken in (Payload(metadata=payload.metadata, data=payload.data[:5]), renamed):
        with pytest.raises(CannotDecrypt):
            await sealing(NEW, OLD).decode([broken])


@pytest.mark.parametrize("text", ["", "abc", "g" * 64, "0" * 63, "0" * 66])
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits") as refused:
        Sealing.of([text])

    assert not text or text not in str(refused.value)


def test_a_key_is_not_printed() -> None:
    assert NEW not in repr(sealing(NEW))


async def test_messages_of_failures_are_encrypted_and_an_event_is_read_with_them() -> None:
    used = temporal.data_converter(sealing(NEW))
    event = HistoryEvent(event_id=7)
    failure = event.activity_task_failed_event_attributes.failure
    await used.encode_failure(ApplicationError(SAID, type="SomeError"), failure)
    event.activity_task_completed_event_attributes.result.payloads.extend([await sealed(SAID, NEW)])

    assert SAID.encode() not in failure.SerializeToString()
    event = HistoryEvent(event_id=7)
    event.activity_task_failed_event_attributes.failure.CopyFrom(failure)
    [plain] = await unseal([event], sealing(NEW))
    told: Failure = plain.activity_task_failed_event_attributes.failure
    assert told.message == SAID
    assert told.application_failure_info.type == "SomeError"
    assert event.activity_task_failed_event_attributes.failure.message != SAID, "the original was changed"


async def test_an_event_without_keys_stays_as_it_is() -> None:
    event = HistoryEvent(event_id=7)
    event.activity_task_completed_event_attributes.result.payloads.extend([await sealed(SAID, NEW)])

    assert await unseal([event], None) == [event]


def test_whoever_connects_takes_the_keys_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert temporal.data_converter() is temporal.CONVERTER
    monkeypatch.setenv("MESSAGING_CODEC_KEYS", f"{NEW}, {OLD}")

    used = temporal.data_converter().payload_codec
    assert isinstance(used, Sealing)
    assert list(used.ring) == list(sealing(NEW, OLD).ring)
