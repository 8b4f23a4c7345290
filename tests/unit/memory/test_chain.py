"""Facts about one thing: each holds until the next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from memory.chain import Link, changes

T = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 5)]


def link(day: int, until: datetime | None = None) -> Link:
    return Link(id=str(day), source=f"IM{day}", at=T[day], invalid_at=until)


def test_each_fact_ends_with_the_next_whatever_their_order() -> None:
    for links in permutations([link(0), link(1), link(2)]):
        ends = {change.id: change.invalid_at for change in changes(links)}
        assert ends == {"0": T[1], "1": T[2]}


def test_what_is_right_already_is_left_alone() -> None:
    assert changes([]) == []
    assert changes([link(0)]) == []
    assert changes([link(0, T[1]), link(1)]) == []


def test_a_fact_that_arrives_late_takes_its_place_in_the_middle_and_one_that_went_leaves_none_behind() -> None:
    assert {change.id: change.invalid_at for change in changes([link(0, T[2]), link(2), link(1)])} == {
        "0": T[1],
        "1": T[2],
    }
    assert [change.invalid_at for change in changes([link(0, T[1])])] == [None]


def test_two_facts_of_one_moment_end_in_the_same_order_each_time() -> None:
    one, two = link(0), Link(id="z", source="IMz", at=T[0] + timedelta(0))
    assert changes([one, two]) == changes([two, one])
