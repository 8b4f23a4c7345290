"""The phone page in a real browser: a person texts, the product hears it and answers, the answer is seen."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.simulator.harness import OURS, OURS_WHATSAPP, Receiver, Running, receiver, simulator

pytestmark = pytest.mark.browser


@pytest.fixture
def product() -> Iterator[Receiver]:
    with receiver() as got:
        yield got


@pytest.fixture
def sim(product: Receiver) -> Iterator[Running]:
    with simulator(product.base, links={"Console": "http://127.0.0.1:9/console"}) as running:
        yield running


@pytest.fixture(params=[(1280, 800), (375, 720)], ids=["desktop", "375px"])
def page(request: pytest.FixtureRequest, browser: Browser, sim: Running) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(sim.base)
    expect(page.get_by_role("status")).to_have_text("Live")
    yield page
    context.close()
    assert troubles == []


def test_a_text_is_sent_and_its_answer_seen(page: Page, sim: Running, product: Receiver) -> None:
    phone = page.locator(".phone")
    person = phone.get_attribute("data-number")
    page.get_by_label(re.compile("Message to")).fill("Hello <b>there</b>")
    page.keyboard.press("Enter")
    (hook,) = product.wait(1)
    assert (hook["Body"], hook["From"], hook["To"]) == ("Hello <b>there</b>", person, OURS)
    mine = phone.locator(".mine")
    expect(mine.locator(".bubble")).to_have_text("Hello <b>there</b>")
    expect(mine.get_by_role("img", name="Delivered")).to_be_visible()

    sim.sdk.messages.create(to=person, from_=OURS, body="Hi. How can I help?")
    theirs = phone.locator(".theirs")
    expect(theirs.locator(".bubble")).to_have_text("Hi. How can I help?")
    expect(theirs.get_by_role("img", name="Delivered")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.reload()
    expect(phone.locator(".bubble")).to_have_text(["Hello <b>there</b>", "Hi. How can I help?"])
    expect(mine.get_by_role("img", name="Delivered")).to_be_visible()
    expect(phone).to_have_attribute("data-number", person)


def test_a_suggestion_is_one_click(page: Page, product: Receiver) -> None:
    page.get_by_role("button", name="What are your opening hours?").click()
    assert product.wait(1)[0]["Body"] == "What are your opening hours?"
    expect(page.locator(".mine .bubble")).to_have_text("What are your opening hours?")
    expect(page.get_by_text("No messages yet")).to_be_hidden()


def test_several_phones_each_with_two_channels(page: Page, sim: Running, product: Receiver) -> None:
    page.get_by_role("button", name="Add a phone").click()
    phones = page.locator(".phone")
    expect(phones).to_have_count(2)
    first, second = phones.nth(0), phones.nth(1)
    assert first.get_attribute("data-number") != second.get_attribute("data-number")
    person = second.get_attribute("data-number")
    second.get_by_role("tab", name="SMS").focus()
    page.keyboard.press("ArrowRight")
    expect(second.get_by_role("tab", name="WhatsApp")).to_be_focused()
    second.get_by_role("textbox").fill("Hello")
    page.keyboard.press("Enter")
    assert product.wait(1)[0]["From"] == f"whatsapp:{person}"

    sim.sdk.messages.create(to=f"whatsapp:{person}", from_=OURS_WHATSAPP, body="Hi")
    expect(second.locator(".theirs").get_by_role("img", name="Read")).to_be_visible()
    expect(first.locator(".bubble")).to_have_count(0)

    second.get_by_role("button", name="Remove this phone").click()
    expect(phones).to_have_count(1)
    expect(first.get_by_role("button", name="Remove this phone")).to_be_hidden()


def test_a_failure_is_shown_where_it_happened(page: Page, sim: Running, product: Receiver) -> None:
    product.answers += [(400, "text/plain", "")]
    page.get_by_role("textbox").fill("Hello")
    page.keyboard.press("Enter")
    expect(page.locator(".mine .why")).to_have_text("Not taken: HTTP 400")
    sim.arm("delivery", outcome="undelivered", code=30005)
    person = page.locator(".phone").get_attribute("data-number")
    sim.sdk.messages.create(to=person, from_=OURS, body="Hi")
    expect(page.locator(".theirs .why")).to_have_text("Not delivered (30005)")


def test_the_strip_leads_elsewhere(page: Page) -> None:
    expect(page.get_by_role("link", name="Console")).to_have_attribute("href", "http://127.0.0.1:9/console")
