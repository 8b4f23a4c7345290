"""Signatures: the published vectors, agreement with the SDK's own validator, and its known traps."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from messaging.model import WebhookRequest
from messaging.providers.twilio import form, signature
from tests.unit.messaging.wire import TOKEN, sign

CALL = (
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+12349013030"),
    ("Digits", "1234"),
    ("From", "+12349013030"),
    ("To", "+18005551212"),
)
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
JSON_URL = f"{URL}&bodySHA256={HASH}"
JSON_BODY = b'{"property": "value", "boolean": true}'
PORTED = "https://mycompany.com:443/myapp.php?foo=1&bar=2"
SHARED = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"


def fits(url, given, *, fields=(), body=b"", tokens=(TOKEN,), keys=None, header=""):
    headers = {"x-twilio-signature": given}
    if header:
        headers["x-twilio-webhooks-signature-settings"] = header
    return signature.verify(url=url, headers=headers, fields=fields, body=body, tokens=tokens, shared_keys=keys or {})


@pytest.mark.parametrize(
    ("url", "fields", "given"),
    [
        (URL, CALL, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        (URL, CALL, "EpDEmp1PyjDYp77YxYU3GILBWzE="),
        (PORTED, CALL, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        (PORTED, CALL, "EpDEmp1PyjDYp77YxYU3GILBWzE="),
        (
            "https://e.com/x",
            (("MediaUrl", "b"), ("MediaUrl", "a"), ("MediaUrl", "a"), ("To", "x")),
            "yA4RO32gqDGguYi7E4F9bVFVkio=",
        ),
        ("https://e.com/x", (("Body", ""), ("From", "+1")), "fTrvOW+ZY+sjufCKH6XKm1cesbU="),
    ],
)
def test_published_form_vectors_fit(url, fields, given):
    assert fits(url, given, fields=fields)
    assert not fits(url, given, fields=(*fields, ("Extra", "1")))


@pytest.mark.parametrize("given", ["a9nBmqA0ju/hNViExpshrM61xv4=", "uzN7O1319XdYoYMfTT2eUM1PJT0="])
def test_published_json_vectors_fit_only_their_body(given):
    assert fits(JSON_URL, given, fields=None, body=JSON_BODY)
    assert not fits(JSON_URL, given, fields=None, body=JSON_BODY + b" ")


def test_a_body_that_is_no_form_needs_its_hash_in_the_url():
    assert not fits(URL, sign(URL), fields=None, body=JSON_BODY)


def test_a_shared_key_signs_with_sha256():
    given, keys = "Rmm4Vzj+Ky7JGoWXMCsZDZuHDszLr9xvdbvitrDr4/M=", {"webhooks_sharedkey_1": TOKEN}
    assert fits(URL, given, fields=CALL, keys=keys, tokens=(), header=SHARED)
    assert not fits(URL, given, fields=CALL, keys=keys, tokens=())
    assert not fits(URL, given, fields=CALL, keys={}, header=SHARED)
    assert not fits(URL, given, fields=CALL, keys=keys, header=SHARED.replace("_1", "_2"))


def test_an_unknown_algorithm_fits_nothing():
    given = sign(URL, CALL, digest=hashlib.sha512)
    assert not fits(URL, given, fields=CALL, header="key=k,algorithm=HMAC_SHA512", keys={"k": TOKEN})


def test_any_of_several_tokens_fits():
    assert fits(URL, sign(URL, CALL, "old"), fields=CALL, tokens=("new", "old"))
    assert not fits(URL, sign(URL, CALL, "older"), fields=CALL, tokens=("new", "old"))


@pytest.mark.parametrize("given", ["", "   ", "not base64 ☃", "x" * 10_000])
def test_a_signature_that_is_none_does_not_fit(given):
    assert not fits(URL, given, fields=CALL)


@pytest.mark.parametrize(
    ("configured", "signed"),
    [
        ("http://e.com:8000/x", "http://e.com/x"),
        ("http://e.com/x", "http://e.com:80/x"),
        ("https://[::1]:8443/x", "https://[::1]/x"),
        ("https://[::1]/x", "https://[::1]:443/x"),
        ("https://user:secret@e.com:8443/x", "https://user:secret@e.com/x"),
        ("https://user:secret@e.com/x", "https://e.com/x"),
    ],
)
def test_ports_and_credentials_may_be_signed_or_not(configured, signed):
    assert fits(configured, sign(signed, CALL), fields=CALL)


def test_another_host_or_path_does_not_fit():
    assert not fits("https://e.com/x", sign("https://f.com/x"))
    assert not fits("https://e.com/x", sign("https://e.com/x/"))


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
VALUES = st.text(st.characters(codec="utf-8"), max_size=20)


class Multi(dict):
    """A form as web frameworks hold it."""

    def getlist(self, name):
        return self[name]


@settings(max_examples=300, deadline=None)
@given(pairs=st.lists(st.tuples(NAMES, VALUES), max_size=8), token=st.text(min_size=1, max_size=16), port=st.booleans())
def test_it_agrees_with_the_sdk_on_any_form(pairs, token, port):
    url = "https://talk.example.com" + (":8443" if port else "") + "/webhooks/twilio/messages?key=a%2Fb"
    body = urlencode(pairs, errors="strict").encode()
    request = WebhookRequest(route="messages", path="/", headers={"content-type": form.FORM}, body=body)
    fields = form.read(request).pairs
    multi = Multi()
    for name, value in pairs:
        multi.setdefault(name, []).append(value)
    validator = RequestValidator(token)
    given = validator.compute_signature(url, multi)
    assert validator.validate(url, multi, given)
    assert fits(url, given, fields=fields, tokens=(token,))
    assert not fits(url, given, fields=(*fields, ("forged", "1")), tokens=(token,))
