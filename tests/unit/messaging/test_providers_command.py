"""`messaging providers`: what is installed and what it can do, told without credentials."""

from __future__ import annotations

import json
import sys

import pytest
from typer.testing import CliRunner

from cli.main import app
from messaging import registry
from messaging.providers.twilio.conversations import ConversationsBackend
from tests.unit.messaging.installed import announce


@pytest.fixture
def providers(monkeypatch):
    """Runs the command, on a terminal that is wide enough to keep words whole."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*options):
        result = CliRunner().invoke(app, ["providers", *options])
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_programs_read_what_each_provider_declares(providers):
    found = {provider["name"]: provider for provider in json.loads(providers("--json"))}
    assert found["twilio"]["entry_point"] == "messaging.providers.twilio:conversations_backend"
    assert found["twilio"]["distribution"] == "durable-conversations"
    told = found["twilio"]["capabilities"]
    assert set(told["channels"]) == {channel.value for channel in ConversationsBackend.CAPABILITIES.channels}
    assert (told["proves_absence"], told["inbound_media"]) == (True, True)
    assert found["twilio_messaging"]["capabilities"]["participants"] is False


def test_people_read_a_table(providers):
    shown = providers()
    for word in ("twilio_messaging", "whatsapp", "proves absence", "1600", "durable-conversations"):
        assert word in shown


def test_a_broken_provider_says_so_and_hides_no_other(providers, tmp_path, monkeypatch):
    announce(tmp_path, "broken-provider", {"broken": "no_such_module:backend", "silent": "json:loads"})
    monkeypatch.syspath_prepend(tmp_path)
    found = {provider["name"]: provider for provider in json.loads(providers("--json"))}
    assert found["broken"]["error"] == "cannot be loaded, ModuleNotFoundError"
    assert (found["silent"]["capabilities"], found["silent"]["error"]) == (None, "")
    assert found["twilio"]["capabilities"]
    shown = providers()
    assert "cannot be loaded" in shown
    assert "does not say" in shown


def test_listing_names_imports_nothing_of_theirs(tmp_path, monkeypatch):
    (tmp_path / "loud_provider.py").write_text("raise SystemExit")
    announce(tmp_path, "loud-provider", {"loud": "loud_provider:backend"})
    monkeypatch.syspath_prepend(tmp_path)
    assert "loud" in registry.providers()
    assert "loud_provider" not in sys.modules
