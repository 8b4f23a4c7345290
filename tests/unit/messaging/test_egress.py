"""Which addresses are public, and that a connection goes to the one that was looked at."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from messaging import egress, errors
from messaging.egress import AddressRefused, PublicTransport
from messaging.providers.twilio.transport import Transport

PUBLIC = ("8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1")
INSIDE = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1"),
    *("224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "192.0.2.1", "203.0.113.7", "192.88.99.1"),
    *("::", "::1", "::7f00:1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("2001:db8::1", "2001::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::1", "2002:a9fe:a9fe::"),
)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert egress.is_public(ip_address(address))


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_public_however_it_is_written(address: str) -> None:
    assert not egress.is_public(ip_address(address))


class Names:
    """A resolver. Each name's answers come one after the other; the last one stays."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        answers = self.answers.get(host, [[host]])
        return list(answers.pop(0) if len(answers) > 1 else answers[0])


@asynccontextmanager
async def server(
    context: ssl.SSLContext | None = None, answer: str = "204 No Content"
) -> AsyncIterator[tuple[int, list[str]]]:
    """Something on this machine: its port, and the request lines and hosts that reached it."""
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with listening:
        yield listening.sockets[0].getsockname()[1], seen


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "inside.example", "2130706433", "0x7f.1", "127.1"])
async def test_no_name_and_no_spelling_leads_inside(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = egress.resolve

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "inside.example" else await real(host, port)

    monkeypatch.setattr(egress, "resolve", resolve)
    async with server() as (port, seen), httpx.AsyncClient(transport=PublicTransport()) as http:
        with pytest.raises((AddressRefused, httpx.ConnectError)):
            await http.get(f"http://{host}:{port}/")

    assert seen == []


async def test_a_name_that_leads_inside_a_moment_later_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it is looked at, inside when it is connected to."""
    names = Names(rebinding_example=[["192.0.2.1"], ["127.0.0.1"]])
    monkeypatch.setattr(egress, "resolve", names)
    monkeypatch.setattr(egress, "is_public", lambda address: str(address) == "192.0.2.1")  # nobody is there
    async with server() as (port, seen), httpx.AsyncClient(transport=PublicTransport(), timeout=0.3) as http:
        for _ in range(2):
            with pytest.raises((httpx.ConnectError, httpx.ConnectTimeout, TimeoutError, AddressRefused)):
                await http.get(f"http://rebinding.example:{port}/")

    assert seen == []
    assert names.asked == ["rebinding.example"] * 2, "it was asked for again between looking and connecting"


async def test_of_several_addresses_only_public_ones_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "resolve", Names(both_example=[["127.0.0.1", "10.0.0.1"]]))
    async with server() as (port, seen), httpx.AsyncClient(transport=PublicTransport()) as http:
        with pytest.raises(AddressRefused):
            await http.get(f"http://both.example:{port}/")

    assert seen == []


async def test_what_the_operator_names_is_reached_and_nothing_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "resolve", Names(sim_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]]))
    async with server() as (port, seen), at(allowed=[("sim.example", port)]) as http:
        assert (await http.get(f"http://sim.example:{port}/a")).status_code == 204
        with pytest.raises(AddressRefused):
            await http.get(f"http://other.example:{port}/b")

    assert [request.split("\r\n")[:2] for request in seen] == [["GET /a HTTP/1.1", f"Host: sim.example:{port}"]]


def at(**options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=PublicTransport(**options))


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for this name, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem, secret)
    return serving, ssl.create_default_context(cafile=str(pem))


async def test_tls_asks_for_the_name_though_the_connection_goes_to_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving, trusting = certificate(tmp_path, "media.example")
    told: list[str | None] = []
    serving.sni_callback = lambda _, name, __: told.append(name)
    monkeypatch.setattr(egress, "resolve", Names(media_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]]))
    async with server(serving) as (port, seen):
        allowed = [("media.example", port), ("other.example", port)]
        async with httpx.AsyncClient(transport=PublicTransport(allowed=allowed, verify=trusting)) as http:
            assert (await http.get(f"https://media.example:{port}/")).status_code == 204
            with pytest.raises(httpx.ConnectError):
                await http.get(f"https://other.example:{port}/")

    assert told == ["media.example", "other.example"]
    assert len(seen) == 1


@pytest.mark.parametrize("url", ["https://api.twilio.com/x", "https://mms.twiliocdn.com/a?Signature=s"])
async def test_even_a_provider_s_own_name_is_not_fetched_from_inside(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        egress, "resolve", Names(api_twilio_com=[["169.254.169.254"]], mms_twiliocdn_com=[["10.0.0.1"]])
    )
    used = Transport(timeout=5)
    try:
        with pytest.raises(errors.InvalidInput, match="not public") as refused:
            async with used.open(url):
                pass
    finally:
        await used.close()

    assert not refused.value.retryable


async def test_a_redirect_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator, which may be inside, points to storage that leads inside."""
    monkeypatch.setattr(egress, "resolve", Names(mms_twiliocdn_com=[["127.0.0.1"]]))
    answer = "307 Temporary Redirect\r\nLocation: https://mms.twiliocdn.com/a"
    async with server(answer=answer) as (port, seen):
        used = Transport(timeout=5, base_url=f"http://127.0.0.1:{port}")
        try:
            async with used.open("https://api.twilio.com/x", auth=("a", "b")) as response:
                location = response.headers["Location"]
            with pytest.raises(errors.InvalidInput, match="not public"):
                async with used.open(location):
                    pass
        finally:
            await used.close()

    assert len(seen) == 1


def test_where_a_proxy_is_set_the_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")

    assert egress.transport() is None
