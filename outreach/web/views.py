"""What the public pages show, as values: no page knows a row, an adapter or a campaign."""

from dataclasses import dataclass
from datetime import datetime


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
    `published` is aware UTC. `url` is the public address of the entry's own page.
    """

    id: str
    title: str
    text: str
    language: str
    published: datetime
    pictures: tuple[FeedPicture, ...]
    url: str
