"""A provider that does next to nothing: of Twilio's REST just enough to take a message. `-m tests.bench.stub`."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import uvicorn

from tests.bench.arrivals import HOST, Reporter

_LIST_END = "/Messages.json"


class Stub:
    """The ASGI application. POST Messages.json is 201, GET lists what was sent, all else is 404; 200 at /ready."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._sent: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/ready":
            await _answer(send, 200, {})
        elif not scope["path"].endswith(_LIST_END):
            await _answer(send, 404, {"code": 20404, "message": "not found", "status": 404})
        elif scope["method"] == "POST":
            await _answer(send, 201, self._create(scope["path"], await _form(receive)))
        else:
            await _answer(send, 200, self._list(scope))

    def _create(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        self._reporter.report(form.get("Body", ""))
        now = format_datetime(datetime.now(UTC))
        message = {
            "sid": f"SM{len(self._sent):032x}",
            "account_sid": path.split("/")[3],
            "from": form.get("From"),
            "to": form.get("To"),
            "body": form.get("Body"),
            "status": "queued",
            "direction": "outbound-api",
            "num_media": "0",
            "num_segments": "1",
            "date_created": now,
            "date_updated": now,
            "date_sent": None,
            "error_code": None,
            "error_message": None,
        }
        self._sent.append(message)
        return message

    def _list(self, scope: Any) -> dict[str, Any]:
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        wanted = {name.lower(): query[name] for name in ("To", "From") if name in query}
        size = int(query.get("PageSize", "50"))
        found = [m for m in reversed(self._sent) if all(m[name] == value for name, value in wanted.items())]
        return {"messages": found[:size], "page": 0, "page_size": size, "next_page_uri": None, "uri": scope["path"]}


async def _form(receive: Any) -> dict[str, str]:
    body, more = b"", True
    while more:
        part = await receive()
        body += part.get("body", b"")
        more = part.get("more_body", False)
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


async def _answer(send: Any, status: int, content: dict[str, Any]) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--report-to", type=int, required=True)
    given = parser.parse_args()
    app = Stub(Reporter(given.report_to))
    uvicorn.run(app, host=HOST, port=given.port, log_level="warning", access_log=False, lifespan="off")


if __name__ == "__main__":
    main()
