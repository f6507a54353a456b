"""Plain texts as pages: paragraphs, links, and the templates around them.

What an entry says is written by people and shown to everybody, so nothing of it is ever taken
as markup: a text is escaped first, and only then gets its line breaks and links.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from outreach.addresses import Shown
from outreach.measure import months
from outreach.platforms.feed import FeedEntry
from outreach.web.feeds import headline, printable

HERE = Path(__file__).parent

# Korean, Chinese and Japanese put the next word right after an address; they end it here, while
# Latin and Cyrillic letters, which real addresses hold, do not.
_ADDRESS = re.compile(
    "https?://[A-Za-z0-9\u00c0-\u024f\u0400-\u04ff._~:/?#\\[\\]@!$&'()*+,;=%-]+", re.IGNORECASE
)
_SENTENCE_END = ".,;:!?'*~_"
_PAIRS = {")": "(", "]": "["}


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
    for match in _ADDRESS.finditer(line):
        address = _without_sentence_end(match[0])
        if not address.partition("://")[2]:
            continue
        html += escape(line[end : match.start()])
        html += Markup('<a href="{0}" rel="noopener">{0}</a>').format(address)
        end = match.start() + len(address)
    return html + escape(line[end:])


def _without_sentence_end(address: str) -> str:
    """The address without the full stop or bracket that belongs to the sentence around it."""
    while address:
        last = address[-1]
        unpaired = last in _PAIRS and address.count(last) > address.count(_PAIRS[last])
        if last not in _SENTENCE_END and not unpaired:
            break
        address = address[:-1]
    return address


def moment(at: datetime) -> str:
    """An instant as the public reads it: "25 July 2025, 01:00 UTC"."""
    return f"{months.moment(at, 'UTC')} UTC"


def in_languages(shown: Sequence[Shown]) -> list[tuple[str, str, list[Shown]]]:
    """Code, own name ("한국어") and links of each language, the one with the newest first."""
    found: dict[str, list[Shown]] = {}
    for one in shown:
        found.setdefault(one.language, []).append(one)
    return [(language, _own_name(language), its) for language, its in found.items()]


def _own_name(language: str) -> str:
    try:
        return Locale.parse(language, sep="-").get_display_name() or language
    except (UnknownLocaleError, ValueError):
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
