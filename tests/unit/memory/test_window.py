"""The newest that fit, and nothing with a gap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.embedders.minilm import _load_tokenizer
from memory.window import fit, measure, tokens
from tests.bench.memory.chatter import CHATTER
from tests.bench.memory.topics import TOPICS

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


SAMPLES = [
    "When are you open on Saturdays?",
    "My order number is 4711-B, the invoice INV-2201!",
    "Zażółć gęślą jaźń, Grüße aus München",
    "你好，我住在波尔图。",
    "🙂🙂 👍🏽",
    "antidisestablishmentarianism pneumonoultramicroscopic",
    "https://example.org/a?b=1&c=%20d",
    "x" * 300,
]


def test_a_token_budget_holds_without_asking_a_tokeniser() -> None:
    tokenizer = _load_tokenizer()
    told = [text for topic in TOPICS for text in (*topic.told, *topic.asked)] + [t for pair in CHATTER for t in pair]
    estimated = [tokens(text) for text in (*SAMPLES[:-1], *told)]
    real = [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in (*SAMPLES[:-1], *told)]
    short = [(text, e, r) for text, e, r in zip((*SAMPLES[:-1], *told), estimated, real, strict=True) if e < r]
    assert len(short) <= 0.05 * len(real), short
    assert sum(estimated) <= 1.7 * sum(real)
    assert tokens(SAMPLES[-1]) == 75
    assert tokens("") == 0


def test_the_budget_is_counted_in_its_unit() -> None:
    said = ["one two three", "四五六七八"]
    for unit, budget in (("characters", 5), ("tokens", 5)):
        assert fit(said, max_messages=9, max_chars=budget, length=measure(unit, str)) == ("四五六七八",)
    assert fit(said, max_messages=9, max_chars=18, length=measure("characters", str)) == tuple(said)
    assert fit(said, max_messages=9, max_chars=9, length=measure("tokens", str)) == tuple(said)
