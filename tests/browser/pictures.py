"""`python -m tests.browser.pictures [FOLDER]`: takes the pictures of docs/images from the real page."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright
from twilio.rest.content.v1.content import ContentList

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.simulator.harness import OURS, OURS_WHATSAPP, Receiver, Running, receiver, simulator

IMAGES = Path(__file__).parents[2] / "docs" / "images"
ANA, BEN, LEILA = "+15553580142", "+15552431971", "+15559034466"
PEOPLE = [
    {"name": "Ana", "number": ANA, "channel": "sms"},
    {"name": "Ben", "number": BEN, "channel": "whatsapp", "current": True},
    {"name": "Leila", "number": LEILA, "channel": "whatsapp"},
]
BICYCLE = """<svg xmlns="http://www.w3.org/2000/svg" width="480" height="320" viewBox="0 0 480 320">
<rect width="480" height="320" fill="#cfe3ee"/><path d="M0 232h480v88H0z" fill="#8fb28a"/>
<g fill="none" stroke="#25313c" stroke-width="9" stroke-linejoin="round" stroke-linecap="round">
<circle cx="140" cy="214" r="62"/><circle cx="340" cy="214" r="62"/>
<path stroke="#c2472f"
d="M140 214l62-104h98l40 104M202 110l40 104h-102M242 214l58-104-10-34h36M182 92h38"/></g></svg>"""


def furnish(sim: Running, product: Receiver, picture: bytes) -> None:
    """Three people in the middle of their conversations."""
    send = sim.sdk.messages.create
    sim.text("Hi, my name is Ana. When are you open on Saturdays?", **{"from": ANA})
    send(to=ANA, from_=OURS, body="Thanks, I'll remember that. On Saturday we are open from 10:00 to 16:00.")
    sim.text("Great 👍 And where are you?", **{"from": ANA})
    send(to=ANA, from_=OURS, body="Mill Lane 4, next to the bridge: https://shop.example/way")
    sim.text("See you on Saturday!", **{"from": ANA})
    sim.arm("delivery", code=30005)
    send(to=ANA, from_=OURS, body="See you then. Shall I put the blue helmet aside for you?")

    ben = {"from": BEN, "channel": "whatsapp", "profile_name": "Ben"}
    kept = sim.http.post("/_sim/media", content=picture, headers={"Content-Type": "image/png"}).json()
    sim.text("The chain keeps falling off. Can you look at it?", media=[kept["url"]], **ben)
    actions = [{"type": "QUICK_REPLY", "title": title, "id": title} for title in ("Tomorrow at 10", "Friday at 15")]
    body = "We can, it takes half an hour. When would you like to come?"
    request = {"language": "en", "types": {"twilio/quick-reply": {"body": body, "actions": actions}}}
    template = sim.sdk.content.v1.contents.create(ContentList.ContentCreateRequest(request))
    asked = send(to=f"whatsapp:{BEN}", from_=OURS_WHATSAPP, content_sid=template.sid)
    sim.text("Friday works. Do I need to bring anything?", reply_to=asked.sid, **ben)

    leila = {"from": LEILA, "channel": "whatsapp", "profile_name": "Leila"}
    sim.text("مرحبا، هل توصلون الطلبات إلى هنا؟", **leila)
    place = {
        "latitude": 52.5163,
        "longitude": 13.3777,
        "label": "Brandenburger Tor",
        "address": "Pariser Platz, Berlin",
    }
    last = sim.text("", location=place, **leila)
    send(to=f"whatsapp:{LEILA}", from_=OURS_WHATSAPP, body="نعم، نوصل إلى هناك يوم الخميس. 🚲")
    product.answers += [(503, "text/plain", "")]
    last = sim.text("ممتاز، شكرا!", **leila)
    sim.arm("webhook_drop", event="onMessageAdded")
    sim.arm("hang", seconds=5, rate=0.2, seed=7)
    sim.sdk.messaging.v2.typing_indicator.create(channel="whatsapp", message_id=last["sid"])


def visit(browser: Browser, base: str, width: int, height: int, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB", reduced_motion="reduce"
    )
    context.add_init_script(f"localStorage.setItem('simulator.phones', {json.dumps(json.dumps(PEOPLE))})")
    page = context.new_page()
    page.goto(base)
    expect(page.locator(".live")).to_have_text("Live")
    return page


def drawn(browser: Browser) -> bytes:
    page = browser.new_page(viewport={"width": 480, "height": 320})
    page.set_content(f"<body style='margin:0'>{BICYCLE}")
    picture = page.screenshot()
    page.close()
    return picture


def take(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with receiver() as product, simulator(product.base) as sim, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        picture = drawn(browser)
        desk = visit(browser, sim.base, 1440, 900, "light")
        small = visit(browser, sim.base, 390, 800, "light")
        dark = visit(browser, sim.base, 1180, 860, "dark")
        desk.locator(".open-panel").click()
        furnish(sim, product, picture)
        expect(desk.get_by_role("list", name="Armed faults").get_by_role("listitem")).to_have_count(2)
        for page, name in ((desk, "phones"), (small, "phone"), (dark, "phones-dark")):
            expect(page.locator(".typing:visible").or_(page.locator(".quick:visible")).first).to_be_visible()
            page.locator(".mine img").first.evaluate("image => image.decode()")
            expect(page.locator(".ticks[data-state=going]")).to_have_count(0)
            page.screenshot(path=folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    try:
        take(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
    except httpx.HTTPError as problem:
        sys.exit(f"pictures: {problem}")
