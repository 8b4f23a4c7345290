"""Points the genuine Twilio SDK for Python at a simulator. Needs the package `twilio`; nothing else here does."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]  # it ships no types
from twilio.http.response import Response  # type: ignore[import-untyped]

_PATIENCE = 10.0  # seconds; the SDK's own default is to wait for ever


class SimulatorHttpClient(TwilioHttpClient):  # type: ignore[misc]
    """Sends each *.twilio.com request to the simulator, with the original host in a header: the same path means
    different things on different hosts. `options` are TwilioHttpClient's."""

    def __init__(self, base_url: str, **options: Any) -> None:
        super().__init__(**{"timeout": _PATIENCE} | options)
        self._base = urlsplit(base_url)

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        parts = urlsplit(url)
        if (parts.hostname or "").endswith(".twilio.com"):
            headers = {**(headers or {}), "X-Sim-Original-Host": str(parts.hostname)}
            url = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        return super().request(method, url, params, data, headers, auth, timeout, allow_redirects)
