"""The web feed: a channel with no account and no network, kept by the desk itself.

Its entries stand on the shelf by the part's token, so what is sent twice is there once. The web
door serves them as a page, as Atom and as JSON Feed: see `entries`. An entry that is taken down is
simply gone from all of them, its page and its pictures too: few readers know Atom's tombstones.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from outreach.errors import Refused
from outreach.platforms import Account, Figures, Limits, Receipt, Shelf
from outreach.post import Part


@dataclass(frozen=True)
class FeedInfo:
    """One public feed. `language` is a BCP 47 tag, "en"."""

    channel: str
    title: str
    description: str
    language: str = "en"


@dataclass(frozen=True)
class FeedPicture:
    """A picture of a published entry; its bytes are fetched by their hash. Sides in pixels."""

    sha256: str
    type: str  # "image/png"
    alt: str
    width: int
    height: int
    credit: str = ""


@dataclass(frozen=True)
class FeedEntry:
    """One published entry.

    `id` is unique within its feed and never changes. `text` is plain, with line breaks.
    `published` is aware UTC, and so is `updated`, when its text was last corrected. `url` is the
    public address of the entry's own page.
    """

    id: str
    title: str
    text: str
    language: str
    published: datetime
    pictures: tuple[FeedPicture, ...]
    url: str
    updated: datetime | None = None


class Feed:
    """The feed of one channel."""

    limits: ClassVar = Limits(
        text=20_000,
        pictures=10,
        picture_types=frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"}),
        visible=timedelta(0),  # the shelf shows at once what it holds
        repeats=True,  # and keeps one entry for a token
    )
    offers: ClassVar[frozenset[str]] = frozenset()  # clicks are the desk's own figure
    needs: ClassVar[tuple[str, ...]] = ()
    asks: ClassVar = ("title", "description")
    public: ClassVar = False  # its pages are served by this desk; nothing is sent anywhere

    def __init__(self, account: Account) -> None:
        self.account = f"feed {account.channel}"
        self._account, self._shelf = account, account.shelf

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Put the part on the shelf, or find it there: a token is taken once.

        `after` changes nothing: entries stand in the order of their time.
        """
        if not part.token:
            raise Refused("an entry is kept under its part's token, and this part has none")
        title, text = _split(part.text)
        pictures = [
            {
                "file": picture.file,
                "sha256": picture.sha256,
                "type": picture.type,
                "width": picture.width,
                "height": picture.height,
                "size": picture.size,
                "alt": picture.alt,
                "credit": picture.credit,
            }
            for picture in part.pictures
        ]
        entry = {
            "id": part.token[:16],
            "title": title,
            "text": text,
            "language": part.language,
            "published": self._account.now().isoformat(),
            "pictures": pictures,
        }
        part.fence(0)
        return self._receipt(self._shelf.put(part.token, entry))

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """What stands under the part's token; that is never another delivery's."""
        entry = self._shelf.get(part.token)
        return self._receipt(entry) if entry and not entry.get("withdrawn") else None

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """None: who reads a feed is not counted."""
        return {}

    def audience(self) -> Figures:
        """None: a feed has no list of its readers."""
        return {}

    def check(self) -> str:
        """Where the feed is, and how much it holds."""
        where = self._address() if self._account.public else "no public address is set yet"
        count = sum(not entry.get("withdrawn") for _, entry in self._shelf.list())
        return f"{self.account}: {count:,} {'entry' if count == 1 else 'entries'}; {where}"

    def withdraw(self, receipt: Receipt) -> None:
        """Show it no more; its text stays on the shelf, as what was there."""
        for token, entry in self._shelf.list():
            if entry["id"] == receipt.id and not entry.get("withdrawn"):
                self._shelf.change(token, {**entry, "withdrawn": self._account.now().isoformat()})

    def correct(self, receipt: Receipt, part: Part) -> None:
        """Replace its title and text; readers of the feed are told that it was updated."""
        title, text = _split(part.text)
        for token, entry in self._shelf.list():
            if entry["id"] == receipt.id and (entry["title"], entry["text"]) != (title, text):
                updated = self._account.now().isoformat()
                self._shelf.change(
                    token, {**entry, "title": title, "text": text, "updated": updated}
                )

    def _address(self) -> str:
        return f"{self._account.public.rstrip('/')}/feed/{self._account.channel}"

    def _receipt(self, entry: Mapping[str, Any]) -> Receipt:
        at = datetime.fromisoformat(entry["published"])
        return Receipt(entry["id"], f"{self._address()}/{entry['id']}", at)


def entries(shelf: Shelf, channel: str, public_url: str) -> list[FeedEntry]:
    """Every entry of a feed's shelf, newest first."""
    kept = [
        FeedEntry(
            id=value["id"],
            title=value["title"],
            text=value["text"],
            language=value["language"],
            published=datetime.fromisoformat(value["published"]),
            pictures=tuple(
                FeedPicture(p["sha256"], p["type"], p["alt"], p["width"], p["height"], p["credit"])
                for p in value["pictures"]
            ),
            url=f"{public_url.rstrip('/')}/feed/{channel}/{value['id']}",
            updated=datetime.fromisoformat(value["updated"]) if "updated" in value else None,
        )
        for _token, value in shelf.list()
        if not value.get("withdrawn")
    ]
    return sorted(kept, key=lambda entry: entry.published, reverse=True)


def _split(text: str) -> tuple[str, str]:
    """A first line that a blank line follows is the title; otherwise there is none."""
    head, blank, rest = text.partition("\n\n")
    if blank and rest.strip() and "\n" not in head:
        return head.strip(), rest.strip("\n")
    return "", text
