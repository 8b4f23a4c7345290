"""What the simulator has confirmed is there after it was killed."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from simulator.config import StatusDelays
from simulator.journal import InUse, Journal
from tests.simulator.harness import OURS, PATIENCE, THEIRS, Receiver, eventually, simulator


def test_everything_survives_a_restart_and_deliveries_go_on(tmp_path: Path, product: Receiver) -> None:
    data = tmp_path / "data.jsonl"
    with simulator(product.base, data=data) as sim:
        conversation = sim.sdk.conversations.v1.conversations.create(unique_name="ann")
        conversation.participants.create(messaging_binding_address=THEIRS, messaging_binding_proxy_address=OURS)
        said = conversation.messages.create(author="agent", body="Hello")
        eventually(lambda: said.fetch().delivery["delivered"] == "all")
        sim.text("Hi")
        before = eventually(lambda: [m for m in [sim.messages()] if m[-1]["heard"]])[0]
    with simulator(product.base, data=data) as sim:
        assert sim.messages() == before
        conversation = sim.sdk.conversations.v1.conversations("ann").fetch()
        assert [m.body for m in conversation.messages.list()] == ["Hello", "Hi"]
        assert conversation.messages.create(body="Again").index == 2
        assert sim.text("Still here")["conversation_sid"] == conversation.sid


def test_what_was_on_its_way_arrives_after_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    with simulator(data=data, delays=StatusDelays(delivered=60)) as sim:
        message = sim.sdk.messages.create(to=THEIRS, from_=OURS, body="x")
        eventually(lambda: message.fetch().status == "sent")
    with simulator(data=data) as sim:
        eventually(lambda: sim.sdk.messages(message.sid).fetch().status == "delivered")


def test_a_killed_simulator_has_lost_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    with _process(data) as (process, http):
        sids = [
            http.post("/_sim/inbound", json={"from": THEIRS, "body": str(n)}).json()["sid"] for n in range(20)
        ]  # fmt: skip
        process.send_signal(signal.SIGKILL)
    with _process(data) as (_, http):
        assert [m["sid"] for m in http.get("/_sim/messages").json()["messages"]] == sids


def test_two_simulators_never_share_a_file(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    command = [sys.executable, "-m", "simulator", "--port", "0", "--data", str(data)]
    with simulator(data=data) as sim:
        kept = sim.text("x")["sid"]
        second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert second.returncode == 2
        assert second.stderr == f"python -m simulator: --data: {data} is in use by another simulator\n"
        with pytest.raises(InUse, match=data.name):
            Journal(data)
    with simulator(data=data) as sim:
        assert [message["sid"] for message in sim.messages()] == [kept]


def test_the_oldest_messages_make_room() -> None:
    with simulator(max_messages=3) as sim:
        for n in range(5):
            sim.text(str(n))
        assert [m["body"] for m in sim.messages()] == ["2", "3", "4"]
        assert [m.body for m in sim.sdk.messages.list(from_=THEIRS)] == ["4", "3", "2"]


def test_a_message_that_has_made_room_still_arrives(product: Receiver) -> None:
    with simulator(product.base, max_messages=1) as sim:
        sim.http.post("/_sim/clock", json={"paused": True})
        for body in ("first", "second"):
            sim.sdk.messages.create(to=THEIRS, from_=OURS, body=body, status_callback=f"{product.base}/{body}")
        sim.http.post("/_sim/clock", json={"advance": 1})
        for path in ("/first", "/second"):
            eventually(lambda path=path: len(product.at(path)) == 3)
        assert [m["body"] for m in sim.messages()] == ["second"]


def test_a_seed_repeats_the_sids() -> None:
    runs = []
    for _ in range(2):
        with simulator(seed=7) as sim:
            runs.append(sim.text("x")["sid"])
    assert runs[0] == runs[1]


@contextmanager
def _process(data: Path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TWILIO_")}
    command = [sys.executable, "-m", "simulator", "--port", str(port), "--data", str(data), "--retry-5xx", "0"]
    process = subprocess.Popen(command, env=environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False) as http:
            eventually(lambda: _healthy(http))
            yield process, http
    finally:
        process.kill()
        process.wait()


def _healthy(http: httpx.Client) -> bool:
    try:
        return http.get("/_sim/health").status_code == 200
    except httpx.TransportError:
        return False


def test_what_an_account_was_given_is_there_after_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    group = [json.dumps({"messaging_binding": {field: value}}) for field, value in
             (("projected_address", OURS), ("address", THEIRS))]  # fmt: skip
    with simulator(data=data, group_setup=3600) as sim:
        pool = sim.sdk.messaging.v1.services.create(friendly_name="pool")
        pool.phone_numbers.create(sim.sdk.incoming_phone_numbers.list()[0].sid)
        v1 = sim.sdk.conversations.v1
        v1.users.create(identity="ann", friendly_name="Ann")
        v1.configuration().update(default_closed_timer="PT1H")
        made = v1.conversation_with_participants.create(participant=group)
    with simulator(data=data, group_setup=0) as sim:
        v1 = sim.sdk.conversations.v1
        assert [row.phone_number for row in sim.sdk.messaging.v1.services(pool.sid).phone_numbers.list()] == [OURS]
        assert v1.users("ann").fetch().friendly_name == "Ann"
        assert v1.configuration().fetch().default_closed_timer == "PT1H"
        assert [row.friendly_name for row in v1.services.list()] == ["Default Conversations Service"]
        eventually(lambda: v1.conversations(made.sid).fetch().state == "active")
