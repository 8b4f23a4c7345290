"""Programmable Messaging has no conversation: a pair of addresses stands for one, and its text is our sid.

The sid holds phone numbers. It goes to the provider and into no log, label or span.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from messaging import errors
from messaging.model import Address

_SEPARATOR = "|"
_MAX_LENGTH = 256  # https://www.twilio.com/docs/conversations/conversations-limits


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPair:
    """Our address and theirs."""

    ours: Address
    theirs: Address

    @property
    def sid(self) -> str:
        """The text form; `parse` reads it back."""
        return f"{self.ours.raw}{_SEPARATOR}{self.theirs.raw}"

    @classmethod
    def parse(cls, sid: str) -> Self:
        """Read a sid.

        Raises:
            errors.ConversationNotFound: no pair of addresses, so nothing that could exist.
        """
        ours, separator, theirs = sid.partition(_SEPARATOR)
        if not (separator and is_address(ours) and is_address(theirs)):
            raise errors.ConversationNotFound("sid: not a pair of addresses, `ours|theirs` expected")
        return cls(ours=Address.parse(ours), theirs=Address.parse(theirs))


def is_address(raw: str) -> bool:
    """Whether this can be one end of a pair: printable, without separators, not too long. Names may hold spaces."""
    return 0 < len(raw) <= _MAX_LENGTH and raw.isprintable() and raw == raw.strip() and _SEPARATOR not in raw
