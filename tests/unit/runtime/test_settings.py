"""Settings: where they come from, and what is refused, in which words."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from runtime.settings import MIN_ID_KEY, SettingsError, load
from workflows.policy import MessageClass, Rules, TurnPolicy

# Stands for what a user typed: it may be a secret in the wrong place, so that no refusal repeats it.
TYPED = "s3cret-value"

REFUSED = {
    "a URL that is none": ({"PUBLIC_URL": TYPED}, "PUBLIC_URL", "http:// or https://"),
    "a URL of another scheme": ({"QDRANT_URL": f"ftp://{TYPED}"}, "QDRANT_URL", "http:// or https://"),
    "a URL without a host": ({"TWILIO_BASE_URL": f"http:///{TYPED}"}, "TWILIO_BASE_URL", "with a host"),
    "a URL with a broken host": ({"PUBLIC_URL": f"http://[{TYPED}]/"}, "PUBLIC_URL", "http:// or https://"),
    "an unknown turn policy": (
        {"MESSAGING_TURN_POLICY": TYPED},
        "MESSAGING_TURN_POLICY",
        "enqueue, coalesce, interrupt or reject",
    ),
    "a turn policy of no channel": (
        {"MESSAGING_TURN_POLICY": f"{TYPED}=enqueue"},
        "MESSAGING_TURN_POLICY",
        "the channels are sms, mms, whatsapp",
    ),
    "quiet hours without an end": ({"MESSAGING_QUIET_HOURS": TYPED}, "MESSAGING_QUIET_HOURS", "21:00-08:00"),
    "a time zone of nowhere": ({"MESSAGING_TIME_ZONE": TYPED}, "MESSAGING_TIME_ZONE", "Europe/Berlin"),
    "a class of message there is not": ({"MESSAGING_NEVER_LOST": TYPED}, "MESSAGING_NEVER_LOST", "'answer', 'apology'"),
    "a kind of media there is not": ({"MESSAGING_MEDIA": TYPED}, "MESSAGING_MEDIA", "image, audio, video, document"),
    "a template that is none": ({"MESSAGING_WHATSAPP_TEMPLATE": TYPED}, "MESSAGING_WHATSAPP_TEMPLATE", "HX"),
    "too long a quiet period": (
        {"MESSAGING_COALESCE_QUIET": "301"},
        "MESSAGING_COALESCE_QUIET",
        "less than or equal to 300",
    ),
    "a port that is too high": ({"MESSAGING_API_PORT": "70000"}, "MESSAGING_API_PORT", "less than or equal to 65535"),
    "a port that is negative": ({"MESSAGING_API_PORT": "-1"}, "MESSAGING_API_PORT", "greater than or equal to 0"),
    "a port that is no number": ({"MESSAGING_API_PORT": TYPED}, "MESSAGING_API_PORT", "a valid integer"),
    "a time-out that is too long": ({"MESSAGING_TIMEOUT": "301"}, "MESSAGING_TIMEOUT", "less than or equal to 300"),
    "an idle time of nothing": ({"MESSAGING_IDLE_CLOSE": "0"}, "MESSAGING_IDLE_CLOSE", "greater than or equal to 1"),
    "a threshold above one": (
        {"MESSAGING_AGENT_THRESHOLD": "1.5"},
        "MESSAGING_AGENT_THRESHOLD",
        "less than or equal to 1",
    ),
    "an agent that is no import path": ({"MESSAGING_AGENT": TYPED}, "MESSAGING_AGENT", "module:name"),
    "an agent and a model": (
        {"MESSAGING_AGENT": f"{TYPED}:agent", "MESSAGING_AGENT_MODEL": f"x:{TYPED}"},
        "MESSAGING_AGENT and MESSAGING_AGENT_MODEL",
        "set one of them",
    ),
    "an open address without tokens": (
        {"MESSAGING_API_HOST": "0.0.0.0"},
        "MESSAGING_API_TOKENS",
        "MESSAGING_API_HOST is not a loopback address",
    ),
    "a token with half an entry": ({"MESSAGING_API_TOKENS": f"ana:read:{TYPED}"}, "MESSAGING_API_TOKENS", "sha256="),
    "a token with an unknown scope": (
        {"MESSAGING_API_TOKENS": f"ana:write:sha256={'0' * 64}"},
        "MESSAGING_API_TOKENS",
        "metrics, read, operate, admin",
    ),
    "a key that is none": ({"MESSAGING_CODEC_KEYS": TYPED}, "MESSAGING_CODEC_KEYS", "64 hexadecimal digits"),
    "an unknown host without tokens": ({"MESSAGING_API_HOST": TYPED}, "MESSAGING_API_TOKENS", "loopback"),
    "options that are no JSON": ({"MESSAGING_PROVIDER_OPTIONS": TYPED}, "MESSAGING_PROVIDER_OPTIONS", "must be JSON"),
    "options of no provider": ({"MESSAGING_PROVIDER_OPTIONS": f'["{TYPED}"]'}, "MESSAGING_PROVIDER_OPTIONS", "valid"),
    "no provider at all": ({"MESSAGING_PROVIDERS": " , "}, "MESSAGING_PROVIDERS", "at least 1"),
    "too many retries": ({"MESSAGING_MAX_RETRIES": "11"}, "MESSAGING_MAX_RETRIES", "less than or equal to 10"),
    "a retry at once": ({"MESSAGING_RETRY_DELAY": "0"}, "MESSAGING_RETRY_DELAY", "greater than or equal to 0.1"),
    "a backoff that shrinks": ({"MESSAGING_RETRY_BACKOFF": "0.5"}, "MESSAGING_RETRY_BACKOFF", "greater than or equal"),
    "an unknown log level": ({"MESSAGING_LOG_LEVEL": TYPED}, "MESSAGING_LOG_LEVEL", "DEBUG|INFO|WARNING|ERROR"),
}


@pytest.mark.parametrize(("given", "variable", "allowed"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_names_the_variable_and_what_is_allowed_and_repeats_no_value(
    given: dict[str, str], variable: str, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as refused:
        load()

    text = str(refused.value)
    assert variable in text
    assert allowed in text
    assert not any(value in text for value in (TYPED, "70000", "301", "0.0.0.0"))


def test_all_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", TYPED)
    monkeypatch.setenv("MESSAGING_API_PORT", TYPED)

    with pytest.raises(SettingsError, match=r"PUBLIC_URL.*MESSAGING_API_PORT"):
        load()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_loopback_address_needs_no_token(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSAGING_API_HOST", host)

    assert load().messaging_api_tokens == ()


def test_an_open_address_with_a_token_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSAGING_API_HOST", "0.0.0.0")
    monkeypatch.setenv("MESSAGING_API_TOKENS", TYPED)

    assert not load().is_loopback


@pytest.mark.parametrize("key", [None, "", "x" * (MIN_ID_KEY - 1)])
def test_an_id_key_that_could_be_guessed_is_refused(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if key is not None:
        monkeypatch.setenv("MESSAGING_ID_KEY", key)
    settings = load()

    with pytest.raises(SettingsError, match=rf"MESSAGING_ID_KEY: .*at least {MIN_ID_KEY}") as refused:
        settings.id_key()
    assert not key or key not in str(refused.value)


def test_an_id_key_that_is_long_enough_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSAGING_ID_KEY", "k" * MIN_ID_KEY)

    assert load().id_key() == b"k" * MIN_ID_KEY


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_AUTH_TOKEN": TYPED}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_ACCOUNT_SID": TYPED}, "TWILIO_AUTH_TOKEN"),
        ({"TWILIO_ACCOUNT_SID": TYPED, "TWILIO_AUTH_TOKEN": " , "}, "TWILIO_AUTH_TOKEN"),
    ],
)
def test_missing_twilio_credentials_are_named(
    given: dict[str, str], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = load()

    with pytest.raises(SettingsError, match=rf"^{missing}: must be set") as refused:
        settings.provider_options("twilio")
    assert TYPED not in str(refused.value)


def test_the_provider_gets_what_is_set_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC1")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "new, old")
    monkeypatch.setenv("PUBLIC_URL", "https://example.com/base/")

    assert load().provider_options("twilio_messaging") == {
        "account_sid": "AC1",
        "auth_token": ["new", "old"],
        "webhook_url": "https://example.com/base",
    }


def test_providers_of_others_are_named_and_get_their_options_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSAGING_PROVIDERS", "pigeonhole, twilio")
    monkeypatch.setenv("MESSAGING_PROVIDER_OPTIONS", '{"pigeonhole": {"secret": "s"}, "twilio": {"author": "bot"}}')
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC1")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "new")
    settings = load()

    assert settings.messaging_providers == ("pigeonhole", "twilio")
    assert settings.provider_options("pigeonhole") == {"secret": "s"}
    assert settings.provider_options("twilio")["author"] == "bot"
    assert settings.provider_options("carrier") == {}


def test_several_tokens_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSAGING_API_TOKENS", " one ,two,, three")

    assert [token.get_secret_value() for token in load().messaging_api_tokens] == ["one", "two", "three"]


def test_the_file_is_read_and_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("MESSAGING_API_PORT=8001\nMESSAGING_TURN_POLICY=enqueue\n")
    monkeypatch.setenv("MESSAGING_API_PORT", "8002")
    settings = load()

    assert settings.messaging_api_port == 8002
    assert settings.rules == Rules(turn_policy=TurnPolicy.ENQUEUE, idle_close=86400, sms_segments=10)


def test_an_empty_variable_counts_as_not_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("MESSAGING_API_PORT=8001\nQDRANT_URL=\n")
    monkeypatch.setenv("MESSAGING_API_PORT", "")
    settings = load()

    assert settings.messaging_api_port == 8001
    assert settings.qdrant_url == "http://127.0.0.1:6333"


def test_what_a_command_line_says_wins_over_both(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("MESSAGING_API_PORT=8001\n")
    monkeypatch.setenv("MESSAGING_API_PORT", "8002")

    assert load(messaging_api_port=8003).messaging_api_port == 8003


@pytest.mark.parametrize(
    "name",
    ["TWILIO_AUTH_TOKEN", "TWILIO_API_SECRET", "QDRANT_API_KEY", "MESSAGING_API_TOKENS", "MESSAGING_ID_KEY"],
)
def test_a_secret_is_not_printed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, TYPED)

    assert TYPED not in f"{load()!r} {load()}"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        load().messaging_api_port = 1  # type: ignore[misc]


def test_prices_places_and_budgets_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSAGING_AGENT_PRICES", '{"a-model": {"input": 0.25, "output": 2}}')
    monkeypatch.setenv("MESSAGING_TOOL_PLACES", '{"*/sms": ["order_status"]}')
    monkeypatch.setenv("MESSAGING_BUDGET_COST", "0.5")
    settings = load()

    assert settings.messaging_agent_prices["a-model"].of(input_tokens=1_000_000, output_tokens=500_000) == 1.25
    assert settings.messaging_tool_places == {"*/sms": ("order_status",)}
    assert settings.rules.budget.cost == 0.5


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("MESSAGING_AGENT_PRICES", '{"m": {"input": 1}}', '"output": dollars'),
        ("MESSAGING_AGENT_PRICES", '{"m": {"input": -1, "output": 1}}', "both 0 or more"),
        ("MESSAGING_AGENT_PRICES", '{"m": 3}', "both 0 or more"),
        ("MESSAGING_TOOL_PLACES", '{"sms": ["a"]}', "flow/channel"),
        ("MESSAGING_TOOLS", "shop", "MESSAGING_AGENT_MODEL must be set too"),
    ],
)
def test_a_wrong_setting_of_the_agent_says_what_is_allowed(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as wrong:
        load()

    assert says in str(wrong.value)


def test_turn_policies_may_differ_by_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSAGING_TURN_POLICY", "enqueue, sms=coalesce,whatsapp=interrupt")
    settings = load()

    assert settings.rules.turn_policy is TurnPolicy.ENQUEUE
    assert settings.turn_policies() == {"sms": TurnPolicy.COALESCE, "whatsapp": TurnPolicy.INTERRUPT}


def test_what_a_deployment_decides_reaches_its_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESSAGING_WHATSAPP_TEMPLATE", "HX" + "0" * 32)
    monkeypatch.setenv("MESSAGING_WHATSAPP_TEMPLATE_VARIABLES", '{"1": "{text}"}')
    monkeypatch.setenv("MESSAGING_QUIET_HOURS", "21:00-08:00")
    monkeypatch.setenv("MESSAGING_HANDOFF_WORDS", "Human, agent")
    monkeypatch.setenv("MESSAGING_NEVER_LOST", "answer,operator")

    assert load().rules == Rules(
        template="HX" + "0" * 32,
        template_variables={"1": "{text}"},
        quiet_hours="21:00-08:00",
        handoff_words=("human", "agent"),
        never_lost=(MessageClass.ANSWER, MessageClass.OPERATOR),
        sms_segments=10,
    )
