"""Makes the pictures of the documentation anew, from the real program: `make pictures`.

    plan.png         outreach plan, in a terminal, of this repository's office on 20 July 2025;
                     of what waits, the first three
    feed.png         the demo's feed in Chromium; feed-phone.png at 390 px
    rehearsal.png    the top of `outreach rehearse campaigns/forum-2025.yaml` in Chromium;
                     rehearsal-phone.png at 390 px
    report.png       the first page of the demo's Word report, through LibreOffice and Poppler

Nothing leaves this machine: the demo's pages are served to it alone.
"""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.text import Text

from outreach.app import Outreach
from outreach.cli import rows, show
from outreach.config import read_configuration
from outreach.demo.readers import a_port, serving
from outreach.rehearsal import Rehearsal, rehearse
from outreach.rehearsal.page import write
from outreach.report import fonts
from outreach.store import Store

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]

ASKED = datetime(2025, 7, 20, 1, tzinfo=UTC)  # a month before the forum: nothing is past yet
COLUMNS = 100
LARGEST = 200_000  # bytes of a picture, so that the pages open quickly everywhere

# Rich's own frame fetches a font from the network; this one has what the machine has.
TERMINAL = """\
<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}"
     xmlns="http://www.w3.org/2000/svg">
<style>.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
  .{unique_id}-title {{ font-family: sans-serif; font-size: 18px; }}
{styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""


def needed(*names: str) -> str:
    """The first of these programs that is here; ends with what is missing otherwise."""
    for name in names:
        if found := shutil.which(name):
            return found
    sys.exit(f"{names[0]} is missing: the pictures need chromium, libreoffice and poppler-utils")


def run(*command: str) -> None:
    """Run a program quietly; what it says on stderr is shown."""
    subprocess.run(  # noqa: S603 - our own demo, and the programs that `needed` found
        command, check=True, stdout=subprocess.DEVNULL, timeout=180
    )


def plan(folder: Path) -> str:
    """What `outreach plan` prints in a terminal, as an SVG document."""
    home = folder / "office"
    for name in ("campaigns", "config", "templates", "media"):
        if (REPOSITORY / name).is_dir():  # git keeps no empty folder
            shutil.copytree(REPOSITORY / name, home / name)
    for other in (home / "campaigns").glob("*.yaml"):
        if other.stem != "forum-2025":
            other.unlink()
    store = Store(f"sqlite:///{home / 'outreach.db'}")
    store.prepare()
    desk = Outreach(configuration=read_configuration(home), store=store, now=lambda: ASKED)
    printed = io.StringIO()
    os.environ.update(FORCE_COLOR="1", COLUMNS=str(COLUMNS), TERM="xterm-256color")
    with contextlib.redirect_stdout(printed):
        files = desk.files()
        rows.say(show.plan(desk.plan(files), files.mistakes, rows.Zones.of(desk)))
    desk.close()
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text("$ outreach plan", style="bold"))
    console.print(Text.from_ansi(shortened(printed.getvalue())))
    return console.export_svg(title="outreach plan", code_format=TERMINAL)


def shortened(printed: str) -> str:
    """The plan with the first three of what waits, three lines each: the others read alike."""
    lines = printed.splitlines()
    waiting = next(n for n, line in enumerate(lines) if "Waiting: " in line) + 1
    kept, end = waiting + 9, len(lines) - 3
    left_out = f"  … {end - kept} lines more …"
    return "\n".join([*lines[:kept], left_out, *lines[end:]])


def photograph(browser: Browser, address: str, file: Path, *, width: int, height: int) -> None:
    """The top of a page, as a window of this size shows it."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(address)
    page.screenshot(path=file)
    page.close()


def pages(browser: Browser, home: Path) -> None:
    """The demo's feed, served again at the address that its posts print."""
    store = Store(f"sqlite:///{home / 'data' / 'outreach.db'}")
    store.prepare()
    desk = Outreach(configuration=read_configuration(home), store=store)
    with a_port() as (listener, port), serving(desk, listener):
        feed = f"http://127.0.0.1:{port}/feed/web"
        photograph(browser, feed, HERE / "feed.png", width=900, height=1100)
        photograph(browser, feed, HERE / "feed-phone.png", width=390, height=844)
    desk.close()


def rehearsal(browser: Browser, shown: Rehearsal, into: Path) -> None:
    """The top of a rehearsal's page, from the disk as officers open it."""
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "rehearsal.html"
        file.write_bytes(write(shown))
        for name, width, height in (("rehearsal", 1280, 1250), ("rehearsal-phone", 390, 844)):
            picture = into / f"{name}.png"
            photograph(browser, file.as_uri(), picture, width=width, height=height)
            with Image.open(picture) as taken:  # few colours: a third of the size
                few = taken.convert("RGB").quantize(128, method=Image.Quantize.MAXCOVERAGE)
            few.save(picture, optimize=True)


def terminal(browser: Browser, svg: str) -> None:
    """The plan, as a picture of exactly its size."""
    page = browser.new_page()
    page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{svg}")
    taken = page.locator("svg").first.screenshot()
    page.close()
    with Image.open(io.BytesIO(taken)) as picture:  # few colours: a quarter of the size
        picture.convert("RGB").quantize(128, method=Image.Quantize.MAXCOVERAGE).save(
            HERE / "plan.png", optimize=True
        )


def word(report: Path, folder: Path, soffice: str, pdftoppm: str) -> None:
    """The first page of the report, as a word processor lays it out."""
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [soffice, profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder)]
    # Times New Roman, as offices have it, by the font that is as wide.
    known = folder / "fonts.conf"
    known.write_text(
        "<fontconfig><include>/etc/fonts/fonts.conf</include>"
        f"<dir>{fonts.FOLDER}</dir></fontconfig>"
    )
    os.environ["FONTCONFIG_FILE"] = str(known)
    run(*command, str(report))
    pdf = folder / f"{report.stem}.pdf"
    first = ["-png", "-r", "80", "-f", "1", "-l", "1", "-singlefile"]
    run(pdftoppm, *first, str(pdf), str(HERE / "report"))


def main() -> None:
    """Make them all, and refuse one that is too large."""
    chromium = needed("chromium", "chromium-browser", "google-chrome")
    soffice, pdftoppm = needed("soffice"), needed("pdftoppm")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        demo = folder / "demo"
        run(sys.executable, "-m", "outreach.demo", "--dir", str(demo))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
            )
            terminal(browser, plan(folder))
            pages(browser, demo)
            forum = [Path("campaigns/forum-2025.yaml")]
            rehearsal(browser, rehearse(REPOSITORY, forum, made=ASKED.date()), HERE)
            browser.close()
        word(demo / "reports" / "outreach-2025-08.docx", folder, soffice, pdftoppm)
    for name in ("plan", "feed", "feed-phone", "rehearsal", "rehearsal-phone", "report"):
        file = HERE / f"{name}.png"
        size = file.stat().st_size
        print(f"{file.name:<16}{size / 1000:5.0f} kB")  # noqa: T201 - this is a door
        if size > LARGEST:
            sys.exit(f"{file.name} is larger than {LARGEST / 1000:.0f} kB")


if __name__ == "__main__":
    main()
