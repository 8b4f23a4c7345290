"""A flow as a Mermaid flowchart: https://mermaid.js.org/syntax/flowchart.html."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workflows.flow import Step

# How a step looks, by the `shape` of what it runs; one with a condition is a hexagon unless it is one of these.
_SHAPES: Mapping[str, str] = {"human": '[/"{}"/]', "tool": '[["{}"]]'}
_CONDITION = '{{{{"{}"}}}}'
_PLAIN = '["{}"]'


def mermaid(steps: tuple[Step[Any], ...], became: Mapping[str, str]) -> str:
    """The steps with their order. `became` says what to write under a step's name."""
    return "\n".join(["flowchart LR", *_lines(steps, became, "  ")])


def _lines(steps: tuple[Step[Any], ...], became: Mapping[str, str], indent: str) -> Iterator[str]:
    for step in steps:
        inner = getattr(step.run, "steps", None)
        if inner is None:
            yield f"{indent}{step.name}{_shape(step).format(_label(step, became))}"
        else:
            yield f'{indent}subgraph {step.name}["{_label(step, became)}"]'
            yield from _lines(inner, became, f"{indent}  ")
            yield f"{indent}end"
        for before in step.after:
            yield f"{indent}{before} --> {step.name}"


def _shape(step: Step[Any]) -> str:
    return _SHAPES.get(getattr(step.run, "shape", ""), _CONDITION if step.when else _PLAIN)


def _label(step: Step[Any], became: Mapping[str, str]) -> str:
    condition = getattr(step.when, "__name__", "") if step.when else ""
    parts = (
        step.name,
        # A lambda has no name worth drawing.
        f"if {condition}" if condition.isidentifier() else "",
        str(getattr(step.run, "label", "")),
        became.get(step.name, ""),
    )
    return "<br/>".join(part.replace('"', "#quot;") for part in parts if part)
