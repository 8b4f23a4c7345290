"""The fixture `twilio_simulator`, for whoever installs this package. A run without it imports no more than this."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, cast

import pytest

if TYPE_CHECKING:
    from simulator.running import RunningSimulator

Scope = Literal["session", "package", "module", "class", "function"]
_SCOPES: tuple[Scope, ...] = ("session", "package", "module", "class", "function")
_OPTION, _INI = "--twilio-simulator-scope", "twilio_simulator_scope"


def pytest_addoption(parser: pytest.Parser) -> None:
    about = "how long one simulator lives: session, package, module, class or function"
    parser.addini(_INI, about, default="function")
    group = parser.getgroup("twilio simulator")
    group.addoption(_OPTION, choices=_SCOPES, default=None, help=f"{about} (function); also {_INI} in the ini file")


def _scope(fixture_name: str, config: pytest.Config) -> Scope:  # noqa: ARG001 - pytest passes it by name
    scope = config.getoption(_OPTION) or config.getini(_INI)
    if scope not in _SCOPES:
        raise pytest.UsageError(f"{_INI}: one of {', '.join(_SCOPES)} expected")
    return cast("Scope", scope)


@pytest.fixture(scope=_scope)
def twilio_simulator_options() -> dict[str, Any]:
    """Fields of SimulatorConfig. Write a fixture of this name of your own to change some."""
    return {}


@pytest.fixture(scope=_scope)
def twilio_simulator(twilio_simulator_options: dict[str, Any]) -> "Iterator[RunningSimulator]":
    """A running Twilio simulator: base_url, account_sid, auth_token, the SDK by client(), and its control API."""
    from simulator.running import running  # noqa: PLC0415 - only a test that asks for it pays for it

    with running(**twilio_simulator_options) as simulator:
        yield simulator
