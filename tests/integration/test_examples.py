"""The examples as a newcomer starts them: the whole product around each, and a phone."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from tests.support.stack import ROOT, Phone, running

TALKS = {
    "orders": [
        ("where is 4712?", "Order 4712, a helmet: on its way, with you tomorrow."),
        ("Refund 4711 please", "Done: 12.00 euros for a bell are on their way back to you (R-1)."),
    ],
    "appointments": [
        ("I need an appointment", "For which day would you like an appointment?"),
        ("Sunday", "nothing is free. Which other day suits you?"),
    ],
}


@pytest.mark.parametrize("name", TALKS)
async def test_an_example_answers_on_the_phone(name: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / name / name, tmp_path / name)
    with running(tmp_path, MESSAGING_FLOW=f"{name}.flow:FLOW") as stack:
        async with httpx.AsyncClient() as http:
            phone = Phone(stack, "+15550100042", http)
            for text, answer in TALKS[name]:
                assert answer in await phone.ask(text)


def test_every_example_says_how_it_is_started() -> None:
    for name in TALKS:
        assert f"make example NAME={name} " in (ROOT / "examples" / name / "README.md").read_text()
    assert "\nexample:" in (ROOT / "Makefile").read_text()
