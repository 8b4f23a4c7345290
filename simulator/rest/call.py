"""One REST call, taken apart, and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator import digits, jsontext
from simulator.errors import TwilioError
from simulator.world import World

Fields = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    world: World
    account: str
    """Whose credentials came: the account's own sid, or its test twin's."""
    product: str
    method: str
    path: str
    """Without product prefix and query."""
    query: Fields
    form: Fields
    body: bytes = b""
    content_type: str = ""
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

    @property
    def test(self) -> bool:
        return self.account == self.world.config.test_account_sid

    @property
    def account_path(self) -> str:
        return f"/2010-04-01/Accounts/{self.account}"

    @property
    def url(self) -> str:
        """This call's own absolute address, without query."""
        path = f"/v1{self.service_path}{self.path[3:]}" if self.service_path else self.path
        return self.world.urls.of(self.product) + path

    @property
    def of_service(self) -> dict[str, str]:
        """What some resources say only where the path names their service."""
        return {"chat_service_sid": self.service} if self.service_path else {}

    def json(self) -> dict[str, Any]:
        """The body of a call to one of the JSON products. Raises TwilioError."""
        try:
            value = jsontext.parse(self.body)
        except ValueError as problem:
            raise TwilioError(20001, "The request body is not valid JSON") from problem
        if not isinstance(value, dict):
            raise TwilioError(20001, "The request body must be a JSON object")
        return value

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

    def flag(self, name: str) -> bool | None:
        """True or False of a form field; None when it is not there."""
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in {"true", "false"}:
            raise TwilioError(20001, f"Invalid {name} parameter: true or false expected")
        return value.lower() == "true"

    def flags(self, **names: str) -> dict[str, bool]:
        """record field -> value, for those yes-or-no form fields that are there."""
        return {field_: value for field_, name in names.items() if (value := self.flag(name)) is not None}

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self.asked(name)
        if value is None:
            return default
        number = digits.whole(value)
        if number is None:
            raise TwilioError(20001, f"Invalid {name} parameter")
        return max(low, min(high, number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`content` instead of `body`: bytes as they are, whose type is in the headers."""

    body: dict[str, Any] | None = None
    status: int = 200
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


GONE = Reply(status=204)
