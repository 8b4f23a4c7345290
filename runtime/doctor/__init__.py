"""Looks at everything that a deployment needs, and says what is wrong and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta

from messaging.diagnosis import Finding, State, fail
from runtime import temporal
from runtime.doctor import patients, server, surroundings
from runtime.settings import Settings, SettingsError
from runtime.temporal import is_unreachable

# A group of checks that has not answered by then never will.
PATIENCE = timedelta(seconds=30)
# A command must say soon that nothing is there.
_CONNECT = timedelta(seconds=3)

__all__ = ["PATIENCE", "examine", "worst"]


async def examine(settings: Settings, *, stuck_after: timedelta, most: int) -> tuple[Finding, ...]:
    """All findings, in the order of what rests on what. Changes nothing.

    Args:
        stuck_after: How long a step may try before it counts as stuck.
        most: How many open conversations to look into, the latest.
    """
    groups = await asyncio.gather(
        _within("temporal", _temporal(settings, stuck_after, most)),
        _within("qdrant", surroundings.qdrant(settings)),
        _within("spool", surroundings.spool(settings)),
        _within("providers", surroundings.providers(settings)),
    )
    findings = [*_ids(settings), *(finding for group in groups for finding in group)]
    return tuple({(one.check, one.saw): one for one in findings}.values())  # what two providers both saw


def worst(findings: Sequence[Finding]) -> State:
    """The state of the whole."""
    states = {finding.state for finding in findings}
    return next((state for state in (State.FAIL, State.WARN) if state in states), State.OK)


def _ids(settings: Settings) -> list[Finding]:
    try:
        settings.id_key()
    except SettingsError as missing:
        return [fail("id-key", "MESSAGING_ID_KEY is missing or short", str(missing).partition(": ")[2])]
    return []


async def _temporal(settings: Settings, stuck_after: timedelta, most: int) -> list[Finding]:
    try:
        client = await temporal.connect(patience=_CONNECT, sealing=settings.sealing())
        found = [await server.reached(client)]
    except Exception as error:
        if not is_unreachable(error):
            raise
        return [server.unreached(error)]
    if found[0].state is State.FAIL:
        return found
    return [
        *found,
        await server.attributes(client),
        *await server.workers(client, settings),
        await server.clock(client),
        *await patients.stuck(client, after=stuck_after, most=most),
        await patients.parked(client),
        await patients.sweeps(client, settings),
    ]


async def _within(check: str, looking: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await looking
    except TimeoutError:
        saw = f"no answer within {PATIENCE.total_seconds():g} s"
        return [fail(check, saw, "look at its log, and at the network between")]
