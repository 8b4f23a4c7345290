"""The door of the REST: which product is meant, who calls, which faults are armed; then the handler and its answer."""

import asyncio
import base64
import binascii
import hmac
import json
import logging
import socket
import struct
import time
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from simulator.errors import TwilioError, not_found
from simulator.faults import REST, Fault
from simulator.rest import magic, markup, products, routes
from simulator.rest.call import Call, Reply
from simulator.rest.rate import Rate
from simulator.world import World

RAW_SEND = "simulator.send"
"""The server's own `send` in the ASGI scope, needed to cut a connection."""

_SERVICE_PARTS = 3  # v1, Services, IS…
_FORM = "application/x-www-form-urlencoded"
_DROPS = 20  # of a body that trickles
_LOG = logging.getLogger(__name__)
_BROKEN = Reply(body=TwilioError(20500, "An internal server error has occurred", 500).body(), status=500)
_TOO_LATE = Reply(body=TwilioError(20504, "Gateway timeout", 504).body(), status=504)
_FAULT_CODES = {429: (20429, "Too Many Requests"), 503: (20503, "Service is unavailable. Please try again.")}
# As seen on real responses.
_ALWAYS = {
    "X-Home-Region": "us1",
    "X-Powered-By": "AT-5000",
    "X-Shenanigans": "none",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, "
    "If-Unmodified-Since",
    "Access-Control-Allow-Methods": "GET, POST, PATCH, PUT, DELETE, OPTIONS",
    "Access-Control-Expose-Headers": "ETag",
    "Access-Control-Allow-Credentials": "true",
}


class Entrance:
    def __init__(self, world: World) -> None:
        self._world = world
        config = world.config
        self._keys = config.api_keys
        self._known: dict[tuple[str, tuple[str, ...]], str] = {}
        """The last good header, as long as the tokens are what they were."""
        self._concurrent = 0
        self._rate = Rate(world.clock, config.actions_per_second)

    async def __call__(self, request: Request) -> Response:
        self._concurrent += 1
        started = time.perf_counter()
        product, parts = products.meant(request)
        try:
            body = await request.body()
            xml = product == "api" and products.speaks_xml(parts)
            try:
                response = await self._answer(
                    request, product, (*parts[:-1], f"{parts[-1]}.json") if xml else parts, body
                )
            except TwilioError as problem:
                response = self._response(Reply(body=problem.body(), status=problem.status))
            except ConnectionResetError:  # an armed fault, where the server cannot be reached to cut the connection
                raise
            except Exception:  # noqa: BLE001 - a caller of Twilio gets JSON, whatever happens here
                _LOG.exception("%s of %s failed", request.method, product)  # the path may name people
                response = self._response(_BROKEN)
            if xml and response.media_type == "application/json":
                response = _in_xml(response, request.scope["path"])
        finally:
            self._concurrent -= 1
        response.headers["X-API-Domain"] = f"{product}.twilio.com"
        response.headers["Twilio-Request-Duration"] = f"{time.perf_counter() - started:.3f}"
        return response

    async def _answer(self, request: Request, product: str, parts: tuple[str, ...], body: bytes) -> Response:
        account = self._world.config.account_sid
        if product != "media":  # its links are signed
            account = self._authenticate(request.headers.get("authorization", ""))
        call, route = self._call(request, product, parts, body)
        if account == self._world.config.test_account_sid:
            return self._response(magic.answer(call, route.handler))
        fault = self._fault(call, route)
        if fault is not None and fault.kind == "status":
            return self._fail(fault)
        if fault is not None and not fault.committed:
            return await self._spoil(fault, _TOO_LATE, request.scope)
        self._admit(call)
        answer = route.handler(call)
        reply = answer if isinstance(answer, Reply) else await answer
        if fault is None:
            return self._response(reply)
        return await self._spoil(fault, reply, request.scope)

    def _fault(self, call: Call, route: routes.Route) -> Fault | None:
        if not self._world.faults.any:
            return None
        sender = call.text("From") or call.text("Author") or ""
        fields = {"to": call.text("To") or "", "from": sender, "body": call.text("Body") or ""}
        return self._world.faults.take(REST, route=route.name, usual=route.sends, fields=fields)

    def _call(self, request: Request, product: str, parts: tuple[str, ...], body: bytes) -> tuple[Call, routes.Route]:
        method, service_path, table = request.method, "", product
        service = self._world.talks.defaults.chat_service
        if product == "conversations" and len(parts) > _SERVICE_PARTS and parts[1] == "Services":
            service, service_path, table = parts[2], f"/Services/{parts[2]}", routes.IN_SERVICE
            parts = (parts[0], *parts[_SERVICE_PARTS:])
        path = "/" + "/".join(parts)
        route, ids = routes.match(table, method, parts, path.removeprefix("/v1"))
        call = Call(
            world=self._world,
            account=self._world.config.account_sid,
            product=product,
            method=method,
            path=path,
            # Not by `request.url`, which takes the host apart for each call.
            query=parse_qs(request.scope["query_string"].decode("latin-1"), keep_blank_values=True),
            form=_form(request, body),
            body=body,
            content_type=request.headers.get("content-type", ""),
            ids=ids,
            service=service,
            service_path=service_path,
            webhook_enabled=request.headers.get("x-twilio-webhook-enabled", "").lower() == "true",
        )
        return call, route

    def _admit(self, call: Call) -> None:
        """Account and service are there, and the service is not called too often. Raises TwilioError."""
        if call.product == "api" and call.ids and call.ids[0].removesuffix(".json") != self._world.config.account_sid:
            raise not_found(call.path)
        service = call.ids[0] if call.product == "mcs" else call.service
        if call.product in {"conversations", "mcs"} and self._world.store.services.get(service) is None:
            raise not_found(f"/Services/{service}")
        if call.product == "conversations":
            self._rate.take(call.method, tuple(call.path.strip("/").split("/")), service)

    def _authenticate(self, header: str) -> str:
        """Whose credentials these are: the account, or its test twin. Raises TwilioError 20003."""
        tokens = self._world.signer.tokens
        if (account := self._known.get((header, tokens))) is not None:
            return account
        config = self._world.config
        scheme, _, value = header.partition(" ")
        with suppress(binascii.Error, UnicodeDecodeError):
            user, _, secret = base64.b64decode(value).decode().partition(":")
            expected: tuple[str, ...] = (self._keys.get(user, ""),)
            if user == config.account_sid:
                expected = tokens
            elif user == config.test_account_sid:
                expected = (config.test_auth_token,)
            right = any(known and hmac.compare_digest(secret.encode(), known.encode()) for known in expected)
            if scheme.lower() == "basic" and right:
                account = user if user == config.test_account_sid else config.account_sid
                self._known = {(header, tokens): account}
                return account
        raise TwilioError(20003, "Authenticate", 401)

    def _fail(self, fault: Fault) -> Response:
        code, message = _FAULT_CODES.get(fault.status, (20500, "An internal server error has occurred"))
        headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        error = TwilioError(code, message, fault.status)
        if fault.format == "html":
            page = f"<html><body><h1>{fault.status} {message}</h1></body></html>".encode()
            return self._response(
                Reply(content=page, status=fault.status, headers={**headers, "Content-Type": "text/html"})
            )
        if fault.format == "problem":
            headers["Content-Type"] = "application/problem+json"
            return self._response(Reply(content=json_bytes(error.problem()), status=fault.status, headers=headers))
        return self._response(Reply(body=error.body(), status=fault.status, headers=headers))

    async def _spoil(self, fault: Fault, reply: Reply, scope: Scope) -> Response:
        """What was asked is done; the caller shall not learn that, or late."""
        if fault.kind == "after_commit":
            return self._fail(fault)
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
            return self._response(reply)
        if fault.kind == "slow":
            return _Trickle(self._response(reply), fault.seconds)
        await _cut(scope)
        return _Nothing()

    def _response(self, reply: Reply) -> Response:
        headers = {
            **_ALWAYS,
            "Twilio-Request-Id": self._world.sids.new("RQ"),
            "Twilio-Concurrent-Requests": str(self._concurrent),
            **reply.headers,
        }
        if reply.status == 401:  # noqa: PLR2004
            headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
        if reply.content is not None:
            return Response(reply.content, reply.status, headers)
        if reply.body is None:
            return Response(status_code=reply.status, headers=headers)
        return Response(json_bytes(reply.body), reply.status, headers, "application/json")


class _Trickle(Response):
    """A response whose body comes in drops over some seconds."""

    def __init__(self, whole: Response, seconds: float) -> None:
        super().__init__(whole.body, whole.status_code)
        self.raw_headers = whole.raw_headers
        self._pause = seconds / _DROPS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        size = -(-len(self.body) // _DROPS) or 1
        for start in range(0, len(self.body), size):
            await asyncio.sleep(self._pause)
            await send(
                {"type": "http.response.body", "body": bytes(self.body[start : start + size]), "more_body": True}
            )
        await send({"type": "http.response.body", "body": b""})


class _Nothing(Response):
    """No response at all: the connection is gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        return


def json_bytes(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _in_xml(response: Response, path: str) -> Response:
    content = markup.write(json.loads(bytes(response.body)), path)
    headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    return Response(content, response.status_code, headers, "application/xml")


def _form(request: Request, body: bytes) -> dict[str, list[str]]:
    """The fields of a form; none in a body of another declared kind. Raises TwilioError."""
    if not body or not request.headers.get("content-type", _FORM).startswith(_FORM):
        return {}
    try:
        return parse_qs(body.decode(), keep_blank_values=True)
    except UnicodeDecodeError as problem:
        raise TwilioError(20001, "The form is not UTF-8") from problem


async def _cut(scope: Scope) -> None:
    """Resets the TCP connection under the request. Needs uvicorn; elsewhere raises ConnectionResetError."""
    transport = getattr(getattr(scope.get(RAW_SEND), "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError
    with suppress(AttributeError, OSError):
        # Linger of zero seconds: the close becomes a reset.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await asyncio.sleep(0.01)  # the server learns of the loss in its next loop, and then expects no response
