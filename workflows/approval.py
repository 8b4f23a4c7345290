"""A step that waits for a human: a question, a deadline, and what counts when nobody answers.

The turn stays open meanwhile; texts that arrive wait for it. The question is in the conversation's state under a token,
so that a redraft, or a replay, finds the same question and its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from workflows import ids, index, policy, views
from workflows.alert import AlertKind
from workflows.contracts import AlertActivities, AlertNotice
from workflows.flow import call, running_step
from workflows.length import TIMER, count
from workflows.state import ApprovalRecord, ConversationState, Verdict

if TYPE_CHECKING:
    from workflows.steps import TurnContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """A human's answer to the question of this token."""

    token: str
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a question ended with. `by` is empty where the deadline decided."""

    approved: bool
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a step runs that asks a human; its result is a `Decision`.

    `ask` words the question for who decides. After `within`, `default` counts: choose what does no harm.
    """

    ask: Callable[[TurnContext], str]
    within: timedelta
    default: Verdict = Verdict.DECLINED

    shape: ClassVar[str] = "human"

    def __post_init__(self) -> None:
        if self.default not in {Verdict.APPROVED, Verdict.DECLINED}:
            raise ValueError("default: must be approved or declined")
        if self.within <= timedelta(0):
            raise ValueError("within: must be longer than nothing")

    @property
    def label(self) -> str:
        """For the drawing."""
        return f"a human within {self.within}, else {self.default.value}"

    async def __call__(self, turn: TurnContext) -> Decision:
        """Wait for the answer. Raises Halt when nothing may leave any more: STOP, a takeover, a close."""
        record = _known(turn)
        if record is None:
            record = self._asked(turn)
            index.show(turn.start, turn.state)
            workflow.set_current_details(views.details(turn.start, turn.state))
            await _tell(turn, record)
        if record.verdict is Verdict.PENDING:
            await self._wait(turn, record)
            index.show(turn.start, turn.state)
        if record.verdict is Verdict.PENDING and (halt := turn.forbidden()):
            record.verdict, record.decided_at = Verdict.WITHDRAWN, workflow.now()
            raise halt
        turn.waited = (record.decided_at or workflow.now()) - record.asked_at
        return Decision(approved=record.verdict is Verdict.APPROVED, by=record.by, note=record.note)

    async def _wait(self, turn: TurnContext, record: ApprovalRecord) -> None:
        count(TIMER)
        try:
            await workflow.wait_condition(
                lambda: record.verdict is not Verdict.PENDING or turn.forbidden() is not None,
                timeout=max(record.deadline - workflow.now(), timedelta(0)),
                timeout_summary=f"approval {record.step}",
            )
        except TimeoutError:
            record.verdict, record.decided_at = self.default, workflow.now()

    def _asked(self, turn: TurnContext) -> ApprovalRecord:
        record = ApprovalRecord(
            token=_token(turn),
            step=running_step().name,
            turn=turn.state.turn,
            question=self.ask(turn)[: policy.QUESTION_CHARS],
            asked_at=workflow.now(),
            deadline=workflow.now() + self.within,
        )
        turn.state.approvals.append(record)
        del turn.state.approvals[: -policy.APPROVALS]
        return record


def _token(turn: TurnContext) -> str:
    return ids.token(turn.start.conversation_id, turn.texts[0].key, running_step().name)


def _known(turn: TurnContext) -> ApprovalRecord | None:
    """The question, where an earlier draft of this turn has asked it."""
    found = next((record for record in turn.state.approvals if record.token == _token(turn)), None)
    if found is not None and found.verdict is Verdict.WITHDRAWN and found.turn != turn.state.turn:
        turn.state.approvals.remove(found)  # of a turn that is run again: it is asked anew
        return None
    return found


async def _tell(turn: TurnContext, record: ApprovalRecord) -> None:
    notice = AlertNotice(
        conversation_id=turn.start.conversation_id,
        kind=AlertKind.APPROVAL.value,
        reason=f"{record.step} waits for a decision",
    )
    try:
        await call(policy.ALERT, AlertActivities.alert, notice)
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("a question that nobody was told of")


def decide(state: ConversationState, verdict: Verdict, request: Decide) -> None:
    """Answer a question; the same answer again is no error."""
    for record in state.approvals:
        if record.token == request.token and record.verdict is Verdict.PENDING:
            record.verdict, record.by, record.note = verdict, request.by, request.note[: policy.QUESTION_CHARS]
            record.decided_at = workflow.now()


def check(state: ConversationState, verdict: Verdict, request: Decide) -> None:
    """Whether the question can be answered so.

    Raises:
        ApplicationError: `invalid_input` or `conflict`, naming the field.
    """
    if not request.by.strip():
        raise ApplicationError("by: who decides must be named", type="invalid_input")
    found = next((record for record in state.approvals if record.token == request.token), None)
    if found is None:
        raise ApplicationError("token: no question of this conversation has it", type="approval_not_found")
    if found.verdict not in {Verdict.PENDING, verdict}:
        raise ApplicationError(f"token: the question is {found.verdict.value} already", type="conflict")


def withdraw(state: ConversationState) -> None:
    """What a turn asked and then did not need any more waits for nobody."""
    for record in state.approvals:
        if record.verdict is Verdict.PENDING and record.turn == state.turn:
            record.verdict, record.decided_at = Verdict.WITHDRAWN, workflow.now()
