"""Whatever is posted to the webhook routes, the answer is a 2xx or a 4xx that says what is wrong. No Temporal here."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.test_fuzz_webhook_values import (
    FORM,
    GENUINE,
    NASTY,
    PATHS,
    Headers,
    Pairs,
    Taker,
    app_with,
    check,
    post,
    signed,
)

FIELDS = sorted({name for _, form in GENUINE for name in form} | {"Unheard", "MediaUrl9", "StateFrom", "Identity"})
HOW = st.sampled_from(["set", "drop", "again", "first"])
VALUES = st.sampled_from(NASTY) | st.text(max_size=30)
MUTATIONS = st.lists(st.tuples(HOW, st.sampled_from(FIELDS) | st.text(max_size=9), VALUES), max_size=4)
NOISE = st.binary(max_size=80)
QUERIES = st.sampled_from([b"", b"", b"key=turn%2F1", b"key=%00", b"key=%ff", b"\xff\xfe[", b"a&" * 2000]) | NOISE
ODD_TYPES = st.sampled_from([b"", b"application/json", b"multipart/form-data", b"\xff;"]) | NOISE
TYPES = st.sampled_from(range(4)).flatmap(lambda odd: ODD_TYPES if odd == 0 else st.just(FORM.encode()))
NAMES = b"""
    content-length expect host cookie traceparent transfer-encoding x-forwarded-host
    i-twilio-idempotency-token x-twilio-signature x-twilio-webhooks-signature-settings
""".split()
SAID = st.sampled_from([b"", b"-1", b"1", b"\xb2", b"key=a,algorithm=HMAC_SHA256", b"algorithm=x", b"=", b",,"]) | NOISE
HEADERS = st.just([]) | st.lists(st.tuples(st.sampled_from(NAMES), SAID), max_size=2)
SIGNING = st.sampled_from(["genuine", "genuine", "genuine", "wrong", "none"])
# The same examples in every run; how long one takes says nothing on a busy machine.
EXAMPLES = settings(
    max_examples=400, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    with app_with(Taker(), tmp_path_factory.mktemp("spool")) as app:
        yield app


def mutated(form: Mapping[str, str], mutations: Sequence[tuple[str, str, str]]) -> Pairs:
    pairs = list(form.items())
    for how, name, value in mutations:
        if how in {"set", "drop"}:
            pairs = [pair for pair in pairs if pair[0] != name]
        if how != "drop":
            pairs.insert(0 if how == "first" else len(pairs), (name, value))
    return pairs


def test_mutated_forms_are_taken_or_refused_for_a_field(app: FastAPI, loop: asyncio.Runner) -> None:
    seen: Counter[int] = Counter()

    @EXAMPLES
    @given(st.sampled_from(GENUINE), MUTATIONS, QUERIES, SIGNING, TYPES, HEADERS)
    def run(
        genuine: tuple[str, Mapping[str, str]],
        mutations: Sequence[tuple[str, str, str]],
        query: bytes,
        signing: str,
        kind: bytes,
        more: Headers,
    ) -> None:
        path, form = genuine
        body = urlencode(mutated(form, mutations)).encode()
        headers = [*signed(signing, path, query, body), (b"content-type", kind), *more]
        answer = loop.run(post(app, path.encode(), query, headers, [body]))
        check(answer)
        seen[answer.status] += 1

    run()
    # It reached the parsers, and what lies behind them.
    assert min(seen[200], seen[400], seen[403]) > 20, seen


def test_raw_bytes_are_refused_or_kept_as_unknown(app: FastAPI, loop: asyncio.Runner) -> None:
    @EXAMPLES
    @given(st.sampled_from(PATHS), st.lists(st.binary(max_size=300), max_size=3), QUERIES, SIGNING, TYPES, HEADERS)
    def run(path: str, chunks: Sequence[bytes], query: bytes, signing: str, kind: bytes, more: Headers) -> None:
        headers = [*signed(signing, path, query, b"".join(chunks)), (b"content-type", kind), *more]
        check(loop.run(post(app, path.encode(), query, headers, chunks)))

    run()
