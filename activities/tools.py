"""Runs users' tools: each is an activity under its own name, and its errors become Temporal's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from temporalio import activity

from activities import failures
from activities.heartbeat import beating
from workflows.flow import Flow
from workflows.tool import Tool


def implementations(flows: Iterable[Flow[Any]]) -> list[Callable[..., Any]]:
    """The activities of every tool that these flows call, one for each name."""
    tools = {name: tool for flow in flows for name, tool in flow.all_tools().items()}
    return [_implementation(tool) for tool in tools.values()]


def _implementation(tool: Tool[Any, Any]) -> Callable[..., Any]:
    async def run(call: Any) -> Any:
        async with beating():
            try:
                return await tool.function(call)
            except Exception as error:
                raise failures.of_tool(error, attempt=activity.info().attempt) from error

    # What the data converter reads to make the dataclasses of a payload.
    run.__annotations__ = {"call": tool.takes, "return": tool.gives}
    return activity.defn(name=tool.name)(run)
