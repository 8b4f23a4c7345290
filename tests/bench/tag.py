"""What makes a text findable in its answer: who sent it, and the how-manieth of theirs it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAG = re.compile(r"#(\d+)-(\d+)\b")


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """Both count from 0."""

    person: int
    number: int

    def __str__(self) -> str:
        return f"#{self.person}-{self.number}"


def find(text: str) -> list[Tag]:
    """Every tag in a text, in its order."""
    return [Tag(int(person), int(number)) for person, number in _TAG.findall(text)]
