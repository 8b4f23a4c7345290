"""`python -m simulator`: one simulator on one port, until it is stopped."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from simulator.app import create_app, end_streams
from simulator.config import SimulatorConfig

_DEFAULTS = SimulatorConfig()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        config = _config(options)
    except ValueError as problem:
        parser.error(str(problem))
    app = create_app(config)
    # The access log would hold phone numbers, and cost more than the requests.
    settings = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )
    _Server(settings, app).run()


class _Server(uvicorn.Server):
    """Ends the open event streams first: it would wait for them otherwise."""

    def __init__(self, settings: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(settings)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        end_streams(self._app)
        super().handle_exit(sig, frame)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A Twilio in a box.")
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=4010)
    add("--data", type=Path, metavar="FILE", help="keep everything in this file, over restarts")
    add("--public-url", metavar="URL", help="where the simulator is reached (http://HOST:PORT)")
    add("--own-urls", action="store_true", help="name --public-url in links and media URLs, not Twilio's hosts")
    add("--webhook-base", metavar="URL", default=_DEFAULTS.webhook_base, help="the product (%(default)s)")
    add("--account-sid", metavar="AC…", help="or TWILIO_ACCOUNT_SID")
    add("--auth-token", metavar="TOKEN", help="or the first of TWILIO_AUTH_TOKEN")
    add("--secondary-auth-token", default="", metavar="TOKEN", help="opens the REST too")
    add("--api-key", action="append", default=[], metavar="SK…:SECRET", help="may be given several times")
    add("--phone-number", metavar="+1…", help="or TWILIO_PHONE_NUMBER")
    add("--whatsapp-number", metavar="+1…", help="or TWILIO_WHATSAPP_NUMBER")
    add("--retry-5xx", type=int, metavar="N", help="retries of a webhook after 5xx or no connection (5); 0: as Twilio")
    add("--throughput", action="append", default=[], metavar="CHANNEL=N", help="segments a second of each sender")
    add("--no-dual-delivery", action="store_true", help="a text that a conversation takes fires no number webhook")
    add("--seed", type=int, help="the same sids in each run")
    add("--suggest", action="append", default=[], metavar="TEXT", help="a text to offer on the phone page")
    add("--link", action="append", default=[], metavar="LABEL=URL", help="a link above the phones")
    return parser


def _config(options: argparse.Namespace) -> SimulatorConfig:
    """Options win over the environment, the environment over the defaults."""
    named: dict[str, Any] = {
        "account_sid": options.account_sid or os.environ.get("TWILIO_ACCOUNT_SID"),
        "auth_token": options.auth_token or os.environ.get("TWILIO_AUTH_TOKEN", "").split(",")[0].strip(),
        "phone_number": options.phone_number or os.environ.get("TWILIO_PHONE_NUMBER"),
        "whatsapp_number": options.whatsapp_number or os.environ.get("TWILIO_WHATSAPP_NUMBER"),
    }
    config = replace(
        _DEFAULTS,
        public_url=options.public_url or f"http://{options.host}:{options.port}",
        own_urls=options.own_urls,
        webhook_base=options.webhook_base,
        api_keys=dict(_pair("--api-key", text, ":") for text in options.api_key),
        secondary_auth_token=options.secondary_auth_token,
        throughput=dict(_rate(text) for text in options.throughput),
        dual_delivery=not options.no_dual_delivery,
        data=options.data,
        seed=options.seed,
        suggestions=tuple(options.suggest) or _DEFAULTS.suggestions,
        links=dict(_pair("--link", text, "=") for text in options.link),
    )
    config = replace(config, **{name: value for name, value in named.items() if value})
    if options.retry_5xx is None:
        return config
    if options.retry_5xx == 0:
        return replace(config, webhook_retries=1, webhook_retry_policy=frozenset({"ct"}))
    return replace(config, webhook_retries=options.retry_5xx)


def _rate(text: str) -> tuple[str, float]:
    channel, value = _pair("--throughput", text, "=")
    try:
        return channel, float(value)
    except ValueError as problem:
        raise ValueError(f"--throughput: {channel}: a number expected") from problem


def _pair(option: str, text: str, by: str) -> tuple[str, str]:
    left, found, right = text.partition(by)
    if not found or not left or not right:
        raise ValueError(f"{option}: two parts joined by {by!r} expected")
    return left, right


if __name__ == "__main__":
    main()
