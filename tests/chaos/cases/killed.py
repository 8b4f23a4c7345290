"""Workers and API processes that are killed with -9 at the worst moment: the person gets one answer."""

from __future__ import annotations

import asyncio

import httpx

from tests.chaos.case import Case, Person, must
from tests.chaos.ground import WORKERS, Ground
from tests.chaos.verdict import share
from tests.support.ports import eventually

_WORKER = "kill -9 of the worker before the agent, after the agent, after the provider's 201, during a callback"
_API = "kill -9 of the API before and after its ack"

# Whoever measures the recovery does so more than once.
_ROUNDS = 5
_WRITING = 3.0


async def _revive(ground: Ground) -> None:
    await asyncio.gather(*(ground.start(name) for name in WORKERS))


def _dies(when: str) -> Case:
    async def run(ground: Ground) -> str:
        person = Person(ground)
        await person.text(f"[die {when}] #1-0")
        await eventually(lambda: _dead(ground), within=60)
        await _revive(ground)
        waited = await person.only("Answer to #1-0")
        return f"answered after {waited:.1f} s"

    return Case(name=f"worker-killed-{when}-the-agent", line=_WORKER, run=run, quick=when == "after")


async def _dead(ground: Ground) -> bool:
    return not all(map(ground.runs, WORKERS))


async def _while_it_writes(ground: Ground) -> str:
    waits = []
    for _ in range(_ROUNDS):
        person = Person(ground)
        await person.text(f"[slow {_WRITING}] [die after] #1-0")
        waits.append(await person.only("Answer to #1-0"))
        await _revive(ground)
    lost = [waited - 2 * _WRITING for waited in waits]
    return (
        f"an agent of {_WRITING:.0f} s: begun anew {share(lost, 0.5):.1f} s after the kill, at most {max(lost):.1f} s"
    )


async def _after_the_provider_took_it(ground: Ground) -> str:
    person = Person(ground)
    await ground.fault("hang", seconds=30.0, match={"to": person.phone})
    await person.text("#1-0")
    await person.wait(1)
    await asyncio.gather(*map(ground.kill, WORKERS))
    await _revive(ground)
    await person.only("Answer to #1-0")
    conversation = (await person.conversation())["id"]
    view = await (await ground.client()).get_workflow_handle(conversation).query("transcript")
    proofs = [message["proof"] for message in view["messages"] if message["direction"] == "outbound"]
    must(proofs in (["found"], ["reported"]), f"a proof by a look or a report expected, there is {proofs}")
    return f"the send was {proofs[0]}, not repeated"


async def _during_a_callback(ground: Ground) -> str:
    person = Person(ground)
    await person.text("#1-0")

    async def reported() -> bool:
        return any(row["status"] in {"sending", "sent"} for row in await person.rows())

    await eventually(reported, every=0.01)
    await asyncio.gather(*map(ground.kill, WORKERS))
    await _revive(ground)
    await person.only("Answer to #1-0")
    path = f"{(await person.conversation())['id']}/messages"

    async def delivered() -> bool:
        return [row["status"] for row in (await ground.rest("GET", path))["items"]][-1] == "delivered"

    await eventually(delivered, within=30)
    return "its last status is delivered"


async def _api_before_its_ack(ground: Ground) -> str:
    person = Person(ground)
    twilio, other = ground.twilio("api-1"), ground.twilio("api-2")
    ground.still("temporal")  # so that the API waits for it, and has not answered
    posting = asyncio.create_task(twilio.text("#1-0", From=person.phone, To=ground.number, AccountSid=ground.account))
    await asyncio.sleep(0.3)
    await ground.kill("api-1")
    answer = (await asyncio.gather(posting, return_exceptions=True))[0]
    must(isinstance(answer, httpx.TransportError), f"no answer expected, there is {answer}")
    ground.wake("temporal")
    again = await other.post("/webhooks/twilio/messages", twilio.last)  # as the provider does
    must(again.status_code == 200, f"{again.status_code} for the repetition")
    await person.only("Answer to #1-0")
    return "repeated by the provider, one turn"


async def _api_after_its_ack(ground: Ground) -> str:
    person = Person(ground)
    twilio, other = ground.twilio("api-1"), ground.twilio("api-2")
    answer = await twilio.text("#1-0", From=person.phone, To=ground.number, AccountSid=ground.account)
    await ground.kill("api-1")
    again = await other.post("/webhooks/twilio/messages", twilio.last)
    must((answer.status_code, again.status_code) == (200, 200), "2xx expected, twice")
    await person.only("Answer to #1-0")
    return "acked, killed, repeated: one turn"


async def _api_after_its_ack_from_the_spool(ground: Ground) -> str:
    people = [Person(ground) for _ in range(5)]
    await ground.kill("temporal")
    twilio = ground.twilio()
    for number, person in enumerate(people):
        sid = f"SM{number:032x}"
        form = {"From": person.phone, "To": ground.number, "AccountSid": ground.account}
        answer = await twilio.text(f"#{number}-0", sid=sid, **form)
        must(answer.status_code == 200, f"{answer.status_code} while Temporal is away")
    await asyncio.gather(ground.kill("api-1"), ground.kill("api-2"))
    await ground.start("temporal")
    await asyncio.gather(ground.start("api-1"), ground.start("api-2"))
    for number, person in enumerate(people):
        await person.wait(1)
        must(await person.answers() == [f"Answer to #{number}-0"], f"one answer expected: {await person.answers()}")
    return f"{len(people)} spooled texts outlived both processes"


CASES = (
    _dies("before"),
    _dies("after"),
    Case(name="worker-killed-while-the-agent-writes", line=_WORKER, run=_while_it_writes),
    Case(name="worker-killed-after-the-providers-201", line=_WORKER, run=_after_the_provider_took_it),
    Case(name="worker-killed-during-a-callback", line=_WORKER, run=_during_a_callback),
    Case(name="api-killed-before-its-ack", line=_API, run=_api_before_its_ack, quick=True),
    Case(name="api-killed-after-its-ack", line=_API, run=_api_after_its_ack),
    Case(name="api-killed-after-its-ack-from-the-spool", line=_API, run=_api_after_its_ack_from_the_spool),
)
