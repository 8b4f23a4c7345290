"""The phone page by keyboard, by screen reader, in the dark, without motion; and axe-core's opinion of it."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SIZES, Open
from tests.simulator.harness import OURS, OURS_WHATSAPP, Receiver, Running

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"


def barriers(page: Page) -> list[str]:
    """What axe-core finds, however small. Its script comes in as the test's own: the policy does not concern it."""
    if not AXE.exists():
        pytest.skip("axe-core is not here: make node")
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate("axe.run(document)")
    return [
        f"{found['id']}: {node['html'][:120]} {node['failureSummary'][:300]}"
        for found in found["violations"]
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_no_barrier(open_page: Open, sim: Running, product: Receiver, size: str, scheme: str) -> None:
    page = open_page(size, color_scheme=scheme, reduced_motion="reduce")
    assert barriers(page) == [], "nothing said yet"
    person = page.locator(".phone").get_attribute("data-number")
    product.answers += [(200, "text/xml", ""), (400, "text/plain", "")]
    sim.text("Hello, see https://a.test", **{"from": person})
    sim.text("Hello again", **{"from": person})
    sim.arm("delivery", code=30003)
    for body in ("lost", "Hi. See https://b.test"):
        sim.sdk.messages.create(to=person, from_=OURS, body=body)
    expect(page.locator(".theirs").get_by_role("img", name="Delivered", exact=True)).to_be_visible()
    assert barriers(page) == [], "SMS"
    original = sim.text("Hi", **{"from": person, "channel": "whatsapp"})
    place = {"latitude": 1.5, "longitude": 2.5, "label": "Here", "address": "There"}
    sim.text("", **{"from": person, "channel": "whatsapp", "location": place, "reply_to": original["sid"]})
    sim.sdk.messages.create(to=f"whatsapp:{person}", from_=OURS_WHATSAPP, body="Hello")
    page.get_by_role("tab", name="WhatsApp").click()
    expect(page.locator(".theirs").get_by_role("img", name="Read")).to_be_visible()
    assert barriers(page) == [], "WhatsApp"
    page.locator(".open-panel").click()
    sim.arm("webhook_drop")
    page.get_by_label("What shall go wrong").select_option("status")
    page.get_by_role("button", name="Arm", exact=True).click()
    expect(page.get_by_role("list", name="Armed faults").get_by_role("listitem")).to_have_count(2)
    assert barriers(page) == [], "panel"
    page.get_by_role("button", name="Reset…").click()
    assert barriers(page) == [], "question"


def test_all_of_it_by_keyboard(desktop: Page, product: Receiver) -> None:
    keys, box = desktop.keyboard, desktop.get_by_role("textbox")
    keys.press("Tab")
    expect(desktop.get_by_role("link", name="To the phones")).to_be_focused()
    reached: list[str] = []
    for _ in range(40):
        keys.press("Tab")
        reached.append(
            desktop.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText")
        )
        assert desktop.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", reached[-1]
        if desktop.evaluate("document.activeElement.matches('textarea')"):
            break
    order = ["Console", "Add a phone", "Name and number of Ana", "Remove the phone of Ana", "SMS", "Messages by SMS",
             "What are your opening hours?", "Attach files"]  # fmt: skip
    places = [next(n for n, name in enumerate(reached) if name.startswith(wanted)) for wanted in order]
    assert places == sorted(places)
    keys.type("One")
    keys.press("Shift+Enter")
    keys.type("Two")
    expect(box).to_have_value("One\nTwo")
    keys.press("Enter")
    assert product.wait(1)[0]["Body"] == "One\nTwo"
    expect(box).to_be_focused()
    expect(box).to_have_value("")


def test_enter_that_ends_a_composition_does_not_send(desktop: Page, product: Receiver) -> None:
    desktop.get_by_role("textbox").fill("に")
    composing = """box => box.dispatchEvent(new KeyboardEvent("keydown",
      { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""
    desktop.get_by_role("textbox").evaluate(composing)
    expect(desktop.get_by_role("textbox")).to_have_value("に")
    assert product.hooks == []


def test_escape_closes_the_panel_and_the_focus_returns(page: Page) -> None:
    button = page.locator(".open-panel")
    button.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="Behind the scenes")
    expect(panel).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")


def test_a_small_screens_panel_keeps_the_focus(open_page: Open) -> None:
    page = open_page("360px")
    page.locator(".open-panel").click()
    for _ in range(25):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('.panel')")
    page.keyboard.press("Escape")
    expect(page.locator(".open-panel")).to_be_focused()


def test_arrows_walk_through_messages_and_reach_what_can_be_done_with_them(desktop: Page, sim: Running) -> None:
    person = desktop.locator(".phone").get_attribute("data-number")
    desktop.get_by_role("tab", name="WhatsApp").click()
    for body in ("One", "Two"):
        sim.text(body, **{"from": person, "channel": "whatsapp"})
    expect(desktop.locator(".bubble")).to_have_text(["One", "Two"])
    desktop.locator(".thread").focus()
    desktop.keyboard.press("ArrowUp")
    desktop.keyboard.press("ArrowUp")
    expect(desktop.locator(".said").first).to_be_focused()
    desktop.keyboard.press("Tab")
    desktop.keyboard.press("Enter")
    expect(desktop.locator(".quoting")).to_contain_text("One")
    expect(desktop.get_by_role("textbox")).to_be_focused()
    desktop.keyboard.press("Escape")
    expect(desktop.locator(".quoting")).to_be_hidden()


def test_a_new_message_is_spoken_with_the_name_of_its_phone(desktop: Page, sim: Running) -> None:
    spoken = desktop.locator("[aria-live=polite]")
    person = desktop.locator(".phone").get_attribute("data-number")
    for _ in range(2):
        sim.sdk.messages.create(to=person, from_=OURS, body="Are you there?")
    expect(spoken.locator("p")).to_have_text(["Ana, new message: Are you there?"] * 2)


def test_nothing_moves_for_who_wants_it_so(open_page: Open, sim: Running) -> None:
    moves = "node => getComputedStyle(node).animationName"
    for wish, moving in (("no-preference", "arrive"), ("reduce", "none")):
        page = open_page(reduced_motion=wish)
        person = page.locator(".phone").get_attribute("data-number")
        sim.sdk.messages.create(to=person, from_=OURS, body="Hi")
        expect(page.locator(".theirs")).to_be_visible()
        assert page.locator(".theirs").evaluate(moves) == moving
