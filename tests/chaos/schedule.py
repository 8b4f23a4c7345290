"""What will happen in a run, and when: all of it follows from the seed alone, so a run that failed can be repeated."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from tests.bench.tag import Tag

# Kinds of faults: how often each, in shares of all; the seconds that it lasts, from and to; what it strikes.
PROCESSES: dict[str, tuple[int, float, float, tuple[str, ...]]] = {
    "worker killed": (10, 0.0, 3.0, ("worker-1", "worker-2")),
    "both workers killed": (2, 0.0, 5.0, ("workers",)),
    "worker stopped": (4, 0.0, 2.0, ("worker-1", "worker-2")),
    "API killed": (8, 0.0, 3.0, ("api-1", "api-2")),
    "API stopped": (3, 0.0, 2.0, ("api-1", "api-2")),
    "Temporal killed": (4, 0.0, 1.0, ("temporal",)),
    "Temporal away": (3, 8.0, 20.0, ("temporal",)),
    "Temporal still": (3, 2.0, 8.0, ("temporal",)),
    "Qdrant killed": (4, 0.0, 2.0, ("qdrant",)),
    "Qdrant away": (3, 8.0, 20.0, ("qdrant",)),
    "Qdrant still": (3, 2.0, 8.0, ("qdrant",)),
    "provider killed": (3, 0.0, 3.0, ("simulator",)),
}
# What the provider does wrong: how often, in shares of all, and the fault that is armed for one to four messages.
PROVIDER: dict[str, tuple[int, dict[str, object]]] = {
    "429": (6, {"kind": "status", "status": 429, "retry_after": 1}),
    "500": (6, {"kind": "status", "status": 500}),
    "500 after commit": (6, {"kind": "after_commit", "status": 500}),
    "accepted, then time-out": (5, {"kind": "hang", "seconds": 8.0}),
    "not accepted, and time-out": (3, {"kind": "hang", "seconds": 8.0, "committed": False}),
    "accepted, then reset": (5, {"kind": "reset"}),
    "reset before": (5, {"kind": "reset", "committed": False}),
    "webhook twice": (4, {"kind": "webhook_duplicate", "event": "message", "same_token": False}),
    "webhook lost": (2, {"kind": "webhook_drop", "event": "message"}),
    "status lost": (3, {"kind": "webhook_drop", "event": "status"}),
}
KINDS = (*PROCESSES, *PROVIDER)

# Two processes of one kind are not struck by kill or stop at the same time: with no API at all, Twilio gives a text up.
MEMBERS = {"workers": ("worker-1", "worker-2")}
GROUPS = {"api-1": "api", "api-2": "api", "worker-1": "workers", "worker-2": "workers"}

# A second text often follows the first at once.
_BURST = 0.2
_TEXT = "when do you open on sunday and may I bring back the blue lamp that came broken last week"
_WORDS = _TEXT.split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`at` and `lasts` are in seconds; `times` is for how many messages a fault of the provider is armed."""

    at: float
    kind: str
    target: str = "provider"
    lasts: float = 0.0
    times: int = 1

    @property
    def group(self) -> str:
        """What must not be struck twice at the same time."""
        return GROUPS.get(self.target, self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text of one person, `at` seconds from the start."""

    at: float
    tag: Tag
    channel: str
    body: str


def faults(seed: int, *, seconds: float, every: float) -> list[Fault]:
    """A fault about `every` seconds, at moments that nobody expects."""
    chance = random.Random(f"faults {seed}")
    shares = [share for share, *_ in (*PROCESSES.values(), *PROVIDER.values())]
    found: list[Fault] = []
    at = chance.uniform(0.5, every)
    while at < seconds:
        [kind] = chance.choices(KINDS, shares)
        if kind in PROCESSES:
            _, shortest, longest, targets = PROCESSES[kind]
            fault = Fault(at=at, kind=kind, target=chance.choice(targets), lasts=chance.uniform(shortest, longest))
        else:
            fault = Fault(at=at, kind=kind, times=chance.randint(1, 4))
        found.append(fault)
        at += chance.expovariate(1 / every)
    return found


def texts(seed: int, *, seconds: float, rate: float, people: int) -> Iterator[Text]:
    """`rate` texts a second. A third of the people write by SMS, a third by WhatsApp, a third by both."""
    chance = random.Random(f"texts {seed}")
    numbers = [count() for _ in range(people)]
    person, again = -1, False
    for number in range(round(seconds * rate)):
        again = person >= 0 and not again and chance.random() < _BURST
        person = person if again else chance.randrange(people)
        channel = (("sms",), ("whatsapp",), ("sms", "whatsapp"))[person % 3]
        tag = Tag(person, next(numbers[person]))
        slow = chance.choice((0.0, 0.0, 0.2, 0.5, 1.0, 2.0))
        words = " ".join(chance.choices(_WORDS, k=chance.randint(3, 9)))
        body = f"{words} {tag}" + (f" [slow {slow}]" if slow else "")
        yield Text(at=number / rate, tag=tag, channel=chance.choice(channel), body=body)


def phone(person: int, area: int = 19) -> str:
    """A number that is reserved for fiction; 200 people and more have one each in every area."""
    return f"+15550{area:02d}{person:04d}"
