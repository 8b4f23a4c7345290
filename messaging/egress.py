"""Requests to URLs that others chose: only to addresses of the public Internet, and to the one that was looked at.

A name is resolved once, and the connection goes to what was found and allowed, so a name that leads elsewhere a moment
later (DNS rebinding) gains nothing. TLS still asks for the name. It holds for each connection, so for each hop too.

https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import urllib.request
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore
import httpx

Place = tuple[str, int]

# What is no address of somebody's machine though the registries call it global, and what is one inside of a cloud.
_REFUSED = (
    IPv4Network(
        "168.63.129.16/32"
    ),  # Azure's own: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    IPv4Network("192.0.0.0/24"),  # RFC 6890: of protocols; Oracle's metadata are at 192.0.0.192
    IPv4Network("192.88.99.0/24"),  # RFC 7526: relays of 6to4, given up
    IPv6Network("::/96"),  # RFC 4291, 2.5.5.1: IPv4 inside of IPv6, given up
    IPv6Network("fec0::/10"),  # RFC 3879: local to a site, given up
)
# Addresses that lead to the IPv4 address which is in them, from which bit on: RFC 6052, 8215, 3056.
_CARRIERS = (
    (IPv6Network("64:ff9b::/96"), 96),
    (IPv6Network("64:ff9b:1::/48"), 96),
    (IPv6Network("2002::/16"), 16),
)


class AddressRefused(Exception):
    """The host is, or leads to, no public address. `host` is its name."""

    def __init__(self, host: str) -> None:
        super().__init__("the host has no public address")
        self.host = host


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is one of the public Internet: not private, loopback, link-local, shared, multicast or reserved."""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        carried = address.ipv4_mapped or _carried(address)
        if carried is not None:
            return is_public(carried)
    return address.is_global and not address.is_multicast and not any(address in network for network in _REFUSED)


def _carried(address: IPv6Address) -> IPv4Address | None:
    for network, start in _CARRIERS:
        if address in network:
            return IPv4Address((int(address) >> (128 - start - 32)) & 0xFFFFFFFF)
    return None


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as the system knows them.

    Raises:
        OSError: there is none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class PublicOnly(httpcore.AsyncNetworkBackend):
    """Opens connections to public addresses, and to the places that are allowed by name: an operator's own setting."""

    def __init__(self, allowed: Collection[Place] = ()) -> None:
        self._allowed = frozenset(allowed)
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """To the first of its addresses that answers.

        Raises:
            AddressRefused: none of them is public.
            TimeoutError, httpcore.ConnectError, httpcore.ConnectTimeout
        """
        failure: Exception | None = None
        async with asyncio.timeout(timeout):
            for address in await self._looked_at(host, port):
                try:
                    return await self._network.connect_tcp(
                        address, port, local_address=local_address, socket_options=socket_options
                    )
                except httpcore.ConnectError as refused:
                    failure = refused
        raise failure or httpcore.ConnectError("no address")

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Never. Raises AddressRefused."""
        raise AddressRefused(path)

    async def sleep(self, seconds: float) -> None:
        """As the network does."""
        await self._network.sleep(seconds)

    async def _looked_at(self, host: str, port: int) -> list[str]:
        try:
            found = await resolve(host, port)
        except OSError as unknown:
            raise httpcore.ConnectError("the host has no address") from unknown
        if (host, port) in self._allowed:
            return found
        public = [address for address in found if is_public(ip_address(address))]
        if not public:
            raise AddressRefused(host)
        return public


class PublicTransport(httpx.AsyncHTTPTransport):
    """httpx's own, over `PublicOnly`."""

    def __init__(
        self,
        *,
        allowed: Collection[Place] = (),
        limits: httpx.Limits | None = None,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__()
        used = limits or httpx.Limits()
        # httpx hands no network on to httpcore, which is made for it.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify or httpx.create_ssl_context(),
            max_connections=used.max_connections,
            max_keepalive_connections=used.max_keepalive_connections,
            keepalive_expiry=used.keepalive_expiry,
            network_backend=PublicOnly(allowed),
        )


def transport(allowed: Collection[Place] = (), limits: httpx.Limits | None = None) -> httpx.AsyncBaseTransport | None:
    """For an `httpx.AsyncClient`. None where the environment names a proxy: it resolves, and it has to refuse."""
    return (
        None
        if urllib.request.getproxies().keys() & {"http", "https", "all"}
        else PublicTransport(allowed=allowed, limits=limits)
    )
