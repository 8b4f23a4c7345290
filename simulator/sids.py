"""String identifiers: a two-letter prefix and 32 lower-case hexadecimal digits."""

import random
import re
import secrets


class Sids:
    """Random, or the same sequence again for the same seed."""

    def __init__(self, seed: str | None = None) -> None:
        self._random = random.Random(seed) if seed is not None else None  # noqa: S311 - repeatable on purpose

    def new(self, prefix: str) -> str:
        if self._random is None:
            return prefix + secrets.token_hex(16)
        return f"{prefix}{self._random.getrandbits(128):032x}"


def looks_like(prefix: str, text: str) -> bool:
    return re.fullmatch(prefix + "[0-9a-fA-F]{32}", text) is not None
