"""Conversations recorded earlier replay clean on the code of today: a deploy gets none of them stuck."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from runtime.temporal import CONVERTER, workflow_runner
from tests.replay import record
from workflows import steps
from workflows.conversation import ConversationWorkflow


@pytest.fixture(autouse=True)
def _flows(_own_catalogue: None) -> None:
    record.install_flows()


RECORDED = sorted(record.HISTORIES.glob("*.json"))


def _replayer() -> Replayer:
    return Replayer(workflows=[ConversationWorkflow], workflow_runner=workflow_runner(), data_converter=CONVERTER)


def _history(path: Path, events: dict[str, Any] | None = None) -> WorkflowHistory:
    return WorkflowHistory.from_json(f"conversation-{path.stem}", events or path.read_text())


@pytest.mark.parametrize("place", ["", *record.FLOWS])
def test_every_flow_has_a_recording_at_its_present_version(place: str) -> None:
    """The gate holds only what was recorded: a new version of a flow is recorded before it is deployed."""
    of_place = [scenario for scenario in record.SCENARIOS.values() if scenario.flows == place]
    known = {flow.ref for flow in record.install_flows().get(place, (steps.DEFAULT,))}
    assert known & {scenario.rules.flow for scenario in of_place}


def test_every_scenario_is_recorded_and_nothing_else_is() -> None:
    assert set(RECORDED) == {path for name in record.SCENARIOS for path in record.files(name)}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_a_recorded_conversation_replays_clean(path: Path) -> None:
    await _replayer().replay_workflow(_history(path))


@pytest.mark.parametrize(("was", "now"), [("reply", "deliver"), ("deliver", "reply")])
async def test_a_conversation_of_another_flow_does_not_replay(was: str, now: str) -> None:
    [path] = record.files("single-turn")
    told = json.loads(path.read_text())
    scheduled = [e.get("activityTaskScheduledEventAttributes", {}).get("activityType", {}) for e in told["events"]]
    [kind] = [kind for kind in scheduled if kind.get("name") == was]
    kind["name"] = now
    with pytest.raises(NondeterminismError):
        await _replayer().replay_workflow(_history(path, told))


def _payloads(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(data := value.get("data"), str):
            yield base64.b64decode(data).decode()
        for item in value.values():
            yield from _payloads(item)
    elif isinstance(value, list):
        for item in value:
            yield from _payloads(item)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recording_tells_nothing_of_a_person_or_a_machine(path: Path) -> None:
    raw = path.read_text()
    read = "\n".join([re.sub(r'"data": ?"[^"]*"', "", raw), *_payloads(json.loads(raw))])
    # A phone number; a path of a machine; a process on a host.
    assert re.findall(r"\+\d{7,}|/(?:home|root|Users|tmp|work)/|\.py\b|\d+@\w+", read) == []


def test_the_conversation_that_was_continued_was_so_by_the_length_of_its_history() -> None:
    first, second = [json.loads(path.read_text())["events"] for path in record.files("continued")]
    assert first[-1]["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
    assert len(second) < len(first) < 500
