"""A provider of language models on loopback, that speaks OpenAI's chat completions and does what a test scripts.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer; `stall` seconds pass before it."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    stall: float = 0.0


def says(text: str | None, *, calls: list[tuple[str, Any]] | None = None, **message: Any) -> Answer:
    """A completion: a text, or calls of tools with their arguments."""
    tool_calls = [
        {
            "id": f"call_{n}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
        }
        for n, (name, given) in enumerate(calls or [], start=1)
    ]
    content = {"role": "assistant", "content": text, **({"tool_calls": tool_calls} if tool_calls else {}), **message}
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-5-mini",
        "choices": [{"index": 0, "message": content, "finish_reason": "tool_calls" if tool_calls else "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }
    return Answer(body=json.dumps(completion))


def fails(status: int, *, code: str = "error", **headers: str) -> Answer:
    """An error as OpenAI words it."""
    return Answer(
        status=status,
        body=json.dumps({"error": {"message": "a secret of the provider", "type": code, "code": code}}),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


@dataclass(slots=True)
class FakeProvider:
    """Gives the scripted answers in order, and keeps what it was asked."""

    answers: list[Answer]
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request. A client that gives up is what a test wants."""
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(row.split(":")[1]) for row in head.split("\r\n") if row.lower().startswith("content-len"))
            self.requests.append(json.loads(await reader.readexactly(length)))
            self.paths.append(head.split(" ")[1])
            answer = self.answers.pop(0) if self.answers else fails(418)
            await asyncio.sleep(answer.stall)
            headers = {
                "Content-Type": "application/json",
                "Content-Length": str(len(answer.body.encode())),
                "Connection": "close",
                **answer.headers,
            }
            rows = [f"HTTP/1.1 {answer.status} -", *(f"{name}: {value}" for name, value in headers.items())]
            writer.write(("\r\n".join(rows) + "\r\n\r\n" + answer.body).encode())
            await writer.drain()


@asynccontextmanager
async def fake_provider(*answers: Answer) -> AsyncIterator[FakeProvider]:
    """A running provider."""
    provider = FakeProvider(list(answers))
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield provider
    finally:
        server.close()
        await server.wait_closed()
