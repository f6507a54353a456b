"""What anybody may see of the desk: its feeds, its pictures, and where its short links lead.

Nothing is shown here before its post is public, and nothing of who looks is kept: a visit that a
person made of a short link is counted, and that is all.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach import addresses
from outreach.addresses import Shown
from outreach.config import Configuration
from outreach.delivery import IN_FLIGHT, Delivery, ReceiptRow, State
from outreach.errors import NotFound, Unusable
from outreach.measure.clicks import Bots, is_person, load_bots
from outreach.measure.collect import count_click
from outreach.platforms import Channel
from outreach.platforms.feed import FeedEntry, FeedInfo, entries, hub_of
from outreach.store import Store
from outreach.store.shelf import TableShelf
from outreach.store.tables import PRINTED, Asset, ShortLink, partner_of

log = logging.getLogger(__name__)


class Public:
    """The public's side of the desk. Called from several threads at once."""

    def __init__(
        self,
        *,
        store: Store,
        configuration: Configuration,
        channels: Mapping[str, Channel],
        now: Callable[[], datetime],
    ) -> None:
        self.store, self.configuration = store, configuration
        self.channels, self.now = channels, now

    def feeds(self) -> list[FeedInfo]:
        """The public feeds of this office."""
        return [
            FeedInfo(
                name,
                settings.options.get("title") or self.channels[name].title,
                settings.options.get("description", ""),
                settings.languages[0],
                hub_of(settings.options),
            )
            for name, settings in self.configuration.channels.items()
            if settings.platform == "feed"
        ]

    def feed(self, channel: str) -> list[FeedEntry]:
        """A feed's entries, newest first. Raises NotFound for a channel that is no feed."""
        settings = self.configuration.channels.get(channel)
        if settings is None or settings.platform != "feed":
            raise NotFound(f"there is no feed {channel!r}")
        url = self.configuration.settings.web.public_url.rstrip("/")
        return entries(TableShelf(self.store, channel, self.now), channel, url)

    def entry(self, channel: str, entry: str) -> FeedEntry:
        """One entry of a feed. Raises NotFound."""
        found = next((one for one in self.feed(channel) if one.id == entry), None)
        if found is None:
            raise NotFound(f"there is no entry {entry!r} on {channel}")
        return found

    def links(self) -> list[Shown]:
        """The addresses of current posts, for a page that networks without links can name."""
        with self.store.reading() as session:
            return addresses.current(session, self.now())

    def picture(self, sha256: str) -> tuple[bytes, str]:
        """A picture's bytes and type, once a feed shows it. NotFound before."""
        shown = {
            picture.sha256
            for name, channel in self.channels.items()
            if channel.platform == "feed"
            for entry in self.feed(name)
            for picture in entry.pictures
        }
        with self.store.reading() as session:
            asset = session.get(Asset, sha256) if sha256 in shown else None
        if asset is None:
            raise NotFound("there is no such picture")
        return asset.data, asset.type

    def follow(self, code: str, *, method: str, headers: Mapping[str, str]) -> str:
        """Where a short link leads; one visit more where it was a person's.

        Raises NotFound for a code that was never registered, and before its post is public.
        """
        with self.store.reading() as session:
            link = session.get(ShortLink, code)
            public = link is not None and _may_be_public(session, link.key)
        if link is None or not public:
            raise NotFound("there is no such link")
        if is_person(method, headers, self._bots):
            try:
                with self.store.writing() as session:
                    count_click(session, link, self.now())
            except Unusable as error:  # whoever follows a link gets there, counted or not
                log.warning("a visit of %s was not counted: %s", code, error)
        return link.target

    @cached_property
    def _bots(self) -> Bots:
        return load_bots(self.configuration.home / "config" / "bots.txt")


def _may_be_public(session: Session, key: str) -> bool:
    """Whether a post, or a part of it, is live or may be; a partner's address, and one on paper,
    always may."""
    if partner_of(key) or key.startswith(PRINTED):
        return True
    row = session.get(Delivery, key)
    if row is None or row.state in (State.PUBLISHED, *IN_FLIGHT):
        return row is not None
    return bool(session.scalar(select(ReceiptRow.key).where(ReceiptRow.key == key).limit(1)))
