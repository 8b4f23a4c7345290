"""Markdown becomes passages that can be sent as text messages."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from memory.embedders.hashing import HashingEmbedder
from memory.knowledge import KnowledgeBase
from memory.markdown import MAX_PASSAGE, chunk

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


class Counting(HashingEmbedder):
    """Keeps what it was asked to embed."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.texts += texts
        return await super().embed(texts)


async def test_a_changed_file_is_read_again_and_only_what_is_new_is_embedded(tmp_path: Path) -> None:
    embedder = Counting()
    (tmp_path / "a.md").write_text("# Hours\nWe open at nine.\n\n# Parking\nBehind the house.\n")
    base = KnowledgeBase(tmp_path, embedder, look_every=0)
    await base.prepare()
    before, embedder.texts = base.passages, []

    (tmp_path / "a.md").write_text("# Hours\nWe open at ten.\n\n# Parking\nBehind the house.\n")
    (tmp_path / "b.md").write_text("# Dogs\nDogs are welcome.\n")
    found = await base.search("When do you open?", limit=9)

    assert {passage.text for passage in found} == {"We open at ten.", "Behind the house.", "Dogs are welcome."}
    assert [text for text in embedder.texts if "house" in text] == []
    assert base.passages is not before

    (tmp_path / "b.md").unlink()
    assert {passage.text for passage in await base.search("dogs", limit=9)} == {"We open at ten.", "Behind the house."}


async def test_a_file_that_is_only_touched_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Hours\nWe open at nine.\n")
    base = KnowledgeBase(tmp_path, HashingEmbedder(), look_every=0)
    await base.prepare()
    before = base.passages
    (tmp_path / "a.md").write_text("# Hours\nWe open at nine.\n")
    await base.search("hours")
    assert base.passages is before


@pytest.mark.parametrize("broken", [b"", b"# Caf\xe9\n\ntext"])
async def test_a_change_that_is_wrong_leaves_things_as_they_were_until_it_is_mended(
    tmp_path: Path, broken: bytes
) -> None:
    (tmp_path / "a.md").write_text("# Hours\nWe open at nine.\n")
    base = KnowledgeBase(tmp_path, HashingEmbedder(), look_every=0)
    (tmp_path / "a.md").write_bytes(broken)
    assert [passage.text for passage in await base.search("hours")] == ["We open at nine."]
    (tmp_path / "a.md").write_text("# Hours\nWe open at ten.\n")
    assert [passage.text for passage in await base.search("hours")] == ["We open at ten."]


async def test_the_folder_is_not_read_at_every_search(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Hours\nWe open at nine.\n")
    base = KnowledgeBase(tmp_path, HashingEmbedder(), look_every=3600)
    (tmp_path / "a.md").write_text("# Hours\nWe open at ten.\n")
    assert [passage.text for passage in await base.search("hours")] == ["We open at nine."]
