"""What leaves, what does not, and how it is known: the guard before a send, and its proof after it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agents.turn import Draft, Turn
from messaging import errors
from messaging.config import MessagingConfig
from messaging.model import DeliveryStatus, Message, SendOutcome, SendProof
from tests.integration.clock import Clock, skipping
from tests.integration.harness import Bench, Outbox
from tests.support.ports import eventually
from workflows import policy
from workflows.inbox import DeliveryUpdate
from workflows.policy import MessageClass, Rules, Stale
from workflows.state import MessageRecord, Outcome

HOURS_LATE = timedelta(hours=2)


async def _answers(person) -> list[MessageRecord]:
    return [m for m in (await person.transcript()).messages if m.direction == "outbound"]


# --- the guard ---


async def test_an_answer_that_comes_hours_late_is_replaced_by_an_apology(clock: Clock) -> None:
    person = clock.bench.conversation()
    await clock.text(person, "are you open now?", age=HOURS_LATE)
    turn = await person.turn(1)

    assert clock.bench.outbox.bodies == [policy.LATE]
    assert (turn.outcome, turn.guards) == (Outcome.PARKED, ("the answer came too late",))


async def test_an_answer_that_comes_hours_late_is_held_where_rules_say_so(clock: Clock) -> None:
    person = clock.bench.conversation(Rules(stale=Stale.HOLD))
    await clock.text(person, "are you open now?", age=HOURS_LATE)

    assert (await person.turn(1)).outcome is Outcome.HELD
    assert clock.bench.outbox.bodies == []
    assert (await person.view()).handoff == "the answer came too late"


async def test_an_answer_that_turns_late_while_the_provider_is_away_is_not_sent(clock: Clock) -> None:
    send, outbox = clock.bench.outbox.send_message, clock.bench.outbox
    away = True

    async def away_for_long(sid: str, message: Message, *, key: str | None = None) -> Message:
        if away:
            raise errors.NetworkError("refused", retryable=True)
        return await send(sid, message, key=key)

    outbox.send_message = away_for_long  # type: ignore[method-assign]
    person = clock.bench.conversation(Rules(stale_after=600))
    await clock.text(person, "hello")
    await eventually(lambda: asyncio.sleep(0, len(clock.bench.agent.turns) == 1))
    await clock.passes(minutes=11)
    away = False
    await clock.passes(minutes=1)
    await person.turn(1)

    assert outbox.bodies == [policy.LATE]


async def test_a_conversation_that_sends_too_much_is_held_for_a_human(bench: Bench) -> None:
    person = bench.conversation(Rules(sends_per_hour=3))
    for number in range(1, 6):
        await person.text(f"text {number}")
        await person.turn(number)

    assert bench.outbox.bodies == ["re: text 1", "re: text 2", "re: text 3"]
    view = await person.view()
    assert view.handoff == "3 sends within an hour"
    assert [a.kind for a in view.alerts] == ["budget"]


@pytest.mark.parametrize(
    ("said", "rules"),
    [("I am a bot", Rules()), ("text {number}", Rules(loop_turns=8))],
    ids=["the same again and again", "always at once"],
)
async def test_two_bots_that_answer_each_other_are_stopped_and_a_human_hears_of_it(
    bench: Bench, said: str, rules: Rules
) -> None:
    person = bench.conversation(rules)
    most = 20
    for number in range(1, most + 1):
        await person.text(said.format(number=number))
        if (await person.turn(number)).outcome is Outcome.HELD:
            break

    assert 5 < len(bench.outbox.bodies) < most
    assert [a.kind for a in (await person.view()).alerts] == ["loop"]


# --- the proof ---


class Mute(Outbox):
    """A provider whose first sends time out, and whose lists tell nothing; what it was given, it has sent."""

    def __init__(self, *, silent: int = 1) -> None:
        super().__init__()
        self.silent = silent

    async def send_message(self, sid: str, message: Message, *, key: str | None = None) -> Message:
        sent = await super().send_message(sid, message, key=key)
        if len(self.sent) <= self.silent:
            raise errors.Timeout("read", ambiguous=True)
        return sent

    async def find_message(
        self,
        sid: str,
        key: str,
        *,
        message: Message | None = None,
        since: datetime | None = None,
        known: Collection[str] = (),
    ) -> SendProof:
        self.looks += 1
        return SendProof(outcome=SendOutcome.UNCERTAIN)


async def test_an_unclear_send_is_proven_by_the_providers_own_report_and_never_repeated() -> None:
    async with skipping(outbox=Mute()) as clock:
        person, outbox = clock.bench.conversation(), clock.bench.outbox
        await clock.text(person, "hello")
        await eventually(lambda: asyncio.sleep(0, outbox.looks > 0))
        [(key, _)] = outbox.sent
        await person.report(DeliveryUpdate(message_sid="SM1", status=DeliveryStatus.SENT, key=key))
        turn = await person.turn(1)
        [answer] = await _answers(person)

    assert (turn.outcome, answer.proof, answer.status, answer.provider_sid) == (
        Outcome.ANSWERED,
        "reported",
        "sent",
        "SM1",
    )
    assert len(outbox.sent) == 1


async def test_a_send_that_stays_unclear_is_not_repeated_and_a_late_report_still_settles_it() -> None:
    async with skipping(outbox=Mute()) as clock:
        person, outbox = clock.bench.conversation(), clock.bench.outbox
        await clock.text(person, "hello")
        await eventually(lambda: asyncio.sleep(0, outbox.looks > 0))
        await clock.passes(hours=1, minutes=5)
        turn = await person.turn(1)
        view, [before] = await person.view(), await _answers(person)
        await person.report(DeliveryUpdate(message_sid="SM1", status=DeliveryStatus.DELIVERED, key=before.id))
        [after] = await _answers(person)

    assert (turn.outcome, before.proof, view.uncertain) == (Outcome.PARKED, "uncertain", 1)
    assert [a.kind for a in view.alerts] == ["uncertain", "parked"]
    assert (after.proof, after.status) == ("reported", "delivered")
    assert len(outbox.sent) == 1


async def test_a_class_that_must_not_be_lost_is_sent_again_when_nothing_can_be_proven() -> None:
    async with skipping(outbox=Mute()) as clock:
        person = clock.bench.conversation(Rules(never_lost=(MessageClass.ANSWER,)))
        await clock.text(person, "hello")
        await eventually(lambda: asyncio.sleep(0, clock.bench.outbox.looks > 0))
        await clock.passes(minutes=4)
        turn = await person.turn(1)
        [answer] = await _answers(person)

    assert (turn.outcome, answer.proof) == (Outcome.ANSWERED, "resent")
    assert [key for key, _ in clock.bench.outbox.sent] == [answer.id, answer.id]


@pytest.mark.parametrize(
    ("before", "after", "proof", "status"),
    [
        ([], [], "accepted", "queued"),
        ([errors.InternalError("500", ambiguous=True)], [], "resent", "queued"),
        ([], [errors.InternalError("500", ambiguous=True)], "found", "unknown"),
        ([errors.InvalidMessage("no", provider_code=21617)], [], "failed", "failed"),
    ],
    ids=["accepted", "absent, and sent again", "found", "refused"],
)
async def test_how_a_send_was_proven_is_in_the_transcript(
    bench: Bench,
    before: list[errors.MessagingError],
    after: list[errors.MessagingError],
    proof: str,
    status: str,
) -> None:
    bench.outbox.fail_before, bench.outbox.fail_after = before, after
    person = bench.conversation()
    await person.text("hello")
    await person.turn(1)
    [answer] = await _answers(person)

    assert (answer.proof, answer.status) == (proof, status)
    assert answer.error_code == (21617 if proof == "failed" else None)


@pytest.mark.parametrize("within", [None, 0])
async def test_a_look_that_fails_proves_nothing_so_nothing_is_sent_again(bench: Bench, within: int | None) -> None:
    outbox = bench.outbox
    outbox.get_config = lambda: MessagingConfig(provider="outbox", max_retries=within)  # type: ignore[method-assign]
    outbox.fail_after = [errors.Timeout("read", ambiguous=True)]
    outbox.fail_look = [errors.RateLimit("slow down", retryable=True), errors.NetworkError("away", retryable=True)]
    person = bench.conversation()
    await person.text("hello")
    turn = await person.turn(1, within=60)

    assert (turn.outcome, outbox.bodies, outbox.looks) == (Outcome.ANSWERED, ["re: hello"], 3)


async def test_a_message_is_in_the_transcript_as_intended_before_it_leaves(bench: Bench) -> None:
    person, seen = bench.conversation(), list[str]()
    send = bench.outbox.send_message

    async def look_first(sid: str, message: Message, *, key: str | None = None) -> Message:
        seen.extend(m.proof for m in await _answers(person))
        return await send(sid, message, key=key)

    bench.outbox.send_message = look_first  # type: ignore[method-assign]
    await person.text("hello")
    await person.turn(1)

    assert seen == ["intended"]


async def test_media_of_a_draft_go_out_with_its_first_part(bench: Bench) -> None:
    async def with_picture(_: Turn) -> Draft:
        return Draft(text="Sentence. " * 200, media=("https://example.com/map.png",))

    bench.agent.reply_with = with_picture
    person = bench.conversation()
    await person.text("where are you?")
    await person.turn(1)

    assert [[media.url for media in message.media] for message in bench.outbox.messages] == [
        ["https://example.com/map.png"],
        [],
    ]


# --- failures, at once and reported later ---


async def _answered(bench: Bench, rules: Rules | None = None):
    person = bench.conversation(rules)
    await person.text("hello")
    await person.turn(1)
    return person


FAILED = DeliveryUpdate(message_sid="SM1", status=DeliveryStatus.UNDELIVERED)


async def test_a_block_at_once_is_an_opt_out(bench: Bench) -> None:
    bench.outbox.fail_before = [errors.RecipientBlocked("opted out", provider_code=21610)]
    person = await _answered(bench)
    await person.text("again")
    turn = await person.turn(2)

    assert turn.outcome is Outcome.OPTED_OUT
    assert bench.outbox.bodies == []
    await person.text("START")
    await person.turn(3)
    await person.text("now?")
    await person.turn(4)
    assert bench.outbox.bodies == ["re: now?"]


async def test_a_block_reported_later_is_an_opt_out(bench: Bench) -> None:
    person = await _answered(bench)
    await person.report(replace(FAILED, error_code=21610, failure="blocked"))
    await person.text("again")

    assert (await person.turn(2)).outcome is Outcome.OPTED_OUT
    assert bench.outbox.bodies == ["re: hello"]


async def test_a_closed_window_reported_later_holds_the_conversation_without_a_template(bench: Bench) -> None:
    person = await _answered(bench)
    await person.report(replace(FAILED, error_code=63016, failure="window"))
    await person.text("again")

    assert (await person.turn(2)).outcome is Outcome.HELD
    assert (await person.view()).handoff == "the channel's window is closed"


async def test_a_closed_window_reported_later_sends_the_template_once(bench: Bench) -> None:
    rules = Rules(template="HX1", template_variables={"1": "{text}"})
    person = await _answered(bench, rules)
    failed = replace(FAILED, error_code=63016, failure="window")
    await person.report(failed)
    await eventually(lambda: asyncio.sleep(0, len(bench.outbox.sent) == 2))
    await person.report(failed)
    await person.report(replace(failed, message_sid="SM2"))
    await eventually(lambda: _is_held(person))

    assert [m.template and (m.template.sid, m.template.variables) for m in bench.outbox.messages] == [
        None,
        ("HX1", {"1": "re: hello"}),
    ]


async def _is_held(person) -> bool:
    return (await person.view()).handoff is not None


async def test_a_failure_for_good_reported_later_is_shown_and_told(bench: Bench) -> None:
    person = await _answered(bench)
    await person.report(replace(FAILED, error_code=30005, failure="permanent"))

    async def told() -> bool:
        return [(a.kind, a.told) for a in (await person.view()).alerts] == [("undelivered", True)]

    await eventually(told)
    [answer] = await _answers(person)
    assert (answer.status, answer.error_code, answer.reason) == ("undelivered", 30005, "permanent")
    await person.text("again")
    assert (await person.turn(2)).outcome is Outcome.ANSWERED
