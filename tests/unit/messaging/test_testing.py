"""The tools that others test with."""

from __future__ import annotations

import asyncio

import pytest

from messaging import errors
from messaging.model import ConversationConfig, Message, SendOutcome
from messaging.testing import ScriptedBackend, run_concurrently


async def test_ids_are_the_same_every_time():
    sids = []
    for _ in range(2):
        async with ScriptedBackend() as backend:
            sids.append((await backend.create_conversation(ConversationConfig())).sid)
    assert sids == ["CH" + "0" * 31 + "1"] * 2


async def test_a_send_may_fail_before_or_after_it_happened():
    async with ScriptedBackend() as backend:
        sid = (await backend.create_conversation(ConversationConfig())).sid
        lost = errors.NetworkError("lost", ambiguous=True)
        backend.script.fail("send_message", lost)
        backend.script.fail("send_message", lost, after_commit=True)
        for key, outcome in (("before", SendOutcome.ABSENT), ("after", SendOutcome.CONFIRMED)):
            with pytest.raises(errors.NetworkError):
                await backend.send_message(sid, Message(body=key), key=key)
            assert (await backend.find_message(sid, key)).outcome is outcome
        assert [message.body for message in backend.messages(sid)] == ["after"]
        assert [call.arguments["key"] for call in backend.script.asked("send_message")] == ["before", "after"]


async def test_a_standing_failure_ends_when_told():
    async with ScriptedBackend() as backend:
        backend.script.fail_always("create_conversation", errors.RateLimit("slow down", retryable=True))
        for _ in range(2):
            with pytest.raises(errors.RateLimit):
                await backend.create_conversation(ConversationConfig())
        backend.script.fail_always("create_conversation", None)
        assert await backend.create_conversation(ConversationConfig())


async def test_a_stream_ends_when_the_conversation_closes():
    async with ScriptedBackend() as backend:
        sid = (await backend.create_conversation(ConversationConfig())).sid
        received = []

        async def read():
            received.extend([message.body async for message in backend.receive_messages(sid)])

        reading = asyncio.create_task(read())
        await asyncio.sleep(0)
        backend.deliver(sid, "one")
        await backend.send_message(sid, Message(body="ours"))
        backend.deliver(sid, "two")
        await backend.close_conversation(sid)
        await reading
        assert received == ["one", "two"]


async def test_a_run_collects_results_errors_and_durations():
    async def task(number):
        await asyncio.sleep(0)
        if number == 3:
            raise ValueError(number)
        return number

    report = await run_concurrently(task, count=10, concurrency=4, within=5)
    assert sorted(report.results) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert [type(error) for error in report.errors] == [ValueError]
    assert report.percentile(0) <= report.percentile(50) <= report.percentile(100) == max(report.durations)
    assert report.throughput > 0


async def test_a_run_keeps_its_bounds():
    most, now = 0, 0

    async def task(number):
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001 if number else 60)
        now -= 1

    report = await run_concurrently(task, count=9, concurrency=3, within=0.2)
    assert most == 3
    assert (len(report.results), [type(error) for error in report.errors]) == (8, [TimeoutError])


async def test_a_task_that_is_cancelled_is_an_error_and_one_that_is_late_counts_once():
    async def task(number):
        if number == 0:
            raise asyncio.CancelledError
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return "swallowed"

    report = await run_concurrently(task, count=3, within=0.05)
    assert report.results == ()
    assert sorted(type(error).__name__ for error in report.errors) == ["CancelledError", "TimeoutError", "TimeoutError"]


@pytest.mark.parametrize("concurrency", [0, -1])
async def test_nobody_at_once_is_no_run(concurrency):
    with pytest.raises(ValueError, match="concurrency"):
        await run_concurrently(asyncio.sleep, count=1, concurrency=concurrency, within=1)


def test_a_misspelt_operation_is_said_to_be():
    script = ScriptedBackend().script
    for misspelt in (lambda: script.fail("send", errors.Timeout("x")), lambda: script.delay("typo", 1)):
        with pytest.raises(ValueError, match="send_message"):
            misspelt()
