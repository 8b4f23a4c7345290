"""What WhatsApp has and SMS has not: replies to a message, locations, ticks in blue, three dots."""

import pytest
from playwright.sync_api import Page, expect
from twilio.rest.content.v1.content import ContentList

from tests.simulator.harness import OURS_WHATSAPP, Receiver, Running

pytestmark = pytest.mark.browser


@pytest.fixture
def person(page: Page) -> str:
    """The number of the one phone, whose WhatsApp is open."""
    page.get_by_role("tab", name="WhatsApp").click()
    return str(page.locator(".phone").get_attribute("data-number"))


def answer(sim: Running, person: str, body: str) -> str:
    sim.text("Hi", **{"from": person, "channel": "whatsapp"})
    return str(sim.sdk.messages.create(to=f"whatsapp:{person}", from_=OURS_WHATSAPP, body=body).sid)


def test_a_reply_names_what_it_replies_to(page: Page, sim: Running, product: Receiver, person: str) -> None:
    sid = answer(sim, person, "Which size?")
    theirs = page.locator(".theirs")
    theirs.hover()
    theirs.get_by_role("button", name="Reply").click()
    expect(page.locator(".quoting")).to_contain_text("Which size?")
    page.keyboard.type("The small one")
    page.keyboard.press("Enter")
    hook = product.wait(2)[-1]
    assert (hook["Body"], hook["OriginalRepliedMessageSid"]) == ("The small one", sid)
    expect(page.locator(".quoting")).to_be_hidden()
    quote = page.locator(".mine .quote")
    expect(quote).to_have_text("Which size?")
    quote.click()
    expect(theirs).to_be_focused()
    page.reload()
    expect(quote).to_have_text("Which size?")


def test_a_place_is_sent(page: Page, product: Receiver, person: str) -> None:
    page.get_by_role("button", name="Send a location").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Brandenburger Tor").click()
    dialog.get_by_label("Latitude").fill("52.5")
    dialog.get_by_role("button", name="Send").click()
    (hook,) = product.wait(1)
    sent = {name: hook[name] for name in ("Latitude", "Longitude", "Label", "MessageType")}
    assert sent == {"Latitude": "52.5", "Longitude": "13.3777", "Label": "Brandenburger Tor", "MessageType": "location"}
    place = page.locator(".mine .location")
    expect(place).to_contain_text("Pariser Platz, Berlin")
    expect(place).to_have_attribute("href", "https://www.openstreetmap.org/?mlat=52.5&mlon=13.3777#map=15/52.5/13.3777")


def test_an_sms_has_no_place_and_no_reply(page: Page, sim: Running, person: str) -> None:
    page.get_by_role("tab", name="SMS").click()
    expect(page.get_by_role("button", name="Send a location")).to_be_hidden()
    sim.text("Hi", **{"from": person})
    expect(page.locator(".mine")).to_have_count(1)
    expect(page.locator(".mine").get_by_role("button", name="Reply")).to_have_count(0)


def test_a_quick_reply_is_pressed(page: Page, sim: Running, product: Receiver, person: str) -> None:
    actions = [{"type": "QUICK_REPLY", "title": title, "id": title.lower()} for title in ("Yes", "<b>No</b>")]
    request = {"language": "en", "types": {"twilio/quick-reply": {"body": "Is it ok?", "actions": actions}}}
    template = sim.sdk.content.v1.contents.create(ContentList.ContentCreateRequest(request))
    sim.text("Hi", **{"from": person, "channel": "whatsapp"})
    sent = sim.sdk.messages.create(to=f"whatsapp:{person}", from_=OURS_WHATSAPP, content_sid=template.sid)
    choices = page.get_by_role("group", name="Quick replies").get_by_role("button")
    expect(choices).to_have_text(["Yes", "<b>No</b>"])
    choices.nth(1).click()
    hook = product.wait(2)[-1]
    names = ("Body", "ButtonText", "ButtonPayload", "MessageType", "OriginalRepliedMessageSid")
    assert [hook[name] for name in names] == ["<b>No</b>", "<b>No</b>", "<b>no</b>", "button", sent.sid]
    expect(choices.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".mine .quote")).to_have_text("Is it ok?")
    page.reload()
    expect(choices.nth(1)).to_have_attribute("aria-pressed", "true")


def test_three_dots_until_the_answer_and_what_was_read_turns_blue(page: Page, sim: Running, person: str) -> None:
    sids = [sim.text(body, **{"from": person, "channel": "whatsapp"})["sid"] for body in ("One", "Two", "Three")]
    expect(page.locator(".mine")).to_have_count(3)
    sim.sdk.messaging.v2.typing_indicator.create(channel="whatsapp", message_id=sids[1])
    expect(page.locator(".typing")).to_be_visible()
    expect(page.locator(".peer-state")).to_have_text("writing…")
    states = [page.locator(".mine .ticks").nth(n) for n in range(3)]
    for ticks, state in zip(states, ("read", "read", "delivered"), strict=True):
        expect(ticks).to_have_attribute("data-state", state)
    page.get_by_role("tab", name="SMS").click()
    expect(page.locator(".typing")).to_be_hidden()
    page.get_by_role("tab", name="WhatsApp").click()
    expect(page.locator(".typing")).to_be_visible()
    sim.sdk.messages.create(to=f"whatsapp:{person}", from_=OURS_WHATSAPP, body="Four")
    expect(page.locator(".typing")).to_be_hidden(timeout=15_000)  # after 25 s they would go by themselves
    expect(page.locator(".peer-state")).to_have_text("online")
    page.reload()
    expect(states[1]).to_have_attribute("data-state", "read")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "It is *bold*, _soft_, ~gone~ and `x = 1`.",
            "It is <strong>bold</strong>, <em>soft</em>, <s>gone</s> and <code>x = 1</code>.",
        ),
        ("*all _of_ it*", "<strong>all <em>of</em> it</strong>"),
        ("2*3*4, snake_case_name, * star *", "2*3*4, snake_case_name, * star *"),
        ("`*as it is*`", "<code>*as it is*</code>"),
        ("*<b>*", "<strong>&lt;b&gt;</strong>"),
        ("*two\nlines*", "*two\nlines*"),
    ],
)
def test_marks_are_read_as_whatsapp_reads_them(desktop: Page, sim: Running, text: str, shown: str) -> None:
    person = desktop.locator(".phone").get_attribute("data-number")
    sim.text(text, **{"from": person, "channel": "whatsapp"})
    sim.text(text, **{"from": person})
    expect(desktop.locator(".mine .text")).to_have_text(text)
    assert desktop.locator(".mine .text > *").count() == 0
    desktop.get_by_role("tab", name="WhatsApp").click()
    assert desktop.locator(".mine .text").inner_html() == shown


def test_read_is_blue_and_delivered_is_not(page: Page, sim: Running, person: str) -> None:
    answer(sim, person, "Hello")
    colour = "node => getComputedStyle(node).color"
    expect(page.locator(".theirs .ticks")).to_have_attribute("data-state", "read")
    expect(page.locator(".mine .ticks")).to_have_attribute("data-state", "delivered")
    expect(page.locator(".theirs .ticks")).to_have_css("color", "rgb(2, 119, 173)")
    assert page.locator(".mine .ticks").evaluate(colour) != "rgb(2, 119, 173)"


def test_the_details_of_a_message_are_at_hand(page: Page, sim: Running, person: str) -> None:
    sid = answer(sim, person, "Hello")
    page.locator(".theirs").hover()
    page.locator(".theirs").get_by_role("button", name="Details").click()
    expect(page.get_by_role("dialog")).to_contain_text(sid)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
