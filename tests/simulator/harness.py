"""A simulator on a free port in a thread of its own, a receiver for its webhooks, and the SDK pointed at it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx
import requests
import uvicorn
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator, get_signature_algorithm
from twilio.rest import Client

from simulator.app import create_app
from simulator.config import SimulatorConfig, StatusDelays

OURS, OURS_WHATSAPP, THEIRS = "+15550100000", "whatsapp:+15550100001", "+15557654321"
FAST = StatusDelays(queued=0.002, sending=0.002, sent=0.002, delivered=0.002)
PATIENCE = 60  # seconds before a test gives up waiting; nothing is asserted about time


def eventually(look: Callable[[], Any]) -> Any:
    """What `look` returns as soon as it is truthy."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.005)
    raise AssertionError("it did not happen")


def refused(call: Callable[[], Any]) -> tuple[int, int]:
    """HTTP status and code of the error that the SDK raises."""
    try:
        call()
    except TwilioRestException as problem:
        return problem.status, problem.code
    raise AssertionError("it was not refused")


class Form(dict[str, list[str]]):
    """Repeated fields, offered to RequestValidator in the way it knows."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


@dataclass
class Hook:
    """One webhook request that arrived."""

    method: str
    url: str
    path: str
    headers: dict[str, str]
    form: Form
    body: str = ""

    def __getitem__(self, name: str) -> str:
        return self.form[name][0]

    def genuine(self, secret: str) -> bool:
        """What Twilio's own validator says."""
        json = self.headers.get("content-type") == "application/json"
        signed = self.body if json else self.form if self.method == "POST" else {}
        algorithm = get_signature_algorithm(self.headers.get("x-twilio-webhooks-signature-settings"))
        validator = RequestValidator(secret)
        return bool(validator.validate(self.url, signed, self.headers["x-twilio-signature"], algorithm))


@dataclass
class Receiver:
    """Stands for the product. `answers` are used up first: (status, content type, body or where to go)."""

    base: str
    hooks: list[Hook] = field(default_factory=list)
    answers: list[tuple[int, str, str]] = field(default_factory=list)
    at_path: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)
    """Answers for one path alone."""
    slow: float = 0
    """Seconds that it keeps everybody waiting, until it is stopped."""
    stopped: threading.Event = field(default_factory=threading.Event)

    def events(self, name: str) -> list[Hook]:
        return [hook for hook in list(self.hooks) if hook.form.get("EventType") == [name]]

    def at(self, path: str) -> list[Hook]:
        return [hook for hook in list(self.hooks) if hook.path == path]

    def wait(self, count: int) -> list[Hook]:
        eventually(lambda: len(self.hooks) >= count)
        return list(self.hooks)


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            parts = urlsplit(self.path)
            text = parts.query if self.command == "GET" else body
            headers = {name.lower(): value for name, value in self.headers.items()}
            form = Form(parse_qs(text, keep_blank_values=True))
            got.hooks.append(Hook(self.command, got.base + self.path, parts.path, headers, form, body))
            got.stopped.wait(got.slow)
            ready = got.at_path.get(parts.path) or got.answers
            status, kind, reply = ready.pop(0) if ready else (200, "text/xml", "")
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", reply)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply.encode())

        do_POST = do_GET = answer  # noqa: N815 - the standard library's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    got = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield got
    finally:
        got.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


class ToSimulator(TwilioHttpClient):
    """Sends every *.twilio.com call to the simulator, with the original host in a header."""

    def __init__(self, base: str, session: requests.Session) -> None:
        super().__init__(timeout=PATIENCE)
        self.session = session
        self._base = urlsplit(base)

    def request(self, method: str, url: str, params=None, data=None, headers=None, auth=None, timeout=None,
                allow_redirects=False):  # fmt: skip
        parts = urlsplit(url)
        headers = {**(headers or {}), "X-Sim-Original-Host": parts.hostname}
        url = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        return super().request(method, url, params, data, headers, auth, timeout, allow_redirects)


@dataclass
class Running:
    base: str
    config: SimulatorConfig
    sdk: Client
    http: httpx.Client

    def text(self, body: str, **fields: Any) -> dict[str, Any]:
        """A person texts."""
        answer = self.http.post("/_sim/inbound", json={"from": THEIRS, "body": body, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def arm(self, kind: str, **fields: Any) -> None:
        assert self.http.post("/_sim/faults", json={"kind": kind, **fields}).status_code == 201

    def messages(self, phone: str = THEIRS) -> list[dict[str, Any]]:
        return self.http.get("/_sim/messages", params={"phone": phone}).json()["messages"]


@contextmanager
def simulator(webhook_base: str = "http://127.0.0.1:9", **fields: Any) -> Iterator[Running]:
    config = SimulatorConfig(**{"delays": FAST, "webhook_backoff": 0.005, "webhook_base": webhook_base} | fields)
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(config)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        eventually(lambda: server.started)
        with httpx.Client(base_url=base, trust_env=False, timeout=PATIENCE) as http, requests.Session() as session:
            client = Client(config.account_sid, config.auth_token, http_client=ToSimulator(base, session))
            yield Running(base, config, client, http)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
