"""The page of this repository's own forum in a real browser, on a desk and on a telephone.

With OUTREACH_PICTURES naming a folder, its top is saved there as rehearsal.png and
rehearsal-phone.png: `make pictures` keeps them in docs/pictures.
"""

import importlib.util
import os
from pathlib import Path

import pytest
from PIL import Image

from outreach.rehearsal import page
from tests.conftest import REPOSITORY
from tests.web.test_browser import CHROMIUM, browser  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: layout is unproven"),
]

PICTURES = REPOSITORY / "docs" / "pictures"


@pytest.fixture
def file(forum, tmp_path) -> Path:
    made = tmp_path / "rehearsal.html"
    made.write_bytes(page.write(forum))
    return made


@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_from_the_disk_without_a_server_and_never_scrolls_sideways(
    browser,
    file,
    width,
):
    opened = browser.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("request", lambda request: said.append(request.url))
    opened.goto(file.as_uri())
    wide, seen = opened.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= seen == width
    assert said == [file.as_uri()]
    banner = opened.locator(".banner")
    opened.evaluate("window.scrollTo(0, document.body.scrollHeight / 2)")
    assert banner.bounding_box()["y"] == 0  # it stays in sight
    opened.close()


def test_every_printed_page_says_that_nothing_was_published(browser, file, tmp_path):
    import shutil
    import subprocess

    pdftotext = shutil.which("pdftotext")
    if pdftotext is None:
        pytest.skip("no pdftotext on this machine: what is printed is unproven")
    opened = browser.new_page()
    opened.goto(file.as_uri())
    opened.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True, print_background=True)
    opened.close()
    printed = subprocess.run(
        [pdftotext, "-layout", str(tmp_path / "page.pdf"), "-"],
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout.split("\f")[:-1]
    assert len(printed) > 3
    assert [n for n, text in enumerate(printed) if page.BANNER not in text] == []
    reports = next(n for n, text in enumerate(printed) if "The reports it would lead to" in text)
    assert all("SIMULATED FIGURES" in text for text in printed[reports:])


def test_the_pictures_of_the_documentation_are_made_of_it(browser, forum, tmp_path):
    spec = importlib.util.spec_from_file_location("make", PICTURES / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    folder = Path(os.environ.get("OUTREACH_PICTURES") or tmp_path)
    make.rehearsal(browser, forum, folder)
    for name, width in (("rehearsal", 1280), ("rehearsal-phone", 390)):
        with (
            Image.open(folder / f"{name}.png") as made,
            Image.open(PICTURES / f"{name}.png") as kept,
        ):
            assert made.width == kept.width == width
            assert made.height == kept.height
        assert (folder / f"{name}.png").stat().st_size <= make.LARGEST
