"""The README's quick start, as it stands there, against the simulator."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from messaging.registry import new_backend
from tests.unit.messaging import wire

README = Path(__file__).parents[3] / "README.md"


async def test_the_readmes_library_section_sends_what_it_says(simulator, tmp_path, monkeypatch):
    _, _, section = README.read_text().partition("\n## As a library\n")
    code = re.search(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)[1]
    (tmp_path / "hello.py").write_text(code)
    settings = {"account_sid": wire.ACCOUNT, "auth_token": wire.TOKEN, "base_url": simulator.url}
    for name, value in settings.items():
        monkeypatch.setenv(f"TWILIO_{name.upper()}", value)
    async with new_backend("twilio", **settings) as backend:
        there = {item.sid for item in (await backend.list_conversations()).items}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "error", "hello.py", cwd=tmp_path, stderr=subprocess.PIPE
        )
        _, said = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, said.decode()
        [made] = [item for item in (await backend.list_conversations()).items if item.sid not in there]
        assert made.friendly_name == "Customer support"
        proof = await backend.find_message(made.sid, "greeting")
        assert proof.message.body == "Hello! How can I help you?"
