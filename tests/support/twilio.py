"""Webhooks as Twilio sends them, signed by the genuine SDK."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx
from twilio.request_validator import RequestValidator

ACCOUNT = "AC" + "0" * 32
TOKEN = "a-token-of-the-tests"
OURS, THEIRS = "+15550100100", "+15550100001"


@dataclass(slots=True)
class Twilio:
    """Posts forms to our API, signed with `token` over `public_url`."""

    http: httpx.AsyncClient
    public_url: str
    token: str = TOKEN
    sent: int = 0
    last: dict[str, str] = field(default_factory=dict)

    async def text(self, body: str, *, sid: str | None = None, **changes: str | None) -> httpx.Response:
        """An inbound SMS; a field given as None is left out."""
        self.sent += 1
        sid = sid or f"SM{self.sent:032x}"
        form: dict[str, str | None] = {
            "MessageSid": sid,
            "SmsSid": sid,
            "SmsMessageSid": sid,
            "AccountSid": ACCOUNT,
            "From": THEIRS,
            "To": OURS,
            "Body": body,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
            **changes,
        }
        self.last = {name: value for name, value in form.items() if value is not None}
        return await self.post("/webhooks/twilio/messages", self.last)

    async def post(self, path: str, form: dict[str, str], *, signature: str | None = None) -> httpx.Response:
        signature = signature or self.sign(path, form)
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        return await self.http.post(path, content=urlencode(form), headers=headers)

    def sign(self, path: str, form: dict[str, str]) -> str:
        return str(RequestValidator(self.token).compute_signature(self.public_url + path, form))
