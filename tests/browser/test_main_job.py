"""What a newcomer does in the first minute: text from the phone page, read the answer, find the run in Temporal UI."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.stack import running

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_from_the_phone_page_to_the_run_in_temporal_ui(tmp_path: Path, browser: Browser) -> None:
    with running(tmp_path / "data") as stack, browser.new_context() as context:
        page = context.new_page()
        page.goto(stack.urls["phone"])
        page.get_by_role("textbox").first.fill("When are you open on Saturday?")
        page.keyboard.press("Enter")
        expect(page.get_by_role("log").get_by_text("10:00 to 16:00")).to_be_visible()

        page.goto(page.get_by_role("link", name="Console").get_attribute("href") or "")
        page.get_by_role("link", name="On Saturday we are open").click()
        expect(page.get_by_role("log").get_by_text("10:00 to 16:00")).to_be_visible()
        conversation = page.url.rpartition("/")[2]

        page.get_by_role("link", name="This run in Temporal UI").click()
        expect(page.get_by_role("heading", name=conversation)).to_be_visible()
