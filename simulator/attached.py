"""What is attached to messages, as phones show it: `/_sim/messages/{message}/media/{n}`.

A phone page loads nothing from elsewhere: the simulator fetches what the product sends, as Twilio does before it hands
media on.
"""

import re

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import digits, wire
from simulator.rest import media
from simulator.uploads import PATH
from simulator.world import World

_LARGEST = 16 * 1024 * 1024  # bytes; https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages
_PATIENCE = 10  # seconds to wait for somebody else's file
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_ANY = "application/octet-stream"


class Attached:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        return [Route("/_sim/messages/{sid}/media/{n}", wire.guarded(self._show), methods=["GET"])]

    async def _show(self, request: Request) -> Response:
        """The n-th file of a message, wherever it is; 404 when it is not to be had, or too large."""
        message, n = self._world.store.messages.get(request.path_params["sid"]), digits.whole(request.path_params["n"])
        url = message.media[n]["url"] if message is not None and n is not None and n < len(message.media) else ""
        content, kind = self._own(url.removeprefix(PATH)) if url.startswith(PATH) else await _fetch(url)
        if content is None:
            return Response(status_code=404)
        # It never opens as a page of the simulator's own.
        guard = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, max-age=3600"}
        return Response(content, headers=media.headers(kind) | guard)

    def _own(self, sid: str) -> tuple[bytes | None, str]:
        upload = self._world.store.uploads.get(sid)
        return (None, _ANY) if upload is None else (self._world.uploads.content(sid), upload.content_type)


async def _fetch(url: str) -> tuple[bytes | None, str]:
    content = bytearray()
    try:
        async with (
            httpx.AsyncClient(timeout=_PATIENCE, follow_redirects=True, max_redirects=3) as client,
            client.stream("GET", url) as answer,
        ):
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > _LARGEST:
                    return None, _ANY
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            return bytes(content) if answer.is_success else None, kind if _TYPE.fullmatch(kind) else _ANY
    except (httpx.HTTPError, httpx.InvalidURL):
        return None, _ANY
