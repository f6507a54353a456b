"""The addresses that posts print: whether they still work, and the page of those in use.

They are asked once applied, and before they go out: a post that waits, or is cleared, soon after it
was applied, and again within an hour of its slot. One that is surely broken is an alarm: it stands
in the trail, people are told, and a person decides; the post itself is not stopped. What could not
be told is none.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.clearance import PROGRAM, record
from outreach.delivery import Delivery, State
from outreach.links import addresses, without_addresses
from outreach.store.tables import LinkCheck, ShortLink

if TYPE_CHECKING:
    from outreach.compose.reachable import Answer

BEFORE = timedelta(hours=1)
"""How long before its slot a post's addresses are asked again."""

AGAIN = timedelta(days=7)
"""How long an answer holds for a post whose slot is still far."""

MOST = 50  # addresses in one round; the next round has the others
ALARM = "a link is broken"

CURRENT = timedelta(days=60)
"""How long a published post's addresses stand on the page of links."""

_SOURCE = re.compile(r"([?&]utm_source=)[^&#]*")


def wanted(session: Session, now: datetime) -> dict[str, list[str]]:
    """Addresses to ask now, each with the keys of the posts that print it."""
    rows = session.scalars(
        select(Delivery)
        .where(Delivery.state.in_([State.PROPOSED, State.CLEARED]), Delivery.content.is_not(None))
        .order_by(Delivery.at, Delivery.key)
    ).all()
    seen = {row.url: row.at for row in session.scalars(select(LinkCheck))}
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.late_after <= now:
            continue
        for url in printed(session, row):
            at = seen.get(url)
            soon = row.at - BEFORE <= now
            if at is None or now - at > AGAIN or (soon and at < row.at - BEFORE):
                found.setdefault(url, []).append(row.key)
    return dict(list(found.items())[:MOST])


def printed(session: Session, row: Delivery) -> list[str]:
    """Where the addresses of a post lead: our own short ones to their targets."""
    text = "\n".join(part.text for part in row.post.parts)
    targets = session.scalars(select(ShortLink.target).where(ShortLink.key == row.key)).all()
    direct = [url for _, url in addresses(text)]
    return list(dict.fromkeys([*targets, *(url for url in direct if "/l/" not in url)]))


def keep(
    session: Session,
    answers: "Iterable[Answer]",
    keys: Mapping[str, Iterable[str]],
    now: datetime,
) -> int:
    """Keep what was found; an address that is newly, surely broken is an alarm for each post."""
    alarms = 0
    for answer in answers:
        before = session.get(LinkCheck, answer.url)
        was_broken = before is not None and before.ok is False
        session.merge(
            LinkCheck(url=answer.url, at=now, ok=answer.ok, what=answer.what, hint=answer.hint)
        )
        if answer.ok is False and not was_broken:
            for key in keys.get(answer.url, ()):
                row = session.get(Delivery, key)
                if row is not None:
                    record(session, now, PROGRAM, ALARM, row, why=f"{answer.url} {answer.what}")
                    alarms += 1
    return alarms


def broken(session: Session) -> dict[str, str]:
    """Posts that wait or are cleared and print an address that is surely broken: which, and why."""
    bad = {
        row.url: row.what
        for row in session.scalars(select(LinkCheck).where(LinkCheck.ok.is_(False)))
    }
    if not bad:
        return {}
    rows = session.scalars(
        select(Delivery).where(
            Delivery.state.in_([State.PROPOSED, State.CLEARED]), Delivery.content.is_not(None)
        )
    )
    return {
        row.key: "; ".join(f"{url} {bad[url]}" for url in urls)
        for row in rows
        if (urls := [url for url in printed(session, row) if url in bad])
    }


@dataclass(frozen=True)
class Shown:
    """What the page of links says of one message in one language. `at` is aware, UTC."""

    language: str
    words: str
    at: datetime
    targets: tuple[str, ...]


def current(session: Session, now: datetime) -> list[Shown]:
    """The addresses of what is live and not over, newest first: each message once in a language.

    For readers of networks that show no links. Only the targets of posts that are published stand
    here, so that nothing is told before its time; they say by their utm_source that they were
    followed from here.
    """
    rows = session.scalars(
        select(Delivery)
        .where(Delivery.state == State.PUBLISHED, Delivery.published_at > now - CURRENT)
        .order_by(Delivery.published_at.desc(), Delivery.key)
    ).all()
    found: dict[tuple[str, str, str, str], Shown] = {}
    for row in rows:
        targets = session.scalars(select(ShortLink.target).where(ShortLink.key == row.key)).all()
        over = row.not_after is not None and row.not_after <= now
        message = (row.campaign, row.message, row.slot, row.language)
        if over or not targets or message in found or row.published_at is None:
            continue
        words = without_addresses(row.post.parts[0].text).strip()
        found[message] = Shown(
            row.language,
            next(iter(words.splitlines()), row.message).strip(" :,;"),
            row.published_at,
            tuple(dict.fromkeys(_SOURCE.sub(r"\1links", one) for one in sorted(targets))),
        )
    return list(found.values())[:MOST]
