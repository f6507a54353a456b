"""Plain texts as pages: paragraphs, links, and the templates around them.

What an entry says is written by people and shown to everybody, so nothing of it is ever taken
as markup: a text is escaped first, and only then gets its line breaks and links.
"""

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from outreach.addresses import Shown
from outreach.handover.mails import Sheet
from outreach.links import addresses
from outreach.measure import months
from outreach.platforms.feed import FeedEntry
from outreach.web.feeds import headline, printable

HERE = Path(__file__).parent


def paragraphs(text: str) -> Markup:
    """The text as HTML: paragraphs at blank lines, its line breaks, its addresses as links."""
    blocks = re.split(r"\n[ \t]*\n\s*", text.replace("\r\n", "\n").strip())
    return Markup("\n").join(
        Markup("<p>{}</p>").format(Markup("<br>\n").join(map(with_links, block.split("\n"))))
        for block in blocks
        if block
    )


def with_links(line: str) -> Markup:
    """One line as HTML, its http and https addresses made into links."""
    html, end = Markup(""), 0
    for start, address in addresses(line):
        html += escape(line[end:start])
        html += Markup('<a href="{0}" rel="noopener">{0}</a>').format(address)
        end = start + len(address)
    return html + escape(line[end:])


def moment(at: datetime) -> str:
    """An instant as the public reads it: "25 July 2025, 01:00 UTC"."""
    return f"{months.moment(at, 'UTC')} UTC"


def in_languages(shown: Sequence[Shown]) -> list[tuple[str, str, list[Shown]]]:
    """Code, own name ("한국어") and links of each language, the one with the newest first."""
    found: dict[str, list[Shown]] = {}
    for one in shown:
        found.setdefault(one.language, []).append(one)
    return [(language, language_name(language), its) for language, its in found.items()]


@cache
def language_name(language: str) -> str:
    """A language as those who read it call it: "한국어"."""
    from babel import Locale, UnknownLocaleError

    with suppress(UnknownLocaleError, ValueError):
        name = Locale.parse(language, sep="-").get_display_name()
        return f"{name[:1].upper()}{name[1:]}" if name else language
    return language


def titled(entry: FeedEntry) -> bool:
    """Whether the entry has a title that its text does not begin with."""
    title = entry.title.strip().rstrip("…")
    return bool(title) and not entry.text.strip().startswith(title)


def _shown(value: Any) -> Any:
    """What a page prints, without the characters that no page may hold."""
    if isinstance(value, Markup):
        return Markup(printable(value))  # noqa: S704  # it was escaped before, and only loses some
    return printable(value) if isinstance(value, str) else value


def code_of(sheet: Sheet) -> Markup:
    """The QR code of a task's address as SVG, which needs no address of its own; or ""."""
    if not sheet.addresses:
        return Markup("")
    address = sheet.addresses[0]
    code = segno.make(address, error="m", micro=False)
    svg = code.svg_inline(scale=4, border=4, light="#fff", title=f"QR code of {address}")
    return Markup(svg)  # noqa: S704 # segno escapes the title, and the rest is numbers


class Pages:
    """The templates, read once. `page(name, **values)` is the finished HTML."""

    def __init__(self, *, office: str, public_url: str) -> None:
        self._env = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.filters |= {"paragraphs": paragraphs, "moment": moment, "headline": headline}
        self._env.filters["language_name"] = language_name
        self._env.tests["titled"] = titled
        css = (HERE / "static" / "site.css").read_bytes()
        self._env.globals |= {
            "office": office,
            "public_url": public_url,
            "css": hashlib.sha256(css).hexdigest()[:12],
        }

    def page(self, name: str, **values: Any) -> str:
        """One page as HTML; `root` among the values is the way from it to the front page."""
        return self._env.get_template(name).render(values)
