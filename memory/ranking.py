"""The order of what was found: how well it fits, what it is, whether it still holds, how recent it is.

Pure, and the same for every store. `make bench-memory` measures it; the numbers are from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from memory.item import FACT, Recalled

# Each side of the search offers this many times the limit, and no fewer than the second number, so that a point that is
# mid-field in both can still win.
_DEPTH, _LEAST = 4, 20

# What the newest gains on the oldest, as a part of its score.
_RECENCY = 0.3

# What is left of the score of a message that tells what does not hold any more.
_STALE = 0.5

# What a fact gains on a message that is none, most of which ask for something.
_FACT = 2.0


def depth(limit: int) -> int:
    """How many candidates to fetch for `limit` results."""
    return max(limit * _DEPTH, _LEAST)


def ranked(candidates: Sequence[Recalled]) -> list[Recalled]:
    """Best first; a message and the facts out of it as one, and what was said again and again once."""
    told = {item.source for item in candidates if item.kind == FACT}
    whole = _without_repeats(_merged(candidates))
    oldest_first = sorted(whole, key=lambda item: item.at)
    place = {item.source: number / max(len(whole) - 1, 1) for number, item in enumerate(oldest_first)}
    weighed = [replace(item, score=_score(item, place[item.source], item.source in told)) for item in whole]
    return sorted(weighed, key=lambda item: -item.score)


def _score(item: Recalled, recency: float, is_fact: bool) -> float:
    return item.score * (1 + _RECENCY * recency) * (_STALE if item.invalid_at else 1) * (_FACT if is_fact else 1)


def _merged(candidates: Sequence[Recalled]) -> list[Recalled]:
    """One for each source: the message, which holds its facts' words, unless only a part of it holds still."""
    best: dict[str, Recalled] = {}
    for item in candidates:
        other = best.get(item.source)
        if other is None:
            best[item.source] = item
            continue
        told, fact = (other, item) if item.kind == FACT else (item, other)
        kept = fact if told.invalid_at and fact.kind == FACT and fact.invalid_at is None else told
        best[item.source] = replace(kept, score=max(item.score, other.score))
    return list(best.values())


def _without_repeats(items: Sequence[Recalled]) -> list[Recalled]:
    """Of what was said in the same words, the latest, with the score of the best."""
    latest: dict[tuple[str, str, str], Recalled] = {}
    for item in sorted(items, key=lambda item: item.at):
        words = (item.role, item.preceding if item.kind == FACT else "", item.text)
        score = max(item.score, latest[words].score) if words in latest else item.score
        latest[words] = replace(item, score=score)
    return list(latest.values())
