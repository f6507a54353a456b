"""A feed in the two formats that other sites read: Atom (RFC 4287) and JSON Feed 1.1.

Both are pure functions of the entries: the same entries give the same bytes, so that a hash of
the bytes tells a poller that nothing is new.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from feedgen.feed import FeedGenerator

from outreach.platforms.feed import FeedEntry, FeedInfo

NEWEST = 50
"""How many entries a feed carries; older ones have their own pages."""

# Ours, drawn once. Ids outlive a change of address (RFC 4287, 4.2.6), so they hold none.
_NAMES = UUID("6d0a4a52-7a0f-4f0b-9c55-3a0f0d6b8f31")

# What XML 1.0 does not allow in a document, however it is escaped (production 2, "Char").
_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def atom(
    info: FeedInfo, entries: Sequence[FeedEntry], *, public_url: str, office: str
) -> tuple[bytes, datetime]:
    """The Atom document of the newest entries, and when it last changed (aware, UTC)."""
    changed = last_changed(entries)
    home = f"{public_url}/feed/{info.channel}"
    feed = FeedGenerator()
    feed.id(_urn(office, info.channel))
    feed.title(printable(info.title))
    feed.subtitle(printable(info.description) or None)
    feed.author(name=printable(office))
    feed.generator("outreach")
    feed.language(info.language)
    feed.updated(changed)
    feed.link(href=f"{home}/atom.xml", rel="self", type="application/atom+xml")
    feed.link(href=home, rel="alternate", type="text/html")
    if info.hub:
        feed.link(href=info.hub, rel="hub")
    for entry in entries[:NEWEST]:
        item = feed.add_entry(order="append")
        item.id(_urn(info.channel, entry.id))
        item.title(headline(entry))
        item.updated(entry.updated or entry.published)
        item.published(entry.published)
        item.content(printable(entry.text), type="text")
        item.link(href=entry.url)
        item.register_extension("pictures", _and(entry, public_url), rss=False)
    document: bytes = feed.atom_str()
    return document, changed


def json_feed(
    info: FeedInfo, entries: Sequence[FeedEntry], *, public_url: str, office: str
) -> tuple[bytes, datetime]:
    """The JSON Feed of the newest entries, and when it last changed (aware, UTC).

    https://www.jsonfeed.org/version/1.1/
    """
    home = f"{public_url}/feed/{info.channel}"
    items: list[dict[str, Any]] = []
    for entry in entries[:NEWEST]:
        pictures = [f"{public_url}/media/{picture.sha256}" for picture in entry.pictures]
        item: dict[str, Any] = {
            "id": _urn(info.channel, entry.id),
            "url": entry.url,
            "title": headline(entry),
            "content_text": entry.text,
            "language": entry.language,
            "date_published": entry.published.isoformat(),
        }
        if entry.updated:
            item["date_modified"] = entry.updated.isoformat()
        if pictures:
            item["image"] = pictures[0]
            item["attachments"] = [
                {"url": url, "mime_type": picture.type, "title": picture.alt}
                for url, picture in zip(pictures, entry.pictures, strict=True)
            ]
        items.append(item)
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": info.title,
        "description": info.description,
        "language": info.language,
        "home_page_url": home,
        "feed_url": f"{home}/feed.json",
        "authors": [{"name": office}],
        **({"hubs": [{"type": "WebSub", "url": info.hub}]} if info.hub else {}),
        "items": items,
    }
    return json.dumps(feed, indent=1).encode(), last_changed(entries)


def headline(entry: FeedEntry) -> str:
    """The entry's title; where it has none, the beginning of its first line."""
    lines = printable(entry.text).strip().splitlines()
    written = printable(entry.title).strip() or next(iter(lines), "")
    if len(written) <= 90:
        # Atom asks for a title even where an entry is only a picture.
        return written or f"{entry.published:%Y-%m-%d}"
    # Languages that write without spaces are cut where they are.
    return (written[:89].rsplit(" ", 1)[0] if " " in written[60:89] else written[:89]) + "…"


def last_changed(entries: Sequence[FeedEntry]) -> datetime:
    """When an entry was last published or corrected; for an empty feed the beginning of Unix time.

    Atom demands a date even of an empty feed, and it must not differ from poll to poll.
    """
    newest = max(
        (entry.updated or entry.published for entry in entries),
        default=datetime.fromtimestamp(0, UTC),
    )
    return newest.astimezone(UTC)


def printable(text: str) -> str:
    """The text without the characters that no XML document and no page may hold."""
    return _UNPRINTABLE.sub("", text)


def _urn(*names: str) -> str:
    return uuid5(_NAMES, "/".join(names)).urn


def _and(entry: FeedEntry, public_url: str) -> type:
    """A feedgen extension that adds an entry's language and its pictures.

    feedgen marks only the whole feed's language, and of an entry's links it keeps nothing but
    the address: its 1.0.0 loses rel, type and title, and every picture becomes an alternate.
    """

    class Pictures:
        def extend_atom(self, element: Any) -> None:
            element.set(_XML_LANG, entry.language)
            for picture in entry.pictures:
                href = f"{public_url}/media/{picture.sha256}"
                about = {"rel": "enclosure", "type": picture.type, "href": href}
                if printable(picture.alt):
                    about["title"] = printable(picture.alt)
                element.append(element.makeelement("link", about))

    return Pictures
