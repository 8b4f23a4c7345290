"""Many messages at once: each is told of to its end, once and in order, and no more is kept than shall be."""

import pytest

from tests.bench.simulator.measure import Options, run


@pytest.mark.slow
@pytest.mark.parametrize("data", [False, True], ids=["memory", "journal"])
async def test_nothing_is_lost_and_memory_is_bounded_under_load(data: bool) -> None:
    options = Options(messages=2_000, blocks=2, at_once=16, people=50, retain=300, data=data)
    result = await run(options, lambda _: None)
    assert result.faults == []
    assert result.callbacks == 3 * (2_000 + 500)  # the warm-up's too
    assert (result.kept, result.records, result.waiting) == (300, 300, 0)
