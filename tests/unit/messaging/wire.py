"""Twilio's side of the wire, for tests: signing as Twilio documents it, and an account to do it for."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from messaging.config import MessagingConfig, new_config
from messaging.model import WebhookRequest

ACCOUNT = "AC" + "a" * 32
TOKEN = "12345"
BASE = "https://talk.example.com"
OURS, THEIRS = "+15550100000", "+15550100999"

Pairs = Iterable[tuple[str, str]]


def sid(prefix: str, number: int = 1) -> str:
    return f"{prefix}{number:032x}"


def sign(url: str, pairs: Pairs = (), token: str = TOKEN, digest: Any = hashlib.sha1) -> str:
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), digest).digest()).decode()


def config(**options: Any) -> MessagingConfig:
    own: dict[str, Any] = {"account_sid": ACCOUNT, "auth_token": TOKEN, "webhook_url": BASE, **options}
    return new_config("twilio", timeout=2, provider_specific=own)


def request(route: str, fields: Mapping[str, str] | Pairs, *, query: str = "", token: str = TOKEN) -> WebhookRequest:
    """A genuine webhook to one of our routes."""
    pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
    path = f"/webhooks/twilio/{route}"
    url = BASE + path + (f"?{query}" if query else "")
    return WebhookRequest(
        route=route,
        path=path,
        query=query,
        headers={
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            "x-twilio-signature": sign(url, pairs, token),
        },
        body=urlencode(pairs).encode(),
    )


def inbound(**changes: str) -> dict[str, str]:
    fields = {
        "MessageSid": sid("SM"),
        "SmsSid": sid("SM"),
        "AccountSid": ACCOUNT,
        "From": THEIRS,
        "To": OURS,
        "Body": "hello",
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
    }
    return without(fields | changes)


def status(word: str = "delivered", **changes: str) -> dict[str, str]:
    fields = {
        "AccountSid": ACCOUNT,
        "MessageSid": sid("SM"),
        "SmsSid": sid("SM"),
        "MessageStatus": word,
        "SmsStatus": word,
        "From": OURS,
        "To": THEIRS,
        "ApiVersion": "2010-04-01",
    }
    return without(fields | changes)


def event(name: str, **changes: str) -> dict[str, str]:
    fields = {
        "EventType": name,
        "AccountSid": ACCOUNT,
        "Source": "SMS",
        "ConversationSid": sid("CH"),
        "MessageSid": sid("IM"),
        "ParticipantSid": sid("MB"),
        "Index": "3",
        "Author": THEIRS,
        "Body": "hello",
        "Attributes": "{}",
        "DateCreated": "2026-02-03T04:05:06.789Z",
        "RetryCount": "0",
    }
    return without(fields | changes)


def without(fields: dict[str, str]) -> dict[str, str]:
    """Drop what a test asked to leave out, by the value "-"."""
    return {name: value for name, value in fields.items() if value != "-"}
