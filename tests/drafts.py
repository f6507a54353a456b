"""What files would ask for, as values: put on a desk without writing and composing any file."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from outreach import apply as applying
from outreach import notices, people
from outreach.app import Outreach
from outreach.campaign.plan import Plan, plan
from outreach.campaign.values import Late
from outreach.compose import Draft
from outreach.compose.links import Link
from outreach.delivery import Delivery
from outreach.errors import Problem
from outreach.planning import standing
from outreach.platforms import Receipt
from outreach.post import Part, Picture, Post, Slot
from outreach.receipts import finish, keep_receipt
from outreach.store.plain import asking
from outreach.store.tables import Heartbeat
from tests.conftest import Office, clear_all

KEY = "c/news/en@net"
AT = datetime(2025, 7, 20, 2, tzinfo=UTC)  # an hour after a test's clock begins
SOON = "2025-07-20T01:04Z"  # minutes after it: a desk that ticked at first sees no gap


def utc(text: str) -> datetime:
    """ "2025-07-20T02:00", in UTC unless it says otherwise."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def slot(at: datetime, zone: str = "UTC") -> Slot:
    return Slot(at, f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}", zone)


def draft(
    name: str = "news",
    *texts: str,
    language: str = "en",
    channel: str = "net",
    at: datetime | str | None = AT,
    zone: str = "UTC",
    late: timedelta = timedelta(minutes=15),
    not_after: datetime | str | None = None,
    release: str = "as-ready",
    authors: Iterable[str] = ("ana",),
    blocked: Iterable[Problem] = (),
    pictures: Iterable[Picture] = (),
    links: Iterable[Link] = (),
    account: str = "",
) -> Draft:
    """What a message would be composed into; one part for each text.

    `name` is a message of campaign c, or a whole key: "news" in English on net is `KEY`.
    """
    campaign, message = "c", name
    if "/" in name:
        campaign, message, rest = name.split("/")
        language, channel = rest.split("@")
    at = utc(at) if isinstance(at, str) else at
    parts = tuple(
        Part(text, language, tuple(pictures) if n == 0 else ())
        for n, text in enumerate(texts or (f"This is {message}.",))
    )
    return Draft(
        campaign=campaign,
        message=message,
        language=language,
        channel=channel,
        slot=slot(at, zone) if at else None,
        post=Post(campaign, message, language, channel, parts, account or f"memory {channel}"),
        late=Late(late),
        not_after=utc(not_after) if isinstance(not_after, str) else not_after,
        release=release,
        authors=frozenset(authors),
        blocked=tuple(blocked),
        links=tuple(links),
    )


soon = partial(draft, at=SOON)


def planned(desk: Outreach, *drafts: Draft) -> Plan:
    """What applying these drafts would change."""
    with desk.store.reading() as session:
        return plan(drafts, standing(asking(session)), now=desk.now())


def put(desk: Outreach, *drafts: Draft, by: str = "ana", clear: bool = False) -> Plan:
    """Apply these drafts as if they were all that the office's files ask for."""
    with desk.store.writing() as session:
        made = plan(drafts, standing(asking(session)), now=desk.now())
        by_key = {one.key: one for one in drafts}
        applying.carry_out(session, made, by_key, by=by, now=desk.now())
        notices.write(session, people.in_force(session), desk.now())
    if clear:
        clear_all(desk)
    return made


put_cleared = partial(put, clear=True)


def live(
    desk: Outreach,
    name: str = "news",
    *texts: str,
    at: datetime = AT,
    url: str = "",
    links: Iterable[Link] = (),
) -> None:
    """The post is live since `at`, at `url`, or in its network's memory."""
    wanted = draft(name, *texts, at=at, links=links)
    before = at - timedelta(days=1)
    platform = desk.platforms[wanted.channel]
    with desk.store.writing() as session:
        made = plan([wanted], [], now=before)
        applying.carry_out(session, made, {wanted.key: wanted}, by="ana", now=before)
        row = session.get_one(Delivery, wanted.key)
        for number, part in enumerate(row.post.parts):
            receipt = Receipt(url, url, at) if url else platform.publish(part, None)
            keep_receipt(session, row, number, receipt, at)
        finish(session, row, at)


def run_to(office: Office, desk: Outreach, at: datetime) -> None:
    """The desk has ticked all the while, and it is `at` now."""
    with desk.store.writing() as session:
        before = at - timedelta(minutes=1)
        pulse = desk.store.pulse.beat(session)
        session.merge(Heartbeat(id=1, real=before, now=before, pulse=pulse))
    office.clock.at = at
    desk.tick()


def row(desk: Outreach, key: str = KEY) -> Delivery:
    """The delivery as it stands."""
    with desk.store.reading() as session:
        return session.get_one(Delivery, key)


def trail(desk: Outreach, key: str = KEY) -> list[str]:
    """What happened to it, oldest first."""
    return [what for _, _, what, _ in desk.trail(key)]
