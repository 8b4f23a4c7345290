"""A request that is answered with an error, in Qdrant's own shape."""

from __future__ import annotations


class Refused(Exception):
    """`status` is the HTTP status, `message` the reason, without any of the request's content."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def uncovered(what: str) -> Refused:
    return Refused(
        501, f"{what} is not covered by the embedded Qdrant. Run a Qdrant server and set QDRANT_URL to use it."
    )
