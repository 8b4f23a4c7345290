"""What tokens cost: a table of our user's own, in US dollars for a million tokens.

It goes before the price list of the model library, which knows the models of its release and no discounts. A model that
neither knows costs None, which is not the same as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars for a million tokens read (`input`) and written (`output`)."""

    input: float
    output: float

    def of(self, *, input_tokens: int, output_tokens: int) -> float:
        """US dollars for these tokens."""
        return (self.input * input_tokens + self.output * output_tokens) / _MILLION


def table(given: Mapping[str, Any]) -> dict[str, Price]:
    """A table of prices by model name. Raises ValueError naming the model and what is allowed."""
    prices = {}
    for model, price in given.items():
        if isinstance(price, Price):
            prices[model] = price
        elif isinstance(price, Mapping) and set(price) == {"input", "output"} and all(map(_is_amount, price.values())):
            prices[model] = Price(input=float(price["input"]), output=float(price["output"]))
        else:
            raise ValueError(
                f'{model!r} must have {{"input": dollars, "output": dollars}} for a million tokens, both 0 or more'
            )
    return prices


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
