"""A seed is all that is needed to repeat a run."""

from __future__ import annotations

from collections import Counter, defaultdict

from tests.chaos import schedule
from tests.chaos.schedule import KINDS, PROVIDER


def test_the_same_seed_is_the_same_run_and_another_is_another() -> None:
    def run(seed: int) -> tuple[object, object]:
        texts = schedule.texts(seed, seconds=60, rate=5, people=200)
        return schedule.faults(seed, seconds=600, every=8), list(texts)

    assert run(7) == run(7)
    assert run(7)[0] != run(8)[0]
    assert run(7)[1] != run(8)[1]


def test_half_an_hour_has_every_kind_of_fault_about_as_often_as_asked() -> None:
    faults = schedule.faults(7, seconds=1800, every=8)

    assert set(Counter(fault.kind for fault in faults)) == set(KINDS)
    assert 170 < len(faults) < 280
    assert all(0 < fault.at < 1800 for fault in faults)
    assert {fault.target for fault in faults if fault.kind in PROVIDER} == {"provider"}


def test_texts_come_steadily_each_with_a_tag_of_its_own_numbered_by_person() -> None:
    texts = list(schedule.texts(7, seconds=60, rate=5, people=200))
    numbers = defaultdict(list)
    for text in texts:
        numbers[text.tag.person].append(text.tag.number)

    assert [text.at for text in texts] == [number / 5 for number in range(300)]
    assert all(found == list(range(len(found))) for found in numbers.values())
    assert {text.channel for text in texts} == {"sms", "whatsapp"}
    assert all(str(text.tag) in text.body for text in texts)
