"""The examples as a newcomer starts them: the whole product around each, and a phone."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.ports import eventually
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


async def test_a_refund_is_agreed_to_over_rest_and_we_write_first(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "orders" / "orders", tmp_path / "orders")
    with running(tmp_path, MESSAGING_FLOW="orders.flow:FLOW") as stack:
        listed = f"{stack.urls['api']}/v1/conversations"
        async with httpx.AsyncClient(timeout=30) as rest:
            phone, other = Phone(stack, "+15550100043", rest), Phone(stack, "+15550100044", rest)
            assert "A colleague has to agree" in await phone.ask("I want a refund for 4713")

            async def waiting() -> list[dict[str, str]]:
                return (await rest.get(listed, params={"channel": "sms", "state": "waiting"})).json()["items"]

            [conversation] = await eventually(waiting)
            path = f"{listed}/{conversation['id']}"

            async def asked() -> list[dict[str, str]]:
                return [a for a in (await rest.get(path)).json()["approvals"] if a["verdict"] == "pending"]

            [question] = await eventually(asked)
            await rest.post(f"{path}/approve", json={"token": question["token"], "by": "ana"})
            assert (await phone.wait(2))[-1].startswith("Done: 2499.00 euros")
            shown = await asyncio.to_thread(_show, conversation["id"], tmp_path)
            assert "tool      refund_order: done" in shown
            assert "5550100043" not in shown

            body = {"to": other.number, "greeting": "Your order is here."}
            made = [
                (await rest.post(listed, json=body, headers={"Idempotency-Key": "order-4712"})).json() for _ in range(3)
            ]
            assert await other.wait(1) == ["Your order is here."]
            assert len({one["id"] for one in made}) == 1
            assert "4712, a helmet" in await other.ask("4712?")
            assert len(await other.answers()) == 2

            chat = {"to": other.number, "greeting": "By the other way.", "provider": "twilio"}
            opened = (await rest.post(listed, json=chat)).json()
            assert opened["provider_sid"].startswith("CH")
            people = (await rest.get(f"{listed}/{opened['id']}/participants")).json()["items"]
            assert [person["address"] for person in people] == [other.number]


def _show(conversation_id: str, data: Path) -> str:
    command = [sys.executable, "-m", "cli", "conversations", "show", conversation_id, "--data-dir", str(data)]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    return ended.stdout


def test_every_example_says_how_it_is_started() -> None:
    for name in TALKS:
        assert f"make example NAME={name} " in (ROOT / "examples" / name / "README.md").read_text()
    assert "\nexample:" in (ROOT / "Makefile").read_text()
