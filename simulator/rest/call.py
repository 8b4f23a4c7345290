"""One REST call, taken apart, and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.errors import TwilioError
from simulator.world import World

Fields = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    world: World
    product: str
    method: str
    path: str
    """Without product prefix and query."""
    query: Fields
    form: Fields
    ids: tuple[str, ...] = ()
    """What stood in the path at the route's placeholders."""
    service: str = ""
    """IS… for /v1/Services/{IS}/…; the default service otherwise."""
    service_path: str = ""
    """`/Services/{IS}` when the path had it."""
    webhook_enabled: bool = False

    @property
    def source(self) -> str | None:
        """The Source of events that this call causes; None when it causes none."""
        return "API" if self.webhook_enabled else None

    def text(self, name: str) -> str | None:
        """A form field's first value, or None when it is not there."""
        values = self.form.get(name)
        return values[0] if values else None

    def asked(self, name: str) -> str | None:
        values = self.query.get(name)
        return values[0] if values else None

    def given(self, **names: str) -> dict[str, Any]:
        """record field -> value, for those form fields that are there."""
        return {field_: value for field_, name in names.items() if (value := self.text(name)) is not None}

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self.asked(name)
        if value is None:
            return default
        if not value.isdecimal():
            raise TwilioError(20001, f"Invalid {name} parameter")
        return max(low, min(high, int(value)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    body: dict[str, Any] | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


GONE = Reply(status=204)
