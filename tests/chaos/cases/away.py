"""Temporal, the disk, or Qdrant is not there: texts are taken or honestly refused, and nothing is answered twice."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from cli.processes import Service
from tests.bench.tag import Tag
from tests.chaos import schedule
from tests.chaos.case import Case, Person, must
from tests.chaos.ground import THIRD, Ground
from tests.chaos.verdict import judge, share
from tests.support.ports import eventually
from tests.support.twilio import Twilio

_GONE = "Temporal gone for minutes"
_SPOOL = "spool full or unwritable"
_QDRANT = "Qdrant gone"

WEBHOOKS = int(os.environ.get("CHAOS_WEBHOOKS", "10000"))
_PEOPLE, _AT_ONCE = 200, 24
# For each thousand webhooks; a machine that others use as well drains a hundred and answers dozens a second.
_SECONDS_PER_THOUSAND = 120.0


async def _ten_thousand(ground: Ground) -> str:
    people = min(_PEOPLE, WEBHOOKS)
    await ground.kill("temporal")
    twilio, room, acks, texts = ground.twilio(), asyncio.Semaphore(_AT_ONCE), list[float](), list[dict[str, Any]]()

    async def talk(person: int) -> None:
        for number in range(WEBHOOKS // people):
            async with room:
                began = time.monotonic()
                tag, phone = Tag(person, number), schedule.phone(person, 17)
                form = {"From": phone, "To": ground.number, "AccountSid": ground.account}
                answer = await twilio.text(f"text {tag}", sid=f"SM{person:016x}{number:016x}", **form)
                acks.append(time.monotonic() - began)
                must(answer.status_code == 200, f"{answer.status_code} while Temporal is away")
                now = datetime.now(UTC).isoformat()
                texts.append({"sid": "", "phone": phone, "direction": "inbound", "body": str(tag), "created": now})

    await asyncio.gather(*(talk(person) for person in range(people)))
    kept = await ground.spooled()
    # Reports about earlier messages may be among them.
    must(kept >= len(texts), f"{len(texts)} in the spool expected, there are {kept}")
    within = WEBHOOKS / 1000 * _SECONDS_PER_THOUSAND + 120
    await ground.start("temporal")
    back = time.monotonic()
    await eventually(lambda: _is_empty(ground), within=within, every=0.2)
    drained = time.monotonic() - back
    phones = {text["phone"] for text in texts}

    async def all_answered() -> bool:
        return not judge(texts + await _sent(ground, phones)).lost

    await eventually(all_answered, within=within, every=2.0)
    answered = time.monotonic() - back
    await asyncio.sleep(3)
    verdict = judge(texts + await _sent(ground, phones))
    must(not verdict.wrong, "; ".join(verdict.wrong))
    slow = sum(ack > 1 for ack in acks)
    must(slow <= len(acks) / 100, f"{slow} of {len(acks)} acks took more than a second")
    p50, p99, longest = (1000 * ack for ack in (share(acks, 0.5), share(acks, 0.99), max(acks)))
    return (
        f"{len(texts)} taken, ack p50 {p50:.0f} ms, p99 {p99:.0f} ms, max {longest:.0f} ms; "
        f"drained in {drained:.0f} s ({len(texts) / drained:.0f}/s), "
        f"all answered after {answered:.0f} s in {verdict.messages} messages; spool empty"
    )


async def _sent(ground: Ground, phones: set[str]) -> list[dict[str, Any]]:
    rows = [row for phone in sorted(phones) for row in await ground.messages(phone)]
    return [row for row in rows if row["direction"] != "inbound"]


async def _is_empty(ground: Ground) -> bool:
    return await ground.spooled() == 0


@asynccontextmanager
async def third_api(ground: Ground, **environment: str) -> Any:
    """An API process with settings of its own, and webhooks to it."""
    service: Service = ground.services[THIRD]
    before, service.environment = service.environment, {**service.environment, **environment}
    try:
        await ground.start(THIRD)
        yield ground.twilio(THIRD)
    finally:
        await ground.stop(THIRD)
        service.environment = before


async def _full(ground: Ground) -> str:
    folder = ground.plan.data / "full"
    async with third_api(ground, MESSAGING_SPOOL=str(folder), MESSAGING_SPOOL_MEGABYTES="1") as twilio:
        ground.still("temporal")
        people, taken = [Person(ground) for _ in range(60)], []
        for number, person in enumerate(people):
            form = {"From": person.phone, "To": ground.number, "AccountSid": ground.account}
            began = time.monotonic()
            answer = await twilio.text(f"#{number}-0 " + "x" * 30_000, sid=f"SM{number:032x}", **form)
            took = time.monotonic() - began
            if answer.status_code != 200:
                break
            taken.append((number, person))
        refused = len(people) - len(taken)
        must(answer.status_code == 503 and refused, f"503 expected once it is full, there is {answer.status_code}")
        must(int(answer.headers.get("retry-after", 0)) > 0, "no Retry-After")
        ready = await twilio.http.get("/readyz")
        must(ready.status_code == 503, f"/readyz: 503 expected, there is {ready.status_code}")
        ground.wake("temporal")
        for number, person in taken:  # each 2xx was true
            must((await person.wait(1))[0] == f"Answer to #{number}-0", "an acked text has another answer")
        must(not await people[len(taken)].answers(), "a refused text was answered")
    return f"{len(taken)} taken and answered, then 503 within {1000 * took:.0f} ms"


async def _unwritable(ground: Ground) -> str:
    folder = ground.plan.data / "unwritable"
    async with third_api(ground, MESSAGING_SPOOL=str(folder)) as twilio:
        person, other = Person(ground), Person(ground)
        ground.still("temporal")
        shutil.rmtree(folder)
        folder.write_text("not a folder")
        refused = await _text(twilio, ground, person, "#1-0", sid=f"SM{1:032x}")
        folder.unlink()
        taken = await _text(twilio, ground, other, "#2-0", sid=f"SM{2:032x}")
        ground.wake("temporal")
        must(refused.status_code == 503, f"503 expected, there is {refused.status_code}")
        must(int(refused.headers.get("retry-after", 0)) > 0, "no Retry-After")
        must(taken.status_code == 200, f"200 expected once it can be written, there is {taken.status_code}")
        await other.only("Answer to #2-0")
        must(not await person.answers(), "the refused text was answered")
    return "503 with Retry-After; taken again once it can be written"


async def _text(twilio: Twilio, ground: Ground, person: Person, body: str, *, sid: str) -> Any:
    return await twilio.text(body, sid=sid, From=person.phone, To=ground.number, AccountSid=ground.account)


async def _qdrant_gone(ground: Ground) -> str:
    person = Person(ground)
    await person.ask("hello #1-0")
    await ground.kill("qdrant")
    must(await person.ask("my lucky number is seventeen #1-1") == "Answer to #1-1", "the answer did not go on")
    turn = await person.last_turn(2)
    recall = {step["name"]: step["status"] for step in turn["steps"]}["recall"]
    must(recall == "fell back", f"a degraded recall expected, it is {recall}")
    await ground.start("qdrant")
    handle = (await ground.client()).get_workflow_handle((await person.conversation())["id"])

    async def remembered() -> bool:
        return bool((await handle.query("view"))["unremembered"] == 0)

    await eventually(remembered, within=90)
    # By another channel: what was said in this conversation, the agent has before it.
    recalled = await person.ask("[recall] what is my lucky number?", channel="whatsapp")
    must("seventeen" in recalled, f"what was said meanwhile is not in memory: {recalled}")
    return "answered, marked, and written later"


CASES = (
    Case(name="temporal-gone", line=_GONE, run=_ten_thousand),
    Case(name="spool-full", line=_SPOOL, run=_full),
    Case(name="spool-unwritable", line=_SPOOL, run=_unwritable),
    Case(name="qdrant-gone", line=_QDRANT, run=_qdrant_gone),
)
