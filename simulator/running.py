"""A simulator inside a test: it runs in a thread of its own, and the test has its control API as methods."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from simulator import server
from simulator.app import create_app
from simulator.config import SimulatorConfig, StatusDelays

if TYPE_CHECKING:
    from twilio.rest import Client  # type: ignore[import-untyped]  # it ships no types

T = TypeVar("T")
Json = dict[str, Any]

PERSON = "+15557654321"
"""Who texts unless somebody else is named. A number that is nobody's."""

_QUICK = StatusDelays(queued=0.002, sending=0.002, sent=0.002, delivered=0.002)
_USUAL: Json = {"delays": _QUICK, "webhook_base": "http://127.0.0.1:9", "webhook_retries": 1, "webhook_backoff": 0.05}
_PATIENCE = 10.0  # seconds
_OFTEN = 0.005  # seconds between two looks


class Refused(ValueError):
    """The simulator did not take what it was told; the text names the field."""


class RunningSimulator:
    """Records are as simulator/README.md has them."""

    def __init__(self, base_url: str, config: SimulatorConfig, http: httpx.Client) -> None:
        self.base_url = base_url
        self.account_sid = config.account_sid
        self.auth_token = config.auth_token
        self.phone_number = config.phone_number
        self.whatsapp_number = f"whatsapp:{config.whatsapp_number}"
        self._http = http

    def client(self) -> "Client":
        """The genuine SDK, pointed here. Needs the package `twilio`."""
        from twilio.rest import Client  # noqa: PLC0415 - only whoever asks for it pays for it

        from simulator.sdk import SimulatorHttpClient  # noqa: PLC0415

        http_client = SimulatorHttpClient(self.base_url, pool_connections=False)
        return Client(self.account_sid, self.auth_token, http_client=http_client)

    def inbound(self, body: str = "", *, sender: str = PERSON, **fields: Any) -> Json:
        """A person texts. `fields`: channel, to, media, button, location, reply_to, … Returns the message."""
        return dict(self._call("POST", "inbound", {"from": sender, "body": body, **fields}))

    def messages(self, phone: str = "", *, limit: int = 1000) -> list[Json]:
        """Oldest first; of one person, or of all."""
        found: list[Json] = self._call("GET", f"messages?limit={limit}&phone={phone.replace('+', '%2B')}")["messages"]
        return found

    def read(self, phone: str) -> None:
        """The person looks at what came by WhatsApp (`whatsapp:+…`)."""
        self._call("POST", "read", {"phone": phone})

    def advance(self, by: float | str) -> Json:
        """The clock goes forward by seconds or by a duration such as PT24H. Returns the clock."""
        return dict(self._call("POST", "clock", {"advance": by}))

    def pause(self) -> Json:
        """Nothing falls due by itself until `resume`; `advance` still works. Returns the clock."""
        return dict(self._call("POST", "clock", {"paused": True}))

    def resume(self) -> Json:
        return dict(self._call("POST", "clock", {"paused": False}))

    def fault(self, kind: str, **fields: Any) -> None:
        """Arms a fault: `fault("status", status=429, times=2)`."""
        self._call("POST", "faults", {"kind": kind, **fields})

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def webhooks(self) -> list[Json]:
        """Every attempt so far, oldest first."""
        found: list[Json] = self._call("GET", "webhooks")["attempts"]
        return found

    def send_webhooks_to(self, url: str, *, method: str = "POST") -> None:
        """Inbound messages of both numbers are announced there; "" is nowhere."""
        for address in (self.phone_number, self.whatsapp_number):
            self._call("POST", "numbers", {"address": address, "sms_url": url, "sms_method": method})

    def transcript(self, *, after: int = 0) -> list[Json]:
        """Everything that happened, oldest first; `after`: the id of the last record that is known."""
        answer = self._http.get(f"/_sim/transcript?after={after}").raise_for_status()
        return [json.loads(line) for line in answer.content.split(b"\n") if line]

    def reset(self) -> None:
        """A new account, the real time, no faults."""
        self._call("POST", "reset", {})

    def wait_for(self, look: Callable[[], T], *, within: float = _PATIENCE) -> T:
        """What `look` returns as soon as it is truthy. Raises TimeoutError after `within` seconds."""
        end = time.monotonic() + within
        while not (found := look()):
            if time.monotonic() > end:
                raise TimeoutError(f"it did not happen within {within} s; last seen: {found!r}")
            time.sleep(_OFTEN)
        return found

    def _call(self, method: str, path: str, value: Json | None = None) -> Any:
        answer = self._http.request(method, f"/_sim/{path}", json=value)
        if answer.is_client_error:
            raise Refused(answer.json()["error"])
        answer.raise_for_status()
        return answer.json() if answer.content else None


@contextmanager
def running(**fields: Any) -> Iterator[RunningSimulator]:
    """A simulator on a free port of this machine. `fields` are SimulatorConfig's; statuses are quick, and webhooks go
    nowhere until `webhook_base` or `send_webhooks_to` says where."""
    with server.listen("127.0.0.1", 0) as listening:
        base_url = server.url(listening)
        config = SimulatorConfig(**_USUAL | {"public_url": base_url} | fields)
        ready = threading.Event()
        serving = server.Server(create_app(config), ready=ready.set)
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listening]}, name="twilio-simulator")
        thread.start()
        try:
            if not ready.wait(_PATIENCE):
                raise TimeoutError("the simulator did not start")
            with httpx.Client(base_url=base_url, trust_env=False, timeout=_PATIENCE) as http:
                yield RunningSimulator(base_url, config, http)
        finally:
            serving.end()
            thread.join()
