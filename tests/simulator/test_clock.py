"""Time in the simulator: it runs, stands still, and jumps, and what falls due on the way happens in order."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from simulator.clock import Clock, parse_duration, parse_iso
from tests.simulator.harness import OURS, THEIRS, Receiver, Running, eventually, simulator


def now(sim: Running) -> float:
    return datetime.fromisoformat(sim.http.get("/_sim/clock").json()["now"]).timestamp()


async def test_what_falls_due_on_a_jump_happens_in_its_order_and_at_its_own_time() -> None:
    clock, seen = Clock(), []
    clock.pause()
    start = clock.now()

    def note(name: str) -> None:
        seen.append((name, round(clock.now() - start)))

    def chain() -> None:
        note("first")
        clock.after(20, note, "from the first")  # due between the two others

    clock.after(60, note, "last")
    clock.after(10, chain)
    clock.after(10, note, "second")
    clock.after(10, note, "cancelled").cancel()
    clock.after(3600, note, "never")
    clock.forward(start + 60)
    assert seen == [("first", 10), ("second", 10), ("from the first", 30), ("last", 60)]
    assert clock.now() == start + 60


async def test_a_clock_that_stands_still_fires_nothing_until_it_runs_again() -> None:
    clock, fired = Clock(), asyncio.Event()
    clock.pause()
    clock.after(0, fired.set)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not fired.is_set()
    clock.resume()
    await asyncio.wait_for(fired.wait(), 5)


async def test_a_sleeper_wakes_when_the_time_is_set_forward() -> None:
    clock = Clock()
    sleeping = asyncio.create_task(clock.sleep(86_400))
    await asyncio.sleep(0)
    clock.forward(clock.now() + 86_400)
    await asyncio.wait_for(sleeping, 5)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT24H", 86_400), ("P1D", 86_400), ("P1W", 604_800), ("PT1M30S", 90), ("PT0.5S", 0.5), ("P1DT1H", 90_000),
     ("P", None), ("PT", None), ("P1DT", None), ("24h", None), ("", None), ("PT-1S", None)],
)  # fmt: skip
def test_a_duration_is_read(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "today"])
def test_an_instant_that_no_calendar_has_is_none(text: str) -> None:
    assert parse_iso(text) is None


def test_the_clock_is_shown_paused_advanced_and_set(sim: Running) -> None:
    shown = sim.http.get("/_sim/clock").json()
    assert (shown["offset"], shown["paused"]) == (0, False)
    paused = sim.http.post("/_sim/clock", json={"paused": True}).json()
    assert sim.http.post("/_sim/clock", json={"advance": "PT24H"}).json()["paused"]
    later = now(sim)
    assert later == datetime.fromisoformat(paused["now"]).timestamp() + 86_400
    assert sim.http.post("/_sim/clock", json={"advance": 1.5}).json()["offset"] > 86_000
    assert now(sim) == pytest.approx(later + 1.5)
    assert (
        sim.http.post("/_sim/clock", json={"set": "2098-01-01T00:00:00Z"}).json()["now"] == "2098-01-01T00:00:00.000Z"
    )
    assert not sim.http.post("/_sim/clock", json={"paused": False}).json()["paused"]
    eventually(lambda: now(sim) > parse_iso("2098-01-01T00:00:00Z"))
    assert sim.text("From the future")["created"].startswith("2098-01-01")
    sim.http.post("/_sim/reset")
    assert sim.http.get("/_sim/clock").json()["offset"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [({"advance": -1}, "advance"), ({"advance": "soon"}, "advance"), ({"advance": True}, "advance"),
     ({"advance": 1e12}, "advance"), ({"set": "soon"}, "set"), ({"set": "2001-01-01T00:00:00Z"}, "set"),
     ({"set": "9999-01-01T00:00:00Z"}, "set"), ({"paused": "yes"}, "paused"), ({"back": 1}, "back"),
     ({"advance": 1, "set": "2099-01-01T00:00:00Z"}, "set")],
)  # fmt: skip
def test_a_time_that_cannot_be_names_its_field(sim: Running, body: dict[str, object], field: str) -> None:
    answer = sim.http.post("/_sim/clock", json=body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_clock_keeps_its_time_over_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    with simulator(data=data) as sim:
        sim.http.post("/_sim/clock", json={"advance": "P10D", "paused": True})
        before = sim.http.get("/_sim/clock").json()["now"]
    with simulator(data=data) as sim:
        shown = sim.http.get("/_sim/clock").json()
        assert (shown["now"], shown["paused"]) == (before, True)


def test_statuses_wait_for_a_clock_that_stands_still(sim: Running) -> None:
    sim.http.post("/_sim/clock", json={"paused": True})
    message = sim.sdk.messages.create(to=THEIRS, from_=OURS, body="x")
    assert message.fetch().status == "queued"
    sim.http.post("/_sim/clock", json={"advance": 1})
    assert message.fetch().status == "delivered"


def test_an_idle_conversation_falls_asleep_and_closes(sim: Running, product: Receiver) -> None:
    conversation = sim.sdk.conversations.v1.conversations.create(timers_inactive="PT1M", timers_closed="PT10M")
    for seconds, state in ((59, "active"), (1, "inactive"), (539, "inactive"), (1, "closed")):
        sim.http.post("/_sim/clock", json={"paused": True, "advance": seconds})
        assert conversation.fetch().state == state
    told = eventually(lambda: len(product.hooks) == 2 and product.events("onConversationStateUpdated"))
    steps = sorted((hook["StateUpdated"], hook["StateFrom"], hook["StateTo"], hook["Reason"]) for hook in told)
    assert [step[1:] for step in steps] == [("active", "inactive", "TIMER"), ("inactive", "closed", "TIMER")]


def test_what_happens_in_a_conversation_sets_its_timers_back(sim: Running) -> None:
    sim.http.post("/_sim/clock", json={"paused": True})
    conversation = sim.sdk.conversations.v1.conversations.create(timers_inactive="PT1M")
    stirring = (
        lambda: conversation.messages.create(body="x"),
        lambda: conversation.participants.create(identity="ann"),
        lambda: conversation.participants("ann").delete(),
        lambda: conversation.update(friendly_name="Ann"),
    )
    for stir in stirring:
        sim.http.post("/_sim/clock", json={"advance": 50})
        stir()
    sim.http.post("/_sim/clock", json={"advance": 59})
    assert conversation.fetch().state == "active"
    shown = conversation.fetch().timers["date_inactive"]
    sim.http.post("/_sim/clock", json={"advance": 1})
    asleep = conversation.fetch()
    assert (asleep.state, asleep.timers["date_inactive"]) == ("inactive", shown)
    conversation.messages.create(body="wake up")
    assert conversation.fetch().state == "active"
    sim.http.post("/_sim/clock", json={"advance": 60})
    assert conversation.fetch().state == "inactive"


def test_timers_run_on_after_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    with simulator(data=data) as sim:
        sim.http.post("/_sim/clock", json={"paused": True})
        sid = sim.sdk.conversations.v1.conversations.create(timers_inactive="PT1H").sid
        sim.http.post("/_sim/clock", json={"advance": 3000})
    with simulator(data=data) as sim:
        sim.http.post("/_sim/clock", json={"advance": 600})
        assert sim.sdk.conversations.v1.conversations(sid).fetch().state == "inactive"


def test_a_scheduled_message_leaves_at_its_time_or_never(sim: Running, product: Receiver) -> None:
    sim.http.post("/_sim/clock", json={"paused": True})
    at = datetime.fromtimestamp(now(sim) + 3600, tz=datetime.fromisoformat("2026-01-01T00:00:00Z").tzinfo)
    service = "MG" + "0" * 32
    kept, dropped = (
        sim.sdk.messages.create(
            to=THEIRS,
            messaging_service_sid=service,
            body="x",
            schedule_type="fixed",
            send_at=at,
            status_callback=f"{product.base}/{name}",
        )
        for name in ("kept", "dropped")
    )
    assert (kept.status, dropped.update(status="canceled").status) == ("scheduled", "canceled")
    sim.http.post("/_sim/clock", json={"advance": 3500})
    assert kept.fetch().status == "scheduled"
    sim.http.post("/_sim/clock", json={"advance": 101})
    assert (kept.fetch().status, dropped.fetch().status) == ("delivered", "canceled")
    eventually(lambda: len(product.at("/kept")) == 4)
    assert [h["MessageStatus"] for h in product.at("/kept")] == ["queued", "sending", "sent", "delivered"]
    assert [h["MessageStatus"] for h in product.at("/dropped")] == ["canceled"]


def test_the_whatsapp_window_closes_24_hours_after_the_persons_last_text(sim: Running) -> None:
    person = f"whatsapp:{THEIRS}"
    sim.http.post("/_sim/clock", json={"paused": True})
    sim.text("Hi", channel="whatsapp")

    def outcome() -> tuple[str, int | None]:
        message = sim.sdk.messages.create(to=person, from_="whatsapp:+15550100001", body="x")
        sim.http.post("/_sim/clock", json={"advance": 1})
        seen = message.fetch()
        return seen.status, seen.error_code

    sim.http.post("/_sim/clock", json={"advance": "PT23H59M"})
    assert outcome() == ("delivered", None)
    sim.http.post("/_sim/clock", json={"advance": "PT1M"})
    assert outcome() == ("failed", 63016)
