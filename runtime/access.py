"""Who may do what by REST and in the console: tokens, kept as their hashes, and what a browser has after logging in.

An entry of MESSAGING_API_TOKENS is `name:scope:sha256=HASH`, perhaps with `:until=2027-01-31`, or a token as it is,
which may do everything. Several entries of one name are one caller whose token is being changed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

# As long as a shift; then the token has to be typed again.
SESSION = timedelta(hours=12)

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}"
_ENTRY = re.compile(
    rf"(?P<name>{_NAME}):(?P<scope>[a-z]+):sha256=(?P<digest>[0-9a-fA-F]{{64}})(:until=(?P<until>\d{{4}}-\d\d-\d\d))?"
)
# What is meant as an entry, and must not be taken for a token that happens to look so.
_MEANT = re.compile(rf"{_NAME}:(metrics|read|operate|admin)(:.*)?|.*:?sha256=.*")
_ALLOWED = "name:scope:sha256=64 hexadecimal digits, perhaps :until=YYYY-MM-DD"


class Scope(StrEnum):
    """What a token may do; each may also do what those before it may."""

    METRICS = "metrics"
    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    def includes(self, other: Scope) -> bool:
        """Whether this one is enough where the other is asked for."""
        return _RANKS.index(self) >= _RANKS.index(other)


_RANKS = tuple(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One entry. `until` is the last day (UTC) on which it counts; a token without a name is called "" ."""

    name: str
    scope: Scope
    digest: bytes
    until: date | None = None

    def counts(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.until is None or now.astimezone(UTC).date() <= self.until


def parse(entry: str) -> Grant:
    """An entry of the setting.

    Raises:
        ValueError: it is meant to be one with a hash and is not; no part of it is repeated.
    """
    found = _ENTRY.fullmatch(entry)
    if found is None:
        if _MEANT.fullmatch(entry):
            raise ValueError(f"an entry is not of the form {_ALLOWED}; `messaging token new` prints one")
        return Grant(name="", scope=Scope.ADMIN, digest=_digest(entry))
    if found["scope"] not in _RANKS:
        raise ValueError(f"a scope is none of {', '.join(_RANKS)}")
    until = date.fromisoformat(found["until"]) if found["until"] else None
    return Grant(name=found["name"], scope=Scope(found["scope"]), digest=bytes.fromhex(found["digest"]), until=until)


def new(name: str, scope: Scope, until: date | None = None) -> tuple[str, str]:
    """A token that nobody else has, and the entry that lets it in.

    Raises:
        ValueError: the name cannot be written into an entry.
    """
    if not re.fullmatch(_NAME, name):
        raise ValueError("name: letters, digits and any of _ . @ - expected, at most 64")
    token = secrets.token_urlsafe(32)
    ends = f":until={until.isoformat()}" if until else ""
    return token, f"{name}:{scope}:sha256={_digest(token).hex()}{ends}"


@dataclass(frozen=True, slots=True)
class Access:
    """The grants there are. `key` signs sessions; it is the deployment's own, so all its API processes know them."""

    grants: tuple[Grant, ...]
    key: bytes

    @classmethod
    def of(cls, entries: Iterable[str], key: bytes) -> Access:
        """Raises ValueError where an entry is wrong."""
        return cls(tuple(map(parse, entries)), hmac.digest(key, b"sessions of the console", "sha256"))

    @property
    def is_open(self) -> bool:
        """Whether nobody needs a token."""
        return not self.grants

    def by_token(self, token: str, now: datetime) -> Grant | None:
        """Whose token it is. All are compared, in constant time each."""
        given = _digest(token)
        return self._first(lambda grant: hmac.compare_digest(grant.digest, given), now)

    def session(self, grant: Grant, now: datetime) -> str:
        """What a browser keeps instead of the token. It ends by itself, and with the grant."""
        content = f"{self._alias(grant)}.{int((now + SESSION).timestamp())}"
        return f"{content}.{self._signed(content)}"

    def by_session(self, session: str, now: datetime) -> Grant | None:
        """Whose session it is; None for one that ended, or that we did not give."""
        content, _, signature = session.rpartition(".")
        if not hmac.compare_digest(self._signed(content).encode(), signature.encode()):
            return None
        alias, _, ends = content.partition(".")
        if now.timestamp() >= int(ends):
            return None
        return self._first(lambda grant: hmac.compare_digest(self._alias(grant), alias), now)

    def _first(self, fits: Callable[[Grant], bool], now: datetime) -> Grant | None:
        found = [grant for grant in self.grants if fits(grant)]
        return next((grant for grant in found if grant.counts(now)), None)

    def _alias(self, grant: Grant) -> str:
        return hmac.digest(self.key, grant.digest, "sha256").hex()[:32]

    def _signed(self, content: str) -> str:
        return hmac.digest(self.key, content.encode(), "sha256").hex()


def _digest(token: str) -> bytes:
    # Tokens are random and long, so there is nothing that a slow hash would have to protect.
    return hashlib.sha256(token.encode()).digest()
