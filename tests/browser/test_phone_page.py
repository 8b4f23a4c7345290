"""The phone page in a real browser: a person texts, the product hears it and answers, the answer is seen."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Open
from tests.simulator.harness import OURS, OURS_WHATSAPP, Receiver, Running, eventually
from tests.support.ports import free_port

pytestmark = pytest.mark.browser


def number_of(phone: Locator) -> str:
    number = phone.get_attribute("data-number")
    assert number
    return number


def test_a_text_is_sent_and_its_answer_seen(page: Page, sim: Running, product: Receiver) -> None:
    phone = page.locator(".phone")
    person = number_of(phone)
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
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")

    page.reload()
    expect(phone.locator(".bubble")).to_have_text(["Hello <b>there</b>", "Hi. How can I help?"])
    expect(mine.get_by_role("img", name="Delivered")).to_be_visible()
    expect(phone).to_have_attribute("data-number", person)


def test_a_suggestion_is_one_click(page: Page, product: Receiver) -> None:
    page.get_by_role("button", name="What are your opening hours?").click()
    assert product.wait(1)[0]["Body"] == "What are your opening hours?"
    expect(page.locator(".mine .bubble")).to_have_text("What are your opening hours?")
    expect(page.get_by_text("No messages yet")).to_be_hidden()


def test_several_phones_each_with_two_channels(desktop: Page, sim: Running, product: Receiver) -> None:
    desktop.get_by_role("button", name="Add a phone").first.click()
    phones = desktop.locator(".phone")
    expect(phones).to_have_count(2)
    first, second = phones.nth(0), phones.nth(1)
    person = number_of(second)
    assert number_of(first) != person
    expect(second.get_by_role("textbox")).to_be_focused()
    second.get_by_role("tab", name="SMS").focus()
    desktop.keyboard.press("ArrowRight")
    expect(second.get_by_role("tab", name="WhatsApp")).to_be_focused()
    second.get_by_role("textbox").fill("Hello")
    desktop.keyboard.press("Enter")
    assert product.wait(1)[0]["From"] == f"whatsapp:{person}"
    assert product.wait(1)[0]["ProfileName"] == second.get_by_role("heading").text_content()

    sim.sdk.messages.create(to=f"whatsapp:{person}", from_=OURS_WHATSAPP, body="Hi")
    expect(second.locator(".theirs").get_by_role("img", name="Read")).to_be_visible()
    expect(first.locator(".bubble")).to_have_count(0)


def test_a_phone_has_a_name_and_number_that_can_be_changed_and_kept(desktop: Page, sim: Running) -> None:
    sim.text("From before", **{"from": "+15557654321"})
    phone = desktop.locator(".phone")
    phone.get_by_role("button", name="Name and number").click()
    dialog = desktop.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("Zoë 🦊")
    dialog.get_by_label("Number", exact=True).fill("12")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("7 to 15 digits")
    dialog.get_by_label("Number", exact=True).fill("+1 (555) 765-4321")
    dialog.get_by_role("button", name="Save").click()
    expect(phone.locator(".bubble")).to_have_text("From before")

    desktop.reload()
    expect(phone.get_by_role("heading")).to_have_text("Zoë 🦊")
    expect(phone).to_have_attribute("data-number", "+15557654321")


@pytest.mark.parametrize(
    ("number", "problem"), [("+15550100000", "one of the product's"), ("+15557654321", "Ana has this number")]
)
def test_two_cannot_have_one_number(desktop: Page, number: str, problem: str) -> None:
    phones = desktop.locator(".phone")
    dialog = desktop.get_by_role("dialog")
    phones.nth(0).get_by_role("button", name="Name and number").click()
    dialog.get_by_label("Number", exact=True).fill("+15557654321")
    dialog.get_by_role("button", name="Save").click()
    desktop.get_by_role("button", name="Add a phone").first.click()
    phones.nth(1).get_by_role("button", name="Name and number").click()
    dialog.get_by_label("Number", exact=True).fill(number)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text(problem)


def test_a_removed_phone_stays_away_and_the_last_one_is_replaced(desktop: Page) -> None:
    phones = desktop.locator(".phone")
    desktop.get_by_role("button", name="Add a phone").first.click()
    kept = number_of(phones.nth(1))
    phones.nth(0).get_by_role("button", name="Remove the phone").click()
    expect(phones).to_have_count(1)
    desktop.reload()
    expect(phones).to_have_attribute("data-number", kept)
    phones.get_by_role("button", name="Remove the phone").click()
    expect(phones).to_have_count(1)
    assert number_of(phones) != kept


def test_a_small_screen_shows_one_phone_and_a_switch(open_page: Open, sim: Running) -> None:
    page = open_page("360px")
    phones, switch = page.locator(".phone"), page.get_by_role("navigation", name="Phones")
    expect(switch).to_be_hidden()
    first = number_of(phones)
    page.get_by_role("button", name="Add a phone").click()
    expect(switch.get_by_role("button")).to_have_count(2)
    expect(phones.nth(0)).to_be_hidden()
    expect(phones.nth(1)).to_be_visible()
    sim.sdk.messages.create(to=first, from_=OURS, body="Are you there?")
    expect(switch.get_by_role("button").nth(0)).to_contain_text("1 unread")
    expect(page).to_have_title("(1) Phones")
    switch.get_by_role("button").nth(0).click()
    expect(page.locator(".bubble").get_by_text("Are you there?")).to_be_visible()
    expect(page).to_have_title("Phones")
    page.reload()
    expect(phones.nth(0)).to_be_visible()
    expect(phones.nth(1)).to_be_hidden()


def test_what_comes_on_the_other_channel_is_counted_until_it_is_seen(page: Page, sim: Running) -> None:
    person = number_of(page.locator(".phone"))
    sim.text("Hi", **{"from": person, "channel": "whatsapp"})
    for n in range(2):
        sim.sdk.messages.create(to=f"whatsapp:{person}", from_=OURS_WHATSAPP, body=f"Hello {n}")
    tab = page.get_by_role("tab", name="WhatsApp")
    expect(tab).to_contain_text("2 unread")
    tab.click()
    expect(tab).to_have_text("WhatsApp")
    expect(page.locator(".theirs").get_by_role("img", name="Read")).to_have_count(2)


def test_a_draft_waits_on_its_channel(desktop: Page) -> None:
    box = desktop.get_by_role("textbox")
    box.fill("half a thou")
    desktop.get_by_role("tab", name="WhatsApp").click()
    expect(box).to_have_value("")
    desktop.get_by_role("tab", name="SMS").click()
    expect(box).to_have_value("half a thou")


def test_a_failure_is_shown_where_it_happened(page: Page, sim: Running, product: Receiver) -> None:
    product.answers += [(400, "text/plain", "")]
    page.get_by_role("textbox").fill("Hello")
    page.keyboard.press("Enter")
    expect(page.locator(".mine .why")).to_have_text("Not taken: HTTP 400")
    sim.arm("delivery", outcome="undelivered", code=30005)
    sim.sdk.messages.create(to=number_of(page.locator(".phone")), from_=OURS, body="Hi")
    expect(page.locator(".theirs .why")).to_have_text("Not delivered (30005)")
    expect(page.locator(".theirs .why a")).to_have_attribute("href", "https://www.twilio.com/docs/api/errors/30005")


def test_a_lost_connection_is_shown_and_nothing_written_is_lost(
    browser: Browser, tmp_path: Path, product: Receiver
) -> None:
    port = free_port()
    context = browser.new_context()
    page = context.new_page()
    with process(port, tmp_path / "data", product.base):
        eventually(lambda: answers(f"http://127.0.0.1:{port}/_sim/health"))
        page.goto(f"http://127.0.0.1:{port}/")
        page.get_by_role("textbox").fill("Before")
        page.keyboard.press("Enter")
        expect(page.locator(".mine").get_by_role("img", name="Delivered")).to_be_visible()
    expect(page.locator(".live")).to_have_text("Reconnecting")
    expect(page.locator(".lost")).to_be_visible()
    page.get_by_role("textbox").fill("Meanwhile")
    page.keyboard.press("Enter")
    expect(page.locator(".phone").get_by_role("alert")).to_have_text("Not sent: The simulator does not answer.")
    expect(page.get_by_role("textbox")).to_have_value("Meanwhile")
    with process(port, tmp_path / "data", product.base):
        expect(page.locator(".live")).to_have_text("Live")
        expect(page.locator(".lost")).to_be_hidden()
        page.get_by_role("textbox").press("Enter")
        expect(page.locator(".bubble")).to_have_text(["Before", "Meanwhile"])
        context.close()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def process(port: int, data: Path, webhook_base: str) -> Iterator[None]:
    options = ["--port", str(port), "--data", str(data), "--webhook-base", webhook_base]
    with subprocess.Popen([sys.executable, "-m", "simulator", *options]) as running:
        try:
            yield
        finally:
            running.terminate()


def test_a_text_to_somebody_who_is_not_here_is_told(desktop: Page, sim: Running) -> None:
    sim.sdk.messages.create(to="+15557654321", from_=OURS, body="Are you there?")
    desktop.get_by_role("button", name="Put this phone on the desk").click()
    phone = desktop.locator(".phone[data-number='+15557654321']")
    expect(phone.locator(".bubble")).to_have_text("Are you there?")
    expect(desktop.get_by_role("button", name="Put this phone on the desk")).to_have_count(0)


def test_somebody_who_is_not_wanted_stays_away(desktop: Page, sim: Running) -> None:
    sim.sdk.messages.create(to="+15557654321", from_=OURS, body="Are you there?")
    desktop.get_by_role("button", name="Not +1 555 765 4321").click()
    sim.sdk.messages.create(to="+15557654321", from_=OURS, body="Are you there?")
    sim.sdk.messages.create(to=number_of(desktop.locator(".phone")), from_=OURS, body="And you?")
    expect(desktop.locator(".theirs")).to_have_count(1)
    expect(desktop.locator(".strangers")).to_have_text("")


def test_who_reads_above_is_not_moved_but_told(desktop: Page, sim: Running) -> None:
    person = number_of(desktop.locator(".phone"))
    for n in range(40):
        sim.text(f"Line {n}", **{"from": person})
    expect(desktop.get_by_text("Line 39")).to_be_in_viewport()
    thread = desktop.locator(".thread")
    thread.evaluate("box => { box.scrollTop = 0; }")
    expect(desktop.get_by_role("button", name="To the newest message")).to_be_visible()
    sim.sdk.messages.create(to=person, from_=OURS, body="The newest")
    expect(desktop.locator(".to-end .count")).to_have_text("1")
    assert thread.evaluate("box => box.scrollTop") == 0
    desktop.get_by_role("button", name="To the newest message").click()
    expect(desktop.locator(".bubble").last).to_be_in_viewport()


def test_the_strip_leads_elsewhere(page: Page) -> None:
    expect(page.get_by_role("link", name="Console")).to_have_attribute("href", "http://127.0.0.1:9/console")
