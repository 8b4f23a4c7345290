"""The provider of docs/adding-a-provider.md, as if it were installed: found by name, and under the whole suite."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path

import pytest

from messaging import errors, registry
from messaging.instrumented import InstrumentedBackend
from tests.unit.messaging.installed import announce

EXAMPLE = Path(__file__).parents[3] / "examples" / "provider"


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory):
    """What an installation leaves: the package on the path, and the entry points that its pyproject.toml declares."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    folder = tmp_path_factory.mktemp("installed")
    announce(folder, project["name"], project["entry-points"][registry.GROUP])
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(folder)
        patched.syspath_prepend(EXAMPLE)
        yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "pigeonhole"]:
        del sys.modules[name]


def _suite():
    """The package's own test, which it shows its readers."""
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(EXAMPLE)
        spec = importlib.util.spec_from_file_location("test_pigeonhole", EXAMPLE / "test_pigeonhole.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


suite = _suite()
TestPigeonhole = suite.TestPigeonhole


def test_it_is_found_by_name_and_told_without_credentials():
    [told] = [provider for provider in registry.describe() if provider.name == "pigeonhole"]
    assert (told.distribution, told.version, told.error) == ("pigeonhole-provider", "1.0", "")
    assert told.capabilities.proves_absence


def test_it_comes_observed(tmp_path):
    backend = registry.new_backend("pigeonhole", folder=tmp_path, secret="s")
    assert isinstance(backend, InstrumentedBackend)
    assert backend.name == "pigeonhole"


@pytest.mark.parametrize("wrong", [{}, {"secret": "hush", "folder": 7}, {"folder": "x", "secret": "hush", "colour": 1}])
def test_a_wrong_setting_is_named_and_not_repeated(wrong):
    with pytest.raises(errors.InvalidConfig, match=r"folder|colour") as refused:
        registry.new_backend("pigeonhole", **wrong)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b"null", b"[" * 100_000])
async def test_a_signed_body_that_is_no_letter_is_named_so(tmp_path, body):
    backend = registry.new_backend("pigeonhole", folder=tmp_path, secret=suite.SECRET)
    genuine = suite.TestPigeonhole().webhook()
    request = type(genuine)(
        route=genuine.route,
        path=genuine.path,
        headers={suite.webhooks.HEADER: suite.webhooks.sign(body, suite.SECRET)},
        body=body,
    )
    with pytest.raises(errors.InvalidWebhook) as refused:
        await backend.handle_webhook(request)
    assert type(refused.value) is errors.InvalidWebhook
