"""Media files as Twilio's media service keeps them: a record of each, its bytes, and links that need no password.

https://www.twilio.com/docs/conversations/api/media-resource
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

from simulator import callbacks
from simulator.assets import Upload
from simulator.clock import Clock
from simulator.config import SimulatorConfig
from simulator.content import Failure
from simulator.sids import Sids
from simulator.store import Store

PATH = "/_sim/media/"
"""Where whoever holds a phone finds the bytes, behind no password."""

_LINK_LASTS = 300  # seconds that content_direct_temporary works
_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;[\x20-\x7e]*)?", re.ASCII)
_MB = 1024 * 1024
# Bytes in all, and what comes of more. https://www.twilio.com/docs/conversations/conversations-limits
_MOST: dict[str, tuple[int, Failure]] = {
    "sms": (5 * _MB, ("failed", 30019, "Content size exceeds carrier limit")),
    "whatsapp": (16 * _MB, ("failed", 63021, "Channel invalid content error")),
}


class Uploads:
    """Bytes live in memory, or in a folder beside the journal. The oldest make room."""

    def __init__(self, *, config: SimulatorConfig, clock: Clock, sids: Sids, store: Store) -> None:
        self._config = config
        self._clock = clock
        self._sids = sids
        self._store = store
        self._memory: dict[str, bytes] = {}
        self._folder = config.data.with_name(config.data.name + ".media") if config.data is not None else None

    def add(self, service: str, content: bytes, content_type: str, **fields: str | None) -> Upload:
        """Keeps the file before its record, so that no record is without one. A type that is none is not kept: it would
        become a header."""
        if not _TYPE.fullmatch(content_type):
            content_type = "application/octet-stream"
        now, sid = self._clock.now(), self._sids.new("ME")
        if self._folder is None:
            self._memory[sid] = content
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / sid).write_bytes(content)
        upload = Upload(
            sid=sid, service=service, content_type=content_type, size=len(content), created=now, updated=now, **fields
        )
        self._store.uploads.add(upload)
        self._make_room()
        return upload

    def attach(self, service: str, urls: Iterable[str], kinds: Iterable[str] = ()) -> list[dict[str, str]]:
        """Media of a message: a `data:` URL becomes a file here, one of our paths names one, others stay URLs."""
        found = []
        for url, known in zip_longest(urls, kinds, fillvalue=""):
            upload = self._store.uploads.get(url.removeprefix(PATH)) if url.startswith(PATH) else None
            if url.startswith("data:"):
                content, kind = _from_data(url)
                upload = self.add(service, content, kind)
            found += [attachment(upload)] if upload is not None else callbacks.media(self._sids, [url], [known])
        return found

    def content(self, sid: str) -> bytes | None:
        if self._folder is None:
            return self._memory.get(sid)
        path = self._folder / sid
        return path.read_bytes() if sid in self._store.uploads.rows and path.exists() else None

    def remove(self, sid: str) -> None:
        self._store.uploads.remove(sid)
        self._memory.pop(sid, None)
        if self._folder is not None:
            (self._folder / sid).unlink(missing_ok=True)

    def clear(self) -> None:
        for sid in list(self._store.uploads.rows):
            self.remove(sid)

    def link(self, sid: str) -> str:
        """Path and query that open a file for a while, under the media product."""
        expires = str(int(self._clock.now()) + _LINK_LASTS)
        return f"/{sid}?{urlencode({'Expires': expires, 'Signature': self._sign(sid, expires)})}"

    def opens(self, sid: str, expires: str, signature: str) -> bool:
        fresh = expires.isdecimal() and int(expires[:12]) >= self._clock.now()
        return fresh and hmac.compare_digest(self._sign(sid, expires).encode(), signature.encode())

    def _sign(self, sid: str, expires: str) -> str:
        key = self._config.auth_token.encode()
        return hmac.new(key, f"{sid} {expires}".encode(), hashlib.sha256).hexdigest()

    def _make_room(self) -> None:
        rows = self._store.uploads.rows
        total = sum(upload.size for upload in rows.values())
        while total > self._config.max_media_bytes and len(rows) > 1:
            oldest = next(iter(rows.values()))
            total -= oldest.size
            self.remove(oldest.sid)


def attachment(upload: Upload) -> dict[str, str]:
    """The file as a message carries it."""
    found = {"sid": upload.sid, "url": PATH + upload.sid, "content_type": upload.content_type}
    return found | {"filename": upload.filename} if upload.filename else found


def too_large(channel: str, media: Iterable[dict[str, Any]]) -> Failure | None:
    """What a channel makes of media that exceed its limit."""
    most, failure = _MOST.get(channel, (None, None))
    return failure if most is not None and sum(int(item.get("size", 0)) for item in media) > most else None


def _from_data(url: str) -> tuple[bytes, str]:
    """Bytes and type of a `data:` URL. Raises ValueError."""
    head, comma, text = url.removeprefix("data:").partition(",")
    if not comma:
        raise ValueError("data: URL without a comma")
    kind = head.removesuffix(";base64") or "text/plain"
    try:
        return (base64.b64decode(text, validate=True) if head.endswith(";base64") else unquote_to_bytes(text)), kind
    except binascii.Error as problem:
        raise ValueError("data: URL that is not base64") from problem
