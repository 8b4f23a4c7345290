"""One loaded model for all tests of this folder: it takes most of a second to load."""

from collections.abc import Iterator

import pytest

from memory.embedders.minilm import MiniLmEmbedder


@pytest.fixture(scope="session")
def embedder() -> Iterator[MiniLmEmbedder]:
    embedder = MiniLmEmbedder()
    yield embedder
    embedder.close()
