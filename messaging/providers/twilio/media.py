"""What people attach and what we attach. Our credentials follow no redirect to another host.

https://www.twilio.com/docs/messaging/api/media-resource
https://www.twilio.com/docs/conversations/api/media-resource
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx

from messaging import errors
from messaging.model import Media, MediaContent
from messaging.providers.twilio.transport import Transport, refusal

# The largest that any telephone channel carries, WhatsApp's; an MMS ends at 5 MB. The 150 MB of a chat upload are more
# than one call may hold in memory: https://www.twilio.com/docs/conversations/conversations-limits
MAX_BYTES = 16 * 1024 * 1024

# Where api.twilio.com and the media service redirect to, with a signature in the URL instead of credentials:
# https://support.twilio.com/hc/en-us/articles/223183748 . Nothing else can be reached through a redirect.
_STORAGE_DOMAINS = (".twilio.com", ".twiliocdn.com")
_STORAGE_HOSTS = frozenset({"s3-external-1.amazonaws.com"})
_MAX_REDIRECTS = 3

MEDIA_SERVICE = "https://mcs.us1.twilio.com/v1/Services"

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_UNTYPED = frozenset({"", "application/octet-stream", "binary/octet-stream"})
# No channel brings a page: one that comes instead of a picture is somebody's way to say no.
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_GONE = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


async def fetch(transport: Transport, media: Media, credentials: tuple[str, str] | None) -> MediaContent:
    """Follow its URL to the bytes.

    Args:
        credentials: For the first host alone; None where the URL itself is signed.

    Raises:
        errors.InvalidInput: not Twilio's, larger than 16 MB, or a page.
        errors.NotFound: retryable, as Twilio may tell of media before it has them.
        errors.AuthenticationError, errors.RateLimit, errors.NetworkError
    """
    if not transport.owns(media.url):
        raise errors.InvalidInput("media.url: an https URL of the provider expected")
    if media.size is not None and media.size > MAX_BYTES:
        raise _too_large()
    url = media.url
    for _ in range(_MAX_REDIRECTS + 1):
        async with transport.open(url, auth=credentials) as response:
            if response.has_redirect_location:
                url, credentials = _next(transport, response, credentials)
                continue
            _require_success(response, signed=credentials is None)
            kind = _content_type(response, media)
            return MediaContent(data=await _read(response), content_type=kind, filename=media.filename)
    raise errors.NetworkError(f"media: more than {_MAX_REDIRECTS} redirects")


async def locate(transport: Transport, service_sid: str, media_sid: str, credentials: tuple[str, str]) -> str:
    """The signed URL of a Conversations attachment, which is known by its sid only.

    Raises:
        errors.NotFound, errors.AuthenticationError, errors.RateLimit, errors.NetworkError
    """
    url = f"{MEDIA_SERVICE}/{quote(service_sid, safe='')}/Media/{quote(media_sid, safe='')}"
    answer: Any = json.loads((await transport.request("GET", url, auth=credentials)).text)
    found = answer["links"]["content_direct_temporary"]
    if not isinstance(found, str) or not transport.owns(found):
        raise errors.NetworkError("media: the provider pointed to a host that is not its own")
    return found


async def upload(transport: Transport, service_sid: str, media: Media, credentials: tuple[str, str]) -> str:
    """Hand an attachment to the media service of Conversations; its sid there.

    Raises:
        errors.InvalidMessage: empty, larger than 16 MB, or of no type.
        errors.AuthenticationError, errors.RateLimit, errors.NetworkError
    """
    data, kind = media.data or b"", media.content_type.partition(";")[0].strip().lower()
    if not 0 < len(data) <= MAX_BYTES:
        raise errors.InvalidMessage(f"media.data: {len(data)} bytes, 1 to {MAX_BYTES} expected")
    if not _TYPE.fullmatch(kind):
        raise errors.InvalidMessage("media.content_type: a type like image/png expected")
    url = f"{MEDIA_SERVICE}/{quote(service_sid, safe='')}/Media"
    answer: Any = json.loads((await transport.upload(url, data, content_type=kind, auth=credentials)).text)
    found = answer["sid"]
    if not isinstance(found, str) or not found:
        raise errors.NetworkError("media: the provider gave no sid", retryable=True)
    return found


def _next(
    transport: Transport, response: httpx.Response, credentials: tuple[str, str] | None
) -> tuple[str, tuple[str, str] | None]:
    """Where a redirect leads, and with what."""
    here, there = str(response.url), urljoin(str(response.url), response.headers["Location"])
    if not (transport.owns(there) or _is_storage(there)):
        raise errors.NetworkError("media: redirected to a host that is not the provider's storage")
    stays = urlsplit(here)[:2] == urlsplit(there)[:2]
    return there, credentials if stays else None


def _is_storage(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    known = host in _STORAGE_HOSTS or host.endswith(_STORAGE_DOMAINS)
    return known and parts.scheme == "https" and port in {None, 443} and "@" not in parts.netloc


def _require_success(response: httpx.Response, *, signed: bool) -> None:
    if response.is_success:
        return
    if response.status_code == HTTPStatus.NOT_FOUND or (signed and response.status_code in _GONE):
        # https://support.twilio.com/hc/en-us/articles/44750147594523 : a webhook may be there before its media are.
        raise errors.NotFound("media: not there, or not yet", status=response.status_code, retryable=True)
    raise refusal(response, writes=False)


def _content_type(response: httpx.Response, media: Media) -> str:
    """What the server says, or where it says nothing, what the message said."""
    declared, served = (
        text.partition(";")[0].strip().lower()
        for text in (media.content_type, response.headers.get("Content-Type", ""))
    )
    if served in _PAGES and declared != served:
        raise errors.InvalidInput("media: a page came instead", status=response.status_code)
    found = declared if served in _UNTYPED else served
    return found if _TYPE.fullmatch(found) else "application/octet-stream"


async def _read(response: httpx.Response) -> bytes:
    """All of it, but never more than the bound. Not unpacked: a small body could become a large one."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise errors.NetworkError("media: packed, though asked for as it is")
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > MAX_BYTES:
        raise _too_large()
    data = bytearray()
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) > MAX_BYTES:
            raise _too_large()
    return bytes(data)


def _too_large() -> errors.InvalidInput:
    return errors.InvalidInput(f"media: larger than {MAX_BYTES // 1024**2} MB")
