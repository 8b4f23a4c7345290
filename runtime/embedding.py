"""What turns texts into vectors, as the settings say: the model that comes along, or one of your own."""

from __future__ import annotations

import inspect
from typing import Any

from agents import importing
from memory.embedder import Embedder
from memory.embedders.minilm import MiniLmEmbedder

SETTING = "MESSAGING_EMBEDDER"
_ALLOWED = (
    "an object, or a class or function that makes one without arguments, with `model` (str), `dimension` (int) and "
    "`async def embed(texts)`, which gives one vector of unit length for each text"
)


def load_embedder(path: str | None) -> Embedder:
    """The embedder that `path` ("module:name") names; without one, the English model that comes along.

    Raises:
        ValueError: it cannot be used; names the setting and what is allowed.
    """
    if path is None:
        return MiniLmEmbedder()
    module_name, name = importing.split(path, setting=SETTING, example="vectors:Embedder")
    module = importing.module_of(module_name, path, setting=SETTING)
    found = importing.attribute(module, name, path, setting=SETTING, allowed=_ALLOWED)
    try:
        made = found if hasattr(found, "embed") and not inspect.isclass(found) else found()
    except Exception as error:
        raise ValueError(f"{SETTING}={path!r}: it cannot be made ({type(error).__name__}: {error})") from error
    if not _is_embedder(made):
        raise ValueError(f"{SETTING}={path!r} is {type(made).__name__}, but must be {_ALLOWED}")
    embedder: Embedder = made
    return embedder


def close(embedder: Embedder) -> None:
    """Let go of what it holds, if it holds anything."""
    if callable(release := getattr(embedder, "close", None)):
        release()


def _is_embedder(made: Any) -> bool:
    model, dimension, embed = (getattr(made, name, None) for name in ("model", "dimension", "embed"))
    return isinstance(model, str) and isinstance(dimension, int) and inspect.iscoroutinefunction(embed)
