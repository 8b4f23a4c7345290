"""Markdown becomes passages that can be sent as text messages."""

from pathlib import Path

import pytest

from memory.embedders.hashing import HashingEmbedder
from memory.knowledge import MAX_PASSAGE, KnowledgeBase, chunk

DOCUMENT = """---
title: "Not part of the text"
---
Welcome to our **shop**.

# Shop

## Hours ##
We open at *nine*. See [the map](https://example.org/map) or [below](#below).

- Monday: 9-18
- Sunday: closed

<!-- a note to the author -->
### Holidays
We are `closed`.

Prices
------

| Thing | Price |
|---|---:|
| Bell | 5 |

```
# not a heading
```

# Second
Snake_case_stays and 2 * 3 * 4 too.
"""


def test_sections_keep_their_heading_path_and_lose_their_markup() -> None:
    found = {passage.heading: passage.text for passage in chunk(DOCUMENT, source="my-shop.md")}
    assert found == {
        "My shop": "Welcome to our shop.",
        "Shop > Hours": (
            "We open at nine. See the map (https://example.org/map) or below.\n- Monday: 9-18\n- Sunday: closed"
        ),
        "Shop > Hours > Holidays": "We are closed.",
        "Shop > Prices": "- Thing: Price\n- Bell: 5\n# not a heading",
        "Second": "Snake_case_stays and 2 * 3 * 4 too.",
    }


def test_a_long_section_is_split_into_passages_of_bearable_length() -> None:
    text = "# Long\n\n" + "\n\n".join(f"Paragraph {n}. " + "Some words here. " * 20 for n in range(10))
    passages = chunk(text, source="long.md")
    assert len(passages) > 1
    assert all(len(passage.text) <= MAX_PASSAGE * 1.2 for passage in passages)
    assert {passage.heading for passage in passages} == {"Long"}
    assert all(f"Paragraph {n}." in " ".join(passage.text for passage in passages) for n in range(10))


@pytest.mark.parametrize("text", ["", "---\n", "# Only a heading", "```", "---\na: b\n---\n", "<!-- x -->"])
def test_a_file_without_text_has_no_passages(text: str) -> None:
    assert [passage for passage in chunk(text, source="a.md") if passage.text.strip("- ")] == []


async def test_the_nearest_passage_comes_first_with_file_and_heading(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.md").write_text("# Hours\nWe open at nine in the morning.\n", encoding="utf-8")
    (tmp_path / "sub" / "b.MD").write_text("# Parking\nPark behind the house.\n", encoding="utf-8-sig")
    (tmp_path / "c.txt").write_text("not Markdown", encoding="utf-8")
    base = KnowledgeBase(tmp_path, HashingEmbedder())
    first, second = await base.search("Can I park behind the house?")
    assert (first.heading, first.source, first.text) == ("Parking", "sub/b.MD", "Park behind the house.")
    assert second.score < first.score
    assert len(await base.search("park", limit=1)) == 1
    assert await base.search("  ") == []


def test_a_missing_folder_or_one_without_markdown_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"MESSAGING_KNOWLEDGE: there is no folder .*nowhere"):
        KnowledgeBase(tmp_path / "nowhere", HashingEmbedder())
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    with pytest.raises(ValueError, match=r"MESSAGING_KNOWLEDGE: .* holds no Markdown"):
        KnowledgeBase(tmp_path, HashingEmbedder())
    (tmp_path / "a.md").write_bytes(b"# Caf\xe9\n\ntext")
    with pytest.raises(ValueError, match=r"MESSAGING_KNOWLEDGE: .* not UTF-8"):
        KnowledgeBase(tmp_path, HashingEmbedder())
