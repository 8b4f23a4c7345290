"""Items keep their identity."""

import dataclasses
import uuid
from datetime import UTC, datetime

import pytest

from memory.item import MemoryItem, embedded_as, item_id


def test_the_same_source_gets_the_same_id_and_another_one_another() -> None:
    assert item_id("IM1") == item_id("IM1", 0)
    assert len({item_id("IM1"), item_id("IM1", 1), item_id("IM2"), item_id("IM11")}) == 4
    uuid.UUID(item_id("IM1"))


def test_ids_never_change_between_versions() -> None:
    # They are the point ids of what is stored: another value here means that every repeat is stored twice.
    assert item_id("IM1") == "d6941e52-e97c-500e-b59e-a3127b9305ff"


def test_an_item_cannot_be_changed() -> None:
    item = MemoryItem(
        id=item_id("a"),
        contact_id="c",
        conversation_id="k",
        channel="sms",
        turn=1,
        role="contact",
        text="hello",
        at=datetime.now(UTC),
        source="a",
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        item.text = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "preceding", "meaning"),
    [
        ("6 Low Moor", "What is your address?", "What is your address? 6 Low Moor"),
        ("6 Low Moor", "Thanks.", "6 Low Moor"),
        ("6 Low Moor", "", "6 Low Moor"),
        (
            "Before I tell you that, I would like to know what it costs",
            "What is your address?",
            "Before I tell you that, I would like to know what it costs",
        ),
    ],
)
def test_a_bare_answer_means_what_its_question_asks(text: str, preceding: str, meaning: str) -> None:
    assert embedded_as(text, preceding) == meaning
