"""What the command line says: options over the environment, the environment over the defaults."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from simulator import digits
from simulator.config import SimulatorConfig

_DEFAULTS = SimulatorConfig()
_OTHERWISE = {"webhook_retries": "retry-5xx"}  # field -> the option that sets it, where the names differ
_ABOUT = """\
A Twilio on this machine: its REST, its signed webhooks, and a page of phones to text from. Without any option it
listens on http://127.0.0.1:4010 and takes the product to be on http://127.0.0.1:8000.
"""
_MORE = """\
Point the SDK at it with an HTTP client of a few lines: simulator/README.md has it for Python and for Node. By curl:
  curl -u AC00000000000000000000000000000000:simulator \\
    http://127.0.0.1:4010/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json \\
    -d To=+15557654321 -d From=+15550100000 -d Body=Hello
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line: the usage would bury it."""
        self.exit(2, f"{self.prog}: {message}\n")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Ends the process on a mistake, with one line that names the option."""
    return _parser().parse_args(arguments)


def refuse(message: object) -> NoReturn:
    """Ends the process with one line."""
    _parser().error(str(message))


def config(options: argparse.Namespace, url: str) -> SimulatorConfig:
    """`url`: where the simulator listens. Raises ValueError that names the option."""
    named: dict[str, Any] = {
        "account_sid": options.account_sid or os.environ.get("TWILIO_ACCOUNT_SID"),
        "auth_token": options.auth_token or os.environ.get("TWILIO_AUTH_TOKEN", "").split(",")[0].strip(),
        "test_account_sid": options.test_account_sid,
        "test_auth_token": options.test_auth_token,
        "phone_number": options.phone_number or os.environ.get("TWILIO_PHONE_NUMBER"),
        "whatsapp_number": options.whatsapp_number or os.environ.get("TWILIO_WHATSAPP_NUMBER"),
    }
    named["webhook_retries"] = options.retry_5xx
    if options.retry_5xx == 0:
        named |= {"webhook_retries": 1, "webhook_retry_policy": frozenset({"ct"})}
    fields = {name: value for name, value in named.items() if value}
    links = dict(_pair("--link", text, "=") for text in options.link)
    keys = dict(_pair("--api-key", text, ":") for text in options.api_key)
    throughput = dict(_rate(text) for text in options.throughput)
    try:
        return replace(
            _DEFAULTS,
            public_url=options.public_url or url,
            own_urls=options.own_urls,
            webhook_base=options.webhook_base,
            api_keys=keys,
            secondary_auth_token=options.secondary_auth_token,
            throughput=throughput,
            dual_delivery=not options.no_dual_delivery,
            data=options.data,
            seed=options.seed,
            max_messages=options.max_messages,
            max_records=options.max_records,
            suggestions=tuple(options.suggest) or _DEFAULTS.suggestions,
            links=links,
            **fields,
        )
    except ValueError as problem:
        field, colon, text = str(problem).partition(":")
        option = _OTHERWISE.get(field, field.replace("_", "-"))
        raise ValueError(f"--{option}{colon}{text}") from problem


def _parser() -> argparse.ArgumentParser:
    by_name = Path(sys.argv[0]).name.startswith("messaging")
    prog = "messaging simulator" if by_name else "python -m simulator"
    parser = _Parser(
        prog=prog,
        usage=f"{prog} [option …]",
        description=_ABOUT,
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _places(parser)
    _account(parser)
    _manners(parser)
    return parser


def _places(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("where things are").add_argument
    add(
        "--host",
        default="127.0.0.1",
        help="address to listen on (%(default)s); others reach none without --open",
    )
    add("--open", action="store_true", help="let other machines in: neither page nor control API ask for a key")
    add("--port", type=_port, default=4010, help="port to listen on (%(default)s); 0 takes a free one")
    add("--webhook-base", metavar="URL", default=_DEFAULTS.webhook_base, help="the product (%(default)s)")
    add("--data", type=Path, metavar="FILE", help="keep everything in this file, over restarts (memory only)")
    add("--public-url", metavar="URL", help="where others reach the simulator (http://HOST:PORT)")
    add("--own-urls", action="store_true", help="links and media URLs name --public-url instead of Twilio's hosts")
    add("--json", action="store_true", help="say in one line of JSON on standard output that it is ready")


def _account(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the account").add_argument
    add("--account-sid", metavar="AC…", help="or TWILIO_ACCOUNT_SID (AC and 32 zeros)")
    add("--auth-token", metavar="TOKEN", help="or the first of TWILIO_AUTH_TOKEN (simulator)")
    add("--secondary-auth-token", default="", metavar="TOKEN", help="opens the REST too")
    add("--api-key", action="append", default=[], metavar="SK…:SECRET", help="opens the REST too; repeatable")
    add("--test-account-sid", metavar="AC…", help="test credentials: magic numbers only (AC7e57 and zeros)")
    add("--test-auth-token", metavar="TOKEN", help="their token (test)")
    add("--phone-number", metavar="+1…", help=f"or TWILIO_PHONE_NUMBER ({_DEFAULTS.phone_number})")
    add("--whatsapp-number", metavar="+1…", help=f"or TWILIO_WHATSAPP_NUMBER ({_DEFAULTS.whatsapp_number})")


def _manners(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("how it behaves").add_argument
    add(
        "--retry-5xx",
        type=int,
        metavar="N",
        help="retries of a webhook, 1 to 5, after 5xx or no connection (5); 0: as Twilio",
    )
    add("--throughput", action="append", default=[], metavar="CHANNEL=N", help="segments a second of each sender")
    add("--no-dual-delivery", action="store_true", help="a text that a conversation takes fires no number webhook")
    add("--max-messages", type=int, metavar="N", default=_DEFAULTS.max_messages, help="messages kept (%(default)s)")
    add("--max-records", type=int, metavar="N", default=_DEFAULTS.max_records, help="records kept (%(default)s)")
    add("--seed", type=int, metavar="N", help="the same sids in each run")
    add("--suggest", action="append", default=[], metavar="TEXT", help="a text to offer on the phone page; repeatable")
    add("--link", action="append", default=[], metavar="LABEL=URL", help="a link above the phones; repeatable")


def _port(text: str) -> int:
    port = digits.whole(text)
    if port is None or port > 65_535:  # noqa: PLR2004 - the highest there is
        raise argparse.ArgumentTypeError(f"{text!r}: a port from 0 to 65535 expected")
    return port


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
