"""The flows of a process, as `MESSAGING_FLOW` names them, checked before anybody's turn depends on them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic import ImportString, TypeAdapter, ValidationError

from runtime.settings import Settings, SettingsError
from workflows import catalogue, policy, steps
from workflows.flow import Flow, FlowError
from workflows.saying import Say

_WITH_ACTIVITIES = (steps.recall, steps.reply, steps.remember)

# A tool of one of these names would take the place of one of ours.
_OURS = frozenset({"alert", "attend", "deliver", "open", "recall", "remember", "reply", "revive"})


def install(settings: Settings) -> tuple[Flow[Any], ...]:
    """Let this process run the configured flows; the first is the one to use, the default flow is always there.

    Raises:
        SettingsError
    """
    if settings.messaging_flow is None:
        return (steps.DEFAULT,)
    found = load(settings.messaging_flow)
    catalogue.install(found, settings.messaging_flow)
    return (*found, steps.DEFAULT)


def load(path: str) -> tuple[Flow[Any], ...]:
    """The flows at the import path `module:name`; the current folder is importable.

    Raises:
        SettingsError: nothing is there, or not what a conversation can run; the message names the step.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        named = TypeAdapter(ImportString[Any]).validate_python(path)
    except ValidationError as error:
        raise SettingsError(f"MESSAGING_FLOW={path!r}: {error.errors()[0]['msg']}") from None
    except (FlowError, TypeError) as error:
        raise SettingsError(f"MESSAGING_FLOW={path!r}: {error}") from error
    flows = catalogue.flows_of(named)
    if not flows:
        raise SettingsError(f"MESSAGING_FLOW={path!r} is {type(named).__name__}; must be a Flow, or a tuple of Flows")
    for flow in flows:
        _check(flow, path)
    if len({flow.ref for flow in flows}) < len(flows):
        raise SettingsError(f"MESSAGING_FLOW={path!r}: two flows have one name and version")
    return flows


def _check(flow: Flow[Any], path: str) -> None:
    first = [step for step in flow.steps if not step.after]
    if [step.run for step in first] != [steps.screen]:
        # Whatever ran beside it could answer somebody who has just texted STOP.
        raise SettingsError(
            f"MESSAGING_FLOW={path!r}: flow {flow.name!r} must begin with workflows.steps.screen alone: it settles STOP"
        )
    for name in flow.all_tools():
        if name in _OURS:
            raise SettingsError(f"MESSAGING_FLOW={path!r}: the tool {name!r} has the name of one of our activities")
    for step in flow.tree():
        sends = step.run is steps.deliver or isinstance(step.run, Say)
        if sends and not step.guarded:
            raise SettingsError(f"MESSAGING_FLOW={path!r}: step {step.name!r} sends, so it must be guarded=True")
        if (sends or step.run in _WITH_ACTIVITIES) and step.call is None:
            raise SettingsError(f"MESSAGING_FLOW={path!r}: step {step.name!r} needs a call=…, how its activity runs")
    if flow.ref == policy.DEFAULT_FLOW and flow is not steps.DEFAULT:
        raise SettingsError(f"MESSAGING_FLOW={path!r}: {flow.ref} is the default flow's; choose another name")
