"""Is this webhook from Twilio? Our own check, since the SDK's compares byte by byte and skips the body hash of forms.

Twilio signs `URL + each parameter's name and value, sorted` with HMAC-SHA1 and the auth token, or with HMAC-SHA256 and
a shared key that a header names. A body that is no form is covered by its SHA-256 in the URL instead.
https://www.twilio.com/docs/usage/webhooks/webhooks-security
https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

HEADER = "x-twilio-signature"
SETTINGS_HEADER = "x-twilio-webhooks-signature-settings"
_DEFAULT_PORTS: Mapping[str, int] = {"https": 443, "wss": 443, "http": 80, "ws": 80}


def verify(
    *,
    url: str,
    headers: Mapping[str, str],
    fields: Sequence[tuple[str, str]] | None,
    body: bytes,
    tokens: Sequence[str],
    shared_keys: Mapping[str, str],
) -> bool:
    """Whether the signature fits.

    Args:
        url: As Twilio was told to call it, with the query exactly as it arrived.
        headers: Names in lower case.
        fields: The form, decoded; None for a body that is no form, which then must match the URL's `bodySHA256`.
    """
    given = headers.get(HEADER, "").strip()
    if not given or (fields is None and not _hash_fits(url, body)):
        return False
    secrets, digest = _secrets(headers.get(SETTINGS_HEADER, ""), tokens, shared_keys)
    suffix = _canonical(fields or ())
    fits = False
    for secret in secrets:
        for candidate in _candidates(url):
            mac = hmac.new(secret.encode(), (candidate + suffix).encode("utf-8", "surrogateescape"), digest)
            # No early exit: which secret and which form of the URL fit stays unseen.
            fits |= hmac.compare_digest(base64.b64encode(mac.digest()), given.encode("utf-8", "replace"))
    return fits


def _secrets(
    settings: str, tokens: Sequence[str], shared_keys: Mapping[str, str]
) -> tuple[Iterable[str], Callable[..., Any]]:
    named = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    algorithm = named.get("algorithm", "").strip().upper() or "HMAC_SHA1"
    if algorithm == "HMAC_SHA1":
        return tokens, hashlib.sha1
    if algorithm == "HMAC_SHA256":
        secret = shared_keys.get(named.get("key", "").strip())
        return ([secret] if secret else []), hashlib.sha256
    return [], hashlib.sha256


def _canonical(fields: Iterable[tuple[str, str]]) -> str:
    # A set: a repeated name counts once for each of its distinct values.
    return "".join(name + value for name, value in sorted(set(fields)))


def _hash_fits(url: str, body: bytes) -> bool:
    claimed = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
    return hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), claimed.lower().encode("utf-8", "replace"))


def _candidates(url: str) -> set[str]:
    """The URL as it is, without its port, and with the default one: Twilio's own back end is not consistent."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    bare, colon, port = host.rpartition(":")
    if not (colon and port.isdecimal()):
        bare = host
    ported = f"{bare}:{_DEFAULT_PORTS.get(parts.scheme, 443)}"
    hosts = {host, bare} | ({ported} if bare == host else set())
    prefixes = {"", user + at}  # whether credentials in the URL are signed is not documented
    return {url} | {urlunsplit(parts._replace(netloc=prefix + name)) for prefix in prefixes for name in hosts}
