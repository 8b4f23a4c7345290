"""Secrets that people and models write by mistake: how they look, and a text without them.

A wrong hit costs a number that somebody wanted to send, so each pattern is narrow: payment cards by issuer and check
digit, keys by the prefixes that their issuers give them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# Issuer ranges of payment cards: https://en.wikipedia.org/wiki/Payment_card_number#Issuer_identification_number_(IIN)
_CARD = re.compile(
    r"(?<![\w.,:/+-])(?:"
    r"4\d{3}(?:[ -]?\d{4}){2}[ -]?\d(?:\d{3}(?:[ -]?\d{3})?)?|"  # Visa, 13, 16 or 19 digits
    r"(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)(?:[ -]?\d{4}){3}|"  # Mastercard
    r"3[47]\d{2}[ -]?\d{6}[ -]?\d{5}|"  # American Express
    r"(?:6011|64[4-9]\d|65\d{2})(?:[ -]?\d{4}){3}"  # Discover
    r")(?![\w-]|[.,]\d)"
)

# Each with its issuer's own page on the format.
_KEYS = re.compile(
    r"\bsk-(?:proj-|ant-|live-)?[A-Za-z0-9_-]{20,}"  # OpenAI, Anthropic
    r"|\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"  # https://docs.stripe.com/keys
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{22,}"  # https://github.blog/engineering/behind-githubs-new-token-formats
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}"  # https://api.slack.com/authentication/token-types
    r"|\bAIza[A-Za-z0-9_-]{35}"  # Google
    r"|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # a JSON Web Token
    r"|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\s\S]*?(?:-----END (?:[A-Z]+ )?PRIVATE KEY-----|\Z)"
)


def _is_card(digits: str) -> bool:
    """Whether the check digit fits: https://en.wikipedia.org/wiki/Luhn_algorithm"""
    total = 0
    for place, digit in enumerate(reversed([int(c) for c in digits if c.isdigit()])):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - the sum of its digits
    return total % 10 == 0


_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("card number", _CARD, _is_card),
    ("key", _KEYS, lambda _: True),
)


def redacted(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without secrets, and which kinds there were."""
    found: list[str] = []
    for kind, pattern, is_one in _KINDS:

        def instead(match: re.Match[str], kind: str = kind, is_one: Callable[[str], bool] = is_one) -> str:
            if not is_one(match[0]):
                return match[0]
            found.append(kind)
            return f"[{kind} removed]"

        text = pattern.sub(instead, text)
    return text, tuple(dict.fromkeys(found))
