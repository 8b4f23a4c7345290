"""Configuration: what is refused, how it is said, and what is never said."""

from __future__ import annotations

import pytest

from messaging import errors
from messaging.config import new_config
from messaging.providers.twilio import config as twilio_config
from messaging.providers.twilio import conversations_backend
from messaging.registry import new_backend, providers
from tests.unit.messaging import wire
from tests.unit.messaging.installed import announce

SECRET = "f00dbabe" * 4


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"account_sid": SECRET}, "account_sid"),
        ({"account_sid": None}, "account_sid"),
        ({"auth_token": None}, "auth_token"),
        ({"auth_token": ""}, "auth_token"),
        ({"auth_token": ["real", ""]}, "auth_token"),
        ({"auth_token": [" "]}, "auth_token"),
        ({"shared_keys": {"webhooks_sharedkey_1": ""}}, "shared_keys"),
        ({"shared_keys": {"": SECRET}}, "shared_keys"),
        ({"phone_number": "\u0663\u0663\u0663\u0663"}, "phone_number"),
        ({"base_url": "http://h:99999999"}, "base_url"),
        ({"auth_token": None, "api_key": "SK" + "a" * 32}, "api_secret"),
        ({"api_key": SECRET, "api_secret": SECRET}, "api_key"),
        ({"base_url": SECRET}, "base_url"),
        ({"webhook_url": f"https://x.example/?a={SECRET}"}, "webhook_url"),
        ({"phone_number": SECRET}, "phone_number"),
        ({"whatsapp_number": f"sms:{SECRET}"}, "whatsapp_number"),
        ({"messaging_service_sid": SECRET}, "messaging_service_sid"),
        ({"author": ""}, "author"),
        ({"settle_seconds": -1}, "settle_seconds"),
        ({"shared_keys": SECRET}, "shared_keys"),
        ({"acount_sid": SECRET}, "acount_sid"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_never_repeated(wrong, name):
    with pytest.raises(errors.InvalidConfig, match=name) as refused:
        conversations_backend(wire.config(**wrong))
    assert SECRET not in str(refused.value)
    assert not refused.value.retryable


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"timeout": 0.5}, "timeout"), ({"timeout": 301}, "timeout"), ({"max_retries": 11}, "max_retries")],
)
def test_the_common_fields_have_their_ranges(wrong, name):
    with pytest.raises(errors.InvalidConfig, match=name):
        new_config("twilio", **wrong)


def test_secrets_are_redacted_everywhere():
    backend = conversations_backend(
        wire.config(auth_token=[SECRET, SECRET], api_key="SK" + "a" * 32, api_secret=SECRET, shared_keys={"k": SECRET})
    )
    shown = backend.get_config()
    assert SECRET not in repr(shown) + shown.model_dump_json() + repr(backend) + repr(backend._twilio)
    assert shown.provider_specific["account_sid"] == wire.ACCOUNT
    assert shown.provider_specific["auth_token"] == "***"


def test_several_tokens_are_given_by_comma_and_the_first_signs():
    read = twilio_config.read(wire.config(auth_token="new, old"))
    assert read.credentials == (wire.ACCOUNT, "new")
    assert len(read.auth_token) == 2


def test_an_api_key_signs_rest_calls():
    read = twilio_config.read(wire.config(api_key="SK" + "a" * 32, api_secret="s"))
    assert read.credentials == ("SK" + "a" * 32, "s")


def test_numbers_and_urls_are_normalised():
    read = twilio_config.read(wire.config(whatsapp_number="whatsapp:+15550100001", webhook_url="https://x.example/a/"))
    assert (read.whatsapp_number, read.webhook_url) == ("+15550100001", "https://x.example/a")


@pytest.mark.parametrize(
    ("webhook_url", "base_url", "expected"),
    [
        ("https://x.example", None, "https://x.example"),
        ("http://127.0.0.1:8000", None, None),
        ("http://127.0.0.1:8000", "http://127.0.0.1:4010", "http://127.0.0.1:8000"),
        (None, None, None),
    ],
)
def test_callbacks_are_asked_for_where_they_can_arrive(webhook_url, base_url, expected):
    read = twilio_config.read(wire.config(webhook_url=webhook_url, base_url=base_url))
    assert read.callback_url == expected


def test_providers_are_found_by_name_without_loading_them():
    assert {"twilio", "twilio_messaging"} <= set(providers())
    with pytest.raises(errors.ProviderNotFound, match="twilio_messaging"):
        new_backend("carrier-pigeon")


def test_options_of_the_provider_and_of_all_go_side_by_side():
    backend = new_backend(
        "twilio_messaging", timeout=7, account_sid=wire.ACCOUNT, auth_token="t", provider_specific={"author": "bot"}
    )
    config = backend.get_config()
    assert (backend.name, config.timeout, config.provider_specific["author"]) == ("twilio_messaging", 7, "bot")


@pytest.mark.parametrize("name", ["base_url", "webhook_url"])
def test_passwords_in_urls_are_not_shown(name):
    backend = new_backend("twilio", **wire.config(**{name: f"https://hook:{SECRET}@h.example/x"}).provider_specific)
    shown = backend.get_config()
    assert SECRET not in repr(shown) + shown.model_dump_json()
    assert shown.provider_specific[name] == "https://***@h.example/x"


@pytest.mark.parametrize("given", [None, "x", ["a"], 5])
def test_options_that_are_no_mapping_are_refused(given):
    with pytest.raises(errors.InvalidConfig, match="provider_specific"):
        new_backend("twilio", provider_specific=given)


BROKEN = {
    "syntax": ("def backend(:", errors.ProviderNotFound),
    "raises": (f"raise RuntimeError({SECRET!r})", errors.ProviderNotFound),
    "missing": ("other = 1", errors.ProviderNotFound),
    "exits": (f"def backend(config): raise KeyError({SECRET!r})", errors.InvalidConfig),
    "nothing": ("def backend(config): return None", errors.InvalidConfig),
    "text": ("backend = 'backend'", errors.InvalidConfig),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_provider_that_is_broken_is_named_and_its_words_stay_out(how, tmp_path, monkeypatch):
    source, kind = BROKEN[how]
    (tmp_path / f"broken_{how}.py").write_text(source)
    announce(tmp_path, f"broken-{how}", {f"broken-{how}": f"broken_{how}:backend"})
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(kind, match=r"^[a-z_]+: provider: ") as refused:
        new_backend(f"broken-{how}")
    assert type(refused.value) is kind
    assert SECRET not in str(refused.value)
