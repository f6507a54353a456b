"""Keeping figures: the ladder on which they are collected, clicks, and imports by hand.

A published post is looked at after 1 hour, 1 day, 7 days, 28 days, and at its month's end in
the report's zone. Each look keeps one snapshot for every figure that the network can give: a
value, or none with the reason. Snapshots are only ever added.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from difflib import get_close_matches
from itertools import groupby

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from outreach.delivery import Delivery, ReceiptRow, State
from outreach.errors import NotNow, PlatformError, Problem, Refused, WrongFiles
from outreach.measure.imports import Import, PostRow, Typed
from outreach.measure.metrics import Reason
from outreach.measure.months import bounds, following
from outreach.platforms import Figures, Listens, Platform, Receipt, Retires, Told
from outreach.store import Store
from outreach.store.tables import Adopted, Click, Collection, ImportBatch, ShortLink, Snapshot

log = logging.getLogger(__name__)

RUNGS = {
    "1 h": timedelta(hours=1),
    "1 d": timedelta(days=1),
    "7 d": timedelta(days=7),
    "28 d": timedelta(days=28),
}
PATIENCE = timedelta(hours=6)  # a network that gives nothing is asked again for this long
LATE = timedelta(hours=1)  # a snapshot taken later than this says so
AUDIENCE = frozenset({"followers"})  # figures of the account, not of a post


def ladder(published_at: datetime, zone: str) -> dict[str, datetime]:
    """When the figures of a post are due: by rung, aware, UTC. The last rung is its month."""
    due = {rung: published_at + after for rung, after in RUNGS.items()}
    month = month_of(published_at, zone)
    return {**due, month: bounds(month, zone)[1]}


def month_of(at: datetime, zone: str) -> str:
    """The month ("2025-08") that an instant lies in, in this zone."""
    month = f"{at:%Y-%m}"
    start, end = bounds(month, zone)
    if at < start:
        return f"{at - timedelta(days=at.day):%Y-%m}"
    return following(month) if at >= end else month


def schedule(session: Session, zone: str) -> None:
    """Put every newly published post on the ladder."""
    fresh = session.scalars(
        select(Delivery).where(
            Delivery.state == State.PUBLISHED,
            ~select(Collection.key).where(Collection.key == Delivery.key).exists(),
        )
    )
    for row in fresh:
        if row.published_at:
            for rung, at in ladder(row.published_at, zone).items():
                session.add(Collection(key=row.key, rung=rung, channel=row.channel, at=at))


def collect(store: Store, platforms: Mapping[str, Platform], now: datetime, *, zone: str) -> int:
    """Take the figures that are due, in bulk for each channel; returns how many were kept."""
    with store.writing() as session:
        schedule(session, zone)
        due = session.scalars(
            select(Collection)
            .where(Collection.done_at.is_(None), Collection.at <= now)
            .order_by(Collection.channel, Collection.at)
        ).all()
        receipts = _receipts(session, {row.key for row in due})
    kept = 0
    for channel, rows in groupby(due, key=lambda row: row.channel):
        kept += _channel(store, platforms.get(channel), channel, list(rows), receipts, now)
    return kept


def listen(platforms: Mapping[str, Platform]) -> None:
    """Have every account keep what its network tells of itself, which it tells once."""
    for channel, platform in platforms.items():
        if not isinstance(platform, Listens):
            continue
        try:
            platform.listen()
        except PlatformError as error:
            log.warning("what %s is told of its posts could not be read: %s", channel, error)
        except Exception:
            log.exception("what %s is told of its posts could not be kept", channel)


LAST = "taken down"
"""The rung of figures that were read just before a post was taken down."""


def last_look(store: Store, platform: Platform, channel: str, key: str, now: datetime) -> None:
    """Read a post's figures before it is taken down, and look for no more of them.

    Whatever fails, it fails in silence: nothing that is wrong stays up for its figures' sake.
    """
    try:
        with store.writing(shared=True) as session:
            if session.get(Collection, (key, LAST)) is None:
                session.add(Collection(key=key, rung=LAST, channel=channel, at=now))
            session.flush()
            last = session.get_one(Collection, (key, LAST))
            receipts = _receipts(session, {key})
        _channel(store, platform, channel, [last], receipts, now)
        with store.writing(shared=True) as session:
            session.execute(
                update(Collection)
                .where(Collection.key == key, Collection.done_at.is_(None))
                .values(done_at=now, outcome=LAST)
            )
    except Exception:
        log.exception("the last figures of %s could not be read", key)


def _channel(
    store: Store,
    platform: Platform | None,
    channel: str,
    due: Sequence[Collection],
    receipts: Mapping[str, Sequence[Receipt]],
    now: datetime,
) -> int:
    offered = sorted(platform.offers - AUDIENCE) if platform else []
    figures: Mapping[str, Figures] = {}
    reason = ""
    if platform and offered:
        wanted = [r for key in {row.key for row in due} for r in receipts.get(key, ())]
        try:
            figures = platform.figures(wanted)
        except NotNow as error:
            log.info("figures of %s: not now: %s", channel, error)
            return 0
        except Refused as error:
            log.warning("figures of %s: refused: %s", channel, error)
            reason = Reason.NO_PERMISSION
        except Exception:
            log.exception("figures of %s could not be collected", channel)
            reason = Reason.COLLECTION_FAILED
        if reason and now - min(row.at for row in due) < PATIENCE:
            return 0
    retired: Set[str] = platform.retired if isinstance(platform, Retires) else frozenset()
    reasons = {m: Reason.METRIC_RETIRED if m in retired else reason for m in offered}
    with store.writing() as session:
        snapshots = [
            snapshot
            for row in due
            for snapshot in [
                *_of_post(
                    session,
                    row,
                    reasons,
                    figures,
                    receipts.get(row.key, ()),
                    now,
                    by_hand=isinstance(platform, Told),
                ),
                *_clicks(session, row, now),
            ]
        ]
        session.add_all(snapshots)
        for row in due:
            done = session.get_one(Collection, (row.key, row.rung))
            done.done_at, done.outcome = now, reason or "collected"
    return len(snapshots)


def _of_post(
    session: Session,
    due: Collection,
    reasons: Mapping[str, str],
    figures: Mapping[str, Figures],
    receipts: Sequence[Receipt],
    now: datetime,
    *,
    by_hand: bool,
) -> Iterable[Snapshot]:
    """One snapshot for each figure; a thread's is the sum of its parts, or none.

    `reasons`: by each figure that the network offers, why there would be none, where that is known.
    """
    for metric, reason in reasons.items():
        values = [figures.get(receipt.id, {}).get(metric) for receipt in receipts]
        known = [value for value in values if value is not None]
        value = sum(known) if known and len(known) == len(values) else None
        if metric == "clicks" and (value is None or _short_links(session, due.key)):
            continue  # our own count is the one that means the same everywhere
        why = "" if value is not None else reason or Reason.COLLECTION_FAILED
        if value is None and by_hand and _typed(session, due.key, metric):
            continue
        yield Snapshot(
            subject=due.key,
            channel=due.channel,
            metric=metric,
            value=value,
            reason=Reason.MANUAL_PENDING if value is None and by_hand else why,
            note=_late(due, now),
            taken_at=now,
            source="network",
            rung=due.rung,
        )


def _typed(session: Session, key: str, metric: str) -> bool:
    return (
        session.scalar(
            select(Snapshot.id)
            .where(Snapshot.subject == key, Snapshot.metric == metric, Snapshot.value.is_not(None))
            .limit(1)
        )
        is not None
    )


def _short_links(session: Session, key: str) -> bool:
    """Whether the post prints any of our own."""
    found = select(ShortLink.code).where(ShortLink.key == key).limit(1)
    return session.scalar(found) is not None


def _clicks(session: Session, due: Collection, now: datetime) -> Iterable[Snapshot]:
    """What our own short links counted, where the post prints any."""
    if not _short_links(session, due.key):
        return
    count = session.scalar(
        select(func.count()).select_from(Click).where(Click.key == due.key, Click.at <= now)
    )
    yield Snapshot(
        subject=due.key,
        channel=due.channel,
        metric="clicks",
        value=count or 0,
        note=_late(due, now),
        taken_at=now,
        source="link",
        rung=due.rung,
    )


def _late(due: Collection, now: datetime) -> str:
    late = now - due.at
    if late <= LATE:
        return ""
    hours = int(late.total_seconds() // 3600)
    return f"collected {hours} hour{'' if hours == 1 else 's'} after it was due"


def _receipts(session: Session, keys: set[str]) -> dict[str, list[Receipt]]:
    found: dict[str, list[Receipt]] = {}
    rows = session.scalars(
        select(ReceiptRow).where(ReceiptRow.key.in_(keys)).order_by(ReceiptRow.part)
    )
    for row in rows:
        found.setdefault(row.key, []).append(Receipt(row.remote_id, row.url, row.at))
    return found


def audience(store: Store, platforms: Mapping[str, Platform], now: datetime) -> int:
    """How many follow each account now; one snapshot each, a value or none with the reason."""
    snapshots = []
    for channel, platform in platforms.items():
        if "followers" not in platform.offers:
            continue
        reason = ""
        by_hand = isinstance(platform, Told)
        absent = Reason.MANUAL_PENDING if by_hand else Reason.COLLECTION_FAILED
        try:
            value = platform.audience().get("followers")
        except Refused:
            value, reason = None, Reason.NO_PERMISSION
        except Exception:
            log.exception("followers of %s could not be collected", channel)
            value, reason = None, Reason.COLLECTION_FAILED
        snapshots.append(
            Snapshot(
                subject=channel,
                channel=channel,
                metric="followers",
                value=value,
                reason=reason or ("" if value is not None else absent),
                taken_at=now,
                source="network",
            )
        )
    with store.writing() as session:
        session.add_all(snapshots)
    return len(snapshots)


def count_click(session: Session, link: ShortLink, now: datetime) -> None:
    """One visit more, to the minute; nothing of who it was."""
    session.add(Click(code=link.code, key=link.key, at=now.replace(second=0, microsecond=0)))


def keep_import(
    session: Session,
    figures: Import,
    data: bytes,
    *,
    file: str,
    by: str,
    now: datetime,
    sample: bool = False,
) -> None:
    """Keep what a person imported. What was imported last counts; twice in a row is once.

    Raises WrongFiles with every row that names a post that is not published.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    last = session.scalar(select(ImportBatch).order_by(ImportBatch.id.desc()).limit(1))
    if last and (last.sha256, last.undone_at) == (sha256, None):
        return
    posts = [(post, _post(session, post)) for post in figures.posts]
    if wrong := [post for post, found in posts if found is None]:
        raise WrongFiles(_no_posts(session, wrong, figures.filename))
    batch = ImportBatch(at=now, by=by, file=file, sha256=sha256)
    session.add(batch)
    session.flush()
    made: list[Snapshot] = []

    def keep(subject: str, channel: str, metric: str, typed: Typed, note: str, period: str) -> None:
        made.append(
            Snapshot(
                subject=subject,
                channel=channel,
                metric=metric,
                value=typed.value,
                reason=typed.reason,
                note=note,
                taken_at=now,
                source="import",
                period=period,
                by=by,
                batch=batch.id,
                sample=sample,
            )
        )

    for row in figures.months:
        if row.posts is not None:
            keep(row.channel, row.channel, "posts", Typed(row.posts), row.note, row.month)
        for metric, typed in row.figures.items():
            keep(row.channel, row.channel, metric, typed, row.note, row.month)
    for post, found in posts:
        if found:
            for metric, typed in post.figures.items():
                keep(*found, metric, typed, post.note, "")
    session.add_all(made)


def unpublished(session: Session, figures: Import) -> list[Problem]:
    """Every row that names a post which is not published: there is nothing it could count."""
    wrong = [post for post in figures.posts if _post(session, post) is None]
    return _no_posts(session, wrong, figures.filename) if wrong else []


def _no_posts(session: Session, wrong: Iterable[PostRow], file: str) -> list[Problem]:
    keys = session.scalars(select(Delivery.key).where(Delivery.state == State.PUBLISHED)).all()
    problems = []
    for post in wrong:
        near = get_close_matches(post.post[:100], keys, 1, 0.8)
        hint = "outreach trail names what was published; others' posts: outreach adopt ADDRESS"
        hint = f"did you mean {near[0]}?" if near else hint
        what = f"post: {post.post} is no published post"
        problems.append(Problem(f"{file}:{post.line}", what, hint))
    return problems


def _post(session: Session, row: PostRow) -> tuple[str, str] | None:
    """What the figures of this row are of, and its channel: a post of ours that is published, or
    one of others that was adopted."""
    if others := session.get(Adopted, row.post):
        return others.url, others.channel
    key = session.scalar(select(ReceiptRow.key).where(ReceiptRow.url == row.post)) or row.post
    delivery = session.get(Delivery, key)
    if delivery and delivery.state is State.PUBLISHED:
        return delivery.key, delivery.channel
    return None
