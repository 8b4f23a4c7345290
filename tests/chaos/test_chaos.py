"""The part of `make chaos` that is quick: some lines of the fault table, and half a minute of random faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.__main__ import chosen, run_case
from tests.chaos.cases import CASES
from tests.chaos.ground import opened
from tests.chaos.storm import Options, Storm

pytestmark = pytest.mark.slow

PROMISES = {
    "kill -9 of the worker before the agent, after the agent, after the provider's 201, during a callback",
    "kill -9 of the API before and after its ack",
    "Temporal gone for minutes",
    "spool full or unwritable",
    "Qdrant gone",
    "provider 429 / 500 before commit / 500 after commit / accepted then timeout / connection reset",
    "one webhook 100 times over 3 API processes",
    "read, delivered, sent arriving in that order",
    "a poison message",
    "1 MB form, NumMedia=10^9, NUL bytes, invalid UTF-8, missing From, 10,000 fields",
    "forged, missing, replayed, proxy-rewritten signatures; rotated tokens",
    "media URL to 169.254.169.254, private ranges, redirects, DNS rebinding",
    "a flood from one sender",
    "agent takes 120 s",
    "two bots answering each other",
    "STOP or takeover while the agent is writing",
    "signals arriving during continue-as-new",
    "a deploy in the middle of conversations",
    "prompt injection in a text",
}


def test_every_line_of_the_fault_table_has_a_case_and_no_two_have_one_name() -> None:
    assert {case.line for case in CASES} == PROMISES
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.timeout(600)
async def test_the_quick_cases_hold_and_half_a_minute_of_chaos_loses_doubles_and_reorders_nothing(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as ground:
        results = [await run_case(case, ground) for case in chosen("quick")]
        assert [(result.name, result.said) for result in results if not result.held] == []

        outcome = await Storm(ground, Options(seed=3, seconds=20.0, rate=4.0, people=40, every=2.5)).run()
        assert outcome.wrong == []
        assert outcome.verdict.texts == 80
        assert len(outcome.struck) > 3
