"""Keeping figures: the ladder on which they are collected, clicks, and imports by hand.

    published    it is put on the ladder: a look after 1 hour, 6 hours, 1, 3, 7 and 28 days, at its
                 month's end in the report's zone, and just before its network tells no more
    due, claim   the looks of a channel that are due, many at once, as a delivery is claimed: with a
                 lease, committed before the network is asked; a process that dies leaves a claim
                 that runs out, and another one looks
    ask          in bulk, with no transaction open
    record       one snapshot for every figure that the network can give: a value, or none with the
                 reason; and the newest of each beside it
    again        a network that fails is asked again, for a time; what it asks us to wait, we wait

Snapshots are only ever added. A look that could not be made in time is made late, and says so.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from outreach.delivery import Delivery, ReceiptRow, State
from outreach.errors import (
    NotAllowed,
    NotFound,
    NotNow,
    PlatformError,
    Problem,
    Refused,
    WrongFiles,
)
from outreach.measure import latest
from outreach.measure.imports import Import, PostRow, Typed
from outreach.measure.metrics import Metric, Reason
from outreach.measure.months import bounds, following
from outreach.platforms import Figures, Lapses, Listens, Platform, Receipt, Renames, Retires, Told
from outreach.store import Store
from outreach.store.tables import Adopted, Click, Collection, ImportBatch, Latest, ShortLink

log = logging.getLogger(__name__)

RUNGS = {
    "1 h": timedelta(hours=1),
    "6 h": timedelta(hours=6),
    "1 d": timedelta(days=1),
    "3 d": timedelta(days=3),
    "7 d": timedelta(days=7),
    "28 d": timedelta(days=28),
}
PATIENCE = timedelta(hours=6)  # a network that gives nothing is asked again for this long
LATE = timedelta(hours=1)  # a snapshot taken later than this says so
RECENT = timedelta(days=40)  # longer than any ladder: what is older was put on it long ago
AT_ONCE = 500  # looks that are claimed and asked for together: five calls to X, ten to Facebook
IN_A_ROUND = 2000  # looks at one channel, every five minutes: no network's limit comes near
LEASE = 900.0  # seconds; ten calls that all run into their time-outs take less than half of it
LAST = "taken down"
"""The rung of figures that were read just before a post was taken down."""

Clock = Callable[[Session], tuple[str, float]]
"""In which life of the clock of claims, and how many seconds into it."""


def ladder(
    published_at: datetime, zone: str, windows: Iterable[timedelta] = ()
) -> dict[str, datetime]:
    """When the figures of a post are due: by rung, aware, UTC. The last rung is its month.

    `windows` are the times for which its network tells some of them: each has a rung of its own,
    early enough before it closes for a network that fails at first.
    """
    due = {rung: published_at + after for rung, after in RUNGS.items()}
    for window in windows:
        margin = min(window / 8, timedelta(days=1))
        due[closing(window)] = published_at + window - margin
    month = month_of(published_at, zone)
    return {**due, month: bounds(month, zone)[1]}


def closing(window: timedelta) -> str:
    """The rung before a window closes: "before 30 days"."""
    hours = int(window.total_seconds() // 3600)
    return f"before {hours // 24} days" if hours > 24 else f"before {hours} hours"


def month_of(at: datetime, zone: str) -> str:
    """The month ("2025-08") that an instant lies in, in this zone."""
    month = f"{at:%Y-%m}"
    start, end = bounds(month, zone)
    if at < start:
        return f"{at - timedelta(days=at.day):%Y-%m}"
    return following(month) if at >= end else month


@dataclass(frozen=True)
class Round:
    """One round of looks: at what, and by what it goes.

    `kinds` are the platforms of the channels by name, `offers` what each can give us, also where
    it is not ready here. `quiet` are channels whose network has asked us to wait. `metrics` is the
    dictionary, which says what a network calls a figure on a day.
    """

    store: Store
    platforms: Mapping[str, Platform]
    now: datetime
    zone: str
    leases: Clock
    kinds: Mapping[str, str] = field(default_factory=dict)
    offers: Mapping[str, Set[str]] = field(default_factory=dict)
    quiet: Set[str] = frozenset()
    metrics: Mapping[str, Metric] = field(default_factory=dict)

    def collect(self) -> int:
        """Take the figures that are due; returns how many snapshots were kept."""
        with self.store.writing() as session:
            self.schedule(session, self.now - RECENT)
            due = select(Collection.channel).where(
                Collection.done_at.is_(None), Collection.at <= self.now
            )
            channels = sorted(session.scalars(due.distinct()))
        kept = 0
        for channel in channels:
            for _ in range(IN_A_ROUND // AT_ONCE):
                if channel in self.quiet or not (looks := self._claim(channel)):
                    break
                kept += self._carry_out(channel, looks)
                if len(looks.due) < AT_ONCE:
                    break
        return kept

    def schedule(self, session: Session, since: datetime) -> None:
        """Put every post on the ladder that was published `since` and is not on it."""
        fresh = session.execute(
            select(Delivery.key, Delivery.channel, Delivery.published_at).where(
                Delivery.state == State.PUBLISHED,
                Delivery.published_at >= since,
                ~select(Collection.key).where(Collection.key == Delivery.key).exists(),
            )
        )
        for key, channel, published_at in fresh:
            windows = set(_windows(self.platforms.get(channel)).values())
            if published_at:
                for rung, at in ladder(published_at, self.zone, windows).items():
                    session.add(Collection(key=key, rung=rung, channel=channel, at=at))

    # --- claim, ask, record ----------------------------------------------------------------

    def _claim(self, channel: str) -> "_Looks | None":
        """Those that are due and that nobody is at, committed before the network is asked."""
        ready = channel in self.platforms  # where it is not, another process may know it
        with self.store.writing(shared=True) as session:
            life, seconds = self.leases(session)
            due = session.scalars(
                select(Collection)
                .where(
                    Collection.channel == channel,
                    Collection.done_at.is_(None),
                    Collection.at <= (self.now if ready else self.now - PATIENCE),
                    *Collection.free(self.now, life, seconds),
                )
                .order_by(Collection.at, Collection.key)
                .limit(AT_ONCE)
                .with_for_update(skip_locked=True)
            ).all()
            if not due:
                return None
            owner = ""
            for row in due:
                owner = owner or row.take(life, seconds + LEASE)
                row.owner, row.lease_life, row.lease_until = owner, life, seconds + LEASE
            return _looks(session, owner, due, self.now)

    def _carry_out(self, channel: str, looks: "_Looks") -> int:
        platform = self.platforms.get(channel)
        offered = platform.offers if platform else self.offers.get(channel, frozenset())
        wanted = sorted(offered - latest.ACCOUNT)
        told, reason = _Answer(), ""
        if wanted and platform is None:
            reason = Reason.COLLECTION_FAILED
        elif wanted and platform:
            try:
                told = self._ask(channel, platform, looks.every_receipt())
            except NotNow as error:
                log.info("figures of %s: not now: %s", channel, error)
                looks.give_back(self.store, self.now + error.wait)
                return 0
            except Refused as error:
                log.warning("figures of %s: refused: %s", channel, error)
                reason = Reason.NO_PERMISSION
            except Exception:
                log.exception("figures of %s could not be collected", channel)
                reason = Reason.COLLECTION_FAILED
        over = looks.due
        if reason:
            over = [
                due for due in over if self.now >= due.at + self._patience(due, looks, platform)
            ]
        kept = self._record(looks, over, platform, wanted, told, reason) if over else 0
        if len(over) < len(looks.due):
            looks.give_back(self.store, None)
        return kept

    def _patience(self, due: Collection, looks: "_Looks", platform: Platform | None) -> timedelta:
        """For how long a network that fails is asked again: while its window is open, the last time
        before it closes."""
        for window in _windows(platform).values():
            if due.rung == closing(window) and due.key in looks.published:
                return looks.published[due.key] + window - due.at
        return PATIENCE

    def _ask(self, channel: str, platform: Platform, receipts: Sequence[Receipt]) -> "_Answer":
        """What the network tells, and by which names it was asked.

        A name that it has retired is asked for under the one that took its place.
        """
        kind = self.kinds.get(channel, "")
        today = self.now.astimezone(ZoneInfo(self.zone)).date()
        names = {
            name: found.name
            for name, metric in self.metrics.items()
            if name in platform.offers and (found := metric.on(kind, today))
        }
        if isinstance(platform, Renames):
            platform.rename(names)
            names |= platform.called
        figures = platform.figures(receipts)
        gone = dict.fromkeys(sorted(platform.retired if isinstance(platform, Retires) else ()))
        told = _Answer(figures, names, {name: names.get(name, "") for name in gone})
        if not gone or not isinstance(platform, Renames):
            return told
        instead = {
            name: new.name
            for name, old in told.retired.items()
            if name in self.metrics and (new := self.metrics[name].after(kind, old))
        }
        if not instead:
            return told
        platform.rename({**names, **instead})
        figures = platform.figures(receipts)
        still = platform.retired if isinstance(platform, Retires) else frozenset()
        log.warning("%s has retired %s", channel, ", ".join(told.retired.values()))
        return _Answer(
            figures, {**names, **platform.called}, told.retired, frozenset(instead) - still
        )

    def _record(
        self,
        looks: "_Looks",
        over: Sequence[Collection],
        platform: Platform | None,
        wanted: Sequence[str],
        told: "_Answer",
        reason: str,
    ) -> int:
        rows: list[dict[str, Any]] = []
        outcomes: dict[tuple[str, str], str] = {}
        windows = _windows(platform)
        by_hand = isinstance(platform, Told)
        for due in over:
            outcome = reason or "collected"
            age = self.now - looks.published.get(due.key, self.now)
            for metric in wanted:
                value = looks.sum_of(due.key, metric, told.figures)
                if metric == "clicks" and (value is None or due.key in looks.linked):
                    continue  # our own count is the one that means the same everywhere
                why = "" if value is not None else reason or Reason.COLLECTION_FAILED
                called = told.called.get(metric, "")
                if metric in told.retired:
                    rows.append(
                        self._row(due, metric, None, Reason.METRIC_RETIRED, told.retired[metric])
                    )
                    if metric not in told.instead:
                        continue
                elif value is None and (due.key, metric) in looks.known:
                    if by_hand or (metric in windows and age >= windows[metric]):
                        continue  # what was last read or typed is the figure, and stays so
                elif value is None and metric in windows and age >= windows[metric]:
                    why = outcome = Reason.EXPIRED_WINDOW
                elif value is None and by_hand:
                    why = Reason.MANUAL_PENDING
                rows.append(self._row(due, metric, value, why, called))
            if due.key in looks.linked:
                clicks = looks.clicks.get(due.key, 0)
                rows.append({**self._row(due, "clicks", clicks, "", ""), "source": "link"})
            outcomes[due.key, due.rung] = outcome
        with self.store.writing(shared=True) as session:
            mine = {
                (row.key, row.rung): row
                for row in session.scalars(
                    select(Collection)
                    .where(
                        Collection.key.in_(sorted({due.key for due in looks.due})),
                        Collection.owner == looks.owner,
                    )
                    .with_for_update()
                )
            }
            # Whoever took longer than its lease finds that another has looked.
            kept = [row for row in rows if (row["subject"], row["rung"]) in mine]
            latest.keep(session, kept)
            for place in mine.keys() & outcomes.keys():
                mine[place].done_at, mine[place].outcome = self.now, outcomes[place]
                mine[place].let_go()
        return len(kept)

    def _row(
        self, due: Collection, metric: str, value: int | None, reason: str, called: str
    ) -> dict[str, Any]:
        return latest.row(
            due.key,
            due.channel,
            metric,
            value,
            reason=str(reason),
            note=_late(due, self.now),
            taken_at=self.now,
            source="network",
            called=called,
            rung=due.rung,
        )

    def last_look(self, channel: str, key: str) -> None:
        """Read a post's figures before it is taken down, and look for no more of them.

        Whatever fails, it fails in silence: nothing that is wrong stays up for its figures' sake.
        """
        try:
            with self.store.writing(shared=True) as session:
                life, seconds = self.leases(session)
                last = session.get(Collection, (key, LAST))
                if last is None:
                    last = Collection(key=key, rung=LAST, channel=channel, at=self.now)
                    session.add(last)
                    session.flush()
                owner = last.take(life, seconds + LEASE)
                looks = _looks(session, owner, [last], self.now)
            self._carry_out(channel, looks)
            with self.store.writing(shared=True) as session:
                session.execute(
                    update(Collection)
                    .where(Collection.key == key, Collection.done_at.is_(None))
                    .values(done_at=self.now, outcome=LAST)
                )
        except Exception:
            log.exception("the last figures of %s could not be read", key)

    # --- accounts --------------------------------------------------------------------------

    def audience(self) -> int:
        """How many follow each account today; a value or none with the reason, once a local day.

        An account that could not be asked is asked again; returns how many snapshots were kept.
        """
        there = ZoneInfo(self.zone)
        today = self.now.astimezone(there).date()
        rows: list[dict[str, Any]] = []
        with self.store.reading() as session:
            known = {
                (one.subject, one.metric): one.value
                for one in session.scalars(
                    select(Latest).where(
                        Latest.subject.in_(sorted(self.platforms)),
                        Latest.metric.in_(latest.ACCOUNT),
                    )
                )
                if one.taken_at.astimezone(there).date() == today
            }
        for channel, platform in self.platforms.items():
            offered = sorted(platform.offers & latest.ACCOUNT)
            if all(known.get((channel, metric)) is not None for metric in offered):
                continue
            told, reason = _followers(channel, platform)
            kind = self.kinds.get(channel, "")
            for metric in offered:
                value = told.get(metric)
                if value is None and (channel, metric) in known:
                    continue  # why there is none, or that there was one, stands there for today
                word = self.metrics[metric].on(kind, today) if metric in self.metrics else None
                rows.append(
                    latest.row(
                        channel,
                        channel,
                        metric,
                        value,
                        reason="" if value is not None else reason,
                        taken_at=self.now,
                        source="network",
                        called=word.name if word else "",
                    )
                )
        if rows:
            with self.store.writing(shared=True) as session:
                latest.keep(session, rows)
        return len(rows)


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


def _windows(platform: Platform | None) -> Mapping[str, timedelta]:
    """For how long after its publication a post's figures are told; most are told for ever."""
    return platform.windows if isinstance(platform, Lapses) else {}


def _followers(channel: str, platform: Platform) -> tuple[Figures, str]:
    """What the account's network tells; and why there is nothing, where it does not."""
    absent = Reason.MANUAL_PENDING if isinstance(platform, Told) else Reason.COLLECTION_FAILED
    try:
        return platform.audience(), absent
    except NotNow as error:
        log.info("followers of %s: not now: %s", channel, error)
    except Refused:
        return {}, Reason.NO_PERMISSION
    except Exception:
        log.exception("followers of %s could not be collected", channel)
    return {}, Reason.COLLECTION_FAILED


@dataclass(frozen=True)
class _Answer:
    """What a network told. `called`: the names that it was asked by; `retired`: those that it gives
    no more, by our figure; `instead`: the figures for which another name did."""

    figures: Mapping[str, Figures] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)
    retired: Mapping[str, str] = field(default_factory=dict)
    instead: Set[str] = frozenset()


@dataclass(frozen=True)
class _Looks:
    """Claimed looks, and what is known of their posts. `known` are figures that have a value."""

    owner: str
    due: Sequence[Collection]
    receipts: Mapping[str, Sequence[Receipt]]
    published: Mapping[str, datetime]
    known: Set[tuple[str, str]]
    linked: Set[str]
    clicks: Mapping[str, int]

    def every_receipt(self) -> list[Receipt]:
        keys = dict.fromkeys(row.key for row in self.due)
        return [receipt for key in keys for receipt in self.receipts.get(key, ())]

    def sum_of(self, key: str, metric: str, figures: Mapping[str, Figures]) -> int | None:
        """A thread's figure is the sum of its parts', or none."""
        total = None
        for receipt in self.receipts.get(key, ()):
            value = figures.get(receipt.id, {}).get(metric)
            if value is None:
                return None
            total = value if total is None else total + value
        return total

    def give_back(self, store: Store, wait: datetime | None) -> None:
        """They are due still; not before `wait`, where the network has said so."""
        with store.writing(shared=True) as session:
            session.execute(
                update(Collection)
                .where(
                    Collection.key.in_(sorted({row.key for row in self.due})),
                    Collection.owner == self.owner,
                )
                .values(owner="", lease_life="", lease_until=0.0, retry_at=wait)
            )


def _looks(session: Session, owner: str, due: Sequence[Collection], now: datetime) -> _Looks:
    keys = sorted({row.key for row in due})
    receipts: dict[str, list[Receipt]] = {}
    of_part = select(ReceiptRow).where(ReceiptRow.key.in_(keys)).order_by(ReceiptRow.part)
    for row in session.scalars(of_part):
        receipts.setdefault(row.key, []).append(Receipt(row.remote_id, row.url, row.at))
    published = select(Delivery.key, Delivery.published_at).where(Delivery.key.in_(keys))
    known = select(Latest.subject, Latest.metric).where(
        Latest.subject.in_(keys), Latest.value.is_not(None)
    )
    clicks = (
        select(Click.key, func.count())
        .where(Click.key.in_(keys), Click.at <= now)
        .group_by(Click.key)
    )
    linked = select(ShortLink.key).where(ShortLink.key.in_(keys)).distinct()
    return _Looks(
        owner,
        due,
        receipts,
        {key: at for key, at in session.execute(published) if at},
        {(subject, metric) for subject, metric in session.execute(known)},
        set(session.scalars(linked)),
        dict(session.execute(clicks).all()),
    )


def _late(due: Collection, now: datetime) -> str:
    late = now - due.at
    if late <= LATE:
        return ""
    hours = int(late.total_seconds() // 3600)
    return f"collected {hours} hour{'' if hours == 1 else 's'} after it was due"


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
) -> int:
    """Keep what a person imported; its number. What was imported last counts; twice in a row is
    once.

    Raises WrongFiles with every row that names a post that is not published.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    last = session.scalar(select(ImportBatch).order_by(ImportBatch.id.desc()).limit(1))
    if last and (last.sha256, last.undone_at) == (sha256, None):
        return last.id
    posts = [(post, _post(session, post)) for post in figures.posts]
    if wrong := [post for post, found in posts if found is None]:
        raise WrongFiles(_no_posts(session, wrong, figures.filename))
    batch = ImportBatch(at=now, by=by, file=file, sha256=sha256)
    session.add(batch)
    session.flush()
    made: list[dict[str, Any]] = []

    def keep(subject: str, channel: str, metric: str, typed: Typed, note: str, period: str) -> None:
        made.append(
            latest.row(
                subject,
                channel,
                metric,
                typed.value,
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
    latest.keep(session, made)
    return batch.id


def undo_import(session: Session, number: int, *, by: str, now: datetime) -> ImportBatch:
    """Take an import back: its figures count no more, in no report that is made from now on.

    Nothing is deleted. Raises NotFound for a number that there is not, NotAllowed where it was
    taken back already.
    """
    batch = session.get(ImportBatch, number, with_for_update=True)
    if batch is None:
        raise NotFound(f"there is no import {number}", "those that there are: outreach import")
    if batch.undone_at:
        raise NotAllowed(
            f"import {number} ({batch.file}) was taken back already, by {batch.undone_by}",
            f"to have it again: outreach import {batch.file}",
        )
    batch.undone_at, batch.undone_by = now, by
    session.flush()
    latest.undo(session, number)
    return batch


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
