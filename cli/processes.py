"""Child processes: started together, started again when they die, and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# A child that keeps dying is tried again ever more slowly.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
# More than a worker takes to hand back what it runs, unless it is told otherwise.
GRACE = 15.0
LOG_TAIL = 15


class ServiceFailed(ValueError):
    """A process ended before it was ready; the message shows the end of its log."""


@dataclass(slots=True, kw_only=True)
class Service:
    """One child. `ready` answers whether it can be used; `log` takes its output; `grace` is from SIGTERM to SIGKILL."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    ready: Callable[[], Awaitable[bool]]
    grace: float = GRACE
    is_ready: bool = False
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """Its process id; 0 while there is none."""
        return self.process.pid if self.process else 0

    async def start(self) -> None:
        """Start it, in a session of its own: Ctrl-C is ours to pass on."""
        with self.log.open("ab" if self.process else "wb") as log:  # one log a run, over all its restarts
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                env=dict(self.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )

    async def wait_until_ready(self) -> None:
        """Poll `ready`.

        Raises:
            ServiceFailed: it ended instead.
        """
        while not self.is_ready:
            if self.process is None or self.process.returncode is not None:
                raise ServiceFailed(f"{self.name} ended before it was ready; {self.log} says:\n{self.tail()}")
            self.is_ready = await self.ready()
            if not self.is_ready:
                await asyncio.sleep(0.25)

    def tail(self) -> str:
        """The last lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"  {line}" for line in lines[-LOG_TAIL:])

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL for what does not listen."""
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
            try:
                async with asyncio.timeout(self.grace):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()


@dataclass(slots=True)
class Supervisor:
    """Keeps services running. They are stopped in the reverse of their order."""

    services: Sequence[Service]
    on_change: Callable[[Service, str], None]

    async def start(self) -> None:
        """Start all at once and wait until each is ready.

        Raises:
            ServiceFailed: one ended before.
        """
        for service in self.services:
            await service.start()
        async with asyncio.TaskGroup() as group:
            for service in self.services:
                group.create_task(self._until_ready(service))

    async def _until_ready(self, service: Service) -> None:
        await service.wait_until_ready()
        self.on_change(service, "up")

    async def watch(self) -> None:
        """Start again whatever dies, for ever."""
        async with asyncio.TaskGroup() as group:
            for service in self.services:
                group.create_task(self._keep(service))

    async def _keep(self, service: Service) -> None:
        pause, loop = FIRST_PAUSE, asyncio.get_running_loop()
        while service.process is not None:
            since = loop.time()
            code = await service.process.wait()
            service.is_ready = False
            self.on_change(service, f"ended with {code}; starting it again")
            pause = FIRST_PAUSE if loop.time() - since > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            await asyncio.sleep(pause)
            await service.start()
            with contextlib.suppress(ServiceFailed):
                await self._until_ready(service)

    async def stop(self) -> None:
        """Stop all, the last first; those of one kind together."""
        for service in reversed(self.services):
            await service.stop()


def _die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies, however it dies: no orphan keeps a port."""
    pr_set_pdeathsig = 1  # linux/prctl.h
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
