"""`python -m simulator`, also `messaging simulator`: one simulator on one port, until it is stopped."""

import json
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from simulator import options, server
from simulator.app import create_app
from simulator.config import SimulatorConfig

_DEFAULTS = SimulatorConfig()


def main(arguments: Sequence[str] | None = None) -> None:
    given = options.parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        # The server takes them over while it runs, and raises them again when all is closed.
        signal.signal(number, _end)
    try:
        options.config(given, "http://127.0.0.1:4010")  # what is wrong in it is told before a port is taken
        server.check_data(given.data)
    except OSError as problem:
        options.refuse(f"--data: {given.data}: {(problem.strerror or str(problem)).lower()}")
    except ValueError as problem:
        options.refuse(problem if str(problem).startswith("--") else f"--data: {problem}")
    try:
        listening = server.listen(given.host, given.port)
    except OSError as problem:
        options.refuse(f"--host, --port: {problem}")
    with listening:
        if server.is_open(listening) and not given.open:
            options.refuse("--host: other machines would read and text without a key; --open lets them in")
        url = server.url(listening)
        config = options.config(given, url)
        text = _line(config, url) if given.json else _sheet(config, url, is_open=server.is_open(listening))
        server.Server(create_app(config), ready=lambda: _print(text)).run(sockets=[listening])


def _line(config: SimulatorConfig, url: str) -> str:
    told = {
        "simulator": url,
        "phone": f"{url}/",
        "account_sid": config.account_sid,
        "phone_number": config.phone_number,
        "whatsapp_number": config.whatsapp_number,
        "pid": os.getpid(),
    }
    return json.dumps(told)


def _sheet(config: SimulatorConfig, url: str, *, is_open: bool) -> str:
    # A token that somebody chose is theirs to know.
    token = config.auth_token if config.auth_token == _DEFAULTS.auth_token else "as you gave it"
    told = {
        "Phones": f"{url}/",
        "Control": f"{url}/_sim",
        "Account": f"{config.account_sid}, token: {token}",
        "Numbers": f"{config.phone_number} (SMS), {config.whatsapp_number} (WhatsApp)",
        "Webhooks": f"{config.webhook_base}{config.messages_path}",
        "Data": str(config.data) if config.data else "in memory; --data FILE keeps it",
    }
    rows = [f"  {name:<10}{value}" for name, value in told.items()]
    if is_open:
        rows += ["", "  Whoever reaches this address can read and text: neither page nor control ask for a key."]
    return "\n".join(["The Twilio simulator runs. Ctrl-C stops it.", "", *rows, ""])


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _end(_: int, __: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
