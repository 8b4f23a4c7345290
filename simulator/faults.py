"""Things that go wrong on purpose: the next time, the next few times, or at a rate that repeats with its seed.

On a REST call (`route`; without it, POST Messages and a conversation's Messages):
  status         answers `status` and does nothing; `retry_after` seconds go in the header; `format` is json, html (as
                 a load balancer answers) or problem (application/problem+json, as the newer products answer)
  after_commit   does it, then answers `status`
  hang           does it, then answers only after `seconds`
  reset          does it, then cuts the connection
  slow           does it, then lets the answer trickle over `seconds`
  `committed` false makes hang and reset come before it is done
On a webhook (`event`, when given, is `message`, `status` or a Conversations event):
  webhook_duplicate   comes once more; `same_token` false: as if it were another
  webhook_drop        never comes
  webhook_signature   is signed wrongly
  webhook_delay       comes `seconds` late
  webhook_reorder     comes after the next one of its order, or `seconds` late when there is none
On its way to the phone:
  delivery       the message ends as `outcome` with `code`
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.errors import ControlError
from simulator.sids import Sids
from simulator.table import Table

REST = ("status", "after_commit", "hang", "reset", "slow")
WEBHOOK = ("webhook_duplicate", "webhook_drop", "webhook_signature", "webhook_delay", "webhook_reorder")
DELIVERY = ("delivery",)
KINDS = (*REST, *WEBHOOK, *DELIVERY)
ANY = "*"
"""As a route: every call of the REST."""

# kind -> its fields, beside those that each has.
_FIELDS = {
    "status": ("route", "status", "retry_after", "format"),
    "after_commit": ("route", "status"),
    "hang": ("route", "seconds", "committed"),
    "reset": ("route", "committed"),
    "slow": ("route", "seconds"),
    "webhook_duplicate": ("event", "same_token"),
    "webhook_drop": ("event",),
    "webhook_signature": ("event",),
    "webhook_delay": ("event", "seconds"),
    "webhook_reorder": ("event", "seconds"),
    "delivery": ("outcome", "code"),
}
_COMMON = ("kind", "times", "rate", "seed", "match")
_AFTER = (500, 502, 503, 504)


@dataclass(slots=True, kw_only=True)
class Fault:
    """`times` left; None is without end. `drawn`: how often chance was asked, so that a restart goes on from there."""

    sid: str = ""
    kind: str
    times: int | None = 1
    rate: float | None = None
    seed: int = 0
    route: str | None = None
    match: dict[str, str] = field(default_factory=dict)
    event: str | None = None
    status: int = 500
    retry_after: float | None = None
    format: str = "json"
    seconds: float = 1.0
    committed: bool = True
    same_token: bool = True
    outcome: str = "undelivered"
    code: int = 30003
    drawn: int = 0

    def fits(self, fields: Mapping[str, str]) -> bool:
        """The words of `body` anywhere in it, everything else exactly."""
        return all(
            wanted.casefold() in fields.get(name, "").casefold() if name == "body" else wanted == fields.get(name, "")
            for name, wanted in self.match.items()
        )


class Faults:
    """`table` keeps what is armed, also over a restart; `seed` is of faults that bring none."""

    def __init__(self, table: Table[Fault], sids: Sids, *, seed: int | None = None) -> None:
        self._table = table
        self._sids = sids
        self._seed = seed or 0
        self._chance: dict[str, random.Random] = {}

    def arm(self, fields: dict[str, Any], routes: Collection[str] = (), events: Collection[str] = ()) -> Fault:
        """`routes`, `events`: those there are. Raises ControlError that names the wrong field."""
        order = _read(fields)
        if order.event not in {None, *events}:
            raise ControlError("event", f"one of {', '.join(events)} expected")
        if order.route not in {None, ANY, *routes}:
            raise ControlError("route", f"one of {', '.join([ANY, *sorted(routes)])} expected")
        given = order.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
        given = {"seed": self._seed, "times": 1 if order.rate is None else None} | given
        return self._table.add(Fault(sid=self._sids.new("FA"), **given))

    def take(
        self,
        kinds: Collection[str],
        *,
        route: str = "",
        usual: bool = True,
        event: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Fault | None:
        """The first armed fault that fits, used up by one. `usual`: also one that names no route.

        `fields`: to, from, body, as far as what is about to happen has them.
        """
        for fault in tuple(self._table.rows.values()):
            here = fault.route in {route, ANY} if fault.route is not None else usual
            if not here or fault.kind not in kinds or fault.event not in {None, event} or not fault.fits(fields or {}):
                continue
            if self._happens(fault):
                self._use(fault)
                return fault
        return None

    @property
    def any(self) -> bool:
        return bool(self._table.rows)

    def armed(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._table.rows.values()]

    def disarm(self, sid: str) -> bool:
        known = sid in self._table.rows
        self._table.remove(sid)
        return known

    def clear(self) -> None:
        for sid in tuple(self._table.rows):
            self._table.remove(sid)
        self._chance.clear()

    def _happens(self, fault: Fault) -> bool:
        if fault.rate is None:
            return True
        chance = self._chance.get(fault.sid)
        if chance is None:
            chance = self._chance[fault.sid] = random.Random(fault.seed)  # noqa: S311 - repeatable on purpose
            for _ in range(fault.drawn):
                chance.random()
        self._table.change(fault, drawn=fault.drawn + 1)
        return chance.random() < fault.rate

    def _use(self, fault: Fault) -> None:
        if fault.times is None:
            return
        self._table.change(fault, times=fault.times - 1)
        if fault.times == 0:
            self._table.remove(fault.sid)
            self._chance.pop(fault.sid, None)


class _Match(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: str | None = None
    sender: str | None = Field(None, alias="from")
    body: str | None = None


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str
    times: int | None = Field(None, ge=1)
    rate: float | None = Field(None, gt=0, le=1)
    seed: int | None = None
    route: str | None = None
    match: _Match | None = None
    event: str | None = None
    status: Literal[429, 500, 502, 503, 504] = 500
    retry_after: float | None = Field(None, ge=0)
    format: Literal["json", "html", "problem"] = "json"
    seconds: float = Field(1.0, ge=0, le=86_400)
    committed: bool = True
    same_token: bool = True
    outcome: Literal["failed", "undelivered", "sent"] = "undelivered"
    code: int = Field(30003, ge=10_000, le=99_999)


def _read(fields: dict[str, Any]) -> _Order:
    if fields.get("kind") not in KINDS:
        raise ControlError("kind", f"one of {', '.join(KINDS)} expected")
    allowed = (*_COMMON, *_FIELDS[fields["kind"]])
    if unknown := fields.keys() - set(allowed):
        raise ControlError(min(unknown), f"unknown; a {fields['kind']} has {', '.join(allowed)}")
    try:
        order = _Order.model_validate({name: value for name, value in fields.items() if value is not None})
    except ValidationError as problem:
        error = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        raise ControlError(".".join(map(str, error["loc"])), error["msg"]) from problem
    if order.kind == "after_commit" and order.status not in _AFTER:
        raise ControlError("status", f"one of {', '.join(map(str, _AFTER))} expected")
    return order
