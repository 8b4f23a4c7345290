"""Turns and drafts travel as Temporal payloads and come back as they were."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter

from agents.turn import Draft, Turn, Utterance
from memory.item import MemoryItem, Recalled, item_id

AT = datetime(2026, 5, 3, 12, 30, tzinfo=UTC)
SAID = Utterance(role="contact", text="hello", at=AT, channel="sms")
RECALLED = Recalled(
    text="I like tea", role="contact", at=AT, channel="sms", conversation_id="k", turn=2, score=0.5, source="IM1"
)
ITEM = MemoryItem(
    id=item_id("IM1"),
    contact_id="c",
    conversation_id="k",
    channel="sms",
    turn=2,
    role="contact",
    text="I like tea",
    at=AT,
    source="IM1",
    preceding="What do you like?",
)


@pytest.mark.parametrize(
    "value",
    [
        SAID,
        RECALLED,
        ITEM,
        Turn(text="hello"),
        Turn(text="hello", messages=(SAID,), history=(SAID, SAID), recalled=(RECALLED,), channel="sms", attempt=2),
        Draft(text="hi"),
        Draft(text="hi", sources=("a.md: B",), kind="unknown", usage={"requests": 1}),
    ],
)
async def test_a_payload_comes_back_as_it_was(value: Any) -> None:
    payloads = await pydantic_data_converter.encode([value])
    assert await pydantic_data_converter.decode(payloads, [type(value)]) == [value]


def test_the_pure_modules_need_the_standard_library_only() -> None:
    modules = [
        "agents.turn",
        "agents.engine",
        "agents.prompt",
        "memory.item",
        "memory.store",
        "memory.embedder",
        "memory.window",
    ]
    code = (
        f"import sys; before = set(sys.modules)\n"
        f"for name in {modules!r}: __import__(name)\n"
        f"foreign = {{n.partition('.')[0] for n in set(sys.modules) - before}} - set(sys.stdlib_module_names)\n"
        f"print(sorted(foreign))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['agents', 'memory']"
