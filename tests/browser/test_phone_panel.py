"""The panel behind the scenes: the clock, faults, webhooks, starting over."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.simulator.harness import OURS, OURS_WHATSAPP, Receiver, Running

pytestmark = pytest.mark.browser


@pytest.fixture
def panel(page: Page) -> Locator:
    page.locator(".open-panel").click()
    return page.get_by_role("complementary", name="Behind the scenes")


@pytest.mark.parametrize(
    ("how", "hours", "words"),
    [("+1 h", 1, "1 h ahead of this machine"), ("+25 h", 25, "1 d 1 h ahead of this machine")],
)
def test_the_clock_jumps(panel: Locator, sim: Running, how: str, hours: int, words: str) -> None:
    panel.get_by_role("button", name=how, exact=True).click()
    expect(panel.locator(".ahead")).to_have_text(words)
    assert round(sim.http.get("/_sim/clock").json()["offset"] / 3600) == hours


@pytest.mark.parametrize(
    ("typed", "seconds"), [("90", 90), ("15m", 900), ("2h", 7200), ("PT24H", 86_400), ("1.5 h", 5400)]
)
def test_the_clock_advances_by_what_is_typed(
    panel: Locator, page: Page, sim: Running, typed: str, seconds: int
) -> None:
    panel.get_by_label("Advance by").fill(typed)
    page.keyboard.press("Enter")
    expect(panel.get_by_label("Advance by")).to_have_value("")
    assert round(sim.http.get("/_sim/clock").json()["offset"]) == seconds


def test_what_is_no_duration_is_told(panel: Locator, page: Page, sim: Running) -> None:
    panel.get_by_label("Advance by").fill("tomorrow")
    page.keyboard.press("Enter")
    expect(panel.get_by_role("alert")).to_contain_text("PT24H")
    assert round(sim.http.get("/_sim/clock").json()["offset"]) == 0


def test_the_clock_stands_still_and_goes_on(panel: Locator, sim: Running) -> None:
    panel.get_by_role("button", name="Pause").click()
    expect(panel.locator(".ahead")).to_contain_text("Stands still")
    assert sim.http.get("/_sim/clock").json()["paused"]
    panel.get_by_role("button", name="Go on").click()
    expect(panel.get_by_role("button", name="Pause")).to_be_visible()
    assert not sim.http.get("/_sim/clock").json()["paused"]


def test_phones_live_on_the_simulators_time(desktop: Page, sim: Running) -> None:
    person = desktop.locator(".phone").get_attribute("data-number")
    sim.text("Hi", **{"from": person})
    expect(desktop.locator(".day")).to_have_text("Today")
    desktop.locator(".open-panel").click()
    panel = desktop.get_by_role("complementary")
    panel.get_by_label("Advance by").fill("1d")
    desktop.keyboard.press("Enter")
    expect(desktop.locator(".day")).to_have_text("Yesterday")
    sim.text("Again", **{"from": person})
    expect(desktop.locator(".day")).to_have_text(["Yesterday", "Today"])
    panel.get_by_role("button", name="Pause").click()
    expect(panel.locator(".ahead")).to_contain_text("Stands still")
    now = sim.http.get("/_sim/clock").json()["now"]
    there = desktop.evaluate("now => new Date(now).toTimeString().slice(0, 5)", now)
    expect(desktop.locator(".device-time")).to_have_text(there)


def test_the_day_after_tomorrow_whatsapp_may_not_be_answered(desktop: Page, sim: Running) -> None:
    person = desktop.locator(".phone").get_attribute("data-number")
    desktop.get_by_role("tab", name="WhatsApp").click()
    desktop.get_by_role("textbox").fill("Hi")
    desktop.keyboard.press("Enter")
    expect(desktop.locator(".mine .bubble")).to_have_text("Hi")
    desktop.locator(".open-panel").click()
    desktop.get_by_role("button", name="+25 h", exact=True).click()
    expect(desktop.locator(".ahead")).to_contain_text("1 d 1 h")
    sim.sdk.messages.create(to=f"whatsapp:{person}", from_=OURS_WHATSAPP, body="Too late")
    expect(desktop.locator(".theirs .why")).to_contain_text("63016")


def kinds(page: Page) -> list[str]:
    found: list[str] = (
        page.get_by_label("What shall go wrong").locator("option").evaluate_all("all => all.map(o => o.value)")
    )
    return found


def test_every_fault_can_be_armed_seen_and_cleared(desktop: Page, sim: Running) -> None:
    desktop.locator(".open-panel").click()
    armed = desktop.get_by_role("list", name="Armed faults").get_by_role("listitem")
    for n, kind in enumerate(kinds(desktop)):
        desktop.get_by_label("What shall go wrong").select_option(kind)
        desktop.get_by_role("button", name="Arm", exact=True).click()
        expect(armed).to_have_count(n + 1)
        expect(desktop.locator(".panel > .trouble")).to_be_hidden()
    assert [fault["kind"] for fault in sim.http.get("/_sim/faults").json()["faults"]] == kinds(desktop)
    expect(desktop.locator(".armed-count")).to_contain_text(f"{len(kinds(desktop))} armed")
    desktop.get_by_role("button", name="Clear all").click()
    expect(armed).to_have_count(0)
    expect(desktop.get_by_text("Nothing is armed")).to_be_visible()
    assert sim.http.get("/_sim/faults").json()["faults"] == []


def test_the_page_offers_every_kind_of_fault_there_is(desktop: Page, sim: Running) -> None:
    told = sim.http.post("/_sim/faults", json={"kind": "none of them"}).json()["error"]
    desktop.locator(".open-panel").click()
    assert all(kind in told for kind in kinds(desktop))
    assert len(kinds(desktop)) == len(told.removesuffix(" expected").split("one of ")[1].split(", "))


def test_a_fault_can_be_for_some_messages_and_a_share_of_them(desktop: Page, sim: Running) -> None:
    desktop.locator(".open-panel").click()
    desktop.get_by_label("What shall go wrong").select_option("hang")
    desktop.get_by_label("Done all the same").select_option("no")
    desktop.get_by_label("Call").fill("messages.create")
    desktop.get_by_text("Only some").click()
    for label, value in {"Times": "3", "Share": "0.5", "Seed of the share": "7", "Text has": "urgent"}.items():
        desktop.get_by_label(label, exact=True).fill(value)
    desktop.get_by_role("button", name="Arm", exact=True).click()
    armed = desktop.get_by_role("list", name="Armed faults").get_by_role("listitem")
    expect(armed).to_contain_text("text has urgent")
    (fault,) = sim.http.get("/_sim/faults").json()["faults"]
    wanted = {"kind": "hang", "seconds": 5, "committed": False, "route": "messages.create", "times": 3, "rate": 0.5,
              "seed": 7, "match": {"body": "urgent"}}  # fmt: skip
    assert {name: fault[name] for name in wanted} == wanted
    armed.get_by_role("button", name="Disarm").click()
    expect(armed).to_have_count(0)
    assert sim.http.get("/_sim/faults").json()["faults"] == []


def test_a_fault_that_is_used_up_leaves_the_list(panel: Locator, page: Page, sim: Running) -> None:
    panel.get_by_label("What shall go wrong").select_option("delivery")
    panel.get_by_label("Error code").fill("30008")
    panel.get_by_role("button", name="Arm", exact=True).click()
    armed = panel.get_by_role("list", name="Armed faults").get_by_role("listitem")
    expect(armed).to_contain_text("Fail at the carrier")
    expect(armed).to_contain_text("30008")
    page.keyboard.press("Escape")
    sim.sdk.messages.create(to=page.locator(".phone").get_attribute("data-number"), from_=OURS, body="Hi")
    expect(page.locator(".theirs .why")).to_contain_text("30008")
    page.locator(".open-panel").click()
    expect(armed).to_have_count(0)


def test_what_others_arm_and_set_is_seen(panel: Locator, sim: Running) -> None:
    sim.arm("webhook_drop", event="status")
    sim.http.post("/_sim/clock", json={"advance": 7200})
    expect(panel.get_by_role("list", name="Armed faults")).to_contain_text("event status")
    expect(panel.locator(".ahead")).to_have_text("2 h ahead of this machine")


def test_a_wrong_fault_is_told(panel: Locator, page: Page) -> None:
    page.route(
        "**/_sim/faults", lambda route: route.fulfill(status=400, json={"error": "code: wrong", "field": "code"})
    )
    panel.get_by_role("button", name="Arm", exact=True).click()
    expect(panel.get_by_role("alert")).to_have_text("code: wrong")


def test_each_attempt_of_a_webhook_is_listed(panel: Locator, page: Page, sim: Running, product: Receiver) -> None:
    expect(panel.get_by_text("None yet")).to_be_visible()
    product.answers += [(503, "text/plain", "")]
    sim.text("Hi")
    rows = panel.get_by_role("list", name="Last webhooks").get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("200")
    expect(rows.nth(0)).to_contain_text("attempt 2")
    expect(rows.nth(1)).to_contain_text("503")
    page.reload()
    if not panel.is_visible():
        page.locator(".open-panel").click()
    expect(rows).to_have_count(2)


def test_starting_over_asks_first(panel: Locator, page: Page, sim: Running) -> None:
    person = page.locator(".phone").get_attribute("data-number")
    sim.text("Hi", **{"from": person})
    expect(page.locator(".bubble")).to_have_count(1)
    panel.get_by_role("button", name="Reset…").click()
    page.get_by_role("button", name="Keep everything").click()
    panel.get_by_role("button", name="Reset…").click()
    page.keyboard.press("Escape")
    expect(panel).to_be_visible()
    assert len(sim.messages(str(person))) == 1
    panel.get_by_role("button", name="Reset…").click()
    page.get_by_role("dialog").get_by_role("button", name="Reset", exact=True).click()
    expect(page.locator(".bubble")).to_have_count(0)
    expect(panel.get_by_text("None yet")).to_be_visible()
    assert sim.messages(str(person)) == []
    expect(page.locator(".phone")).to_have_attribute("data-number", str(person))


def test_an_open_panel_is_open_again_after_a_reload_where_there_is_room(desktop: Page) -> None:
    desktop.locator(".open-panel").click()
    desktop.reload()
    expect(desktop.get_by_role("complementary", name="Behind the scenes")).to_be_visible()
