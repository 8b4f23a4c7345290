"""Knowledge in Qdrant: equal to its folder, one tenant's apart from another's, and found while Qdrant is away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import AsyncQdrantClient
from typer.testing import CliRunner

from cli.main import app
from memory.embedders.hashing import HashingEmbedder
from memory.knowledge import Folder, KnowledgeBase
from memory.markdown import Passage
from memory.shelf import Loaded, Shelf, ShelvedKnowledge
from memory.store import MemoryMismatch, MemoryUnavailable
from tests.contract.memory.conftest import EmbeddedProcess, Remote
from tests.support.ports import free_port

HOURS = Passage(text="We open at nine.", heading="Hours", source="a.md")
PARKING = Passage(text="Park behind the house.", heading="Parking", source="a.md")
DOGS = Passage(text="Dogs are welcome.", heading="Dogs", source="b.md")


class Counting(HashingEmbedder):
    """Keeps what it was asked to embed."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.texts += texts
        return await super().embed(texts)


def shelf(remote: Remote, **options: Any) -> Shelf:
    options = {"embedder": HashingEmbedder(), "timeout": 30} | options
    return Shelf(client=remote.client, collection=remote.collection, **options)


async def test_a_load_writes_what_is_new_and_removes_what_is_gone(remote: Remote) -> None:
    embedder = Counting()
    kept = shelf(remote, embedder=embedder)
    assert await kept.load([HOURS, PARKING]) == Loaded(added=2, removed=0, unchanged=0)
    embedder.texts.clear()
    assert await kept.load([HOURS, PARKING]) == Loaded(added=0, removed=0, unchanged=2)
    assert embedder.texts == []
    assert await kept.load([PARKING, DOGS]) == Loaded(added=1, removed=1, unchanged=1)
    assert set(await kept.passages()) == {PARKING, DOGS}


async def test_whoever_loads_a_passage_it_is_one_point(remote: Remote) -> None:
    await shelf(remote).load([HOURS, HOURS])
    before = await shelf(remote).ids()
    await shelf(remote).load([HOURS])
    assert await shelf(remote).ids() == before
    assert len(before) == 1


async def test_the_nearest_passage_comes_first_with_file_and_heading(remote: Remote) -> None:
    await shelf(remote).load([HOURS, PARKING, DOGS])
    first, second = await shelf(remote).search("Can I park behind the house?", 2)
    assert (first.source, first.heading, first.text) == ("a.md", "Parking", "Park behind the house.")
    assert first.score > second.score


async def test_one_tenant_neither_finds_nor_removes_what_is_anothers(remote: Remote) -> None:
    await shelf(remote, tenant="one").load([HOURS])
    await shelf(remote, tenant="two").load([DOGS])
    assert [row.text for row in await shelf(remote, tenant="one").search("dogs", 9)] == ["We open at nine."]
    assert set(await shelf(remote, tenant="two").passages()) == {DOGS}


async def test_more_passages_than_one_request_holds(remote: Remote) -> None:
    many = [Passage(text=f"Item {n} costs {n}.", heading=f"Item {n}", source="items.md") for n in range(600)]
    assert (await shelf(remote).load(many)).added == 600
    assert len(await shelf(remote).passages()) == 600
    assert (await shelf(remote).load(many[:10])).removed == 590


async def test_a_collection_of_another_model_is_refused_with_the_remedy(remote: Remote) -> None:
    await shelf(remote).load([HOURS])
    with pytest.raises(MemoryMismatch, match=r"hashing-256.*hashing-64.*messaging knowledge load"):
        await shelf(remote, embedder=HashingEmbedder(64)).load([HOURS])


async def test_a_changed_file_is_found_without_a_restart_by_every_worker(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Hours\nWe open at nine.\n")
    writer = ShelvedKnowledge(shelf(remote), Folder(tmp_path, look_every=0), look_every=0)
    reader = ShelvedKnowledge(shelf(remote), None, look_every=0)
    assert await reader.search("hours") == []
    assert [row.text for row in await writer.search("hours")] == ["We open at nine."]
    assert [row.text for row in await reader.search("hours")] == ["We open at nine."]

    (tmp_path / "a.md").write_text("# Hours\nWe open at ten.\n")
    assert [row.text for row in await writer.search("hours")] == ["We open at ten."]
    assert [row.text for row in await reader.search("hours")] == ["We open at ten."]
    assert [row.text for row in reader.passages] == ["We open at ten."]


async def test_another_start_embeds_nothing_again(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Hours\nWe open at nine.\n")
    await ShelvedKnowledge(shelf(remote), Folder(tmp_path)).prepare()
    embedder = Counting()
    await ShelvedKnowledge(shelf(remote, embedder=embedder), Folder(tmp_path)).prepare()
    assert embedder.texts == []


async def test_a_collection_that_somebody_deleted_is_filled_again(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Hours\nWe open at nine.\n")
    knowledge = ShelvedKnowledge(shelf(remote), Folder(tmp_path), look_every=0)
    await knowledge.prepare()
    await remote.client.delete_collection(remote.collection)
    for _ in range(2):
        assert [row.text for row in await knowledge.search("hours")] == ["We open at nine."]
    assert len(await shelf(remote).ids()) == 1


async def test_while_there_is_nothing_a_sample_answers(remote: Remote, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Sample\nThis is a sample.\n")
    knowledge = ShelvedKnowledge(
        shelf(remote), None, otherwise=KnowledgeBase(tmp_path, HashingEmbedder()), look_every=0
    )
    assert [row.text for row in await knowledge.search("hours")] == ["This is a sample."]
    await shelf(remote).load([HOURS])
    assert [row.text for row in await knowledge.search("hours")] == ["We open at nine."]


async def test_with_qdrant_away_from_the_start_this_process_answers_and_writes_later(
    embedded_process: EmbeddedProcess, tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text("# Hours\nWe open at nine.\n")
    client = AsyncQdrantClient(url=embedded_process.url, check_compatibility=False)
    kept = Shelf(client=client, embedder=HashingEmbedder())
    knowledge = ShelvedKnowledge(kept, Folder(tmp_path), look_every=0)
    assert [row.text for row in await knowledge.search("hours")] == ["We open at nine."]
    with pytest.raises(MemoryUnavailable):
        await kept.ids()

    embedded_process.start()
    assert [row.text for row in await knowledge.search("hours")] == ["We open at nine."]
    assert len(await kept.ids()) == 1
    embedded_process.kill()
    assert [row.text for row in await knowledge.search("hours")] == ["We open at nine."]
    await client.close()


@pytest.fixture
def command(embedded_process: EmbeddedProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    embedded_process.start()
    monkeypatch.setenv("QDRANT_URL", embedded_process.url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "hours.md").write_text("# Hours\n\n## Weekdays\nWe open at nine in the morning.\n")
    return CliRunner()


def test_the_command_loads_lists_and_finds(command: CliRunner, tmp_path: Path) -> None:
    loaded = command.invoke(app, ["knowledge", "load", "shop", "--json"])
    assert json.loads(loaded.output) == {"files": 1, "passages": 1, "added": 1, "removed": 0, "unchanged": 0}
    assert "0 added, 0 removed, 1 unchanged" in command.invoke(app, ["knowledge", "load", "shop"]).output

    [listed] = json.loads(command.invoke(app, ["knowledge", "list", "--json"]).output)
    assert listed == {
        "source": "hours.md",
        "heading": "Hours > Weekdays",
        "text": "We open at nine in the morning.",
    }
    [found] = json.loads(command.invoke(app, ["knowledge", "search", "When do you open?", "--json"]).output)
    assert found["heading"] == "Hours > Weekdays"
    assert 0.3 < found["score"] <= 1
    assert "We open at nine" in command.invoke(app, ["knowledge", "search", "When do you open?"]).output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["load"], "set MESSAGING_KNOWLEDGE"),
        (["load", "nowhere"], "there is no folder 'nowhere'"),
        (["load", "."], "holds no Markdown file"),
    ],
)
def test_the_command_says_what_is_wrong(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["knowledge", *arguments])
    assert says in str(result.exception)


def test_a_qdrant_that_is_away_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_URL", f"http://127.0.0.1:{free_port()}")
    result = CliRunner().invoke(app, ["knowledge", "list"])
    assert isinstance(result.exception, ValueError)
    assert str(result.exception).startswith("QDRANT_URL=http://127.0.0.1:")
    assert "\n" not in str(result.exception)
