"""The promises, whatever happens in whatever order: random interleavings against the real workflow.

Each example is a conversation under random rules, driven by random actions: texts, webhooks that come again, STOP and
START, takeovers, a human's replies, delivery reports, an agent that is slow or fails, a provider that fails before or
after it took the message, hours that pass, and a history so short that the run is continued anew all the time.

`MESSAGING_INTERLEAVINGS` says how many; with it, they are different ones each time. Every run is replayed, and all but
a few must replay clean: see `docs/conversation.md`, "What a replay may not show".
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from agents.turn import Draft, Turn
from messaging import errors
from messaging.model import DeliveryStatus
from runtime.temporal import workflow_runner
from tests.integration.harness import Bench, Conversation, Outbox, bench_for
from tests.support.server import temporal_server
from workflows import policy
from workflows.contracts import NewNote, OperatorReply, Takeover
from workflows.conversation import ConversationWorkflow
from workflows.inbox import DeliveryUpdate
from workflows.policy import ConsentScope, Rules, TurnPolicy
from workflows.state import MessageRecord, Outcome, Proof

INTERLEAVINGS = int(os.environ.get("MESSAGING_INTERLEAVINGS", "60"))
NAMED = {outcome.value for outcome in Outcome}


@dataclass(slots=True)
class Driver:
    """One example: does what it is told, and remembers what must hold."""

    bench: Bench = field(repr=False)
    person: Conversation = field(repr=False)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    fail_agent: int = 0
    keys: list[str] = field(default_factory=list)
    bodies: dict[str, str] = field(default_factory=dict)
    silent_from: int | None = None
    humans_from: int | None = None
    done: list[str] = field(default_factory=list)
    left: set[str] = field(default_factory=set)

    @property
    def outbox(self) -> Outbox:
        return self.bench.outbox

    async def agent(self, turn: Turn) -> Draft:
        if self.fail_agent:
            self.fail_agent -= 1
            raise ValueError("an agent that fails")
        await self.gate.wait()
        return Draft(text=f"re: {turn.text}")

    # --- actions ---

    async def text(self, body: str | None = None) -> str:
        number = len(self.keys) + 1
        key = await self.person.text(body or f"text {number}", key=f"{self.person.id}-in-{number}")
        self.keys.append(key)
        self.bodies[key] = body or f"text {number}"
        return key

    async def again(self) -> None:
        """A webhook that comes again."""
        if self.keys:
            key = self.keys[len(self.done) % len(self.keys)]
            await self.person.text(self.bodies[key], key=key)

    async def burst(self) -> None:
        await asyncio.gather(self.text(), self.again())

    async def stop(self) -> None:
        await self._settled(await self.text("STOP"))
        if self.silent_from is None:
            self.silent_from = len(self.outbox.sent)

    async def start(self) -> None:
        self._was_silent()
        self.silent_from = None
        await self._settled(await self.text("START"))

    async def help(self) -> None:
        await self.text("HELP")

    async def take_over(self) -> None:
        """From when a text is known to be held, only the human's own words may leave."""
        await self._update(ConversationWorkflow.takeover, Takeover(assignee="ana"))
        await self._settled(await self.text())
        if self.humans_from is None:
            self.humans_from = len(self.outbox.sent)

    async def release(self) -> None:
        self._was_left_to_the_human()
        self.humans_from = None
        await self._update(ConversationWorkflow.release)

    async def human(self) -> None:
        number = len(self.done)
        await self._update(ConversationWorkflow.reply, OperatorReply(author="ana", text="a human", key=str(number)))

    async def note(self) -> None:
        await self._update(ConversationWorkflow.note, NewNote(author="ana", text="a note"))

    async def report(self) -> None:
        """About a message of ours, by key or sid, in no order."""
        if self.outbox.sent and self.keys:
            number = len(self.done) % len(self.outbox.sent)
            key = self.outbox.sent[number][0]
            statuses = (DeliveryStatus.READ, DeliveryStatus.SENT, DeliveryStatus.UNDELIVERED, DeliveryStatus.DELIVERED)
            status = statuses[len(self.done) % 4]
            code = 30005 if status is DeliveryStatus.UNDELIVERED else None
            await self.person.report(
                DeliveryUpdate(message_sid=f"SM{number + 1}", status=status, key=key, error_code=code)
            )

    async def slow(self) -> None:
        self.gate.clear()

    async def quick(self) -> None:
        self.gate.set()

    async def breaks(self) -> None:
        """The agent fails: once, or for good."""
        self.fail_agent += 1 if len(self.done) % 2 else 3

    async def busy(self) -> None:
        self.outbox.fail_before.append(errors.RateLimit("slow down", retryable=True, retry_after=0.5))

    async def lost(self) -> None:
        self.outbox.fail_before.append(errors.InternalError("500", ambiguous=True))

    async def unclear(self) -> None:
        self.outbox.fail_after.append(errors.Timeout("read", ambiguous=True))

    async def refused(self) -> None:
        self.outbox.fail_before.append(errors.InvalidMessage("no", provider_code=21617))

    async def moment(self) -> None:
        await asyncio.sleep(0.02)

    async def second(self) -> None:
        await asyncio.sleep(0.7)  # longer than a nudge waits

    # --- the end ---

    async def finish(self) -> tuple[MessageRecord, ...]:
        """Let everything come to its end; the transcript of then."""
        self.gate.set()
        self.fail_agent = 0
        last = await self.text()
        await self._settled(last)
        for _ in range(1_800):
            # First, since a nudge may leave meanwhile: what has left, or counts as taken, is in the transcript by then.
            self.left = {key for key, _ in self.outbox.sent}
            view = await self.person.view()
            messages = (await self.person.transcript()).messages
            pending = any(m.proof == Proof.INTENDED.value for m in messages)
            if not (view.pending or pending or any(m.status == "received" for m in messages)):
                return messages
            await self._wait()
        raise AssertionError(f"not at rest: {view}, {messages}")

    async def close(self) -> None:
        await self.person.handle.execute_update(ConversationWorkflow.close)
        await self.person.handle.result()

    async def _settled(self, key: str) -> None:
        self.gate.set()
        for _ in range(1_800):
            found = [m for m in (await self.person.transcript()).messages if m.id == key]
            if found and found[0].status in NAMED:
                return
            await self._wait()
        raise AssertionError(f"the text {self.bodies[key]!r} has no outcome after {self.done}")

    async def _wait(self) -> None:
        await asyncio.sleep(0.05)

    async def _update(self, update: object, *args: object) -> None:
        if not self.keys:
            await self.text()
        for _ in range(5):
            with contextlib.suppress(WorkflowUpdateFailedError):  # refused, which is an answer too
                try:
                    await self.person.handle.execute_update(update, *args)  # type: ignore[call-overload]
                except RPCError as error:
                    if error.status is RPCStatusCode.FAILED_PRECONDITION:
                        continue  # it met a hand-over that the server refused, and may be asked again
                    raise
            return

    def _was_silent(self) -> None:
        if self.silent_from is not None:
            assert len(self.outbox.sent) == self.silent_from, "something left after STOP"

    def _was_left_to_the_human(self) -> None:
        if self.humans_from is not None:
            said = {body for _, body in self.outbox.sent[self.humans_from :]}
            assert said <= {"a human"}, "the agent wrote while a human had taken over"

    # --- what must hold ---

    def check(self, messages: tuple[MessageRecord, ...]) -> None:
        self._was_silent()
        self._was_left_to_the_human()
        inbound = [m for m in messages if m.direction == "inbound"]
        outbound = [m for m in messages if m.direction == "outbound"]
        sent = [key for key, _ in self.outbox.sent]
        assert Counter(m.id for m in inbound) == Counter(self.keys), "a text is missing, or was taken twice"
        assert all(m.status in NAMED for m in inbound), "a text without an outcome"
        assert len(sent) == len(set(sent)), "a message was sent twice"
        assert self.left <= {m.id for m in outbound}, "something left that the transcript does not know"
        proven = {Proof.ACCEPTED, Proof.FOUND, Proof.RESENT, Proof.REPORTED}
        assert {m.id for m in outbound if m.proof in proven} <= set(sent), "a proof of what never left"
        answers = [m for m in outbound if m.kind in {"answer", "apology"}]
        assert max(Counter(m.turn for m in answers).values(), default=0) <= 1, "two answers in a turn"
        turns = [m.turn for key in sent for m in answers if m.id == key]
        assert turns == sorted(turns), "answers out of order"
        self._in_order(inbound, answers, sent)

    def _in_order(self, inbound: list[MessageRecord], answers: list[MessageRecord], sent: list[str]) -> None:
        """What is answered is answered in the order in which it came, and once."""
        bodies = {m.id: m.body for m in answers if m.kind == "answer"}
        said = "\n".join(bodies[key].removeprefix("re: ") for key in sent if key in bodies).splitlines()
        said = [line for line in said if line.startswith("text ")]  # a START of who never stopped is only a text
        places = [[m.body for m in inbound].index(line) for line in said]
        assert places == sorted(set(places)), f"answered {said}, which came as {[m.body for m in inbound]}"


ACTIONS = {
    Driver.text: 8,
    Driver.again: 3,
    Driver.burst: 2,
    Driver.stop: 2,
    Driver.start: 2,
    Driver.help: 1,
    Driver.take_over: 2,
    Driver.release: 2,
    Driver.human: 2,
    Driver.note: 1,
    Driver.report: 4,
    Driver.slow: 3,
    Driver.quick: 3,
    Driver.breaks: 1,
    Driver.busy: 1,
    Driver.lost: 1,
    Driver.unclear: 2,
    Driver.refused: 1,
    Driver.moment: 4,
    Driver.second: 1,
}
actions = st.lists(st.sampled_from([action for action, weight in ACTIONS.items() for _ in range(weight)]), max_size=14)
rules = st.builds(
    Rules,
    turn_policy=st.sampled_from(list(TurnPolicy)),
    quiet_period=st.sampled_from([0.0, 0.0, 0.2]),
    consent=st.sampled_from([ConsentScope.CONVERSATION, ConsentScope.CONVERSATION, ConsentScope.CONTACT]),
    nudge_after=st.sampled_from([0.0, 0.0, 0.5]),
)


@dataclass(slots=True)
class Told:
    """What the run covered, for its last line."""

    examples: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    proofs: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    broken: list[str] = field(default_factory=list)

    def replayed(self, failures: list[Exception | None]) -> None:
        """Count runs, and those that do not replay: a rare coincidence may, but not the code."""
        self.runs += len(failures)
        self.broken += [str(failure)[:300] for failure in failures if failure is not None]
        assert len(self.broken) <= 1 + self.runs // 200, self.broken


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest) -> Iterator[Told]:
    told = Told()
    logging.disable(logging.WARNING)  # what fails here is meant to
    yield told
    logging.disable(logging.NOTSET)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(
            f"\n{told.examples} interleavings of {told.actions.total()} actions in {told.runs} runs: every text of "
            f"{dict(told.outcomes)} and every message of {dict(told.proofs)} as promised; "
            f"{len(told.broken)} of the runs do not replay"
        )


@pytest.fixture(scope="module")
def quick_server() -> Iterator[str]:
    """One that lets a run be continued anew at once, not a second after it began."""
    with temporal_server(options=("--dynamic-config-value", 'history.continueAsNewMinInterval="0s"')) as address:
        yield address
        gc.collect()


@pytest.fixture
async def quick_bench(quick_server: str) -> AsyncIterator[Bench]:
    client = await Client.connect(quick_server, data_converter=pydantic_data_converter)
    async with bench_for(client) as bench:
        yield bench


@pytest.mark.slow
@pytest.mark.timeout(0)
# On a busy machine hypothesis's own callback is interrupted in a workflow's thread, and the task is done once more.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of the bench, when an example fails
@given(what=actions, under=rules, budget=st.sampled_from([1, 1, 40, policy.EVENT_BUDGET]))
@settings(
    max_examples=INTERLEAVINGS,
    deadline=None,
    derandomize="MESSAGING_INTERLEAVINGS" not in os.environ,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # to shrink a failure would take hours: an example takes a second
    suppress_health_check=list(HealthCheck),
)
async def test_the_promises_hold_in_every_order(
    quick_bench: Bench, told: Told, what: list, under: Rules, budget: int
) -> None:
    usual, policy.EVENT_BUDGET = policy.EVENT_BUDGET, budget
    story = f"{[action.__name__ for action in what]} under {under} with {budget} events a run"
    try:
        quick_bench.outbox.__init__()  # type: ignore[misc] - the worker has this one; each example finds it empty
        driver = Driver(quick_bench, quick_bench.conversation(under))
        driver.gate.set()
        quick_bench.agent.reply_with = driver.agent
        for action in what:
            await action(driver)
            driver.done.append(action.__name__)
        messages = await driver.finish()
        driver.check(messages)
        await driver.close()  # its nudges are not the next example's
        told.replayed(await _replays(driver.person))
    except BaseException as error:
        error.add_note(story)
        raise
    finally:
        policy.EVENT_BUDGET = usual
    told.examples += 1
    told.actions.update(driver.done)
    told.outcomes.update(m.status for m in messages if m.direction == "inbound")
    told.proofs.update(m.proof for m in messages if m.direction == "outbound")


async def _replays(person: Conversation) -> list[Exception | None]:
    """Of each run, what its replay on the same code failed with, if it did."""
    replayer = Replayer(
        workflows=[ConversationWorkflow],
        workflow_runner=workflow_runner(),
        data_converter=pydantic_data_converter,
        debug_mode=True,  # a busy machine is no deadlock
    )
    failures, run_id = list[Exception | None](), None
    while True:
        history = await person.bench.client.get_workflow_handle(person.id, run_id=run_id).fetch_history()
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        failures.append(result.replay_failure)
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run_id:
            return failures
