"""What webhooks are signed with at the moment: a token, the other token, or a shared key.

Shared keys: https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys
"""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from simulator.config import SimulatorConfig
from simulator.errors import ControlError
from simulator.records import Setting
from simulator.signature import Params, sign
from simulator.store import Store

WITH = ("primary", "secondary", "shared_key")
PORTS = ("as_is", "explicit", "none")
"""How the port of a URL is signed. The SDK's validators accept all three, because Twilio's own signers differ."""
_IN_HEADER = re.compile(r"[!-+\--~]+")  # visible ASCII but the comma, which ends the id there
_SETTING = "signing"
_DEFAULT_PORT = {"http": 80, "https": 443}


class Signer:
    """What webhooks are signed with at the moment, and which tokens the REST lets in."""

    def __init__(self, config: SimulatorConfig, store: Store) -> None:
        self._primary = config.auth_token
        self._configured = config.secondary_auth_token
        self._store = store

    @property
    def tokens(self) -> tuple[str, ...]:
        """Both auth tokens open the REST, so that a product can change from one to the other."""
        return tuple(filter(None, (self._primary, self._setting["secondary_auth_token"])))

    def headers(self, url: str, params: Params, *, wrong: bool = False) -> dict[str, str]:
        setting = self._setting
        url = url if setting["port"] == "as_is" else _with_port(url, explicit=setting["port"] == "explicit")
        spoilt = "-wrong" if wrong else ""
        if setting["sign_with"] == "shared_key":
            key = setting["shared_key"]
            return {
                "X-Twilio-Signature": sign(key["secret"] + spoilt, url, params, algorithm="sha256"),
                "X-Twilio-Webhooks-Signature-Settings": f"key={key['id']},algorithm=HMAC_SHA256",
            }
        token = setting["secondary_auth_token"] if setting["sign_with"] == "secondary" else self._primary
        return {"X-Twilio-Signature": sign(token + spoilt, url, params)}

    def show(self) -> dict[str, Any]:
        return dict(self._setting)

    def set(self, fields: dict[str, Any]) -> None:
        """Raises ControlError that names the wrong field."""
        setting = self._setting
        if unknown := fields.keys() - setting.keys():
            raise ControlError(min(unknown), f"unknown; one of {', '.join(setting)} expected")
        setting |= fields
        if not isinstance(setting["secondary_auth_token"], str):
            raise ControlError("secondary_auth_token", "a text expected")
        if setting["shared_key"] is not None and not _is_key(setting["shared_key"]):
            raise ControlError("shared_key", 'null or {"id": "webhooks_sharedkey_…", "secret": "…"} expected')
        for name, allowed in (("sign_with", WITH), ("port", PORTS)):
            if setting[name] not in allowed:
                raise ControlError(name, f"one of {', '.join(allowed)} expected")
        needed = {"secondary": "secondary_auth_token", "shared_key": "shared_key"}.get(setting["sign_with"])
        if needed is not None and not setting[needed]:
            raise ControlError("sign_with", f"there is no {needed} yet")
        self._store.settings.add(Setting(sid=_SETTING, value=setting))

    @property
    def _setting(self) -> dict[str, Any]:
        kept = self._store.settings.get(_SETTING)
        return {
            "sign_with": "primary",
            "secondary_auth_token": self._configured,
            "shared_key": None,
            "port": "as_is",
        } | (kept.value if kept is not None else {})


def _is_key(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"id", "secret"}
        and all(isinstance(part, str) and part for part in value.values())
        and _IN_HEADER.fullmatch(value["id"]) is not None
    )


@lru_cache(maxsize=256)
def _with_port(url: str, *, explicit: bool) -> str:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    host = host.rpartition(":")[0] if parts.port is not None else host
    port = parts.port or _DEFAULT_PORT.get(parts.scheme)
    return urlunsplit(parts._replace(netloc=f"{user}{at}{host}:{port}" if explicit else f"{user}{at}{host}"))
