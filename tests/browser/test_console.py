"""The console in a browser, on the stack that `make run` starts: the way of a day, and who can use it how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SIZES
from tests.browser.test_phone_access import barriers
from tests.support.stack import Stack, running

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Open = Callable[..., Page]
WHATSAPP, SMS = "+15550100061", "+15550100062"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("console") / "data") as stack:
        yield stack


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[Open]:
    """Opens pages of the console, each in a profile of its own. Fails the test for a script's error, for what the
    page's own policy had to stop, and for any request to elsewhere."""
    troubles: list[str] = []
    ours = stack.urls["api"]

    def opened(path: str = "/console", size: str = "desktop", **options: Any) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", **options)
        open_ones.callback(context.close)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None)
        page.on("request", lambda made: None if made.url.startswith(ours) else troubles.append(made.url))
        page.goto(f"{ours}{path}")
        return page

    with ExitStack() as open_ones:
        yield opened
    assert troubles == []


def is_live(page: Page) -> None:
    """Its scripts run, and hear what happens."""
    expect(page.locator("#live")).to_have_attribute("data-state", "live")


def text(stack: Stack, number: str, body: str, channel: str = "sms", **more: Any) -> None:
    message = {"from": number, "body": body, "channel": channel, **more}
    httpx.post(f"{stack.urls['simulator']}/_sim/inbound", json=message).raise_for_status()


@pytest.fixture(scope="module")
def talk(stack: Stack, browser: Browser) -> str:
    """The page of a conversation by WhatsApp, with one answer in it."""
    text(stack, WHATSAPP, "When are you open on Saturday?", "whatsapp")
    page = browser.new_page()
    page.goto(f"{stack.urls['console']}")
    page.locator(".row", has_text="10:00 to 16:00").filter(has_text="WhatsApp").click()
    expect(page.get_by_role("heading", name="About")).to_be_visible()
    path = page.url.removeprefix(stack.urls["api"])
    page.close()
    return path


def test_from_the_phone_page_over_a_takeover_to_the_run_in_temporal_ui(
    stack: Stack, browser: Browser, visit: Open, tmp_path: Path
) -> None:
    shots = iter(range(1, 20))

    def shot(page: Page, name: str) -> None:
        page.screenshot(path=tmp_path / f"{next(shots):02}-{name}.png")

    desk, phone = visit(), browser.new_page()
    is_live(desk)
    phone.goto(stack.urls["phone"])
    assert phone.get_by_role("link", name="Console").get_attribute("href") == stack.urls["console"]
    before = desk.locator(".row").count()

    def write(body: str) -> None:
        phone.get_by_role("textbox").first.fill(body)
        phone.keyboard.press("Enter")

    write("When are you open on Saturday?")
    expect(phone.get_by_role("log").get_by_text("10:00 to 16:00")).to_be_visible()
    expect(desk.locator(".row")).to_have_count(before + 1)  # it came by itself
    expect(desk.locator(".row").first).to_contain_text("10:00 to 16:00")
    shot(desk, "arrived")

    desk.locator(".row").first.click()
    desk.get_by_role("button", name="Take over").click()
    expect(desk.get_by_text("You answer; the agent is silent.")).to_be_visible()
    shot(desk, "taken-over")
    desk.get_by_label("Message to the person").fill("Hello, a human here.")
    desk.keyboard.press("Enter")
    expect(desk.locator(".human").get_by_role("img", name="Delivered")).to_be_visible()
    expect(desk.get_by_label("Message to the person")).to_have_value("")
    expect(phone.get_by_role("log").get_by_text("a human here")).to_be_visible()
    write("Thank you. One more thing")
    expect(desk.get_by_role("log").get_by_text("One more thing")).to_be_visible()
    expect(desk.get_by_text("Answer within", exact=True)).to_be_visible()
    shot(desk, "answered-by-a-human")

    desk.get_by_role("button", name="Release to the agent").click()
    expect(desk.get_by_text("The agent answers here.")).to_be_visible()
    write("Where are you?")
    expect(desk.get_by_role("log").get_by_text("Canal Street")).to_be_visible()
    shot(desk, "released")
    desk.get_by_role("link", name="Why this answer").last.click()
    why = desk.get_by_role("complementary", name="Why this answer")
    expect(why.get_by_role("list", name="Steps").get_by_role("listitem")).to_have_count(9)
    expect(why.get_by_text("The provider accepted it at once.")).to_be_visible()
    expect(why.get_by_text("visit-and-contact.md")).to_be_visible()
    shot(desk, "why")

    run = why.get_by_role("link", name="This run in Temporal UI").get_attribute("href")
    phone.goto(run or "")
    expect(phone.get_by_role("heading", name=desk.url.split("/")[-3])).to_be_visible()
    shot(phone, "temporal-ui")
    assert len(list(tmp_path.glob("*.png"))) == 6
    phone.close()


@pytest.mark.parametrize(
    ("size", "scheme"), [("desktop", "light"), ("desktop", "dark"), ("tablet", "light"), ("360px", "dark")]
)
def test_axe_finds_no_barrier(visit: Open, talk: str, size: str, scheme: str) -> None:
    page = visit(talk, size, color_scheme=scheme, reduced_motion="reduce")
    is_live(page)
    assert barriers(page) == [], "conversation"
    page.get_by_role("link", name="Why this answer").last.click()
    expect(page.get_by_role("heading", name="Why this answer")).to_be_visible()
    assert barriers(page) == [], "why"
    for path, name in (("/console", "inbox"), ("/console?shelf=waiting", "empty"), ("/console/nobody", "trouble")):
        page.goto(page.url.partition("/console")[0] + path)
        assert barriers(page) == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing hangs over the edge"


def test_everything_is_reached_and_done_by_keyboard(visit: Open, talk: str) -> None:
    page = visit(talk)
    is_live(page)
    reached: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        look = "[document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText, "
        name, outline = page.evaluate(look + "getComputedStyle(document.activeElement).outlineStyle]")
        reached.append(str(name).partition("\n")[0])
        assert outline != "none", reached
        if "All of this person's conversations" in reached[-1]:
            break
    order = ["To the conversation", "All", "Messages", "Why this answer", "Take over", "Hand to a colleague"]
    places = [next(n for n, found in enumerate(reached) if found.startswith(wanted)) for wanted in order]
    assert places == sorted(places)

    page.keyboard.press("r")
    page.keyboard.type("A regular.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log").get_by_text("A regular.")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    expect(page.get_by_role("heading", name="Why this answer")).to_be_visible()
    is_live(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="About")).to_be_visible()
    is_live(page)
    page.keyboard.press("j")
    expect(page.locator(".row").last).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type(WHATSAPP)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Of the person")).to_be_visible()
    assert WHATSAPP[1:] not in page.url
    expect(page.locator(".row")).to_have_count(1)


def test_a_picture_that_came_is_shown(visit: Open, stack: Stack, talk: str) -> None:
    picture = (Path(__file__).parents[2] / "docs" / "images" / "phone.png").read_bytes()
    media = f"{stack.urls['simulator']}/_sim/media"
    kept = httpx.post(media, content=picture, headers={"Content-Type": "image/png"}).raise_for_status().json()
    text(stack, WHATSAPP, "Do you repair this?", "whatsapp", media=[kept["url"]])
    page = visit(talk)
    image = page.get_by_role("img", name="A picture that came with the message")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100


def test_without_scripts_it_is_plain_pages_and_forms(visit: Open, stack: Stack) -> None:
    text(stack, SMS, "Hello, is anybody there?")
    page = visit(size="360px", java_script_enabled=False)
    for _ in range(40):  # nothing tells it that somebody has written
        if page.locator(".row", has_text="Agent:").filter(has_text="SMS").count() > 1:
            break
        page.wait_for_timeout(500)
        page.reload()
    page.locator(".row").first.click()
    page.get_by_role("button", name="Take over").click()
    page.get_by_label("Message to the person").fill("I am.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("log").get_by_text("I am.")).to_be_visible()
    page.get_by_role("link", name="About this conversation").click()
    expect(page.get_by_role("heading", name="About")).to_be_visible()
    page.get_by_role("link", name="Back to the chat").click()
    page.get_by_role("button", name="Release to the agent").click()
    page.get_by_label("Note for the colleagues").fill("Asks for people.")
    page.get_by_role("button", name="Note").click()
    expect(page.get_by_text("Note of yours")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator(".row").first).to_be_visible()


def test_a_page_whose_server_was_killed_is_live_again_with_what_was_being_written(
    visit: Open, stack: Stack, talk: str
) -> None:
    page = visit(talk)
    is_live(page)
    page.get_by_label("Note for the colleagues").fill("half a sent")
    stack.kill("api")
    expect(page.locator("#live")).to_have_text("Reconnecting")
    is_live(page)
    text(stack, WHATSAPP, "And on Sunday?", "whatsapp")
    expect(page.get_by_role("log").get_by_text("And on Sunday?")).to_be_visible()
    expect(page.get_by_label("Note for the colleagues")).to_have_value("half a sent")
