"""A long answer in parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.segments import count
from workflows import parts
from workflows.policy import Rules

texts = st.one_of(
    st.text(max_size=400),
    st.lists(st.text(alphabet="abc .,;!?\n\té漢🙂", max_size=30), max_size=30).map(" ".join),
)
limits = st.integers(min_value=1, max_value=60)


@given(text=texts, limit=limits)
def test_the_parts_are_the_text(text: str, limit: int) -> None:
    joined = "".join(parts.split(text, limit=limit))
    assert "".join(joined.split()) == "".join(text.split())


@given(text=texts, limit=limits)
def test_every_part_fits_and_says_something(text: str, limit: int) -> None:
    for part in parts.split(text, limit=limit):
        assert 0 < len(part) <= limit
        assert part == part.strip()


@given(words=st.lists(st.text(alphabet="abcdé", min_size=1, max_size=10), min_size=1, max_size=60))
def test_words_stay_whole_where_they_can(words: list[str]) -> None:
    assert " ".join(parts.split(" ".join(words), limit=24)).split() == words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" \n ", ()),
        ("short", ("short",)),
        ("a" * 20, ("a" * 20,)),
        ("a" * 21, ("a" * 20, "a")),
        ("One two three.\n\nFour. Five six", ("One two three.", "Four. Five six")),
        ("One two. Three, four five", ("One two. Three,", "four five")),
        ("One two thre. Four five", ("One two thre.", "Four five")),
        ("Really, is it so? Yes, it is", ("Really, is it so?", "Yes, it is")),
    ],
)
def test_a_text_is_split_where_a_reader_would_pause(text: str, expected: tuple[str, ...]) -> None:
    assert parts.split(text, limit=20) == expected


@given(text=texts | st.text(alphabet="ab{€\n é🙂漢", max_size=900), segments=st.integers(min_value=1, max_value=4))
def test_every_part_of_an_sms_has_no_more_segments_than_it_may(text: str, segments: int) -> None:
    split = parts.split(text, segments=segments)
    assert "".join("".join(split).split()) == "".join(text.split())
    assert all(count(part) <= segments for part in split)  # by a count of its own


@pytest.mark.parametrize(
    ("text", "segments", "lengths"),
    [
        ("a" * 160, 1, [160]),
        ("a" * 161, 1, [160, 1]),
        ("é" * 306, 2, [306]),
        ("€" * 160, 2, [152, 8]),
        ("漢" * 71, 1, [70, 1]),
        ("漢" * 134, 2, [134]),
        ("🙂" * 36, 1, [35, 1]),
        ("🙂" * 67, 2, [66, 1]),
        ("a" * 200 + "漢", 2, [200, 1]),
    ],
)
def test_a_part_has_as_much_as_its_segments_hold(text: str, segments: int, lengths: list[int]) -> None:
    assert [len(part) for part in parts.split(text, segments=segments)] == lengths


def test_only_an_sms_has_segments() -> None:
    rules, text = Rules(sms_segments=10), "漢" * 1_000
    assert [len(part) for part in parts.by_channel(text, "sms", rules)] == [670, 330]
    assert parts.by_channel(text, "whatsapp", rules) == (text,)


def test_an_answer_of_one_messages_length_is_one_message() -> None:
    assert len(parts.split("a" * parts.LIMIT)) == 1
    assert len(parts.split("a" * parts.LIMIT + "b")) == 2
