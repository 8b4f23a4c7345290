"""Whether Twilio tells us what people write, and whether we would believe it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from messaging import diagnosis
from messaging.diagnosis import Finding
from messaging.providers.twilio import conversation_log, message_log, signature, vocabulary
from messaging.providers.twilio.config import TwilioConfig

_API = "https://api.twilio.com"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Twilio gives Conversations webhooks 5 s, and all others 15.
_PATIENCE = 10.0
_FORBIDDEN = 403
_NOT_FOUND = 404


async def clock(base_url: str | None) -> Finding:
    """Of Twilio, or of what stands for it. An answer need not be a success to have a date."""
    check, url = "clock-twilio", base_url or _API
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE) as http:
            asked = time.time()
            answer = await http.get(url)
            between = (asked + time.time()) / 2
    except httpx.HTTPError as error:
        return diagnosis.fail(check, f"nothing answers at {_host(url)} ({type(error).__name__})", "look at the network")
    try:
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return diagnosis.ok(check, "no date in the answer; not compared")
    return diagnosis.clock(check, "Twilio", between - theirs.timestamp() - 0.5)  # a second is cut off, half on average


async def door(config: TwilioConfig, path: str, fields: Mapping[str, str]) -> Finding:
    """Send a signed request to our own public URL, as Twilio would, and a forged one. Neither starts anything."""
    check = f"public-url{path.removeprefix('/webhooks/twilio').replace('/', '-')}"
    if config.webhook_url is None:
        return diagnosis.fail(check, "there is no public URL", "set PUBLIC_URL to the address that Twilio calls")
    if not config.auth_token:
        return diagnosis.fail(check, "there is no auth token to sign with", "set TWILIO_AUTH_TOKEN")
    url, form = config.webhook_url + path, {"AccountSid": config.account_sid, **fields}
    where = _host(url)
    try:
        signed = await _post(url, form, config.auth_token[0].get_secret_value())
        forged = await _post(url, form, "nobody's token")
    except httpx.HTTPError as error:
        do = "is the API running, and PUBLIC_URL right? A proxy or tunnel in front must reach it"
        return diagnosis.fail(check, f"nothing answers at {where} ({type(error).__name__})", do)
    if not signed.is_success:
        return diagnosis.fail(check, f"a signed request to {where} is answered by {_said(signed)}", _mend(signed))
    if forged.is_success:
        do = "something else answers there, or in front of the API; PUBLIC_URL must lead to it"
        return diagnosis.fail(check, f"{where} takes a request with a wrong signature", do)
    if config.base_url is None and urlsplit(url).hostname in _LOOPBACK:
        return diagnosis.warn(
            check, f"{where} is this machine: Twilio cannot reach it", "set PUBLIC_URL to a tunnel or a proxy"
        )
    return diagnosis.ok(check, f"{where} takes a signed request and refuses a forged one")


async def _post(url: str, form: Mapping[str, str], token: str) -> httpx.Response:
    from twilio.request_validator import RequestValidator  # type: ignore[import-untyped] # noqa: PLC0415 - late

    signed = {signature.HEADER: str(RequestValidator(token).compute_signature(url, dict(form)))}
    async with httpx.AsyncClient(timeout=_PATIENCE, follow_redirects=False) as http:
        return await http.post(url, data=dict(form), headers=signed)


def _said(answer: httpx.Response) -> str:
    try:
        code = answer.json()["code"]
    except (ValueError, KeyError, TypeError):
        code = ""
    return f"{answer.status_code} {code}".rstrip()


def _mend(answer: httpx.Response) -> str:
    if answer.status_code == _FORBIDDEN:
        return "PUBLIC_URL and TWILIO_AUTH_TOKEN must be the API's own, and a proxy must not change path, query or body"
    if answer.status_code == _NOT_FOUND:
        return "something else answers there, or MESSAGING_PROVIDERS of the API lacks this provider"
    if answer.is_redirect:
        return "set PUBLIC_URL to where it redirects to: a signature covers the address"
    if answer.is_server_error:
        return "look at the API's /readyz and its log"
    return "look at what stands in front of the API: a login page, or a filter"


async def number(client: Any, config: TwilioConfig) -> Finding:
    """The webhook of our phone number, its own or its Messaging Service's."""
    check, ours = "number-webhook", config.phone_number
    wanted = f"{config.webhook_url}{message_log.MESSAGES_PATH}"
    if ours is None or not ours.startswith("+"):
        return diagnosis.ok(check, "no phone number is set whose webhook could be looked up")
    [*found] = await client.incoming_phone_numbers.list_async(phone_number=ours, limit=1)
    if not found:
        return diagnosis.fail(
            check, "TWILIO_PHONE_NUMBER is no number of this account", "set it to one, or buy it; or another account"
        )
    if await message_log.claims(client, config, vocabulary.address(ours)):
        return diagnosis.ok(check, "texts to TWILIO_PHONE_NUMBER are told to our webhook")
    there = f"tells {_host(found[0].sms_url)}" if found[0].sms_url else "tells nobody"
    return diagnosis.fail(check, f"TWILIO_PHONE_NUMBER {there} of its texts", f"set its webhook to {wanted}, by POST")


async def conversations(client: Any, config: TwilioConfig) -> Finding:
    """The webhook of the account's conversations, or of its default chat service's."""
    check, wanted = "conversations-webhook", f"{config.webhook_url}{conversation_log.CONVERSATIONS_PATH}"
    if await conversation_log.claims_account(client, config):
        return diagnosis.ok(check, "new messages of conversations are told to our webhook")
    told = await client.conversations.v1.configuration.webhooks().fetch_async()
    if message_log.same_url(told.post_webhook_url, wanted):
        return diagnosis.fail(
            check, "our webhook is not told of new messages", f"add {conversation_log.ADDED} to its events"
        )
    there = f"tell {_host(told.post_webhook_url)}" if told.post_webhook_url else "tell nobody"
    return diagnosis.warn(
        check,
        f"conversations {there} of new messages",
        f"if you use the Conversations API, set its post-event webhook to {wanted}; else leave twilio out of "
        "MESSAGING_PROVIDERS",
    )


def _host(url: str) -> str:
    """Without credentials and query, which may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
