"""`.env` of the current folder, for every process of ours."""

from __future__ import annotations

from dotenv import load_dotenv


def read_dotenv() -> None:
    """Let `.env` speak to the libraries too that read the environment themselves. What is set already stays."""
    load_dotenv(".env")
