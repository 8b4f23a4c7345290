"""`python -m tests.browser.console_pictures [FOLDER]`: takes the console's pictures of docs/images."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.pictures import IMAGES, drawn
from tests.support.stack import Stack, running

ANA, BEN, LEILA, OMAR, RUTH = "+15553580142", "+15552431971", "+15559034466", "+15557770123", "+15556660199"


def furnish(stack: Stack, browser: Browser) -> None:
    """Five people, one of them on two channels; one answer was lost, and one person wants a human."""
    sim = stack.urls["simulator"]

    def said(number: str, body: str, channel: str = "sms", **more: object) -> None:
        message = {"from": number, "body": body, "channel": channel, **more}
        answers = count(sim, number)
        httpx.post(f"{sim}/_sim/inbound", json=message).raise_for_status()
        for _ in range(300):
            if count(sim, number) > answers:
                return
            browser.contexts[0].pages[0].wait_for_timeout(100)
        raise AssertionError(f"no answer to {body!r}")

    picture = httpx.post(f"{sim}/_sim/media", content=drawn(browser), headers={"Content-Type": "image/png"}).json()
    said(ANA, "Hi, my name is Ana. My bike is a red Gazelle.")
    said(ANA, "Thanks! I will write by WhatsApp from now on.")
    said(LEILA, "مرحبا، هل توصلون الطلبات؟", "whatsapp")
    said(OMAR, "How much is a test ride?")
    httpx.post(f"{sim}/_sim/faults", json={"kind": "delivery", "code": 30005}).raise_for_status()
    said(OMAR, "And an e-bike for a weekend?")
    said(RUTH, "Do you sell gift cards?", "whatsapp")
    said(BEN, "What does a full service cost?", "whatsapp")
    said(BEN, "When are you open on Friday?", "whatsapp", media=[picture["url"]])
    said(ANA, "Hello again! When are you open on Saturday?", "whatsapp")
    said(ANA, "Which bike do I have?", "whatsapp")


def count(sim: str, number: str) -> int:
    found = httpx.get(f"{sim}/_sim/messages", params={"phone": number, "limit": 1000}).json()
    rows = found["messages"] if isinstance(found, dict) else found
    return sum(row["direction"].startswith("outbound") for row in rows)


def visit(browser: Browser, stack: Stack, width: int, height: int, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB", reduced_motion="reduce"
    )
    context.add_cookies([{"name": "console_name", "value": "Mia", "url": stack.urls["api"]}])
    page = context.new_page()
    page.goto(stack.urls["console"])
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    return page


def open_row(page: Page, words: str) -> None:
    page.locator(".row", has_text=words).first.click()
    expect(page.get_by_role("heading", name="About")).to_be_attached()
    expect(page.locator("#live")).to_have_attribute("data-state", "live")


def take(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        running(Path(data) / "data") as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        browser.new_context().new_page()
        furnish(stack, browser)
        desk = visit(browser, stack, 1440, 900, "light")
        open_row(desk, "Gazelle")
        desk.get_by_role("link", name="Why this answer").last.click()
        expect(desk.get_by_role("heading", name="Why this answer")).to_be_visible()

        dark = visit(browser, stack, 1280, 820, "dark")
        open_row(dark, "Friday")
        dark.get_by_role("button", name="Take over").click()
        box = dark.get_by_label("Message to the person")
        box.fill("The chain needs a new tensioner.")
        dark.get_by_role("button", name="Note").click()
        expect(dark.get_by_text("Note of yours")).to_be_visible()
        box.fill("Hello Ben, Mia here. Bring it on Friday, it takes half an hour.")
        dark.keyboard.press("Enter")
        expect(dark.locator(".human").get_by_role("img", name="Delivered")).to_be_visible()
        httpx.post(
            f"{stack.urls['simulator']}/_sim/inbound",
            json={"from": BEN, "body": "Friday it is, thank you!", "channel": "whatsapp"},
        ).raise_for_status()
        expect(dark.get_by_role("log").get_by_text("Friday it is")).to_be_visible()
        expect(dark.get_by_text("Answer within", exact=True)).to_be_visible()
        dark.get_by_role("img", name="A picture that came").evaluate("image => image.decode()")

        small = visit(browser, stack, 390, 800, "light")
        for page, name in ((desk, "console"), (dark, "console-dark"), (small, "console-phone")):
            page.wait_for_timeout(2_500)  # what is live settles
            page.mouse.move(0, 0)
            page.screenshot(path=folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
