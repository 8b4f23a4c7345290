"""Files on the phone page: a person sends them in three ways, and sees, hears or opens what the product sends."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit, urlunsplit

import pytest
from playwright.sync_api import Page, expect

from tests.simulator.harness import OURS, OURS_WHATSAPP, Receiver, Running

pytestmark = pytest.mark.browser

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGNQaXTAgxhGpfGhBgBTwGQB9jYKqAAAAABJRU5ErkJggg=="
)
WAV = b"".join([
    b"RIFF", (836).to_bytes(4, "little"), b"WAVEfmt ", bytes.fromhex("10000000010001004011000040110000010008"), b"\x00",
    b"data", (800).to_bytes(4, "little"), b"\x80" * 800,
])  # fmt: skip
FILES = {
    "/cat.png": ("image/png", PNG),
    "/hum.wav": ("audio/wav", WAV),
    "/terms.pdf": ("application/pdf", b"%PDF-1.4\n"),
}

# What a paste and a drop bring, made in the page: the clipboard of a test machine is nobody's.
TRANSFER = """(node, [event, type, bytes]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], "cat.png", { type }));
  const options = { bubbles: true, cancelable: true };
  node.dispatchEvent(event === "paste" ? new ClipboardEvent(event, { ...options, clipboardData: carried })
                                       : new DragEvent(event, { ...options, dataTransfer: carried }));
}"""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A web server with the product's files."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = FILES.get(self.path, ("", b""))
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def fetched(sim: Running, url: str) -> bytes:
    """As a product does: with the account's credentials, over the redirect to the storage."""
    account = (sim.config.account_sid, sim.config.auth_token)
    for _ in range(2):
        parts = urlsplit(url)
        path, headers = urlunsplit(("", "", parts.path, parts.query, "")), {"X-Sim-Original-Host": str(parts.hostname)}
        answer = sim.http.get(path, auth=account, headers=headers)
        url = answer.headers.get("location", url)
    return answer.content


@pytest.mark.parametrize("way", ["picker", "paste", "drop"])
def test_a_picture_is_sent_and_the_product_can_fetch_it(page: Page, sim: Running, product: Receiver, way: str) -> None:
    if way == "picker":
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Attach files").click()
        chooser.value.set_files({"name": "cat.png", "mimeType": "image/png", "buffer": PNG})
    else:
        target = page.get_by_role("textbox") if way == "paste" else page.locator(".device")
        target.evaluate(TRANSFER, [way, "image/png", base64.b64encode(PNG).decode()])
    expect(page.get_by_role("list", name="Attached files").get_by_text("cat.png")).to_be_visible()
    page.get_by_role("textbox").fill("My cat")
    page.keyboard.press("Enter")
    (hook,) = product.wait(1)
    assert (hook["Body"], hook["NumMedia"], hook["MediaContentType0"]) == ("My cat", "1", "image/png")
    assert fetched(sim, hook["MediaUrl0"]) == PNG

    shown = page.get_by_role("img", name="Picture cat.png")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 10
    page.reload()
    expect(shown).to_be_visible()
    expect(page.get_by_role("list", name="Attached files")).to_be_hidden()


def test_a_file_can_be_taken_off_again(desktop: Page, product: Receiver) -> None:
    desktop.locator("input[type=file]").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": PNG})
    desktop.get_by_role("button", name="Do not send a.png").click()
    desktop.get_by_role("textbox").fill("No picture")
    desktop.keyboard.press("Enter")
    assert product.wait(1)[0]["NumMedia"] == "0"


@pytest.mark.parametrize(("channel", "messages"), [("SMS", [2]), ("WhatsApp", [1, 1])])
def test_several_files_go_as_the_channel_carries_them(
    desktop: Page, product: Receiver, channel: str, messages: list[int]
) -> None:
    desktop.get_by_role("tab", name=channel).click()
    files = [{"name": f"{n}.png", "mimeType": "image/png", "buffer": PNG} for n in range(2)]
    desktop.locator("input[type=file]").set_input_files(files)
    desktop.get_by_role("textbox").fill("Two")
    desktop.keyboard.press("Enter")
    hooks = product.wait(len(messages))
    assert [int(hook["NumMedia"]) for hook in hooks] == messages
    assert [hook["Body"] for hook in hooks] == ["Two", ""][: len(messages)]


def test_what_the_product_sends_is_seen_heard_and_opened(page: Page, sim: Running, elsewhere: str) -> None:
    person = page.locator(".phone").get_attribute("data-number")
    urls = [elsewhere + path for path in FILES]
    sim.sdk.messages.create(to=person, from_=OURS, body="Here you are", media_url=urls)
    theirs = page.locator(".theirs")
    assert (
        theirs.get_by_role("img", name="Picture cat.png").evaluate("i => i.decode().then(() => i.naturalWidth)") == 10
    )
    sound = theirs.get_by_label("Sound hum.wav")
    assert sound.evaluate("""async audio => {
      if (audio.readyState < 1) await new Promise((resolve) => audio.addEventListener("loadedmetadata", resolve));
      return audio.duration > 0;
    }""")
    with page.expect_download() as download, page.expect_popup():
        theirs.get_by_role("link", name="terms.pdf").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")


def test_a_picture_that_is_not_there_is_a_link(desktop: Page, sim: Running, elsewhere: str) -> None:
    person = desktop.locator(".phone").get_attribute("data-number")
    desktop.get_by_role("tab", name="WhatsApp").click()
    sim.text("Hi", **{"from": person, "channel": "whatsapp"})
    sim.sdk.messages.create(to=f"whatsapp:{person}", from_=OURS_WHATSAPP, media_url=[f"{elsewhere}/gone.png"])
    expect(desktop.get_by_role("link", name="gone.png")).to_be_visible()
    expect(desktop.locator(".theirs img:not([role])")).to_have_count(0)
