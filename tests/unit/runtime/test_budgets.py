"""How fast texts may come in, with a clock of our own."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.budgets import Budget, Budgets


@dataclass(slots=True)
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def arrivals(budgets: Budgets, sender: str | None, number: int) -> list[Budget | None]:
    return [budgets.arrive(sender) for _ in range(number)]


def test_a_sender_may_write_as_many_at_once_as_in_a_minute_and_then_at_that_rate() -> None:
    budgets = Budgets(sender=6, clock=(clock := Clock()))

    assert arrivals(budgets, "ana", 8) == [None] * 6 + [Budget.SENDER] * 2
    clock.now = 10
    assert arrivals(budgets, "ana", 2) == [None, Budget.SENDER]
    clock.now = 1000
    assert arrivals(budgets, "ana", 7) == [None] * 6 + [Budget.SENDER]


def test_one_senders_flood_takes_nothing_from_another() -> None:
    budgets = Budgets(sender=6, clock=Clock())
    arrivals(budgets, "ana", 100)

    assert arrivals(budgets, "bo", 6) == [None] * 6


def test_what_a_sender_may_not_write_takes_nothing_from_all() -> None:
    budgets = Budgets(sender=2, total=10, clock=Clock())
    arrivals(budgets, "ana", 100)

    assert [budgets.arrive(f"person {number}") for number in range(9)] == [None] * 8 + [Budget.TOTAL]


def test_what_is_no_text_counts_for_the_total_only() -> None:
    budgets = Budgets(sender=1, total=3, clock=Clock())

    assert arrivals(budgets, None, 4) == [None] * 3 + [Budget.TOTAL]


def test_what_waits_goes_on_at_the_senders_rate_and_others_at_once() -> None:
    budgets = Budgets(sender=6, clock=(clock := Clock()))
    arrivals(budgets, "ana", 8)

    assert budgets.waiting() == ["ana"]
    assert [budgets.go_on(who) for who in ("ana", "bo", "bo")] == [False, True, True]
    clock.now = 10
    assert budgets.waiting() == []
    assert [budgets.go_on("ana") for _ in range(2)] == [True, False]
    assert budgets.waiting() == ["ana"]
    clock.now = 100
    assert budgets.waiting() == []


def test_zero_is_any_number() -> None:
    budgets = Budgets(clock=Clock())

    assert set(arrivals(budgets, "ana", 1_000)) == {None}
    assert all(budgets.go_on("ana") for _ in range(1_000))


def test_senders_of_long_ago_are_forgotten() -> None:
    budgets = Budgets(sender=1, clock=(clock := Clock()))
    for number in range(20_050):
        budgets.arrive(f"person {number}")
    assert len(budgets._buckets) == 20_000

    clock.now = 60
    budgets.arrive("ana")
    assert list(budgets._buckets) == ["ana"]


def test_senders_who_write_now_and_then_are_hardly_kept() -> None:
    budgets = Budgets(sender=60, clock=(clock := Clock()))
    for number in range(5_000):
        clock.now += 0.01
        budgets.arrive(f"person {number}")

    assert len(budgets._buckets) < 600
