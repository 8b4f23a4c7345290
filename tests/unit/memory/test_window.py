"""The newest that fit, and nothing with a gap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.window import fit

TEXTS = st.lists(st.text(max_size=12), max_size=12)


@given(texts=TEXTS, max_messages=st.integers(0, 12), max_chars=st.integers(0, 60))
def test_the_window_is_the_longest_newest_run_within_both_bounds(
    texts: list[str], max_messages: int, max_chars: int
) -> None:
    kept = fit(texts, max_messages=max_messages, max_chars=max_chars, length=len)
    assert list(kept) == texts[len(texts) - len(kept) :]
    assert len(kept) <= max_messages
    assert sum(map(len, kept)) <= max_chars
    if len(kept) < min(len(texts), max_messages):
        assert sum(map(len, kept)) + len(texts[len(texts) - len(kept) - 1]) > max_chars


def test_a_text_too_long_for_the_window_ends_it() -> None:
    assert fit(["a", "x" * 100, "b"], max_messages=10, max_chars=50, length=len) == ("b",)


@pytest.mark.parametrize(("max_messages", "max_chars"), [(-1, 10), (10, -1)])
def test_negative_bounds_are_refused(max_messages: int, max_chars: int) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        fit(["a"], max_messages=max_messages, max_chars=max_chars, length=len)
