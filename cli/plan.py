"""What `messaging dev` runs: which processes, on which ports, with which settings. What the user set stays as set."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from cli.ports import LOOPBACK
from cli.processes import GRACE, Service

# From the range that is reserved for fiction: it can never be somebody's.
PHONE_NUMBER = "+15550100100"

# Why each: a plain database file answers ten times slower without the write-ahead log, and the server's default poll
# rates cost a quiet conversation 80 ms a turn.
_TEMPORAL_TUNING = (
    *("--sqlite-pragma", "journal_mode=wal"),
    *("--sqlite-pragma", "synchronous=normal"),
    *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000"),
    *("--dynamic-config-value", "history.timerProcessorMaxPollRPS=2000"),
    *("--dynamic-config-value", "history.visibilityProcessorMaxPollRPS=200"),
)


_STATE = "dev.json"

# What the phone page offers to text: the sample shop knows the first, and the agent remembers the rest.
_SUGGESTIONS = ("When are you open on Saturdays?", "My order number is 4711.", "What was my order number?")
_OTHER_AGENTS = ("MESSAGING_AGENT", "MESSAGING_AGENT_MODEL", "MESSAGING_KNOWLEDGE", "MESSAGING_FLOW")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where each process listens."""

    api: int
    temporal: int
    ui: int
    simulator: int
    qdrant: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything `dev` needs to start, and to tell."""

    data: Path
    ports: Ports
    workers: int
    simulator: bool
    user: Mapping[str, str]

    @property
    def urls(self) -> dict[str, str]:
        """Where to look, by the names that other programs rely on."""
        api = _url(self.ports.api)
        return {
            "api": api,
            "console": f"{api}/console",
            "phone": f"{self.simulator_url}/" if self.simulator else "",
            "simulator": self.simulator_url if self.simulator else "",
            "temporal_address": self.temporal_address,
            "temporal_ui": self.temporal_ui,
            "qdrant": self.qdrant_url,
        }

    @property
    def simulator_url(self) -> str:
        """The simulator's base URL."""
        return _url(self.ports.simulator)

    @property
    def temporal_address(self) -> str:
        """The user's own server, or ours."""
        return self.user.get("TEMPORAL_ADDRESS") or f"{LOOPBACK}:{self.ports.temporal}"

    @property
    def temporal_ui(self) -> str:
        """The UI of that server, as far as we know it."""
        return self.user.get("MESSAGING_TEMPORAL_UI") or _url(self.ports.ui)

    @property
    def qdrant_url(self) -> str:
        """The user's own Qdrant, or ours."""
        return self.user.get("QDRANT_URL") or _url(self.ports.qdrant)

    def environment(self) -> dict[str, str]:
        """For every child: the user's variables, and ours where they say nothing."""
        ours = {
            "TWILIO_ACCOUNT_SID": f"AC{_kept_secret(self.data / 'account_sid', size=16)}",
            "TWILIO_AUTH_TOKEN": _kept_secret(self.data / "auth_token", size=16),
            "TWILIO_PHONE_NUMBER": PHONE_NUMBER,
            "TWILIO_WHATSAPP_NUMBER": PHONE_NUMBER,
            "PUBLIC_URL": _url(self.ports.api),
            "TEMPORAL_ADDRESS": self.temporal_address,
            "QDRANT_URL": self.qdrant_url,
            "MESSAGING_ID_KEY": _kept_secret(self.data / "id_key", size=32),
            "MESSAGING_DATA_DIR": str(self.data),
            "MESSAGING_TEMPORAL_UI": self.temporal_ui,
            "PYTHONUNBUFFERED": "1",
        }
        if self.simulator:
            ours["TWILIO_BASE_URL"] = self.simulator_url
        # An empty variable says nothing, as it does to the settings.
        return {**ours, **{name: value for name, value in self.user.items() if value}}

    def services(self) -> list[Service]:
        """In the order in which they are started; the reverse of the one in which they are stopped."""
        found: list[Service] = []
        if not self.user.get("TEMPORAL_ADDRESS"):
            found.append(self._service("temporal", self._temporal_command(), self._temporal_is_ready))
        if not self.user.get("QDRANT_URL"):
            command = ["qdrant", "--path", self._qdrant_path(), "--port", str(self.ports.qdrant)]
            found.append(self._service("qdrant", _messaging(*command), _answers(f"{self.qdrant_url}/readyz")))
        if self.simulator:
            ready = _answers(f"{self.simulator_url}/_sim/health")
            found.append(self._service("simulator", self._simulator_command(), ready))
        names = ["worker"] if self.workers == 1 else [f"worker-{n + 1}" for n in range(self.workers)]
        found += [self._service(name, _messaging("worker"), self._workers_poll) for name in names]
        api = _messaging("api", "--host", LOOPBACK, "--port", str(self.ports.api))
        found.append(self._service("api", api, _answers(f"{_url(self.ports.api)}/readyz")))
        return found

    def _service(self, name: str, command: list[str], ready: Callable[[], Awaitable[bool]]) -> Service:
        log = self.data / "logs" / f"{name}.log"
        environment = self.environment()
        asked = environment.get("MESSAGING_SHUTDOWN_GRACE", "")
        grace = GRACE + (int(asked) if asked.isdecimal() else 0)
        return Service(name=name, command=command, environment=environment, log=log, ready=ready, grace=grace)

    def _temporal_command(self) -> list[str]:
        from runtime.attributes import server_flags  # noqa: PLC0415 - other commands do not pay for it

        server = [str(Path(sys.executable).with_name("temporal")), "server", "start-dev"]
        where = ["--ip", LOOPBACK, "--port", str(self.ports.temporal), "--ui-port", str(self.ports.ui)]
        if self.user.get("MESSAGING_CODEC_KEYS"):
            where += ["--ui-codec-endpoint", f"{_url(self.ports.api)}/codec"]
        kept = ["--db-filename", str(self.data / "temporal.db"), "--log-level", "warn"]
        return [*server, *where, *kept, *_TEMPORAL_TUNING, *server_flags()]

    def _simulator_command(self) -> list[str]:
        options = {
            "--port": str(self.ports.simulator),
            "--data": str(self.data / "simulator.jsonl"),
            "--public-url": self.simulator_url,
            "--webhook-base": self.environment()["PUBLIC_URL"],
        }
        links = {"Console": self.urls["console"], "Temporal UI": self.temporal_ui}
        flags = [part for option in options.items() for part in option]
        flags += [f"--link={label}={url}" for label, url in links.items()]
        if not any(self.user.get(name) for name in _OTHER_AGENTS):
            flags += [f"--suggest={text}" for text in _SUGGESTIONS]
        return _messaging("simulator", *flags)

    def _qdrant_path(self) -> str:
        return self.user.get("QDRANT_PATH") or str(self.data / "qdrant")

    async def _temporal_is_ready(self) -> bool:
        from temporalio.client import Client  # noqa: PLC0415 - other commands do not pay for it

        try:
            client = await Client.connect(self.temporal_address)
            return await client.service_client.check_health()
        except RuntimeError:
            return False

    async def _workers_poll(self) -> bool:
        """Whether as many workers ask for work as we started."""
        # Imported here: other commands do not pay for it.
        from temporalio.api.taskqueue.v1 import TaskQueue  # noqa: PLC0415
        from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest  # noqa: PLC0415
        from temporalio.client import Client  # noqa: PLC0415

        from runtime.settings import DEFAULT_TASK_QUEUE  # noqa: PLC0415

        queue = self.environment().get("TEMPORAL_TASK_QUEUE", DEFAULT_TASK_QUEUE)
        request = DescribeTaskQueueRequest(
            namespace=self.environment().get("TEMPORAL_NAMESPACE", "default"), task_queue=TaskQueue(name=queue)
        )
        try:
            client = await Client.connect(self.temporal_address)
            pollers = (await client.workflow_service.describe_task_queue(request)).pollers
        except RuntimeError:
            return False
        return len(pollers) >= self.workers


def read_user_variables() -> dict[str, str]:
    """What the user set, in the environment or in `.env`; the environment wins."""
    written = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return {**written, **os.environ}


def write_state(data: Path, urls: Mapping[str, str], services: list[Service]) -> str:
    """One line of JSON with all URLs and process ids, also kept in the data folder for `messaging chat`."""
    line = json.dumps({**urls, "pids": {service.name: service.pid for service in services}})
    (data / _STATE).write_text(line + "\n")
    return line


def settle_on(data: Path) -> None:
    """Have this process speak to the `messaging dev` that runs on this folder, where no variable says otherwise."""
    state = data / _STATE
    if not state.exists():
        return
    urls = json.loads(state.read_text())
    found = {
        "TEMPORAL_ADDRESS": urls["temporal_address"],
        "QDRANT_URL": urls["qdrant"],
        "PUBLIC_URL": urls["api"],
        "TWILIO_BASE_URL": urls["simulator"],
        "TWILIO_PHONE_NUMBER": PHONE_NUMBER if urls["simulator"] else "",
        "TWILIO_WHATSAPP_NUMBER": PHONE_NUMBER if urls["simulator"] else "",
        "MESSAGING_DATA_DIR": str(data.resolve()),
    }
    kept = {"TWILIO_ACCOUNT_SID": "account_sid", "TWILIO_AUTH_TOKEN": "auth_token", "MESSAGING_ID_KEY": "id_key"}
    for name, file in kept.items():
        if (path := data / file).exists():
            text = path.read_text().strip()
            found[name] = f"AC{text}" if name == "TWILIO_ACCOUNT_SID" else text
    for name, value in found.items():
        if value and not os.environ.get(name):
            os.environ[name] = value


def forget_state(data: Path) -> None:
    """Nothing runs here any more."""
    (data / _STATE).unlink(missing_ok=True)


def _kept_secret(path: Path, *, size: int) -> str:
    """A random secret of this data folder, made once."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(size))
    return path.read_text().strip()


def _messaging(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli", *arguments]


def _url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def _answers(url: str) -> Callable[[], Awaitable[bool]]:
    import httpx  # noqa: PLC0415 - other commands do not pay for it

    async def ready() -> bool:
        try:
            async with httpx.AsyncClient(timeout=2) as client:
                return (await client.get(url)).is_success
        except httpx.HTTPError:
            return False

    return ready
