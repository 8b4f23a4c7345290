"""What the provider's own record says of it all: each text answered once, and in order. It asks nothing of ours."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.bench import tag
from tests.bench.tag import Tag


@dataclass(slots=True, kw_only=True)
class Hearing:
    """How our API took one text, as the provider saw it: when it was first tried, when it was first answered with 2xx.

    In seconds of the epoch; None for what was not seen, such as what happened while the provider itself was dead.
    """

    tried: float | None = None
    taken: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All about the texts of one record. A text is known by its tag; `waited` is in seconds, from text to answer.

    `overtaken` are texts that were answered after a later one of the same phone because our API had the later one
    first: a webhook that had to be repeated. `strays` are messages of ours that answer no text.
    """

    texts: int = 0
    messages: int = 0
    lost: tuple[Tag, ...] = ()
    doubled: tuple[Tag, ...] = ()
    reordered: tuple[Tag, ...] = ()
    overtaken: tuple[Tag, ...] = ()
    strays: tuple[str, ...] = ()
    waited: Mapping[Tag, float] = field(default_factory=dict)
    sent: Mapping[Tag, float] = field(default_factory=dict)

    @property
    def wrong(self) -> list[str]:
        """What must not be, a sentence each."""
        said = {
            "never answered": self.lost,
            "answered more than once": self.doubled,
            "answered out of order": self.reordered,
            "messages that answer no text": self.strays,
        }
        return [f"{what}: {len(who)} ({', '.join(map(str, who[:5]))})" for what, who in said.items() if who]


def judge(rows: Iterable[Mapping[str, Any]], heard: Mapping[str, Hearing] | None = None) -> Verdict:
    """Of messages as the simulator keeps them, oldest first, and of what it saw of their webhooks, by sid."""
    phones: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        phones[row["phone"]].append(row)
    found = [_of_phone(messages, heard or {}) for messages in phones.values()]
    return Verdict(
        texts=sum(one.texts for one in found),
        messages=sum(one.messages for one in found),
        lost=_all(one.lost for one in found),
        doubled=_all(one.doubled for one in found),
        reordered=_all(one.reordered for one in found),
        overtaken=_all(one.overtaken for one in found),
        strays=_all(one.strays for one in found),
        waited={tag: seconds for one in found for tag, seconds in one.waited.items()},
        sent={tag: at for one in found for tag, at in one.sent.items()},
    )


def _of_phone(rows: Sequence[Mapping[str, Any]], heard: Mapping[str, Hearing]) -> Verdict:
    sent: dict[Tag, float] = {}
    hearings: dict[Tag, Hearing] = {}
    answers: list[tuple[float, list[Tag]]] = []
    strays: list[str] = []
    for row in rows:
        tags, at = tag.find(row["body"]), seconds(row["created"])
        if row["direction"] == "inbound":
            sent.update(dict.fromkeys(tags, at))
            hearings.update(dict.fromkeys(tags, heard.get(row["sid"], Hearing())))
        elif tags:
            answers.append((at, tags))
        else:
            strays.append(row["body"][:60])
    counts = Counter(one for _, tags in answers for one in tags)
    order = [one for _, tags in answers for one in tags]
    first = {one: at for at, tags in reversed(answers) for one in tags}
    late = _late(list(sent), order)
    overtaken = {one for one, before in late.items() if _had_first(hearings[before], hearings[one])}
    return Verdict(
        texts=len(sent),
        messages=len(answers) + len(strays),
        lost=tuple(one for one in sent if one not in counts),
        doubled=tuple(one for one, count in counts.items() if count > 1),
        reordered=tuple(one for one in late if one not in overtaken),
        overtaken=tuple(overtaken),
        strays=(*strays, *(str(one) for one in counts if one not in sent)),
        waited={one: first[one] - at for one, at in sent.items() if one in first},
        sent=sent,
    )


def _late(sent: Sequence[Tag], answered: Sequence[Tag]) -> dict[Tag, Tag]:
    """Each text that was answered after a later one, and the first such later one."""
    position = {one: number for number, one in enumerate(sent)}
    late: dict[Tag, Tag] = {}
    latest: Tag | None = None
    for one in dict.fromkeys(answered):
        if one not in position:
            continue
        if latest is not None and position[one] < position[latest]:
            late[one] = latest
        else:
            latest = one
    return late


def _had_first(later: Hearing, earlier: Hearing) -> bool:
    """Whether our API may have had the later text first: the earlier one was not yet taken when the later was tried."""
    return later.tried is None or earlier.taken is None or later.tried < earlier.taken


def _all(parts: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(one for part in parts for one in part)


def seconds(iso: str) -> float:
    """Of the epoch."""
    return datetime.fromisoformat(iso).timestamp()


def share(values: Sequence[float], part: float) -> float:
    """The value that this share of all does not exceed, by nearest rank."""
    return sorted(values)[max(0, math.ceil(len(values) * part) - 1)]
