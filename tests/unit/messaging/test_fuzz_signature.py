"""Ten thousand webhooks, judged by the SDK's validator and by ours; and the cases in which the SDK's is wrong."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

import pytest
from twilio.request_validator import RequestValidator

from messaging import errors
from messaging.model import WebhookRequest
from messaging.providers.twilio import conversations_backend, form, signature
from tests.unit.messaging import wire

WEBHOOKS = 10_000
SEED = 20_260_203

SCHEMES = ("https", "http")
HOSTS = ("talk.example.com", "xn--bcher-kva.example", "10.0.0.7", "localhost", "a.b-c.example.co.uk")
PORTS = ("", ":443", ":80", ":8443", ":65535")
PATHS = ("", "/", "/webhooks/twilio/messages", "/a%2Fb/c", "/caf%C3%A9", "/x//y/", "/p;v=1", "/~a@b:c")
QUERIES = ("", "foo=1&bar=2", "key=a%2Fb%3D", "b=2&a=1&b=1", "q", "=x", "a=&b", "u=https://e.com:1/?x", "n=%E2%98%83")
NAMES = (
    *("Body", "From", "To", "MessageSid", "AccountSid", "NumMedia", "MediaUrl0", "MediaUrl1", "ProfileName", "body"),
    *("MessagingBinding.Address", "Attributes", "a", "a b", "é", "名前", "ß", "🙂", "B=dy", "Bo&dy", "+", "%41"),
)
TEXTS = (
    *("", " ", "+15550100001", "whatsapp:+15550100001", "hello", "a+b c&d=e%20;f", "100 %", "\r\nx\ty", '{"a": [1]}'),
    *("naïve", "☃", "日本語のメッセージ", "🙂\u200d🙂", "e\u0301", "\u200f\u202e", "\ufeff", "\U0010ffff"),
    *("\x01\x7f", "x" * 1600, "٣", "\u2028"),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A form webhook: what arrives, and the token of its account."""

    url: str
    pairs: tuple[tuple[str, str], ...]
    given: str
    token: str


class Multi(dict[str, list[str]]):
    """A form as web frameworks hold it, made without our parser."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[str]:
        return self[name]


def text(chance: random.Random) -> str:
    if chance.random() < 0.7:
        return chance.choice(TEXTS)
    codes = (chance.randrange(1, 0x2FFF) for _ in range(chance.randrange(12)))
    return "".join(map(chr, codes))


def webhook(chance: random.Random) -> Sent:
    query = chance.choice(QUERIES)
    url = f"{chance.choice(SCHEMES)}://{chance.choice(HOSTS)}{chance.choice(PORTS)}{chance.choice(PATHS)}"
    url += f"?{query}" if query else ""
    pairs = [(chance.choice(NAMES), text(chance)) for _ in range(chance.randrange(9))]
    if pairs and chance.random() < 0.4:  # a name twice, once with another value and once as it was
        pairs += [(pairs[0][0], text(chance)), chance.choice(pairs)]
    token = "".join(chance.choices("0123456789abcdefü", k=chance.randrange(1, 70)))
    # Twilio signs with or without the port, whatever the configured URL says: the SDK's own two ways of writing it.
    signed = url if chance.random() < 0.5 else without_port(url)
    return Sent(url, tuple(pairs), RequestValidator(token).compute_signature(signed, Multi(pairs)), token)


def without_port(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0].partition("?")[0]
    return f"{scheme}://{host.partition(':')[0]}{rest[len(host) :]}"


def theirs(sent: Sent) -> bool:
    return RequestValidator(sent.token).validate(sent.url, Multi(sent.pairs), sent.given)


def ours(sent: Sent) -> bool:
    body = urlencode(sent.pairs).encode()
    request = WebhookRequest(route="messages", path="/", headers={"content-type": form.FORM}, body=body)
    return signature.verify(
        url=sent.url,
        headers={signature.HEADER: sent.given},
        fields=form.read(request).pairs,
        body=body,
        tokens=(sent.token,),
        shared_keys={},
    )


def other_value(sent: Sent, chance: random.Random) -> Sent:
    if not sent.pairs:
        return one_more(sent, chance)
    at = chance.randrange(len(sent.pairs))
    name, value = sent.pairs[at]
    return replace(sent, pairs=(*sent.pairs[:at], (name, value + "\u0301"), *sent.pairs[at + 1 :]))


def one_more(sent: Sent, chance: random.Random) -> Sent:
    return replace(sent, pairs=(*sent.pairs, (f"Forged{chance.random()}", "")))


def one_less(sent: Sent, chance: random.Random) -> Sent:
    if not sent.pairs:
        return one_more(sent, chance)
    gone = chance.choice(sent.pairs)
    return replace(sent, pairs=tuple(pair for pair in sent.pairs if pair != gone))


def other_signature(sent: Sent, chance: random.Random) -> Sent:
    other = chance.choice([sent.given[:-1], sent.given + "=", sent.given[::-1], "", "é" * 28, sent.given.swapcase()])
    return replace(sent, given=other)


TAMPERINGS: Mapping[str, Callable[[Sent, random.Random], Sent]] = {
    "a value": other_value,
    "one more field": one_more,
    "one field less": one_less,
    "the signature": other_signature,
    "the path": lambda sent, _: replace(sent, url=sent.url.replace("://", "://other.", 1)),
    "the query": lambda sent, _: replace(sent, url=sent.url + ("&" if "?" in sent.url else "?") + "forged=1"),
    "the scheme": lambda sent, _: replace(sent, url=sent.url.replace("http", "ws", 1)),
    "the token": lambda sent, _: replace(sent, token=sent.token + "0"),
}
# Same fields, said differently.
NEUTRAL: Mapping[str, Callable[[Sent, random.Random], Sent]] = {
    "as sent": lambda sent, _: sent,
    "another order": lambda sent, chance: replace(sent, pairs=tuple(chance.sample(sent.pairs, len(sent.pairs)))),
    "said twice": lambda sent, _: replace(sent, pairs=sent.pairs * 2),
}


def test_both_take_ten_thousand_genuine_webhooks_and_refuse_them_once_tampered_with() -> None:
    chance = random.Random(SEED)
    kinds: Counter[str] = Counter()
    for number in range(WEBHOOKS):
        sent = webhook(chance)
        neutral, tampering = chance.choice(list(NEUTRAL)), chance.choice(list(TAMPERINGS))
        same, forged = NEUTRAL[neutral](sent, chance), TAMPERINGS[tampering](sent, chance)
        assert (theirs(same), ours(same)) == (True, True), (number, neutral, same)
        assert (theirs(forged), ours(forged)) == (False, False), (number, tampering, forged)
        names = [name for name, _ in sent.pairs]
        kinds["blank"] += any(not value for _, value in sent.pairs)
        kinds["repeated"] += len(names) > len(set(names))
        kinds["not ASCII"] += any(not (name + value).isascii() for name, value in sent.pairs)
        kinds["port"] += sent.url.count(":") > 1
        kinds["query"] += "?" in sent.url
        kinds["empty"] += not sent.pairs
    # It is only worth something if each of these came up often.
    assert min(kinds.values()) > WEBHOOKS // 20, kinds


BODY = b'{"text": "gr\xfc\xdf dich"}'
JSON_URL = f"https://e.com/x?bodySHA256={hashlib.sha256(BODY).hexdigest()}"
PAIRS = (("Body", ""), ("From", "+1"), ("MediaUrl", "b"), ("MediaUrl", "a"))


@dataclass(frozen=True, slots=True)
class Trap:
    """A call of the SDK's validator as people write it, and the same webhook for ours. `theirs` is what it answers."""

    theirs: Callable[[RequestValidator], object]
    wrong: object
    right: bool
    url: str = "https://e.com/x"
    signed: str = "https://e.com/x"
    pairs: tuple[tuple[str, str], ...] | None = ()
    body: bytes = b""


def signed(url: str, pairs: Sequence[tuple[str, str]] = ()) -> str:
    return wire.sign(url, pairs)


TRAPS: Mapping[str, Trap] = {
    "a JSON body that was parsed before: its hash is not looked at": Trap(
        theirs=lambda sdk: sdk.validate(JSON_URL, {}, signed(JSON_URL)),
        wrong=True,
        right=False,
        url=JSON_URL,
        signed=JSON_URL,
        pairs=None,
        body=b'{"text": "forged"}',
    ),
    "a JSON body without its hash in the URL": Trap(
        theirs=lambda sdk: sdk.validate("https://e.com/x", "{}", signed("https://e.com/x")),
        wrong=TypeError,
        right=False,
        pairs=None,
        body=b"{}",
    ),
    "a JSON body that is not UTF-8": Trap(
        theirs=lambda sdk: sdk.validate(JSON_URL, BODY.decode("latin-1"), signed(JSON_URL)),
        wrong=False,
        right=True,
        url=JSON_URL,
        signed=JSON_URL,
        pairs=None,
        body=BODY,
    ),
    "no signature": Trap(
        theirs=lambda sdk: sdk.validate("https://e.com/x", {}, None),  # type: ignore[arg-type]
        wrong=TypeError,
        right=False,
        signed="",
    ),
    "a port after credentials": Trap(
        theirs=lambda sdk: sdk.validate("https://u:p@e.com:8443/x", {}, signed("https://u:p@e.com/x")),
        wrong=False,
        right=True,
        url="https://u:p@e.com:8443/x",
        signed="https://u:p@e.com/x",
    ),
    "a port after an IPv6 address": Trap(
        theirs=lambda sdk: sdk.validate("https://[2001:db8::1]:8443/x", {}, signed("https://[2001:db8::1]/x")),
        wrong=False,
        right=True,
        url="https://[2001:db8::1]:8443/x",
        signed="https://[2001:db8::1]/x",
    ),
    "a repeated name in a plain dict": Trap(
        theirs=lambda sdk: sdk.validate("https://e.com/x", dict(PAIRS), signed("https://e.com/x", PAIRS)),
        wrong=False,
        right=True,
        pairs=PAIRS,
    ),
    "a blank value that the parser dropped": Trap(
        theirs=lambda sdk: sdk.validate(
            "https://e.com/x", Multi(parse_qsl(urlencode(PAIRS))), signed("https://e.com/x", PAIRS)
        ),
        wrong=False,
        right=True,
        pairs=PAIRS,
    ),
}


def answer(call: Callable[[RequestValidator], object]) -> object:
    try:
        return call(RequestValidator(wire.TOKEN))
    except TypeError:
        return TypeError


@pytest.mark.parametrize("name", TRAPS)
def test_where_the_sdk_is_wrong_ours_is_right(name: str) -> None:
    trap = TRAPS[name]
    headers = {signature.HEADER: signed(trap.signed, trap.pairs or ())} if trap.signed else {}
    found = signature.verify(
        url=trap.url, headers=headers, fields=trap.pairs, body=trap.body, tokens=(wire.TOKEN,), shared_keys={}
    )
    assert (answer(trap.theirs), found) == (trap.wrong, trap.right)


async def test_a_form_with_blanks_and_repeats_is_read_as_it_was_signed() -> None:
    pairs = [*wire.event("onMessageAdded", Body="").items(), ("Body", "é"), ("Empty", ""), ("Empty", "")]
    [event] = await conversations_backend(wire.config()).handle_webhook(wire.request("conversations", pairs))
    assert event.message is not None
    assert event.message.body == ""


async def test_a_forged_body_under_a_genuine_hash_is_refused_on_the_way_in() -> None:
    query = f"bodySHA256={hashlib.sha256(BODY).hexdigest()}"
    path = "/webhooks/twilio/conversations"
    headers = {"content-type": "application/json", "x-twilio-signature": wire.sign(f"{wire.BASE}{path}?{query}")}
    genuine = WebhookRequest(route="conversations", path=path, query=query, headers=headers, body=BODY)
    backend = conversations_backend(wire.config())
    assert await backend.handle_webhook(genuine)
    with pytest.raises(errors.InvalidSignature):
        await backend.handle_webhook(replace(genuine, body=b'{"text": "forged"}'))
