"""Who may join a conversation: a chat user, a phone behind one of our numbers, or the sides of a group MMS.

https://www.twilio.com/docs/conversations/api/conversation-participant-resource
https://www.twilio.com/docs/conversations/group-texting
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from simulator import address, jsontext
from simulator.errors import TwilioError
from simulator.rest.call import Call

_MAX_IDENTITY = 256
_MAX_PHONES = 50
_MAX_GROUP = 10
_MAX_CONVERSATIONS = 1000  # of one identity


class Member(Protocol):
    """What a participant and somebody who wants to be one have in common."""

    @property
    def identity(self) -> str | None: ...
    @property
    def address(self) -> str | None: ...
    @property
    def proxy_address(self) -> str | None: ...
    @property
    def projected_address(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    identity: str | None = None
    address: str | None = None
    proxy_address: str | None = None
    projected_address: str | None = None

    def fields(self) -> dict[str, str]:
        pairs = ((name, getattr(self, name)) for name in ("identity", "address", "proxy_address", "projected_address"))
        return {name: value for name, value in pairs if value}


def from_form(call: Call) -> Wanted:
    return Wanted(
        identity=call.text("Identity") or None,
        address=call.text("MessagingBinding.Address") or None,
        proxy_address=call.text("MessagingBinding.ProxyAddress") or None,
        projected_address=call.text("MessagingBinding.ProjectedAddress") or None,
    )


def from_json(text: str) -> Wanted:
    """One `Participant` of ConversationWithParticipants. Raises TwilioError."""
    try:
        given: Any = jsontext.parse(text)
        binding = given.get("messaging_binding") or {}
        found = {"identity": given.get("identity")}
        found |= {name: binding.get(name) for name in ("address", "proxy_address", "projected_address")}
    except (ValueError, AttributeError) as problem:
        raise TwilioError(20001, "Participant: a JSON object expected") from problem
    if not all(value is None or isinstance(value, str) for value in found.values()):
        raise TwilioError(20001, "Participant: texts expected")
    return Wanted(**{name: value or None for name, value in found.items()})


def check(call: Call, wanted: Wanted, members: Sequence[Member], conversation: str | None = None) -> None:
    """Raises TwilioError when that member may not join those who are there."""
    if wanted.identity:
        _check_identity(call, wanted, members)
    if wanted.projected_address or (wanted.address and not wanted.proxy_address and is_group(members)):
        _check_group_member(call, wanted, members)
        _check_group(call, (*members, wanted), conversation, alone=True)
    elif not (wanted.identity and not wanted.address):
        _check_phone(call, wanted, members)


def check_all(call: Call, wanted: Sequence[Wanted]) -> None:
    """All of a new conversation's members. Raises TwilioError."""
    bare = any(member.address and not member.proxy_address for member in wanted)
    if bare and not is_group(wanted):
        raise TwilioError(50434, "Participant projected address not provided")
    # Those who speak for a number come first: they make it a group.
    ordered = sorted(wanted, key=lambda member: member.projected_address is None)
    for n, member in enumerate(ordered):
        others = ordered[:n]
        if member.identity:
            _check_identity(call, member, others)
        if member.projected_address or (member.address and not member.proxy_address):
            _check_group_member(call, member, others)
        elif not (member.identity and not member.address):
            _check_phone(call, member, others)
    if is_group(wanted):
        _check_group(call, wanted, None, alone=False)


def check_pair(call: Call, person: str, number: str) -> None:
    """A phone and the number of ours in front of it. Raises TwilioError."""
    if person == number:
        raise TwilioError(50409, "Participant address equals proxy address")
    own = call.world.texting.number
    if not address.valid(person) or _ours(call, person):
        raise TwilioError(50407, f"Invalid messaging binding address {person}")
    if address.channel(person) != address.channel(number):
        raise TwilioError(50414, "Participant address type does not match proxy address type")
    if own(number) is None:
        raise TwilioError(50413, "Account is not authorized to use proxy address")


def check_projected(call: Call, number: str) -> None:
    """Raises TwilioError unless the number can speak in a group."""
    if ":" in number or call.world.texting.number(number) is None:
        raise TwilioError(50439, "Account is not authorized to use the projected address")


def is_group(members: Iterable[Member]) -> bool:
    return any(member.projected_address for member in members)


def _ours(call: Call, person: str) -> bool:
    """Whether it is one of our senders, also by its number on another channel."""
    bare = address.bare(person)
    return any(address.bare(number.address) == bare for number in call.world.store.numbers.rows.values())


def _check_identity(call: Call, wanted: Wanted, members: Iterable[Member]) -> None:
    identity = wanted.identity or ""
    if len(identity) > _MAX_IDENTITY:
        raise TwilioError(50207, "Identity too long")
    if wanted.address:
        raise TwilioError(50211, "Identity parameter not acceptable for this Participant")
    if any(member.identity == identity for member in members):
        raise TwilioError(50433, "Participant already exists", 409)
    if len(call.world.store.by_identity.of(identity)) >= _MAX_CONVERSATIONS:
        raise TwilioError(50214, "User conversation limit exceeded")


def _check_phone(call: Call, wanted: Wanted, members: Sequence[Member]) -> None:
    person, number = wanted.address, wanted.proxy_address
    if not person:
        raise TwilioError(50411, "Participant address is empty")
    if not number:
        raise TwilioError(50412, "Participant proxy address is empty")
    check_pair(call, person, number)
    if any((member.address, member.proxy_address) == (person, number) for member in members):
        raise TwilioError(50433, "Participant already exists", 409)
    if (owner := call.world.talks.owner_of((person, number))) is not None:
        message = f"A binding for this participant and proxy address already exists in Conversation {owner.sid}"
        raise TwilioError(50416, message, 409)
    if sum(member.address is not None for member in members) >= _MAX_PHONES:
        raise TwilioError(50418, "Non-Chat participants limit exceeded")


def _check_group_member(call: Call, wanted: Wanted, members: Sequence[Member]) -> None:
    if wanted.address and (wanted.projected_address or wanted.proxy_address):
        raise TwilioError(50407, f"Invalid messaging binding address {wanted.address}: not with a projected address")
    if wanted.address and (not address.valid(wanted.address) or _ours(call, wanted.address)):
        raise TwilioError(50407, f"Invalid messaging binding address {wanted.address}")
    if wanted.projected_address:
        check_projected(call, wanted.projected_address)
    there = {member.address or member.projected_address for member in members}
    if (wanted.address or wanted.projected_address) in there:
        raise TwilioError(50433, "Participant already exists", 409)
    if len(there - {None}) >= _MAX_GROUP:
        raise TwilioError(50436, "Participant limit exceeded for group conversation")


def _check_group(call: Call, members: Iterable[Member], conversation: str | None, *, alone: bool) -> None:
    """No two open groups have the same members."""
    addresses = _addresses(members)
    if len(addresses) > 1 and (other := call.world.groups.same(addresses)) is not None and other.sid != conversation:
        code, what = (
            (50437, "Group Participant") if alone else (50438, "Group conversation with given participant list")
        )
        raise TwilioError(code, f"{what} already exists in Conversation {other.sid}", 409)


def _addresses(members: Iterable[Member]) -> frozenset[str]:
    found = (member.projected_address or (None if member.proxy_address else member.address) for member in members)
    return frozenset(value for value in found if value)
