"""What an embedder promises, and that the model is the one it says it is."""

import asyncio
import math
import socket
from collections.abc import Iterator, Sequence

import pytest

from memory.embedder import Embedder
from memory.embedders.hashing import HashingEmbedder
from memory.embedders.minilm import MiniLmEmbedder


@pytest.fixture(scope="module")
def minilm() -> Iterator[MiniLmEmbedder]:
    embedder = MiniLmEmbedder()
    yield embedder
    embedder.close()


@pytest.fixture(params=["hashing", "minilm"])
def embedder(request: pytest.FixtureRequest, minilm: MiniLmEmbedder) -> Embedder:
    return HashingEmbedder() if request.param == "hashing" else minilm


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("text", ["hello there", "", "   ", "🙂", "語", "\x00", "word " * 2_000])
async def test_every_text_gets_a_finite_vector_of_unit_length(embedder: Embedder, text: str) -> None:
    [vector] = await embedder.embed([text])
    assert len(vector) == embedder.dimension
    assert all(map(math.isfinite, vector))
    assert math.isclose(cosine(vector, vector), 1.0, rel_tol=1e-5)


async def test_a_vector_does_not_depend_on_its_neighbours(embedder: Embedder) -> None:
    alone = await embedder.embed(["When do you open?"])
    [_, among, _] = await embedder.embed(["x", "When do you open?", "a much longer text than the one before " * 3])
    assert among == alone[0]


async def test_nothing_in_nothing_out(embedder: Embedder) -> None:
    assert await embedder.embed([]) == []


async def test_the_model_is_all_minilm_l6_v2(minilm: MiniLmEmbedder) -> None:
    # The example of the model's card: its float weights give 0.6945, 0.9429 and 0.2569; int8 differs by a few
    # thousandths. https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
    person, *others = await minilm.embed(
        ["That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"]
    )
    assert [cosine(person, other) for other in others] == pytest.approx([0.6945, 0.9429, 0.2569], abs=0.01)


async def test_it_asks_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the embedder opened a connection")

    embedder = MiniLmEmbedder()
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert len((await embedder.embed(["hello"]))[0]) == embedder.dimension
    embedder.close()


async def test_the_event_loop_goes_on_while_it_computes(minilm: MiniLmEmbedder) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await minilm.embed(["hello " * 200])
    ticking.cancel()
    assert ticks > 10
