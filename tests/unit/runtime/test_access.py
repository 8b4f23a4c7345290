"""Tokens and sessions, without a network."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest

from runtime import access
from runtime.access import SESSION, Access, Scope

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = b"a key that is only for the tests"


def test_a_new_token_is_let_in_by_its_entry_which_does_not_hold_it() -> None:
    token, entry = access.new("ana", Scope.OPERATE)
    found = Access.of([entry], KEY).by_token(token, NOW)

    assert found is not None
    assert (found.name, found.scope) == ("ana", Scope.OPERATE)
    assert token not in entry
    assert access.new("ana", Scope.OPERATE)[0] != token


def test_a_plain_token_may_do_everything_and_has_no_name() -> None:
    found = Access.of(["of-yesterday"], KEY).by_token("of-yesterday", NOW)

    assert found is not None
    assert (found.name, found.scope) == ("", Scope.ADMIN)


def test_old_and_new_count_at_once_until_the_old_one_ends() -> None:
    old, old_entry = access.new("ana", Scope.READ, until=date(2026, 11, 24))
    new, new_entry = access.new("ana", Scope.READ)
    known = Access.of([old_entry, new_entry], KEY)

    def let_in(now: datetime) -> list[bool]:
        return [known.by_token(token, now) is not None for token in (old, new)]

    assert let_in(NOW) == [True, True]
    assert let_in(datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)) == [True, True]
    assert let_in(datetime(2026, 11, 25, tzinfo=UTC)) == [False, True]


@pytest.mark.parametrize("given", ["", "nobody", "sha256=", "ana:read"])
def test_nothing_else_lets_in(given: str) -> None:
    token, entry = access.new("ana", Scope.READ)
    known = Access.of([entry], KEY)

    assert known.by_token(given, NOW) is None
    assert known.by_token(token + given, NOW) is None or not given
    assert known.by_token(hashlib.sha256(token.encode()).hexdigest(), NOW) is None, "whoever reads the setting gets in"


def test_a_scope_includes_those_before_it() -> None:
    allowed = {scope: [other for other in Scope if scope.includes(other)] for scope in Scope}

    assert allowed[Scope.METRICS] == [Scope.METRICS]
    assert allowed[Scope.OPERATE] == [Scope.METRICS, Scope.READ, Scope.OPERATE]
    assert allowed[Scope.ADMIN] == list(Scope)


MISTAKES = {
    "no hash": "ana:read:",
    "a short hash": "ana:read:sha256=abc",
    "a hash that is none": f"ana:read:sha256={'g' * 64}",
    "an unknown scope": f"ana:write:sha256={'0' * 64}",
    "a day that is none": f"ana:read:sha256={'0' * 64}:until=2026-02-30",
    "an end that is no day": f"ana:read:sha256={'0' * 64}:until=tomorrow",
    "no name": f"read:sha256={'0' * 64}",
    "a name with a space": f"ana b:read:sha256={'0' * 64}",
}


@pytest.mark.parametrize("entry", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_an_entry_is_refused_and_never_taken_for_a_token(entry: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        access.parse(entry)


@pytest.mark.parametrize("name", ["", "a,b", "a:b", "-ana", "a" * 65])
def test_a_name_that_cannot_be_written_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name: letters"):
        access.new(name, Scope.READ)


def test_a_session_ends_by_itself_and_with_its_token() -> None:
    token, entry = access.new("ana", Scope.READ)
    _, other = access.new("bo", Scope.ADMIN)
    known = Access.of([other, entry], KEY)
    grant = known.by_token(token, NOW)
    assert grant is not None
    session = known.session(grant, NOW)

    assert known.by_session(session, NOW) == grant
    assert Access.of([entry], KEY).by_session(session, NOW) == grant, "another API process does not know it"
    assert known.by_session(session, NOW + SESSION - timedelta(seconds=1)) == grant
    assert known.by_session(session, NOW + SESSION) is None
    assert Access.of([other], KEY).by_session(session, NOW) is None
    assert Access.of([other, entry], b"another key that is long enough").by_session(session, NOW) is None
    assert entry.rpartition("=")[2] not in session


@pytest.mark.parametrize("forged", ["", ".", "a.b.c", "a.99999999999.c"])
def test_a_session_that_we_did_not_give_is_none(forged: str) -> None:
    token, entry = access.new("ana", Scope.READ)
    known = Access.of([entry], KEY)
    grant = known.by_token(token, NOW)
    assert grant is not None
    given = known.session(grant, NOW)
    alias, ends, signature = given.split(".")

    assert known.by_session(forged, NOW) is None
    assert known.by_session(f"{alias}.{int(ends) + 1}.{signature}", NOW) is None
    assert known.by_session(given[:-1], NOW) is None
