"""`python -m memory.embedded --path DIR --port N`: the embedded Qdrant as a process of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvicorn

from memory.embedded.app import create_app


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m memory.embedded", description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="the data directory")
    parser.add_argument("--port", type=int, default=6333, help="default: Qdrant's own, 6333")
    parser.add_argument("--host", default="127.0.0.1", help="default: this machine only, there is no authentication")
    given = parser.parse_args()
    try:
        app = create_app(given.path)
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    uvicorn.run(app, host=given.host, port=given.port, access_log=False, log_level="warning")
    return 0


if __name__ == "__main__":
    sys.exit(main())
