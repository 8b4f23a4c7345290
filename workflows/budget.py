"""What a conversation's agent has used, and when that is enough for a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one conversation may use in a day of UTC; 0 is without a limit. `cost` is in US dollars."""

    answers: int = 500
    tokens: int = 0
    cost: float = 0.0


@dataclass(slots=True, kw_only=True)
class Spent:
    """Drafts that the agent wrote, sent or not, their tokens, and their cost in US dollars as far as it is known."""

    answers: int = 0
    tokens: int = 0
    cost: float = 0.0

    def add(self, tokens: int, cost: float) -> None:
        """One draft more."""
        self.answers += 1
        self.tokens += tokens
        # Sums of small floats drift; a millionth of a dollar is less than a token.
        self.cost = round(self.cost + cost, 9)


@dataclass(slots=True, kw_only=True)
class Spending:
    """All of a conversation's life, of its latest `day` (ISO date, UTC), and of its latest turn that had a draft.

    `told` is whether the person knows that the day's budget is used up.
    """

    total: Spent = field(default_factory=Spent)
    today: Spent = field(default_factory=Spent)
    day: str = ""
    told: bool = False
    turn: int = 0
    turn_usage: dict[str, int] = field(default_factory=dict)
    turn_cost: float | None = None

    def over(self, budget: Budget, now: datetime) -> str:
        """Which limit today's use has reached, in words; nothing if none."""
        self._begin(now)
        for name, unit in (("answers", "answers"), ("tokens", "tokens"), ("cost", "US dollars")):
            limit = getattr(budget, name)
            if limit and getattr(self.today, name) >= limit:
                return f"budget: {limit:g} {unit} a day"
        return ""

    def add(self, usage: Mapping[str, int], cost: float | None, now: datetime, *, turn: int) -> None:
        """One draft more, in this turn. A cost that nobody knows counts as none."""
        self._begin(now)
        if turn != self.turn:
            self.turn, self.turn_usage, self.turn_cost = turn, {}, None
        for name, count in usage.items():
            self.turn_usage[name] = self.turn_usage.get(name, 0) + count
        if cost is not None:
            self.turn_cost = round((self.turn_cost or 0.0) + cost, 9)
        tokens = usage.get("input_tokens", 0) + usage.get("output_tokens", 0)
        self.total.add(tokens, cost or 0.0)
        self.today.add(tokens, cost or 0.0)

    def of(self, turn: int) -> dict[str, Any]:
        """What the drafts of a turn used, if it is the latest that had one."""
        return {"usage": self.turn_usage, "cost": self.turn_cost} if turn == self.turn else {}

    def _begin(self, now: datetime) -> None:
        """Another day has a budget of its own."""
        if (day := now.astimezone(UTC).date().isoformat()) != self.day:
            self.day, self.today, self.told = day, Spent(), False
