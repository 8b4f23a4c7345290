"""The judge must see what is wrong, or it proves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bench.tag import Tag
from tests.chaos.verdict import Hearing, judge, share

ANA, BO = "+15550190000", "whatsapp:+15550190001"
ONE, TWO, THREE = Tag(0, 0), Tag(0, 1), Tag(0, 2)


def rows(*told: str, phone: str = ANA) -> list[dict[str, Any]]:
    """`> text` from the phone, `< text` to it, a second apart."""
    return [
        {
            "sid": f"SM{number}",
            "phone": phone,
            "direction": "inbound" if line[0] == ">" else "outbound-api",
            "body": line[2:],
            "created": f"2026-01-01T00:00:{number:02d}.000Z",
        }
        for number, line in enumerate(told)
    ]


def test_each_text_answered_once_and_in_order_is_right() -> None:
    found = judge(rows("> hi #0-0", "> more #0-1", "< Answer to #0-0 #0-1", "> #0-2", "< Answer to #0-2"))

    assert (found.texts, found.messages, found.wrong) == (3, 2, [])
    assert found.waited == {ONE: 2.0, TWO: 1.0, THREE: 1.0}


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (["> #0-0", "> #0-1", "< #0-1"], "never answered: 1 (#0-0)"),
        (["> #0-0", "< #0-0", "< #0-0"], "answered more than once: 1 (#0-0)"),
        (["> #0-0", "> #0-1", "< #0-1", "< #0-0"], "answered out of order: 1 (#0-0)"),
        (["> #0-0", "> #0-1", "< #0-1 #0-0"], "answered out of order: 1 (#0-0)"),
        (["> #0-0", "< #0-0", "< Sorry"], "messages that answer no text: 1 (Sorry)"),
        (["> #0-0", "< #0-0", "< #0-7"], "messages that answer no text: 1 (#0-7)"),
    ],
)
def test_what_is_wrong_is_named(told: list[str], wrong: str) -> None:
    heard = {f"SM{n}": Hearing(tried=n, taken=n + 0.5) for n in range(9)}

    assert judge(rows(*told), heard).wrong == [wrong]


def test_order_counts_for_each_phone_by_itself() -> None:
    found = judge([*rows("> #0-0", "> #0-1", "< #0-0", "< #0-1"), *rows("> #1-0", "< #1-0", phone=BO)])

    assert (found.texts, found.wrong) == (3, [])


@pytest.mark.parametrize(
    ("earlier", "later", "overtaken"),
    [
        (Hearing(tried=0, taken=1), Hearing(tried=2, taken=3), False),
        (Hearing(tried=0, taken=4), Hearing(tried=2, taken=3), True),  # its first webhook failed
        (Hearing(), Hearing(tried=2, taken=3), True),  # nobody saw when it was taken
    ],
)
def test_a_text_that_we_had_later_may_be_answered_later(earlier: Hearing, later: Hearing, overtaken: bool) -> None:
    found = judge(rows("> #0-0", "> #0-1", "< #0-1", "< #0-0"), {"SM0": earlier, "SM1": later})

    assert (found.overtaken, found.reordered) == (((ONE,), ()) if overtaken else ((), (ONE,)))


def test_a_share_is_a_value_that_there_is() -> None:
    assert [share([3.0, 1.0, 2.0, 4.0], part) for part in (0.0, 0.5, 0.51, 1.0)] == [1.0, 2.0, 3.0, 4.0]
