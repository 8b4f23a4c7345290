"""`messaging dev`: everything on this machine, with one Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import ports as choosing
from cli.live import View
from cli.plan import Plan, Ports, forget_state, read_user_variables, write_state
from cli.processes import Service, ServiceFailed, Supervisor


def dev(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when all is ready")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of all data; MESSAGING_DATA_DIR")] = None,
    api_port: Annotated[int | None, typer.Option(help="API and console; 0 for a free one [default: 8000]")] = None,
    temporal_port: Annotated[int | None, typer.Option(help="Temporal [default: 7233]")] = None,
    ui_port: Annotated[int | None, typer.Option(help="Temporal UI [default: 8233]")] = None,
    simulator_port: Annotated[int | None, typer.Option(help="Simulator and phone page [default: 4010]")] = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Worker processes")] = 1,
    simulator: Annotated[bool, typer.Option(help="Start the Twilio simulator")] = True,
) -> None:
    """Start Temporal with its UI, Qdrant, a Twilio simulator, the API and a worker. Data stays for the next time."""
    user = read_user_variables()
    data = (data_dir or Path(user.get("MESSAGING_DATA_DIR") or ".messaging")).resolve()
    (data / "logs").mkdir(parents=True, exist_ok=True)
    if not simulator and not (user.get("TWILIO_ACCOUNT_SID") and user.get("TWILIO_AUTH_TOKEN")):
        raise ValueError("--no-simulator: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN of the account to use")
    with _only_one(data), _one_start_at_a_time() as started:
        plan = Plan(
            data=data,
            ports=Ports(
                api=choosing.choose("api", api_port, 8000),
                temporal=choosing.choose("temporal", temporal_port, 7233),
                ui=choosing.choose("ui", ui_port, 8233),
                simulator=choosing.choose("simulator", simulator_port, 4010),
                qdrant=choosing.choose("qdrant", None, 6333),
            ),
            workers=workers,
            simulator=simulator,
            user=user,
        )
        asyncio.run(_run(plan, started, as_json=as_json))


async def _run(plan: Plan, started: Callable[[], None], *, as_json: bool) -> None:
    services = plan.services()
    view = View([service.name for service in services])
    ready = False

    def changed(service: Service, state: str) -> None:
        view.service(service.name, state)
        if ready:
            write_state(plan.data, plan.urls, services)

    supervisor = Supervisor(services, changed)
    stop = _stop_signal()
    try:
        with view.starting():
            if not await _unless(stop, supervisor.start()):
                return
        ready = True
        started()
        line = write_state(plan.data, plan.urls, services)
        view.ready(plan.urls)
        if as_json:
            typer.echo(line)
        await _unless(stop, _go_on(plan, supervisor, view))
    except* ServiceFailed as failed:
        raise ValueError(str(failed.exceptions[0])) from None
    finally:
        view.stopping()
        await supervisor.stop()
        forget_state(plan.data)


async def _go_on(plan: Plan, supervisor: Supervisor, view: View) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(supervisor.watch())
        if plan.simulator:
            group.create_task(view.conversation(plan.simulator_url))


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _unless(stop: asyncio.Event, work: Any) -> bool:
    """Whether `work` ended before a signal came; otherwise it is cancelled."""
    task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    done, _ = await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if task in done:
        await task
        return True
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return False


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Two instances on one data folder would write the same database.

    Raises:
        ValueError: another one runs.
    """
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"--data-dir: {data} is in use by another messaging dev; stop it or name another"
            ) from None
        yield


@contextlib.contextmanager
def _one_start_at_a_time() -> Iterator[Callable[[], None]]:
    """From the choice of ports until all are taken, so that two starts at once never choose the same."""
    with (Path(tempfile.gettempdir()) / f"messaging-dev-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.close
