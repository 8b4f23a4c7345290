"""Nothing that people or products write becomes code or markup on the phone page, and the page loads only its own."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.simulator.harness import OURS, THEIRS, Running

pytestmark = pytest.mark.browser

CODE = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>\'"&quot;{{7*7}}${7*7}'
HARMFUL = f'javascript:window.hacked=1 javascript://x%0ahacked=1 JAVASCRIPT:alert(1) data:text/html,{CODE} http://x.test/"onmouseover="hacked=1'


@pytest.mark.parametrize("body", [CODE, HARMFUL], ids=["markup", "addresses"])
def test_a_body_is_only_text(desktop: Page, sim: Running, body: str) -> None:
    person = desktop.locator(".phone").get_attribute("data-number")
    sim.sdk.messages.create(to=person, from_=OURS, body=body)
    bubble = desktop.locator(".theirs .bubble")
    expect(bubble).to_have_text(body)
    assert all(link.startswith("http") for link in bubble.locator("a").evaluate_all("all => all.map(a => a.href)"))
    bubble.hover()
    assert desktop.evaluate("window.hacked") is None


def test_names_types_and_places_are_only_text(desktop: Page, sim: Running) -> None:
    person = desktop.locator(".phone").get_attribute("data-number")
    desktop.get_by_role("button", name="Name and number").click()
    desktop.get_by_role("dialog").get_by_label("Name", exact=True).fill("<img src=x onerror=hacked=1>")
    desktop.get_by_role("button", name="Save").click()
    desktop.get_by_role("tab", name="WhatsApp").click()
    sent = {"from": person, "channel": "whatsapp", "profile_name": CODE}
    sim.text("", **sent, media=[{"url": "javascript:hacked=1", "content_type": f"image/{CODE}"}])
    sim.text("", **sent, media=[{"url": f"http://127.0.0.1:9/{CODE.replace(' ', '')}", "content_type": CODE}])
    place = {"latitude": 1, "longitude": 2, "label": CODE, "address": CODE}
    sim.text("", **sent, location=place)
    expect(desktop.locator(".mine")).to_have_count(3)
    expect(desktop.locator(".location")).to_contain_text(CODE)
    expect(desktop.get_by_role("heading", name="<img")).to_be_visible()
    for link in desktop.locator(".bubble a").evaluate_all("all => all.map(a => a.protocol)"):
        assert link in {"http:", "https:"}
    desktop.locator(".open-panel").click()
    expect(desktop.locator(".webhooks li")).not_to_have_count(0)
    desktop.reload()
    expect(desktop.locator(".mine")).to_have_count(3)
    assert desktop.evaluate("window.hacked") is None


def test_links_open_apart_and_end_where_the_address_ends(desktop: Page, sim: Running) -> None:
    person = desktop.locator(".phone").get_attribute("data-number")
    text = "See https://a.test/x_(y), (https://b.test/z). Or http://c.test/?q=1&r=2#top!"
    sim.sdk.messages.create(to=person, from_=OURS, body=text)
    links = desktop.locator(".theirs .bubble a")
    expect(links).to_have_text(["https://a.test/x_(y)", "https://b.test/z", "http://c.test/?q=1&r=2#top"])
    for n in range(3):
        expect(links.nth(n)).to_have_attribute("target", "_blank")
        expect(links.nth(n)).to_have_attribute("rel", re.compile("noopener"))


def test_the_policy_allows_no_code_but_ours(desktop: Page, sim: Running) -> None:
    policy = sim.http.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert desktop.locator("script").evaluate_all("all => all.every((s) => s.src && !s.textContent.trim())")
    assert desktop.locator("[style], [onclick], [onload]").count() == 0


def test_a_file_never_opens_as_a_page_of_the_simulator(sim: Running) -> None:
    page = b"<script>parent.hacked = 1</script>"
    kept = sim.http.post("/_sim/media", content=page, headers={"Content-Type": "text/html"}).json()
    message = sim.text("Look", media=[kept["url"]])
    served = sim.http.get(f"/_sim/messages/{message['sid']}/media/0")
    assert served.content == page
    assert served.headers["content-disposition"] == "attachment"
    assert "sandbox" in served.headers["content-security-policy"]
    assert served.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["SM0/media/0", "{sid}/media/0", "{sid}/media/9"])
def test_what_is_not_there_is_not_found(sim: Running, path: str) -> None:
    sid = sim.text("Look", media=["http://127.0.0.1:9/nobody.png"])["sid"]
    assert sim.http.get("/_sim/messages/" + path.format(sid=sid)).status_code == 404


@pytest.mark.parametrize(
    "text",
    ["word " * 300, "x" * 1500, "שלום עולם, 123 abc", "👩‍👩‍👧‍👦🏳️‍🌈" * 40, "a\n\n\nb\tc"],
    ids=["long", "unbroken", "right-to-left", "emoji", "lines"],
)
def test_any_text_stays_inside_its_bubble(page: Page, sim: Running, text: str) -> None:
    person = page.locator(".phone").get_attribute("data-number")
    sim.sdk.messages.create(to=person, from_=OURS, body=text)
    bubble = page.locator(".theirs .bubble")
    expect(bubble).to_be_visible()
    assert bubble.text_content() == text
    for around in (bubble, page.locator(".thread")):
        assert around.evaluate("node => node.scrollWidth <= node.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_right_to_left_text_starts_at_the_right(desktop: Page, sim: Running) -> None:
    person = desktop.locator(".phone").get_attribute("data-number")
    sim.sdk.messages.create(to=person, from_=OURS, body="שלום עולם")
    assert desktop.locator(".theirs .text").evaluate("node => getComputedStyle(node).direction") == "rtl"


def test_a_person_without_a_phone_here_changes_nothing(desktop: Page, sim: Running) -> None:
    sim.text("Hi", **{"from": THEIRS})
    sim.sdk.messages.create(to="+15557654322", from_=OURS, body="Hi")
    expect(desktop.locator(".strangers")).to_contain_text("+1 555 765 4322")
    expect(desktop.locator(".bubble")).to_have_count(0)
