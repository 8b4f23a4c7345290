"""The API's server. It waits for open requests before it stops, so event streams are told to end first."""

from __future__ import annotations

import contextlib
import sys
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from api.app import end_streams

_NOT_STARTED = 3  # the exit code of `uvicorn.run`


class Server(uvicorn.Server):
    """uvicorn's, with its options."""

    def __init__(self, app: FastAPI, **options: Any) -> None:
        super().__init__(uvicorn.Config(app, **options))
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGINT or SIGTERM came."""
        end_streams(self._app)
        super().handle_exit(sig, frame)

    def serve_until_stopped(self) -> None:
        """As `uvicorn.run`. Raises SystemExit when it could not start."""
        with contextlib.suppress(KeyboardInterrupt):
            self.run()
        if not self.started:
            sys.exit(_NOT_STARTED)
