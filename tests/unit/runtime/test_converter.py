"""Payloads are those of the SDK's own converter; validators of our own classes are built once for a process."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter
from temporalio.contrib.pydantic import pydantic_data_converter

from runtime import converter
from runtime.temporal import CONVERTER
from workflows.contracts import ConversationStart, Route
from workflows.state import ConversationState
from workflows.tool import ToolCall

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Theirs:
    """A class of a user's."""

    number: int


VALUES = {
    "ours": (
        ConversationStart(
            conversation_id="c",
            contact_id="p",
            channel="sms",
            route=Route(provider="outbox", conversation_sid="pair"),
            created_at=NOW,
            carried=ConversationState(created_at=NOW, updated_at=NOW),
        ),
        ConversationStart,
    ),
    "theirs": (Theirs(number=1), Theirs),
    "theirs in ours": (
        ToolCall(request=Theirs(number=1), key="k", conversation_id="c", contact_id="p"),
        ToolCall[Theirs],
    ),
    "a list": ([NOW], list[datetime]),
    "nothing": (None, type(None)),
    "bytes": (b"x", bytes),
    "anything": ({"a": [1, None]}, None),
}


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The types that validators are built for, from now on."""
    found: list[Any] = []

    @functools.lru_cache
    def build(kind: Any) -> TypeAdapter[Any]:
        found.append(kind)
        return TypeAdapter(kind)

    monkeypatch.setattr(converter, "_validator", build)
    return found


@pytest.mark.parametrize("case", VALUES)
async def test_a_value_comes_back_and_its_payload_is_the_sdks(case: str) -> None:
    value, kind = VALUES[case]
    [payload] = await CONVERTER.encode([value])
    assert [payload] == await pydantic_data_converter.encode([value])
    assert await CONVERTER.decode([payload], [kind] if kind else None) == [value]  # type: ignore[list-item]


async def test_only_what_the_sandbox_passes_through_is_shared(built: list[Any]) -> None:
    for value, kind in VALUES.values():
        payloads = await CONVERTER.encode([value])
        for _ in range(3):
            await CONVERTER.decode(payloads, [kind] if kind else None)  # type: ignore[list-item]
    assert built == [ConversationStart]
