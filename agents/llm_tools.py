"""A user's tools as the model library takes them, with the policy in front of each. Needs the extra `llm`."""

from __future__ import annotations

import functools
import inspect
import typing
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai import Tool as ModelTool
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.tools import ToolDefinition

from agents.tools import Tool, ToolPolicy, ToolRefused
from agents.turn import Turn


def bound(tool: Tool, policy: ToolPolicy) -> ModelTool[Turn]:
    """The tool under the policy: offered only where it is allowed, and refused where it is called all the same."""

    async def call(ctx: RunContext[Turn], **given: Any) -> Any:
        try:
            return await policy.call(tool, ctx.deps, given, earlier=ctx.usage.tool_calls)
        except ToolRefused as refused:
            raise ToolFailed(refused.reason) from refused

    async def offered(ctx: RunContext[Turn], definition: ToolDefinition) -> ToolDefinition | None:
        return definition if policy.allows(tool.name, ctx.deps) else None

    return ModelTool(_shown_as(call, tool), takes_ctx=True, name=tool.name, description=tool.docs, prepare=offered)


def _shown_as(call: Any, tool: Tool) -> Any:
    """`call` with the signature that a model may know of: the tool's own, without what we fill in."""
    functools.update_wrapper(call, tool.function, assigned=("__name__", "__doc__", "__module__"))
    del call.__wrapped__  # or the library would read the signature behind it
    hints = {name: hint for name, hint in typing.get_type_hints(tool.function).items() if name not in tool.ours}
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
        for name, parameter in inspect.signature(tool.function).parameters.items()
        if name not in tool.ours
    ]
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=RunContext[Turn])
    call.__signature__ = inspect.Signature([context, *own])
    call.__annotations__ = {"ctx": RunContext[Turn], **hints}
    return call
