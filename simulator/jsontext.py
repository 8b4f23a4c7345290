"""JSON that somebody sent."""

import json
from typing import Any

_DEEPEST = 100
"""Levels. Python follows some hundreds more, depending on how deep the caller is; nobody's data has as many."""


def parse(text: str | bytes) -> Any:
    """Raises ValueError, also for what is nested deeper than anything could be that walks through it afterwards."""
    try:
        value = json.loads(text)
    except RecursionError as problem:
        raise ValueError("nested too deep") from problem
    level = [value]
    for _ in range(_DEEPEST):
        level = [item for outer in level if isinstance(outer, dict | list) for item in _within(outer)]
        if not level:
            return value
    raise ValueError("nested too deep")


def _within(outer: dict[str, Any] | list[Any]) -> list[Any]:
    return list(outer.values()) if isinstance(outer, dict) else outer
