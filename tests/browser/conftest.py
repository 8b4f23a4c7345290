"""Debian's Chromium, headless; tests that need it are skipped where there is none. A phone page with its simulator."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.simulator.harness import Receiver, Running, receiver, simulator

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
SIZES = {"desktop": (1440, 900), "tablet": (768, 1024), "360px": (360, 740)}

expect.set_options(timeout=30_000)  # milliseconds; a busy machine is slow to draw

Open = Callable[..., Page]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def product() -> Iterator[Receiver]:
    with receiver() as got:
        yield got


@pytest.fixture
def sim(product: Receiver) -> Iterator[Running]:
    with simulator(product.base, links={"Console": "http://127.0.0.1:9/console"}) as running:
        yield running


@pytest.fixture
def open_page(browser: Browser, sim: Running) -> Iterator[Open]:
    """Opens phone pages, each in a browser profile of its own. Fails the test for a script's error, anything that the
    page's own policy had to stop, and any request to elsewhere."""
    troubles: list[str] = []

    def complain_of(page: Page) -> None:
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None)
        page.on("request", lambda made: None if made.url.startswith(("blob:", sim.base)) else troubles.append(made.url))

    with ExitStack() as open_ones:

        def opened(size: str = "desktop", **options: Any) -> Page:
            width, height = SIZES[size]
            context = browser.new_context(viewport={"width": width, "height": height}, **options)
            open_ones.callback(context.close)
            page = context.new_page()
            complain_of(page)
            page.goto(sim.base)
            expect(page.locator(".live")).to_have_text("Live")
            return page

        yield opened
    assert troubles == []


@pytest.fixture(params=["desktop", "360px"])
def page(request: pytest.FixtureRequest, open_page: Open) -> Page:
    """The page on a large and on a small screen."""
    return open_page(request.param)


@pytest.fixture
def desktop(open_page: Open) -> Page:
    return open_page()
