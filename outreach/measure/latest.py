"""Snapshots, kept with the newest of each figure beside them, so that a report reads no history.

    snapshot   every look at every figure; only ever added
    latest     one row for each figure of each post or channel: its newest snapshot, written in the
               same transaction
    thinning   an account's readings are one a day; after a time the last of each month is enough

A report with a cut-off takes the newest where that is not past it; otherwise it takes one step
into the index of that figure alone. What it costs follows the posts of its month, however many
snapshots there are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from outreach.measure.months import before, bounds
from outreach.store.tables import Cited, ImportBatch, Latest, Snapshot

MANY = 500  # subjects asked for in one statement
FOLLOWERS = "followers"
ACCOUNT = frozenset({FOLLOWERS, "followers-gained", "followers-lost"})
"""Figures of the account, not of a post."""


class Reading(NamedTuple):  # a report reads many thousands: a dataclass takes five times as long
    """One figure as it was last read: see `Snapshot`."""

    subject: str
    metric: str
    value: int | None
    reason: str
    taken_at: datetime
    source: str
    called: str
    by: str
    note: str
    snapshot: int


def row(
    subject: str,
    channel: str,
    metric: str,
    value: int | None,
    *,
    taken_at: datetime,
    source: str,
    reason: str = "",
    note: str = "",
    called: str = "",
    rung: str = "",
    period: str = "",
    by: str = "",
    batch: int | None = None,
    sample: bool = False,
) -> dict[str, Any]:
    """A snapshot to keep: see `Snapshot`."""
    return {
        "subject": subject,
        "channel": channel,
        "metric": metric,
        "value": value,
        "reason": reason,
        "note": note,
        "taken_at": taken_at,
        "source": source,
        "called": called,
        "rung": rung,
        "period": period,
        "by": by,
        "batch": batch,
        "sample": sample,
    }


_COPIED = ("value", "reason", "note", "taken_at", "source", "called", "by")


def _newest(*which: Any) -> Select[Any]:
    """What stands in `Latest`, of the newest of these snapshots for each figure."""
    age = func.row_number().over(
        partition_by=(Snapshot.subject, Snapshot.metric),
        order_by=(Snapshot.taken_at.desc(), Snapshot.id.desc()),
    )
    columns = [getattr(Snapshot, name) for name in _COPIED]
    every = select(
        Snapshot.subject, Snapshot.metric, Snapshot.id, *columns, age.label("age")
    ).where(Snapshot.period == "", *which)
    found = every.subquery()
    wanted = [found.c[name] for name in ("subject", "metric", "id", *_COPIED)]
    # In one order for all, or two that write at once could wait for each other.
    return select(*wanted).where(found.c.age == 1).order_by(found.c.subject, found.c.metric)


def _renew(kind: Any, *which: Any) -> Any:
    """Put the newest of these snapshots into `Latest`, unless newer ones stand there."""
    columns = ("subject", "metric", "snapshot", *_COPIED)
    adding = kind.insert(Latest).from_select(columns, _newest(*which))
    new = adding.excluded
    return adding.on_conflict_do_update(
        index_elements=["subject", "metric"],
        set_={name: new[name] for name in columns[2:]},
        where=or_(
            new.taken_at > Latest.taken_at,
            and_(new.taken_at == Latest.taken_at, new.snapshot > Latest.snapshot),
        ),
    )


_ROW = tuple(
    one
    for one in row("", "", "", None, taken_at=datetime.max.replace(tzinfo=UTC), source="")
    if one != "taken_at"
)
_STANDING = ("subject", "metric", *(name for name in _COPIED if name != "taken_at"))
_OF_ROW, _OF_STANDING = itemgetter(*_ROW), itemgetter(*_STANDING)


def _values(table: str, columns: Iterable[str], sign: str) -> str:
    names = [f'"{name}"' for name in columns]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(sign for _ in names)})"  # noqa: S608 - our own names


def _statements(sign: str) -> tuple[str, str]:
    """What adds a snapshot, and what puts it into `latest` unless a newer one stands there."""
    new = ", ".join(f'"{name}" = excluded."{name}"' for name in ("snapshot", *_COPIED))
    newest = _values("latest", ("snapshot", "taken_at", *_STANDING), sign) + (
        f" ON CONFLICT (subject, metric) DO UPDATE SET {new} WHERE "
        "(excluded.taken_at, excluded.snapshot) > (latest.taken_at, latest.snapshot)"
    )
    return _values("snapshot", ("id", "taken_at", *_ROW), sign), newest


_ADD = {"sqlite": _statements("?"), "postgresql": _statements("%s")}


def keep(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add these snapshots, each a `row`, and the newest of each figure with them.

    By the driver's own words: SQLAlchemy's take twice as long for each row as the database does.
    """
    if not rows:
        return
    connection = session.connection()
    lite = connection.dialect.name == "sqlite"
    if lite:  # where one writes at a time
        mark = session.scalar(select(func.max(Snapshot.id))) or 0
        numbers: Iterable[int] = range(mark + 1, mark + 1 + len(rows))
    else:
        every = func.generate_series(1, len(rows)).table_valued()
        sequence = func.nextval(func.pg_get_serial_sequence("snapshot", "id"))
        numbers = session.scalars(select(sequence).select_from(every)).all()
    times = {at: _written(at, lite=lite) for at in {one["taken_at"] for one in rows}}
    numbered = list(zip(numbers, rows, strict=True))
    add, newest = _ADD[connection.dialect.name]
    connection.exec_driver_sql(
        add, [(number, times[one["taken_at"]], *_OF_ROW(one)) for number, one in numbered]
    )
    standing = [
        (number, times[one["taken_at"]], *_OF_STANDING(one))
        for number, one in numbered
        if not one["period"]
    ]
    if not lite:  # in one order for all, or two that write at once could wait for each other
        standing.sort(key=itemgetter(2, 3))
    if standing:
        connection.exec_driver_sql(newest, standing)


def _written(at: datetime, *, lite: bool) -> datetime | str:
    """As `Instant` is kept: in UTC, without saying so."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    there = at.astimezone(UTC).replace(tzinfo=None)
    return there.isoformat(" ", "microseconds") if lite else there


_FIELDS = tuple(name for name in Reading._fields if name != "snapshot")


def _read_of(table: Any) -> list[Any]:
    """The columns that a `Reading` is made of, in its order."""
    number = table.snapshot if table is Latest else table.id
    return [*(getattr(table, name) for name in _FIELDS), number]


_UNDONE = select(ImportBatch.id).where(ImportBatch.undone_at.is_not(None))
COUNTS = or_(Snapshot.batch.is_(None), Snapshot.batch.not_in(_UNDONE))
"""A snapshot that nobody has taken back."""


def of_month(month: str, *, by: datetime | None = None) -> tuple[ColumnElement[bool], ...]:
    """The totals of a month that people typed and nobody has taken back, by then or at all.

    Said in the index's own words too: a database takes it only where it can tell.
    """
    standing = (
        COUNTS
        if by is None
        else or_(
            Snapshot.batch.is_(None),
            Snapshot.batch.not_in(_UNDONE.where(ImportBatch.undone_at <= by)),
        )
    )
    return Snapshot.period == month, Snapshot.period != literal_column("''"), standing


def readings(
    session: Session, keys: Iterable[str], at: datetime, *, known: bool = False
) -> dict[str, dict[str, Reading]]:
    """The figures of each of these posts as last read before `at`; with `known`, as last known."""
    found: dict[str, dict[str, Reading]] = {}
    every = list(dict.fromkeys(keys))
    for first in range(0, len(every), MANY):
        some = every[first : first + MANY]
        past: set[str] = set()
        for told in session.execute(select(*_read_of(Latest)).where(Latest.subject.in_(some))):
            read = Reading._make(told)
            if read.taken_at <= at:
                found.setdefault(read.subject, {})[read.metric] = read
            if read.taken_at > at or (known and read.value is None):
                past.add(read.subject)
        for read in _before(session, sorted(past), at, known=known):
            found.setdefault(read.subject, {})[read.metric] = read
    return found


def _before(
    session: Session, keys: Sequence[str], at: datetime, *, known: bool
) -> Iterator[Reading]:
    """Of posts whose newest figures are past the cut-off, or are none: those before."""
    if not keys:
        return
    then = aliased(Snapshot)
    newest = (
        select(Snapshot.id)
        .where(
            Snapshot.subject == Latest.subject,
            Snapshot.metric == Latest.metric,
            Snapshot.period == "",
            Snapshot.taken_at <= at,
            COUNTS,
            *([Snapshot.value.is_not(None)] if known else []),
        )
        .order_by(Snapshot.taken_at.desc(), Snapshot.id.desc())
        .limit(1)
        .scalar_subquery()
        .correlate(Latest)
    )
    beyond = or_(Latest.taken_at > at, *([Latest.value.is_(None)] if known else []))
    past = (
        select(*_read_of(then))
        .select_from(Latest)
        .join(then, then.id == newest)
        .where(Latest.subject.in_(keys), beyond)
    )
    yield from (Reading._make(told) for told in session.execute(past))


def at_rung(
    session: Session,
    keys: Iterable[str],
    metrics: Iterable[str],
    rung: str,
    start: datetime,
    end: datetime,
) -> Iterator[Reading]:
    """The values of these metrics that were read of these posts for a rung, in a span of time.

    The oldest of a post stands first. One step into the index for each, and no history: what was
    read at other times is never looked at.
    """
    every = list(dict.fromkeys(keys))
    for first in range(0, len(every), MANY):
        rows = session.execute(
            select(*_read_of(Snapshot))
            .where(
                Snapshot.subject.in_(every[first : first + MANY]),
                Snapshot.metric.in_(sorted(metrics)),
                Snapshot.taken_at >= start,
                Snapshot.taken_at < end,
                Snapshot.rung == rung,
                Snapshot.period == "",
                Snapshot.value.is_not(None),
                COUNTS,
            )
            .order_by(Snapshot.taken_at, Snapshot.id)
        )
        yield from (Reading._make(told) for told in rows)


def account(
    session: Session,
    channel: str,
    metric: str,
    start: datetime,
    end: datetime,
    *,
    last: bool = False,
) -> list[Reading]:
    """The readings of one of an account's figures in a span of time, oldest first.

    With `last` only the last of them, where there is one.
    """
    rows = session.execute(
        select(*_read_of(Snapshot))
        .where(
            Snapshot.subject == channel,
            Snapshot.metric == metric,
            Snapshot.period == "",
            Snapshot.taken_at >= start,
            Snapshot.taken_at < end,
            COUNTS,
        )
        .order_by(Snapshot.taken_at.desc(), Snapshot.id.desc())
        .limit(1 if last else None)
    )
    return [Reading._make(told) for told in rows][::-1]


def undo(session: Session, batch: int) -> None:
    """What an import brought counts no more: its figures are again what they were without it.

    The batch says already that it is undone.
    """
    pairs = session.execute(
        select(Latest.subject, Latest.metric)
        .join(Snapshot, Snapshot.id == Latest.snapshot)
        .where(Snapshot.batch == batch)
    ).all()
    renew = {"sqlite": sqlite, "postgresql": postgresql}[session.get_bind().dialect.name]
    for subject, metric in pairs:
        session.execute(delete(Latest).where(Latest.subject == subject, Latest.metric == metric))
        same = (Snapshot.subject == subject, Snapshot.metric == metric)
        session.execute(_renew(renew, *same, COUNTS))


def cite(session: Session, snapshots: Iterable[int]) -> None:
    """A report that is frozen was made from these readings of accounts: they are never thinned."""
    known = set(session.scalars(select(Cited.snapshot)))
    session.add_all(Cited(snapshot=one) for one in sorted(set(snapshots) - known))


def thin(
    session: Session, channels: Iterable[str], *, months: int, zone: str, now: datetime
) -> int:
    """Of an account's followers of each day only a month's last stay, after so many months.

    And what a frozen report cites, was typed by a person, or is the newest there is. Nothing else
    is ever thinned: of a post each figure is the value of a rung, and what was gained and lost is
    added up over its days. Returns how many went.
    """
    month = f"{now.astimezone(ZoneInfo(zone)):%Y-%m}"
    for _ in range(months):
        month = before(month)
    cited = exists().where(Cited.snapshot == Snapshot.id)
    newest = exists().where(Latest.subject == Snapshot.subject, Latest.snapshot == Snapshot.id)
    gone: list[int] = []
    for channel in channels:
        daily = session.execute(
            select(Snapshot.id, Snapshot.taken_at, Snapshot.value)
            .where(
                Snapshot.subject == channel,
                Snapshot.channel == channel,
                Snapshot.metric == FOLLOWERS,
                Snapshot.rung == "",
                Snapshot.period == "",
                Snapshot.batch.is_(None),
                Snapshot.by == "",
                Snapshot.taken_at < bounds(month, zone)[0],
                ~cited,
                ~newest,
            )
            .order_by(Snapshot.taken_at, Snapshot.id)
        ).all()
        there = ZoneInfo(zone)
        last = {
            f"{at.astimezone(there):%Y-%m}": id_ for id_, at, value in daily if value is not None
        }
        gone += [id_ for id_, _, _ in daily if id_ not in set(last.values())]
    for first in range(0, len(gone), MANY):
        session.execute(
            delete(Snapshot)
            .where(Snapshot.id.in_(gone[first : first + MANY]))
            .execution_options(synchronize_session=False)
        )
    return len(gone)
