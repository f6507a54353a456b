"""How things stand: the lists that every door shows, read from the database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from outreach import addresses, takedown
from outreach.alarms import Alarm
from outreach.clearance import PROGRAM, readings
from outreach.delivery import IN_FLIGHT, Attempt, Delivery, ReceiptRow, State
from outreach.holds import held, placed
from outreach.pace import Pace, last_wait
from outreach.post import Post, Slot
from outreach.store.tables import Asset, Heartbeat, Mail, Process, TrailEntry

SOON = 12  # deliveries that come next, as a status lists them


@dataclass(frozen=True)
class Line:
    """One delivery as lists show it."""

    key: str
    state: str
    at: datetime
    wall: str
    zone: str
    reason: str
    url: str = ""
    asked: str = ""  # for when another office is asked to publish it: "2025-10-01 10:00 Asia/Seoul"
    post: Post | None = None  # in `in_full` alone: lists need no texts


@dataclass(frozen=True)
class Wait:
    """A channel whose due posts wait for its limits: how many, why, and until about when."""

    posts: int
    why: str
    until: datetime


@dataclass(frozen=True)
class Status:
    """Where everything stands now."""

    now: datetime
    counts: Mapping[str, int]
    next: tuple[Line, ...]  # cleared or waiting, soonest first
    attention: tuple[Line, ...]  # missed, failed, uncertain, handed; and proposed: returned
    waiting: int  # readings that can be cleared
    holds: tuple[str, ...]
    unready: Mapping[str, str]  # channels that cannot publish, and why
    last_tick: datetime | None
    processes: Mapping[str, datetime]  # who sends from this database, and when each was seen
    mails_waiting: int
    roster: str = ""  # what waits to be confirmed in people.toml
    differs: Mapping[str, str] = field(default_factory=dict)  # held back: file not yet applied
    broken: Mapping[str, str] = field(default_factory=dict)  # posts with an address that is dead
    alarms: tuple[Alarm, ...] = ()  # told and not over
    waits: Mapping[str, Wait] = field(default_factory=dict)  # by channel
    accounts: Mapping[str, str] = field(default_factory=dict)  # channels to connect anew, and why
    incidents: tuple[takedown.Standing, ...] = ()  # of which something is, or may be, live still


def line(session: Session, row: Delivery) -> Line:
    """One delivery as lists show it, with the most useful reason for where it stands."""
    receipt = session.scalar(
        select(ReceiptRow).where(ReceiptRow.key == row.key).order_by(ReceiptRow.part).limit(1)
    )
    reason = row.reason or row.returned or row.blocked or held(row, placed(session))
    return Line(
        row.key,
        str(row.state),
        row.at,
        row.wall,
        row.zone,
        reason,
        receipt.url if receipt else "",
        Slot.read(wanted).written if (wanted := (row.content or {}).get("wanted")) else "",
    )


def in_full(session: Session, row: Delivery) -> Line:
    """One delivery with its post, pictures included as they were applied; NotAllowed while it
    cannot be made."""
    post = row.post
    wanted = {sha for part in post.parts for picture in part.pictures for sha, *_ in picture.files}
    data = {
        a.sha256: a.data for a in session.scalars(select(Asset).where(Asset.sha256.in_(wanted)))
    }
    parts = tuple(
        replace(part, pictures=tuple(p.with_data(data) for p in part.pictures))
        for part in post.parts
    )
    return replace(line(session, row), post=replace(post, parts=parts))


def status(
    session: Session,
    *,
    now: datetime,
    unready: Mapping[str, str],
    roster: str,
    differs: Mapping[str, str],
    paces: Mapping[str, Pace],
    accounts: Mapping[str, str],
    alarms: Iterable[Alarm] = (),
) -> Status:
    """Everything that a person should know now."""
    counts = session.execute(select(Delivery.state, func.count()).group_by(Delivery.state)).all()
    returned = and_(Delivery.state == State.PROPOSED, Delivery.returned != "")
    coming = session.scalars(
        select(Delivery)
        .where(Delivery.state.in_([State.PROPOSED, State.CLEARED]), ~returned)
        .order_by(Delivery.at, Delivery.key)
        .limit(SOON)
    ).all()
    attention = session.scalars(
        select(Delivery)
        .where(or_(Delivery.state.in_([*IN_FLIGHT, State.MISSED, State.FAILED]), returned))
        .order_by(Delivery.at, Delivery.key)
    ).all()
    proposed = session.scalars(select(Delivery).where(Delivery.state == State.PROPOSED))
    holds = placed(session)
    beat = session.get(Heartbeat, 1)
    waiting = session.scalar(select(func.count()).select_from(Mail).where(Mail.sent_at.is_(None)))
    return Status(
        now=now,
        counts={str(state): count for state, count in counts},
        next=tuple(line(session, row) for row in coming),
        attention=tuple(line(session, row) for row in attention),
        waiting=sum(bool(reading.renderings) for reading in readings(proposed)),
        holds=tuple(f"{hold.scope} by {hold.by}: {hold.reason}" for hold in holds),
        unready=unready,
        processes={row.name: row.seen_at for row in session.scalars(select(Process))},
        last_tick=beat.real if beat and beat.ticked else None,
        mails_waiting=waiting or 0,
        roster=roster,
        differs=differs,
        broken=addresses.broken(session),
        alarms=tuple(alarms),
        waits=_waits(session, now, paces),
        accounts=accounts,
        incidents=tuple(
            takedown.standing(session, number, unready) for number in takedown.unfinished(session)
        ),
    )


def _waits(session: Session, now: datetime, paces: Mapping[str, Pace]) -> dict[str, Wait]:
    """The channels that have posts due, and may not send them yet."""
    due = session.execute(
        select(Delivery.channel, func.count())
        .where(Delivery.state == State.CLEARED, Delivery.at <= now)
        .group_by(Delivery.channel)
        .order_by(Delivery.channel)
    )
    waits = {}
    for channel, posts in due.all():
        wait = last_wait(session, paces[channel]) if channel in paces else None
        if wait and wait.until and wait.until > now:
            waits[channel] = Wait(posts, wait.why, wait.until)
    return waits


def trail(session: Session, key: str = "") -> list[tuple[datetime, str, str, str]]:
    """What happened to a post, calls included, or to everything: when, who, what, why."""
    wanted = select(TrailEntry).order_by(TrailEntry.at, TrailEntry.id)
    entries = session.scalars(wanted.where(TrailEntry.key == key) if key else wanted)
    told = [
        (entry.at, entry.who, f"{entry.what}" + (f" {entry.key}" if not key else ""), entry.why)
        for entry in entries
    ]
    if key:
        told += [
            (
                call.started_at,
                PROGRAM,
                f"call for part {call.part + 1}: {call.outcome or 'no answer recorded'}",
                call.detail,
            )
            for call in session.scalars(select(Attempt).where(Attempt.key == key))
        ]
    return sorted(told, key=lambda entry: entry[0])
