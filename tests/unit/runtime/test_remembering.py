"""How Qdrant is reached follows from the settings."""

from __future__ import annotations

import httpx
import pytest

from runtime.remembering import qdrant_client
from runtime.settings import SettingsError, load


@pytest.mark.parametrize(
    ("url", "scheme", "port"),
    [
        ("https://example.cloud.qdrant.io:6333", "https", 6333),
        ("https://qdrant.example", "https", 6333),
        ("https://qdrant.example:443", "https", None),  # the scheme's own
        ("http://127.0.0.1:7000", "http", 7000),
    ],
)
@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")  # the client's, for plain http
async def test_the_key_goes_along_and_https_is_tls(url: str, scheme: str, port: int | None) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"result": {"exists": False}, "status": "ok", "time": 0})

    settings = load(qdrant_url=url, qdrant_api_key="a-key-of-the-tests")
    client = qdrant_client(settings, transport=httpx.MockTransport(handler))
    await client.collection_exists("anything")
    await client.close()

    [request] = seen
    assert (request.url.scheme, request.url.port) == (scheme, port)
    assert request.headers["api-key"] == "a-key-of-the-tests"


@pytest.mark.parametrize("tenant", ["", "a b", "a/b", "ü", "x" * 65, "-a"])
def test_a_tenant_is_a_short_plain_name(tenant: str) -> None:
    with pytest.raises(SettingsError, match="MESSAGING_TENANT"):
        load(messaging_tenant=tenant)
