"""Pigeonhole under the suite that every provider must pass."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from messaging.backend import ConversationalBackend
from messaging.model import WebhookRequest
from messaging.registry import new_backend
from messaging.testing.conformance import BackendConformance

from pigeonhole import webhooks
from pigeonhole.letters import Letters

SECRET = "a-secret-of-the-tests"


class TestPigeonhole(BackendConformance):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> ConversationalBackend:
        self.folder = tmp_path
        return new_backend("pigeonhole", folder=tmp_path, secret=SECRET, poll_seconds=0.05)

    def secrets(self) -> tuple[str, ...]:
        return (SECRET,)

    def webhook(self) -> WebhookRequest:
        content = {"event": "letter.posted", "sid": "1", "conversation": "PH1", "from": "ada", "text": "hello"}
        body = json.dumps(content).encode()
        headers = {webhooks.HEADER: webhooks.sign(body, SECRET)}
        return WebhookRequest(route="letters", path="/webhooks/pigeonhole", headers=headers, body=body)

    def nonsense(self) -> tuple[WebhookRequest, ...]:
        """Signed all the same: what is inside is somebody's mistake, and must be said to be."""
        request = self.webhook()
        bodies = (b"", b"[]", b"{}", b"\xff", b"[" * 100_000)
        return tuple(
            replace(request, headers={webhooks.HEADER: webhooks.sign(body, SECRET)}, body=body) for body in bodies
        )

    def missing_sid(self) -> str:
        return "PH" + "0" * 32

    async def write_as_person(self, backend: ConversationalBackend, sid: str, body: str) -> bool:
        letter = {"sid": "2", "from": "ada", "text": body, "posted": "2026-02-03T04:05:06+00:00"}
        Letters(self.folder).post(sid, letter)
        return True
