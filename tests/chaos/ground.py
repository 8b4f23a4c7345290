"""The real processes, each of which can be killed, stopped, stilled and started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from cli.plan import Plan, Ports
from cli.processes import Service, ServiceFailed, Supervisor
from messaging.model import Address
from runtime.settings import DEFAULT_TASK_QUEUE
from runtime.temporal import CONVERTER
from tests.bench.process import OTHERS, ROOT
from tests.support.gate import gate_to
from tests.support.ports import eventually, free_port
from tests.support.twilio import Twilio
from workflows import ids

APIS, WORKERS = ("api-1", "api-2", "api-3"), ("worker-1", "worker-2")
THIRD = "api-3"
"""Started only by the case that needs it."""

# How long a process may take to come up on a busy machine.
UP = 90.0

# A connection that a server closes at the moment in which it is used again would look like a fault.
_LIMITS = httpx.Limits(max_connections=200, keepalive_expiry=1.0)

# Short, so that a provider that does not answer, and a worker that stops, are met within a case. In seconds.
PROVIDER_TIMEOUT = "4"
GRACE = "3"

# As docs/operations.md has it for a number at Twilio: what we have not answered comes again.
_WEBHOOK = "/webhooks/twilio/messages#rc=5&rp=5xx,ct,rt"


@dataclass(slots=True, kw_only=True)
class Ground:
    """Temporal, Qdrant, a simulator, two API processes behind one port, two workers."""

    plan: Plan
    services: dict[str, Service]
    public: str
    http: httpx.AsyncClient
    api_ports: dict[str, int]
    failed_starts: list[str] = field(default_factory=list)
    doors: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def simulator(self) -> str:
        return self.plan.simulator_url

    @property
    def environment(self) -> dict[str, str]:
        return self.plan.environment()

    async def start(self, name: str) -> None:
        """Start it again, unless it runs."""
        service = self.services[name]
        async with asyncio.timeout(UP):
            while True:
                if not self.runs(name):
                    service.is_ready = False
                    await service.start()
                try:
                    await service.wait_until_ready()
                except ServiceFailed:  # a supervisor starts it again, and so do we
                    self.failed_starts.append(f"{name}: {service.tail().strip().splitlines()[-1][:200]}")
                else:
                    return

    async def kill(self, name: str) -> None:
        """-9, and be sure that it is dead."""
        process = self.services[name].process
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()

    async def stop(self, name: str) -> None:
        """SIGTERM, as a deploy does, and wait for its end."""
        await self.services[name].stop()

    def still(self, name: str) -> None:
        """It is there and does nothing: connections hang."""
        os.kill(self.services[name].pid, signal.SIGSTOP)

    def wake(self, name: str) -> None:
        os.kill(self.services[name].pid, signal.SIGCONT)

    def runs(self, name: str) -> bool:
        process = self.services[name].process
        return process is not None and process.returncode is None

    def memory(self, name: str) -> int:
        """Its resident memory in bytes."""
        pages = int(Path(f"/proc/{self.services[name].pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def log(self, name: str) -> str:
        return self.services[name].log.read_text(errors="replace")

    async def mend(self) -> None:
        """Whatever a case left behind: everything runs again, and no fault is armed."""
        for name in self.services:
            if name == THIRD:
                await self.stop(name)
                continue
            if self.runs(name):
                self.wake(name)
            await self.start(name)
        await self.clear_faults()

    # The provider's side.

    async def sim(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = await self.http.request(method, f"{self.simulator}/_sim/{path}", **options)
        return answer.raise_for_status()

    async def fault(self, kind: str, **fields: Any) -> None:
        await self.sim("POST", "faults", json={"kind": kind, **fields})

    async def clear_faults(self) -> None:
        await self.sim("DELETE", "faults")

    async def messages(self, phone: str) -> list[dict[str, Any]]:
        """What the simulator has of a phone, on all channels, in the order in which it happened."""
        found = await self.sim("GET", "messages", params={"phone": phone, "limit": 10_000})
        rows: list[dict[str, Any]] = found.json()["messages"]
        return rows

    # Our side.

    def twilio(self, api: str | None = None, **changes: str) -> Twilio:
        """Webhooks of one's own, to one API process or, without a name, to whichever takes them."""
        base = f"http://127.0.0.1:{self.api_ports[api]}" if api else self.public
        http = httpx.AsyncClient(base_url=base, timeout=30, trust_env=False, limits=_LIMITS)
        self.doors.push_async_callback(http.aclose)
        return Twilio(http=http, public_url=self.public, **{"token": self.environment["TWILIO_AUTH_TOKEN"], **changes})

    @property
    def account(self) -> str:
        return self.environment["TWILIO_ACCOUNT_SID"]

    @property
    def number(self) -> str:
        """Ours."""
        return self.environment["TWILIO_PHONE_NUMBER"]

    async def client(self) -> Client:
        return await Client.connect(self.plan.temporal_address, data_converter=CONVERTER)

    async def command(self, *arguments: str) -> dict[str, Any]:
        """What `messaging` with these arguments prints as JSON, whatever its exit code."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", *arguments, "--json"),
            cwd=self.plan.data,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        told, complained = await process.communicate()
        if not told:
            raise RuntimeError(f"messaging {' '.join(arguments)}: {complained.decode(errors='replace')[-500:]}")
        found: dict[str, Any] = json.loads(told)
        return found

    async def spooled(self) -> int:
        """What waits for Temporal."""
        return int((await self.http.get(f"{self.public}/readyz")).json()["spool"]["depth"])

    async def conversation(self, phone: str, **query: Any) -> dict[str, Any]:
        """The one conversation of a phone, as REST has it."""
        key = self.environment["MESSAGING_ID_KEY"].encode()
        contact = ids.contact_id(key, Address.parse(phone))
        listed = await self.http.get(f"{self.public}/v1/conversations", params={"contact": contact, **query})
        [found] = listed.raise_for_status().json()["items"]
        return await self.rest("GET", found["id"])

    async def rest(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = await self.http.request(method, f"{self.public}/v1/conversations/{path}", **options)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


@asynccontextmanager
async def opened(folder: Path, **environment: str) -> AsyncIterator[Ground]:
    """All of it, up. Whatever happens inside, nothing of it runs afterwards.

    Raises:
        cli.processes.ServiceFailed: one did not come up; holds the end of its log.
    """
    data = folder / "data"
    (data / "logs").mkdir(parents=True, exist_ok=True)
    api_ports = {name: free_port() for name in APIS}
    async with gate_to(*(f"127.0.0.1:{port}" for port in api_ports.values())) as gate:
        public = f"http://{gate.address}"
        plan = _plan(data, {"PUBLIC_URL": public, **environment}, api=api_ports["api-1"])
        services = _services(plan, api_ports)
        supervisor = Supervisor([service for service in services.values() if service.name != THIRD], lambda *_: None)
        async with httpx.AsyncClient(timeout=30, trust_env=False, limits=_LIMITS) as http:
            try:
                await supervisor.start()
                ground = Ground(plan=plan, services=services, public=public, http=http, api_ports=api_ports)
                for address in (ground.number, f"whatsapp:{ground.number}"):
                    await ground.sim("POST", "numbers", json={"address": address, "sms_url": f"{public}{_WEBHOOK}"})
                async with ground.doors:
                    yield ground
            finally:
                await _end(services)


def _plan(data: Path, environment: Mapping[str, str], *, api: int) -> Plan:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OTHERS)}
    ours = {
        "MESSAGING_AGENT": "tests.chaos.agent:reply",
        "MESSAGING_TIMEOUT": PROVIDER_TIMEOUT,
        "MESSAGING_SHUTDOWN_GRACE": GRACE,
        "MESSAGING_DATA_DIR": str(data),
        "PYTHONPATH": str(ROOT),
    }
    ports = Ports(api=api, temporal=free_port(), ui=free_port(), simulator=free_port(), qdrant=free_port())
    return Plan(data=data, ports=ports, workers=2, simulator=True, user={**inherited, **ours, **environment})


def _services(plan: Plan, api_ports: Mapping[str, int]) -> dict[str, Service]:
    planned = {service.name: service for service in plan.services()}
    first = planned.pop("api")
    found = planned
    for name in WORKERS:
        found[name].ready = lambda service=found[name]: _polls(plan, service)  # type: ignore[misc]
    for name, port in api_ports.items():
        command = [*first.command[:-1], str(port)]
        log = plan.data / "logs" / f"{name}.log"
        found[name] = Service(
            name=name, command=command, environment=first.environment, log=log, ready=_ready(f"http://127.0.0.1:{port}")
        )
    return found


def _ready(url: str) -> Any:
    async def look() -> bool:
        try:
            async with httpx.AsyncClient(timeout=2, trust_env=False) as http:
                return (await http.get(f"{url}/livez")).is_success
        except httpx.HTTPError:
            return False

    return look


async def _polls(plan: Plan, service: Service) -> bool:
    """Whether this very process asks for work: Temporal remembers the dead for minutes."""
    request = DescribeTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=DEFAULT_TASK_QUEUE))
    try:
        client = await Client.connect(plan.temporal_address)
        pollers = (await client.workflow_service.describe_task_queue(request)).pollers
    except (RuntimeError, RPCError):
        return False
    return any(poller.identity.startswith(f"{service.pid}@") for poller in pollers)


async def _end(services: Mapping[str, Service]) -> None:
    for service in services.values():
        if service.process is not None and service.process.returncode is None:
            service.process.send_signal(signal.SIGCONT)
    for service in reversed(services.values()):
        if service.process is not None and service.process.returncode is None:
            service.process.send_signal(signal.SIGKILL)
            await service.process.wait()


async def settled(ground: Ground, *, within: float) -> None:
    """Nothing waits any more, neither in the spool nor at the provider."""

    async def look() -> bool:
        health = (await ground.sim("GET", "health")).json()
        return not health["webhooks_pending"] and not await ground.spooled()

    await eventually(look, within=within, every=0.5)
