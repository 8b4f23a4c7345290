"""Temporal's codec server: shows in Temporal UI, and by `temporal --codec-endpoint`, what Temporal keeps encrypted.

https://docs.temporal.io/production-deployment/data-encryption
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI, Request
from google.protobuf import json_format
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from api import problems, tokens
from runtime import access
from runtime.codec import CannotDecrypt

PATH = "/codec"

router = APIRouter(prefix=PATH, tags=["codec"], responses=problems.documented(400, 401, 403, 404, 413, 422))


def allow_temporal_ui(app: FastAPI, url: str) -> None:
    """Let pages of Temporal UI, and of nothing else, read what these routes answer."""
    parts = urlsplit(url)
    app.add_middleware(_Cors, origin=f"{parts.scheme}://{parts.netloc}")


class _Cors:
    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        self._shared = CORSMiddleware(
            app,
            allow_origins=[origin],
            allow_methods=["POST"],
            allow_headers=["Authorization", "Content-Type", "X-Namespace"],
            allow_credentials=True,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_ours = scope["type"] == "http" and scope["path"].startswith(f"{PATH}/")
        await (self._shared if is_ours else self._app)(scope, receive, send)


@router.post("/decode", summary="Decrypt", dependencies=[Depends(tokens.needs(access.Scope.READ, shared=True))])
async def decode(request: Request) -> dict[str, Any]:
    """Payloads as JSON, as Temporal UI sends them. What is not encrypted comes back as it is."""
    sealing = _sealing(request)
    try:
        return _json(await sealing.decode(await _payloads(request)))
    except CannotDecrypt as cannot:
        raise HTTPException(422, str(cannot)) from cannot


@router.post("/encode", summary="Encrypt", dependencies=[Depends(tokens.needs(access.Scope.OPERATE, shared=True))])
async def encode(request: Request) -> dict[str, Any]:
    """As decode, the other way: for what is sent to a workflow by hand."""
    return _json(await _sealing(request).encode(await _payloads(request)))


def _sealing(request: Request) -> PayloadCodec:
    sealing: PayloadCodec | None = request.app.state.ingress.client.data_converter.payload_codec
    if sealing is None:
        raise HTTPException(404, "nothing is encrypted: MESSAGING_CODEC_KEYS is not set")
    return sealing


async def _payloads(request: Request) -> list[Payload]:
    try:
        return list(json_format.Parse(await request.body(), Payloads()).payloads)
    except (json_format.ParseError, UnicodeDecodeError, RecursionError):
        raise HTTPException(400, 'body: {"payloads": […]} expected, as Temporal writes it in JSON') from None


def _json(payloads: list[Payload]) -> dict[str, Any]:
    return json_format.MessageToDict(Payloads(payloads=payloads))
