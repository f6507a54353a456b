"""The feed in a real browser: a telephone's width, no sideways scrolling, nothing refused.

With OUTREACH_PICTURES naming a folder, the page is saved there as feed.png.
"""

import os
import shutil
from pathlib import Path

import pytest

from .desk import Desk, entry, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: layout is unproven"),
]


@pytest.fixture
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()


def test_no_page_scrolls_sideways_at_phone_width_and_nothing_is_refused(browser, desk: Desk):
    long_word = "https://a.org/" + "very-long-path" * 20
    desk.entries.append(entry(f"{'W' * 200} {long_word}", id="long", title="T" * 150))
    with serving(desk) as address:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on(
            "request",
            lambda request: None if request.url.startswith(address) else said.append(request.url),
        )
        for path in ("/", "/feed/web", "/feed/web/embed", "/feed/web/long"):
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.goto(address + path)
                wide, seen = page.evaluate(
                    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
                )
                assert wide <= seen == 390, (path, scheme)
        page.goto(f"{address}/feed/web")
        page.locator("img").scroll_into_view_if_needed()
        page.wait_for_function("document.querySelector('img').naturalWidth === 800")
        assert said == []
        page.close()


def test_the_feed_is_styled_in_both_schemes_and_its_picture_can_be_kept(browser, desk: Desk):
    with serving(desk) as address:
        page = browser.new_page(viewport={"width": 1100, "height": 900}, device_scale_factor=2)
        colours = []
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            page.goto(f"{address}/feed/web")
            colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert colours == ["rgb(18, 24, 28)", "rgb(255, 255, 255)"]
        folder = os.environ.get("OUTREACH_PICTURES")
        if folder:
            page.locator("img").scroll_into_view_if_needed()
            page.wait_for_function("document.querySelector('img').complete")
            page.screenshot(path=Path(folder) / "feed.png", full_page=True)
        page.close()
