"""Posts that others made about what we do: adopted by their address, and counted apart from ours.

Nothing of them is added to our own figures. What they reached is typed or imported by address, as
it is for any post; what nobody has read is not known.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.clearance import record
from outreach.delivery import Delivery, ReceiptRow
from outreach.errors import NotAllowed, NotFound
from outreach.hints import did_you_mean
from outreach.store.tables import Adopted


@dataclass(frozen=True)
class Post:
    """One of them. `published_on` is aware, UTC."""

    url: str
    campaign: str
    channel: str
    whose: str
    published_on: datetime


def adopt(
    session: Session, post: Post, *, campaigns: Collection[str], by: str, now: datetime
) -> None:
    """Keep it. `campaigns` are those of the files; those that were applied count as well.

    Raises NotAllowed for what is no address, is our own post, is there already, or lies ahead;
    NotFound for a campaign that never was.
    """
    parts = urlsplit(post.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", post.url):
        raise NotAllowed(
            f"{post.url!r} is not the address of a post", "paste it from the browser: https://…"
        )
    known = {*campaigns, *session.scalars(select(Delivery.campaign).distinct())}
    if post.campaign not in known:
        near = did_you_mean(post.campaign, known)
        raise NotFound(
            f"there is no campaign {post.campaign!r}",
            near or f"known are: {', '.join(sorted(known)) or 'none yet'}",
        )
    ours = session.scalar(select(ReceiptRow.key).where(ReceiptRow.url == post.url))
    if ours:
        raise NotAllowed(f"{post.url} is our own post {ours}", "its figures are ours already")
    if session.get(Adopted, post.url):
        raise NotAllowed(
            f"{post.url} is adopted already", f"to let it go: outreach adopt {post.url} --remove"
        )
    if post.published_on > now:
        raise NotAllowed("it cannot have been published in the future", "see the date after --on")
    session.add(
        Adopted(
            url=post.url,
            campaign=post.campaign,
            channel=post.channel,
            whose=post.whose,
            published_on=post.published_on,
            by=by,
            at=now,
        )
    )
    record(session, now, by, "adopted", why=post.url)


def let_go(session: Session, url: str, *, by: str, now: datetime) -> None:
    """It is not reported any more; its figures stay where they are. NotFound where it is not."""
    row = session.get(Adopted, url)
    if row is None:
        raise NotFound(f"{url} is not adopted", "those that are: outreach adopt")
    session.delete(row)
    record(session, now, by, "let go", why=url)


def adopted(
    session: Session, start: datetime | None = None, end: datetime | None = None
) -> list[Post]:
    """Those published from `start` to before `end`, oldest first; all of them without these."""
    wanted = select(Adopted).order_by(Adopted.published_on, Adopted.url)
    if start and end:
        wanted = wanted.where(Adopted.published_on >= start, Adopted.published_on < end)
    return [
        Post(row.url, row.campaign, row.channel, row.whose, row.published_on)
        for row in session.scalars(wanted)
    ]
