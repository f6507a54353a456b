"""The web feed: a channel with no account and no network, kept by the desk itself.

Its entries stand on the shelf by the part's token, so what is sent twice is there once. The web
door serves them as a page, as Atom and as JSON Feed: see `entries`. An entry that is taken down is
simply gone from all of them, its page and its pictures too: few readers know Atom's tombstones.

A hub passes on at once what is new (W3C WebSub). It is told apart from publishing, by comparing
what the feed shows with what the hub was last told: so what fails, or was missed, is told later.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from outreach.errors import NotNow, PlatformError, Refused
from outreach.platforms import Account, Figures, Limits, Receipt, Shelf
from outreach.platforms.rest import Answer, Rest
from outreach.post import Part

log = logging.getLogger(__name__)

HUB = "hub"
"""On the shelf, among the entries, what the hub was last told; entries' tokens are longer."""

SEEN = 100  # newest entries that are compared; the documents hold 50
AGAIN = timedelta(minutes=1)  # a hub that failed is told again then, and then after twice as long
SELDOM = timedelta(hours=1)  # at last


@dataclass(frozen=True)
class FeedInfo:
    """One public feed. `language` is a BCP 47 tag, "en"; `hub` a WebSub hub's address, or ""."""

    channel: str
    title: str
    description: str
    language: str = "en"
    hub: str = ""


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
    asks: ClassVar = ("title", "description", "websub-hub")
    public: ClassVar = False  # its pages are served by this desk; no text is sent anywhere

    def __init__(self, account: Account) -> None:
        self.account = f"feed {account.channel}"
        self._account, self._shelf = account, account.shelf
        self._hub = hub_of(account.options)

    @staticmethod
    def mistakes(options: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
        """Option, what is wrong with it, and what to do."""
        hub = options.get("websub-hub", "tbc")
        at = urlsplit(hub)
        near = at.scheme == "http" and at.hostname in ("127.0.0.1", "localhost", "::1")
        odd = any(sign.isspace() or sign in '<>"' for sign in hub)
        if hub != "tbc" and (odd or not at.hostname or not (at.scheme == "https" or near)):
            hint = (
                'write the https address of a WebSub hub: websub-hub = "https://hub.example.org/"'
            )
            yield "websub-hub", f"{hub!r} is no hub's address", hint

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
        count = sum(not entry.get("withdrawn") for _, entry in _entries(self._shelf))
        told = f"{self.account}: {count:,} {'entry' if count == 1 else 'entries'}; {where}"
        if self._hub and (why := (self._shelf.get(HUB) or {}).get("why")):
            told += f"; its hub is told again later: {why}"
        return told

    def withdraw(self, receipt: Receipt) -> None:
        """Show it no more; its text stays on the shelf, as what was there."""
        for token, entry in _entries(self._shelf):
            if entry["id"] == receipt.id and not entry.get("withdrawn"):
                self._shelf.change(token, {**entry, "withdrawn": self._account.now().isoformat()})

    def correct(self, receipt: Receipt, part: Part) -> None:
        """Replace its title and text; readers of the feed are told that it was updated."""
        title, text = _split(part.text)
        for token, entry in _entries(self._shelf):
            if entry["id"] == receipt.id and (entry["title"], entry["text"]) != (title, text):
                updated = self._account.now().isoformat()
                self._shelf.change(
                    token, {**entry, "title": title, "text": text, "updated": updated}
                )

    def announce(self) -> None:
        """Tell the hub, where there is one, that the feed has changed since it was last told.

        https://www.w3.org/TR/websub/ leaves to hubs how they are told; all known ones take this.
        """
        if not self._hub or not self._account.public:
            return
        kept, now = self._shelf.get(HUB) or {}, self._account.now()
        shown = json.dumps(list(_entries(self._shelf, SEEN)), sort_keys=True)
        digest = hashlib.sha256(f"{self._hub} {self._address()} {shown}".encode()).hexdigest()
        again = kept.get("again", "")
        if digest == kept.get("told") or (again and now < datetime.fromisoformat(again)):
            return
        if shown == "[]" and not kept:  # nothing was ever published
            return
        try:
            for name in DOCUMENTS:
                self._tell(f"{self._address()}/{name}")
            state = {"told": digest, "tries": 0, "again": "", "why": ""}
        except PlatformError as error:
            log.warning("the hub of %s was not told, and is again later: %s", self.account, error)
            tries = kept.get("tries", 0) + 1
            later = now + min(SELDOM, AGAIN * 2 ** min(tries - 1, 10))
            told = {"told": kept.get("told", ""), "tries": tries, "why": str(error)}
            state = {**told, "again": later.isoformat()}
        if self._shelf.put(HUB, state) != state:
            self._shelf.change(HUB, state)

    def _tell(self, topic: str) -> None:
        at = urlsplit(self._hub)
        rest = Rest(
            "the hub",
            5.0,  # seconds to connect
            10.0,  # seconds without a byte of its answer
            live=lambda _method, _path: False,
            meaning=_declined,
            secrets=tuple,  # there are none
            base=f"http://{at.netloc}" if at.scheme == "http" else self._account.base,
        )
        # Hubs differ in which name they read: WebSub says topic, those before it said url.
        said = {"hub.mode": "publish", "hub.topic": topic, "hub.url": topic}
        rest.ask("POST", at._replace(scheme="https").geturl(), lambda _answer: None, data=said)

    def _address(self) -> str:
        return f"{self._account.public.rstrip('/')}/feed/{self._account.channel}"

    def _receipt(self, entry: Mapping[str, Any]) -> Receipt:
        at = datetime.fromisoformat(entry["published"])
        return Receipt(entry["id"], f"{self._address()}/{entry['id']}", at)


DOCUMENTS = ("atom.xml", "feed.json")
"""The two that a hub passes on, each a topic of its own, below the feed's address."""


def hub_of(options: Mapping[str, str]) -> str:
    """The hub of a feed's options, or "" where it has none yet."""
    hub = options.get("websub-hub", "")
    return "" if hub == "tbc" else hub


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
        for _token, value in _entries(shelf)
        if not value.get("withdrawn")
    ]
    return sorted(kept, key=lambda entry: entry.published, reverse=True)


def _entries(shelf: Shelf, newest: int | None = None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What the shelf has of entries, withdrawn ones too."""
    return (one for one in shelf.list(newest) if one[0] != HUB)


def _declined(answer: Answer) -> PlatformError:
    return NotNow(f"it says {answer.status} {answer.reason}")


def _split(text: str) -> tuple[str, str]:
    """A first line that a blank line follows is the title; otherwise there is none."""
    head, blank, rest = text.partition("\n\n")
    if blank and rest.strip() and "\n" not in head:
        return head.strip(), rest.strip("\n")
    return "", text
