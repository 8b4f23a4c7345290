"""Deploys: processes that are told to stop finish or hand back what they do, and the next ones go on."""

from __future__ import annotations

import asyncio
import signal
import time

import httpx

from tests.chaos import schedule
from tests.chaos.case import Case, Person, held_by, must
from tests.chaos.crowd import Crowd
from tests.chaos.ground import GRACE, Ground, settled

# What replacing four processes takes at most, in seconds.
_LONGEST = 300.0
# The server of the API passes the signal on to itself when it has closed everything.
_ENDED = {0, -signal.SIGTERM}
_DEPLOY = "a deploy in the middle of conversations"


async def _rolling(ground: Ground) -> str:
    """API and workers are replaced one after the other, under load."""
    crowd, began, longest = Crowd(ground, area=16), time.monotonic(), 0.0
    replaced, listening = asyncio.Event(), asyncio.create_task(crowd.listen())

    async def text() -> None:
        for text in schedule.texts(1, seconds=_LONGEST, rate=4.0, people=30):
            await asyncio.sleep(began + text.at - time.monotonic())
            await crowd.text(text)
            if replaced.is_set():
                return

    texting = asyncio.create_task(text())
    try:
        for name in ("worker-1", "worker-2", "api-1", "api-2"):
            before = time.monotonic()
            process = ground.services[name].process
            await ground.stop(name)
            longest = max(longest, time.monotonic() - before)
            must(process is not None and process.returncode in _ENDED, f"{name} did not end by itself: {process}")
            await ground.start(name)
        replaced.set()
        await texting
        await settled(ground, within=60)
        verdict = await crowd.answered(within=90)
    finally:
        for task in (texting, listening):
            task.cancel()
        await asyncio.gather(texting, listening, return_exceptions=True)
    must(not verdict.wrong, "; ".join(verdict.wrong))
    return f"{verdict.texts} texts while all four were replaced: none lost or doubled; longest stop {longest:.1f} s"


async def _worker_hands_back(ground: Ground) -> str:
    """An agent that writes longer than the grace is begun anew by the other worker at once, not after a time-out."""
    people = [Person(ground) for _ in range(6)]
    for number, person in enumerate(people):
        await person.text(f"[slow 8] #{number}-0")
    await asyncio.sleep(2)
    before = time.monotonic()
    await ground.stop("worker-1")
    stopped = time.monotonic() - before
    for number, person in enumerate(people):
        await person.wait(1)
        must(await person.answers() == [f"Answer to #{number}-0"], f"one answer expected: {await person.answers()}")
    waits = [await person.waited() for person in people]
    return f"stopped in {stopped:.1f} s (grace {GRACE} s); agents of 8 s answered after at most {max(waits):.1f} s"


async def _api_finishes(ground: Ground) -> str:
    """SIGTERM in the middle of a request: it is answered, and after it no other."""
    person = Person(ground)
    twilio = ground.twilio("api-1")
    await twilio.http.get("/livez")  # a connection that is kept
    ground.still("temporal")
    form = {"From": person.phone, "To": ground.number, "AccountSid": ground.account}
    posting = asyncio.create_task(twilio.text("#1-0", **form))
    await asyncio.sleep(0.3)
    stopping = asyncio.create_task(ground.stop("api-1"))
    answer = await posting
    must(answer.status_code == 200, f"the request in flight: 200 expected, {answer.status_code}")
    await stopping
    process = ground.services["api-1"].process
    must(process is not None and process.returncode in _ENDED, "the API did not end by itself")
    try:
        await twilio.http.get("/livez")
        must(False, "a stopped API took a request")
    except httpx.ConnectError:
        pass
    ground.wake("temporal")
    await person.only("Answer to #1-0")
    await ground.start("api-1")
    return "the request in flight was answered, the text was kept and answered once"


CASES = (
    Case(name="recorded-histories", line=_DEPLOY, run=held_by("tests/replay")),
    Case(name="rolling-restart", line=_DEPLOY, run=_rolling, quick=True),
    Case(name="worker-hands-back", line=_DEPLOY, run=_worker_hands_back),
    Case(name="api-finishes-its-requests", line=_DEPLOY, run=_api_finishes),
)
