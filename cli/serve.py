"""The processes by themselves, as production runs them."""

from __future__ import annotations

import asyncio
import runpy
import sys
from pathlib import Path
from typing import Annotated

import typer

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def api(
    host: Annotated[str | None, typer.Option(help="Address to bind; MESSAGING_API_HOST")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind; MESSAGING_API_PORT")] = None,
) -> None:
    """Serve webhooks, the REST API and the console."""
    # Imported here: each command pays only for what it uses.
    from api import wire  # noqa: PLC0415
    from api.app import create_app  # noqa: PLC0415
    from api.server import Server  # noqa: PLC0415
    from runtime import providers  # noqa: PLC0415
    from runtime.identity import load_resolver  # noqa: PLC0415
    from runtime.ingress import open_spool  # noqa: PLC0415
    from runtime.settings import load  # noqa: PLC0415
    from runtime.telemetry import telemetry  # noqa: PLC0415

    given = {"messaging_api_host": host, "messaging_api_port": port}
    settings = load(**{name: value for name, value in given.items() if value is not None})
    settings.id_key()
    load_resolver(settings.messaging_contact_resolver)
    providers.backends(settings)  # what is wrong with one of them is said here, in one line
    asyncio.run(open_spool(settings).aclose())
    level, log_format = settings.messaging_log_level, settings.messaging_log_format
    with telemetry("api", level=level, log_format=log_format) as signals:
        server = Server(
            create_app(settings, signals),
            host=settings.messaging_api_host,
            port=settings.messaging_api_port,
            http=wire.BoundedHttp,
            limit_concurrency=wire.MAX_CONNECTIONS,
            log_config=None,
            access_log=False,
            # Nobody in front of us is known to be trusted with X-Forwarded-*.
            proxy_headers=False,
            server_header=False,
            # Longer than proxies keep a connection (60 s in nginx and AWS), or they use one that was just closed.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=settings.messaging_shutdown_grace,
        )
        server.serve_until_stopped()


def worker() -> None:
    """Run conversations and their activities."""
    import worker as process  # noqa: PLC0415

    asyncio.run(process.main())


def simulator(context: typer.Context) -> None:
    """Serve the Twilio simulator and its phone page; `messaging simulator --help` lists its own options."""
    sys.argv = ["messaging simulator", *context.args]
    runpy.run_module("simulator", run_name="__main__")


def qdrant(
    path: Annotated[Path, typer.Option(help="Folder of the data; QDRANT_PATH", envvar="QDRANT_PATH")] = Path(
        ".messaging/qdrant"
    ),
    host: Annotated[str, typer.Option(help="Address to bind; another than this machine's needs --open")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to bind; 0 for a free one")] = 6333,
    *,
    let_in: Annotated[bool, typer.Option("--open", help="Let other machines in: it asks nobody for a key")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when it is ready")] = False,
) -> None:
    """Serve the embedded Qdrant alone."""
    sys.argv = ["messaging qdrant", "--path", str(path), "--host", host, "--port", str(port)]
    sys.argv += (["--open"] if let_in else []) + (["--json"] if as_json else [])
    runpy.run_module("memory.embedded", run_name="__main__")
