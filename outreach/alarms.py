"""Alarms: what needs whoever runs the machine, now, and when they are told.

    found  --lasts a minute-->  told  --still there-->  told again, at an interval
      '--gone before--> nothing   '--gone for a minute--> told that it is over, and forgotten

A rule is a function that looks at the database, or the machine, and yields what it finds. What
was told stands in the table, so that a restart repeats nothing and several processes tell it once.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from pathlib import Path

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from outreach.credentials import EXPIRES, standings
from outreach.delivery import Attempt, Delivery, State
from outreach.errors import OutreachError
from outreach.holds import held, placed
from outreach.measure.metrics import Reason
from outreach.platforms import Limits, Platform
from outreach.store.tables import (
    AlarmRow,
    Collection,
    Heartbeat,
    Mail,
    ReportMail,
    ReportRow,
    TrailEntry,
)
from outreach.subscribers import getting_on
from outreach.words import counted

SILENT = timedelta(minutes=2)  # a clock ticks each second, a process is seen every few
SETTLE = timedelta(minutes=1)  # what comes and goes within it is nobody's alarm
RETRY = timedelta(minutes=5)  # until an alarm that could not be told, by any way, is tried again
GONE = timedelta(days=1)  # a machine that nobody heard of for so long has no alarms any more
FAILS = timedelta(hours=1)  # before a post that would fail
UNMAILED = timedelta(hours=1)  # a mail server may be away for a while
STALE = timedelta(days=7)  # a mail that old has been overtaken


@dataclass(frozen=True)
class Alarm:
    """Something that needs a person. `host` is the machine that alone can see it, or ""."""

    kind: str  # "clock", "disk": the rule's
    where: str  # a channel, a folder, a process, or ""
    what: str
    todo: str
    since: datetime | None = None  # aware, UTC; None: since it was first seen
    host: str = ""

    @property
    def about(self) -> str:
        """What makes it the same alarm at the next look."""
        return " ".join(filter(None, (self.kind, self.where, self.host)))


@dataclass(frozen=True)
class Process:
    """A process of the desk that should be alive, and when it was last seen so (aware, UTC)."""

    name: str
    seen_at: datetime


@dataclass(frozen=True)
class Sight:
    """What the rules look at. `now` is what the desk takes for now, `real` the machine's time."""

    session: Session
    now: datetime
    real: datetime
    stuck: timedelta  # how long a post may stand still
    platforms: Mapping[str, Platform]
    unready: Mapping[str, str]  # channels that cannot publish, and why
    differs: Callable[[], Mapping[str, str]]  # deliveries held back: their file is not applied
    processes: Sequence[Process] = ()
    mails: bool = True  # whether there is a mail server

    def limits(self, channel: str) -> Limits:
        platform = self.platforms.get(channel)
        return platform.limits if platform else Limits(text=0)


# --- rules -----------------------------------------------------------------------------------


def clock(sight: Sight) -> Iterator[Alarm]:
    """The desk has run before, and does not tick."""
    beat = sight.session.get(Heartbeat, 1)
    if beat and beat.ticked and sight.real - beat.real > SILENT:
        yield Alarm(
            "clock",
            "",
            "the clock does not tick: nothing is published",
            "see whether outreach run still runs, and what its log says: systemctl status outreach",
            beat.real,
        )


def worker(sight: Sight) -> Iterator[Alarm]:
    """A process that said it would be there is silent."""
    for process in sight.processes:
        if sight.real - process.seen_at > SILENT:
            yield Alarm(
                "worker",
                process.name,
                f"the process {process.name} is silent",
                "see its log on its machine, and start it again; meanwhile the others send",
                process.seen_at,
            )


def sending(sight: Sight) -> Iterator[Alarm]:
    """A call that has taken longer than its network may."""
    began = (
        select(Attempt.key, func.max(Attempt.started_at).label("at"))
        .join(Delivery, Delivery.key == Attempt.key)
        .where(Delivery.state == State.SENDING)
        .group_by(Attempt.key)
    )
    since = {
        key: at
        for key, at in sight.session.execute(began)
        if sight.now - at
        > sight.stuck + timedelta(seconds=sight.limits(key.rpartition("@")[2]).deadline)
    }
    yield from _by_channel(
        "sending",
        since,
        "is being sent, and no answer comes",
        "are being sent, and no answer comes",
        "end outreach and start it again; what was being sent is looked for before anything else",
    )


def uncertain(sight: Sight) -> Iterator[Alarm]:
    """A post that may be live, and looking has not told."""
    last = (
        select(TrailEntry.key, func.max(TrailEntry.at).label("at"))
        .join(Delivery, Delivery.key == TrailEntry.key)
        .where(Delivery.state == State.UNCERTAIN)
        .group_by(TrailEntry.key)
        .subquery()
    )
    rows = sight.session.execute(
        select(Delivery.key, Delivery.channel, Delivery.at, last.c.at)
        .outerjoin(last, last.c.key == Delivery.key)
        .where(Delivery.state == State.UNCERTAIN)
    )
    since = {
        key: doubted
        for key, channel, at, told in rows
        if sight.now - (doubted := max(at, told or at))
        > sight.limits(channel).visible + sight.stuck
    }
    yield from _by_channel(
        "uncertain",
        since,
        "may or may not be live",
        "may or may not be live",
        "look on the network, then: outreach settle KEY --live ADDRESS, or --absent",
    )


def unsent(sight: Sight) -> Iterator[Alarm]:
    """Cleared and due, not held by anybody, not sent; and no newsletter that takes its time."""
    from outreach.holds import together  # whoever only looks at files does without it

    rows = sight.session.scalars(
        select(Delivery).where(
            Delivery.state == State.CLEARED,
            Delivery.at <= sight.now - sight.stuck,
            or_(Delivery.retry_at.is_(None), Delivery.retry_at <= sight.now + sight.stuck),
        )
    ).all()
    going_on = getting_on(sight.session, sight.now, sight.stuck) if rows else set()
    holds = placed(sight.session)
    free = [row for row in rows if row.key not in going_on and not held(row, holds)]
    waiting = [row for row in free if together(sight.session, row, holds)]
    back = sight.differs() if waiting else {}
    why = {row.channel: sight.unready.get(row.channel) or row.reason for row in waiting}
    yield from (
        Alarm(
            one.kind,
            one.where,
            one.what + (f" ({why[one.where]})" if why[one.where] else ""),
            one.todo,
            one.since,
        )
        for one in _by_channel(
            "unsent",
            {row.key: row.at for row in waiting if row.key not in back},
            "is due and was not sent",
            "are due and were not sent",
            "see what keeps them: outreach status, outreach doctor; or post them by hand",
        )
    )


def _by_channel(
    kind: str, since: Mapping[str, datetime], one: str, many: str, todo: str
) -> Iterator[Alarm]:
    """One alarm for each channel: a day on which a network is down is not fifty alarms."""

    def channel(key: str) -> str:
        return key.rpartition("@")[2]

    for name, found in groupby(sorted(since, key=lambda key: (channel(key), since[key])), channel):
        keys = list(found)
        what = f"{keys[0]} {one}" if len(keys) == 1 else f"{len(keys)} posts on {name} {many}"
        first = "" if len(keys) == 1 else f": first {keys[0]}"
        yield Alarm(kind, name, what + first, todo.replace("KEY", keys[0]), since[keys[0]])


def account(sight: Sight) -> Iterator[Alarm]:
    """An account that refuses us, or whose token ends soon."""
    for name, one in sorted(standings(sight.session).items()):
        if name not in sight.platforms:
            continue
        todo = f"connect it anew: outreach connect {name}"
        if one.refused:
            what = f"the account {name} refuses us: {one.refused}"
            if one.ends and one.ends > sight.real:
                what += f"; posts go out until {one.ends:%Y-%m-%d %H:%M} UTC"
            yield Alarm("refused", name, what, todo, one.since)
        elif one.trouble and one.ends and one.ends <= sight.real:
            what = f"the token of {name} has ended, and cannot be renewed: {one.trouble}"
            yield Alarm("expires", name, what, f"see what keeps it; or {todo}", one.ends)
        elif one.ends and not one.trouble and one.ends - sight.real < EXPIRES:
            what = f"the token of {name} ends on {one.ends:%Y-%m-%d}"
            yield Alarm("expires", name, what, todo)


def fails(sight: Sight) -> Iterator[Alarm]:
    """A post that is due within the hour, on an account that will not let us in by then."""
    ends = {
        name: one.ends
        for name, one in standings(sight.session).items()
        if one.ends and name in sight.platforms
    }
    if not ends:
        return
    rows = sight.session.scalars(
        select(Delivery)
        .where(
            Delivery.state.in_([State.PROPOSED, State.CLEARED]),
            Delivery.channel.in_(list(ends)),
            Delivery.at > sight.now,
            Delivery.at <= sight.now + FAILS,
        )
        .order_by(Delivery.channel, Delivery.at, Delivery.key)
    )
    for name, found in groupby(rows, lambda row: row.channel):
        late = [row for row in found if sight.real + (row.at - sight.now) >= ends[name]]
        if late:
            first = late[0]
            more = f", and {len(late) - 1} more" if len(late) > 1 else ""
            yield Alarm(
                "fails",
                name,
                f"{first.key} is due {first.due.written} and would fail{more}: by then {name} does "
                "not let us in",
                f"connect it anew now: outreach connect {name}",
            )


def mail(sight: Sight) -> Iterator[Alarm]:
    """Notices that nobody got."""
    if not sight.mails:
        return
    rows = sight.session.scalars(
        select(Mail)
        .where(
            Mail.sent_at.is_(None),
            Mail.trouble != "",
            Mail.at <= sight.now - UNMAILED,
            Mail.at > sight.now - STALE,
        )
        .order_by(Mail.id)
    ).all()
    if rows:
        yield Alarm(
            "mail",
            "",
            f"{counted(len(rows), 'notice')} could not be mailed: {rows[-1].trouble}",
            "put [mail] or the addresses of config/people.toml right; outreach doctor asks the "
            "mail server",
            rows[0].at,
        )


def untold(sight: Sight) -> Iterator[Alarm]:
    """A task, or word of a package, that perhaps did not arrive: it is not sent again by itself."""
    from outreach.handover import untold as found  # whoever only looks at files does without it

    for key, why, at in found(sight.session, sight.now - UNMAILED, sight.now - STALE):
        yield Alarm(
            "untold",
            key,
            f"whoever publishes {key} may not have been told: {why}",
            "ask them, and say what is in: outreach tasks",
            at,
        )


def lost(sight: Sight) -> Iterator[Alarm]:
    """Figures that a network tells for a time only, and nobody read in that time."""
    rows = sight.session.execute(
        select(Collection.key, Collection.done_at).where(
            Collection.outcome == Reason.EXPIRED_WINDOW, Collection.done_at > sight.now - STALE
        )
    )
    yield from _by_channel(
        "figures",
        {key: at for key, at in rows if at},
        "has figures that its network tells no more, and they were never read",
        "have figures that their network tells no more, and they were never read",
        "see in the log why the account could not be asked; what the network still shows a person: "
        "outreach import",
    )


def reported(sight: Sight) -> Iterator[Alarm]:
    """A report that somebody perhaps did not get: it is not sent again by itself."""
    rows = sight.session.execute(
        select(ReportMail, ReportRow.period)
        .join(ReportRow, ReportRow.id == ReportMail.report)
        .where(
            ReportMail.outcome.in_(["in doubt", "refused"]),
            ReportMail.ended_at > sight.now - STALE,
        )
        .order_by(ReportMail.ended_at, ReportMail.id)
    )
    for row, period in rows:
        yield Alarm(
            "report",
            f"{period} {row.to}",
            f"the report on {period} may not have reached {row.to}: {row.trouble}",
            f"ask them; if it did not: outreach report send {period} --again {row.to}",
            row.ended_at,
        )


RULES: tuple[Callable[[Sight], Iterator[Alarm]], ...] = (
    clock,
    worker,
    sending,
    uncertain,
    unsent,
    account,
    fails,
    mail,
    untold,
    lost,
    reported,
)


def disk(folders: Iterable[Path], least: int, host: str) -> Iterator[Alarm]:
    """File systems with less room than `least` bytes, each once."""
    seen = set()
    for folder in folders:
        if folder.exists() and (system := folder.stat().st_dev) not in seen:
            seen.add(system)
            free = shutil.disk_usage(folder).free
            if free < least:
                yield Alarm(
                    "disk",
                    str(folder),
                    f"the disk is nearly full: {free / 1e6:,.0f} MB are free in {folder}",
                    "make room before it is full: then nothing can be sent",
                    host=host,
                )


def database(error: OutreachError, host: str) -> Alarm:
    """The database cannot be read or written."""
    return Alarm("database", "", str(error), error.hint, host=host)


# --- what is told, and when ------------------------------------------------------------------


class Turn(StrEnum):
    """What has become of an alarm."""

    NEW = "alarm"
    STILL = "still"
    OVER = "over"


@dataclass(frozen=True)
class News:
    """Something to tell about an alarm."""

    turn: Turn
    alarm: Alarm


def decide(
    rows: dict[str, AlarmRow],
    found: Mapping[str, Alarm],
    *,
    host: str,
    now: datetime,
    settle: timedelta = SETTLE,
    ends: bool = True,
) -> list[News]:
    """What is to be told now; changes `rows` to what is known after this look.

    What is told here is tried again after RETRY unless `told` says that it reached somebody.
    Without `ends` nothing is taken for over: the look did not see everything.
    """
    news = []
    for about, alarm in found.items():
        row = rows.get(about)
        if row is None:
            row = rows[about] = AlarmRow(
                about=about,
                kind=alarm.kind,
                where=alarm.where,
                host=alarm.host,
                since=alarm.since or now,
                told_at=None,
                next_at=now + settle,
            )
        row.what, row.todo, row.seen_at, row.over_at = alarm.what, alarm.todo, now, None
        if row.next_at <= now:
            news.append(News(Turn.STILL if row.told_at else Turn.NEW, alarm_of(row)))
            row.next_at = now + RETRY
    for about, row in list(rows.items()) if ends else ():
        quiet = SETTLE if row.host in ("", host) else GONE
        if about in found or now - row.seen_at < quiet:
            continue
        if row.told_at is None:
            del rows[about]
            continue
        if row.over_at is None:
            row.over_at, row.next_at = now, now
        if row.next_at <= now:
            news.append(News(Turn.OVER, alarm_of(row)))
            row.next_at = now + RETRY
    return news


def told(
    rows: dict[str, AlarmRow], news: Iterable[News], *, now: datetime, repeat: timedelta
) -> None:
    """Somebody was told: what is over is forgotten, the rest is told again after `repeat`."""
    for one in news:
        row = rows.get(one.alarm.about)
        if row is None:
            continue
        if one.turn is Turn.OVER:
            del rows[row.about]
        else:
            row.told_at, row.next_at = now, now + repeat


def alarm_of(row: AlarmRow) -> Alarm:
    """The alarm that a row keeps."""
    return Alarm(row.kind, row.where, row.what, row.todo, row.since, row.host)


def lasting(session: Session) -> list[Alarm]:
    """The alarms that somebody was told and that are not over, oldest first."""
    rows = session.scalars(
        select(AlarmRow)
        .where(AlarmRow.told_at.is_not(None), AlarmRow.over_at.is_(None))
        .order_by(AlarmRow.since, AlarmRow.about)
    )
    return [alarm_of(row) for row in rows]
