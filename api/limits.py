"""How large the body of a request may be, and how long it may take to come, before anything reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems

# Twilio's forms are a few kB, a button with a long payload too; the console's are shorter.
FORM = 64 * 1024
# A message of 4,000 characters with ten links and fifty variables, each character escaped.
DOCUMENT = 256 * 1024
# Payloads of Temporal have at most 2 MB, a third more in base64; a page of its UI asks for several.
PAYLOADS = 16 * 1024 * 1024

_BY_ROOM: Mapping[str, int] = {"webhooks": FORM, "console": FORM, "codec": PAYLOADS}
# Seconds for a whole body: nobody who is allowed here sends for longer.
SECONDS = 15.0


class BodyLimits:
    """ASGI middleware: 413 for a body that is too large, declared or not, 408 for one that is too slow.

    `api.wire` hangs up on whoever goes on to send.
    """

    def __init__(self, app: ASGIApp, seconds: float = SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, with a `receive` that keeps count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = _BY_ROOM.get(scope["path"].lstrip("/").partition("/")[0], DOCUMENT)
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit():
            await problems.problem(400, "bad_request", "length: Content-Length must be a number")(scope, receive, send)
            return
        # The digits are counted first: a number of thousands of them is work, and Python refuses it.
        if len(declared) > len(str(most)) or int(declared) > most:
            refused = problems.problem(413, "content_too_large", _too_large(most))
            await refused(scope, receive, send)
            return
        await self._app(scope, self._counted(receive, most), send)

    def _counted(self, receive: Receive, most: int) -> Receive:
        loop = asyncio.get_running_loop()
        until, size, whole = loop.time() + self._seconds, 0, False

        async def counted() -> Message:
            nonlocal size, whole
            if whole:  # what comes now is only that the client leaves
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, f"body: within {self._seconds:g} s expected") from None
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if size > most:
                raise HTTPException(413, _too_large(most))
            return message

        return counted


def _too_large(most: int) -> str:
    return f"body: at most {most} bytes"
