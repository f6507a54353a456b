"""
Pace: how many calls an account may make, whoever makes them.

    rule     no more than so many within any so many seconds: of an account as the public sees it,
             or of what several accounts share, a bot or an app
    call     counts from its claim until `per` after its answer. It may arrive at any moment
             between, so no window at the network's own door ever holds more than the rule says
    told     "retry after 30": what a network last said holds for the whole account
    money    what the month's calls cost, where the office has set how much they may

A claim locks the rows of its accounts, counts, and writes its call down, all in one transaction.
Seconds are the lease clock's (`outreach/leases.py`), which no correction of ours can move. The
wall clock is asked for calls from before this machine was started anew, and for the months of
money.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Index, Select, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from outreach.platforms import Costs
from outreach.post import Part
from outreach.store.base import Base

Clock = Callable[[Session], tuple[str, float]]
"""In which life of the clock, and how many seconds into it: alike for all workers."""

KEEP = timedelta(days=62)  # that calls are kept: longer than any window, and any month
LONGEST = timedelta(days=1)  # that a network's word is taken for; it is asked again then
GUESS = 60.0  # seconds for which a full count is believed: calls end, and limits are raised
TICK = 0.001  # seconds; to wake a moment too early would be to wait twice
NOW_AND_THEN = 100  # attempts, after which old calls are forgotten


class AccountRow(Base):
    """One account, or what several share; locked while a claim counts its calls."""

    __tablename__ = "account"

    name: Mapped[str] = mapped_column(primary_key=True)
    life: Mapped[str] = mapped_column(default="")  # of the clock that its seconds are told in
    told_until: Mapped[float] = mapped_column(default=0.0)  # no call before: the network said so
    told_on_wall: Mapped[datetime | None]  # the same on the wall
    full_until: Mapped[float] = mapped_column(default=0.0)  # nor before: our count said so
    until: Mapped[datetime | None]  # the last wait's end, as far as known, for people
    why: Mapped[str] = mapped_column(default="")


class Call(Base):
    """One attempt, as it counts for one account."""

    __tablename__ = "call"
    __table_args__ = (Index("ix_call_over", "account", "over"),)

    account: Mapped[str] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    messages: Mapped[int]  # as many as the network takes it for
    cost: Mapped[int]  # millionths of a US dollar
    over: Mapped[float]  # surely over then; while it is under way, when its lease ends
    at: Mapped[datetime]  # the same on the wall


@dataclass(frozen=True)
class Rule:
    """No more than `calls` of this account within any `per` seconds."""

    account: str
    calls: int
    per: float
    messages: bool = False  # counts messages, of which one call may make several
    whose: str = "the network's"

    def __str__(self) -> str:
        return f"{self.whose} limit ({self.calls:,} in {_span(self.per)})"


@dataclass(frozen=True)
class Pace:
    """What one channel has to keep to. `money` is US dollars a month, and a month one in `zone`."""

    account: str
    rules: tuple[Rule, ...] = ()
    messages: Callable[[Part], int] = lambda _part: 1
    costs: Costs | None = None
    money: Decimal | None = None
    zone: str = "UTC"

    @property
    def accounts(self) -> list[str]:
        return sorted({self.account, *(rule.account for rule in self.rules)})

    @property
    def counts(self) -> bool:
        """Whether its calls are written down at all."""
        return bool(self.rules) or self.money is not None


@dataclass(frozen=True)
class Full:
    """No call may be made yet for this account: ask again after `seconds`."""

    account: str
    seconds: float
    why: str


class Turn:
    """A channel's turn: its accounts are locked, and counted, until the transaction ends."""

    def __init__(self, session: Session, pace: Pace, clock: Clock, now: datetime) -> None:
        self.session, self.pace, self.now = session, pace, now
        self.rows = self._locked()
        self.life, self.seconds = clock(session)  # after the lock, which may have taken its time
        for row in self.rows.values():
            if row.life != self.life:
                self._redate(row)

    def full(self, part: Part | None = None) -> Full | None:
        """Why this part, or any, may not be sent yet; None where it may."""
        messages = self.pace.messages(part) if part else 1
        waits = [*self._told(), *self._no_room(messages)]
        if not waits:
            return None
        row, seconds, why = max(waits, key=lambda wait: wait[1])
        row.full_until = self.seconds + min(seconds, GUESS)
        row.until, row.why = self.now + timedelta(seconds=seconds), why
        return Full(row.name, seconds + TICK, why)

    def too_dear(self, parts: Sequence[Part]) -> str:
        """Why the month's money does not allow this post, or ""."""
        if self.pace.money is None or self.pace.costs is None:
            return ""
        cost = self.pace.costs.of(*parts)
        spent = self._spent()
        if spent + cost <= self.pace.money:
            return ""
        return (
            f"the month's money would not do: {dollars(spent)} of {dollars(self.pace.money)} "
            f"US dollars are spent, and this post costs {dollars(cost)} "
            "(money-per-month in config/channels.toml)"
        )

    def begin(self, attempt: int, part: Part, until: float, paid: Sequence[Part] = ()) -> None:
        """Write a call down before it is made; it surely ends by `until`. `paid`: what it pays for.

        A thread is paid for with its first part, so that its rest never lacks the money.
        """
        if not self.pace.counts:
            return
        cost = int(self.pace.costs.of(*paid) * 1_000_000) if self.pace.costs and paid else 0
        call = {
            "attempt": attempt,
            "messages": self.pace.messages(part),
            "over": until,
            "at": self.now + timedelta(seconds=until - self.seconds),
        }
        self.session.execute(
            _BEGIN,
            [
                {**call, "account": name, "cost": cost if name == self.pace.account else 0}
                for name in self.pace.accounts
            ],
        )
        if attempt % NOW_AND_THEN == 0:
            old = Call.over < self.seconds - KEEP.total_seconds()
            self.session.execute(delete(Call).where(Call.account.in_(self.pace.accounts), old))

    def told(self, wait: timedelta, why: str) -> None:
        """The network itself has said that the account has to wait."""
        row = self.rows[self.pace.account]
        seconds = min(wait, LONGEST).total_seconds()
        if row.told_until < self.seconds + seconds:
            row.told_until = self.seconds + seconds
            row.told_on_wall = row.until = self.now + timedelta(seconds=seconds)
            row.why = why

    # --- within a turn -------------------------------------------------------------------

    def _locked(self) -> Mapping[str, AccountRow]:
        return lock(self.session, self.pace.accounts)

    def _redate(self, row: AccountRow) -> None:
        """The machine was started anew: what came before is told in this life's seconds."""

        def since(at: datetime) -> float:
            return self.seconds - max((self.now - at).total_seconds(), 0.0)

        before = self.session.execute(
            select(Call.attempt, Call.at).where(Call.account == row.name, Call.at > self.now - KEEP)
        ).all()
        self.session.execute(
            delete(Call).where(Call.account == row.name, Call.at <= self.now - KEEP)
        )
        for attempt, at in before:
            self.session.execute(
                update(Call)
                .where(Call.account == row.name, Call.attempt == attempt)
                .values(over=since(at))
            )
        left = (row.told_on_wall or self.now) - self.now
        row.told_until = self.seconds + min(left, LONGEST).total_seconds()
        row.full_until, row.life = 0.0, self.life

    def _told(self) -> Iterable[tuple[AccountRow, float, str]]:
        for row in self.rows.values():
            if row.told_until > self.seconds:
                yield row, row.told_until - self.seconds, row.why

    @cached_property
    def _taken(self) -> Sequence[int]:
        """How much of each rule's window is taken."""
        if not self.pace.rules:
            return ()
        since = {f"since{n}": self.seconds - rule.per for n, rule in enumerate(self.pace.rules)}
        return tuple(self.session.execute(_counting(self.pace.rules), since).one())

    def _no_room(self, messages: int) -> Iterable[tuple[AccountRow, float, str]]:
        """The rules that have no room, and in how many seconds they may have."""
        for rule, count in zip(self.pace.rules, self._taken, strict=True):
            # More at once than the rule ever allows needs a window of its own.
            wanted = min(messages, rule.calls) if rule.messages else 1
            if count + wanted > rule.calls:
                seconds = self._room(rule, count + wanted - rule.calls)
                yield self.rows[rule.account], seconds, str(rule)

    def _room(self, rule: Rule, needed: int) -> float:
        """In how many seconds so many will have left the window, if what is under way ends now."""
        left = 0
        within = Call.account == rule.account, Call.over > self.seconds - rule.per
        for ended, messages in self.session.execute(
            select(Call.over, Call.messages).where(*within).order_by(Call.over)
        ):
            left += messages if rule.messages else 1
            if left >= needed:
                return float(min(ended, self.seconds)) + rule.per - self.seconds
        return rule.per

    def _spent(self) -> Decimal:
        """This month's money, in US dollars; what is under way included."""
        month = self.now.astimezone(ZoneInfo(self.pace.zone)).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        spent = self.session.scalar(
            select(func.coalesce(func.sum(Call.cost), 0)).where(
                Call.account == self.pace.account, Call.at >= month
            )
        )
        return Decimal(spent or 0) / 1_000_000


def lock(session: Session, names: Collection[str]) -> Mapping[str, AccountRow]:
    """The rows of these accounts, made where there were none; ours until the transaction ends."""
    rows = {row.name: row for row in session.scalars(_LOCKED, {"names": list(names)})}
    if missing := sorted(set(names) - rows.keys()):
        kind = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        session.execute(
            kind.insert(AccountRow).on_conflict_do_nothing(), [{"name": name} for name in missing]
        )
        rows = {row.name: row for row in session.scalars(_LOCKED, {"names": list(names)})}
    return rows


# Made once: every claim of a channel with limits asks them.
_LOCKED = (
    select(AccountRow)
    .where(AccountRow.name.in_(bindparam("names", expanding=True)))
    .order_by(AccountRow.name)  # one order for all, or two claims could wait for each other
    .with_for_update()
)
_BEGIN = insert(Call.__table__)  # type: ignore[arg-type] # a table, as every class here has one

_OVER = (
    update(Call)
    .where(Call.account.in_(bindparam("names", expanding=True)), Call.attempt == bindparam("one"))
    .values(over=bindparam("ended"), at=bindparam("now"))
    .execution_options(synchronize_session=False)
)
_OVER_FREE = _OVER.values(cost=0)


@lru_cache(maxsize=256)
def _counting(rules: tuple[Rule, ...]) -> Select[Any]:
    """What counts all of these rules' windows at once; made once, as every claim asks it."""
    counts = []
    for number, rule in enumerate(rules):
        count = func.coalesce(func.sum(Call.messages), 0) if rule.messages else func.count()
        within = Call.account == rule.account, Call.over > bindparam(f"since{number}")
        counts.append(select(count).where(*within).scalar_subquery())
    return select(*counts)


def over(
    session: Session, pace: Pace, attempt: int, *, seconds: float, now: datetime, free: bool
) -> None:
    """A call was over at these seconds; `free` where nothing came of it that would be paid for."""
    told = {"ended": seconds, "now": now, "one": attempt, "names": pace.accounts}
    session.execute(_OVER_FREE if free else _OVER, told)


def never_made(session: Session, pace: Pace, attempt: int) -> None:
    """A call was written down, and surely not made."""
    session.execute(delete(Call).where(Call.account.in_(pace.accounts), Call.attempt == attempt))


def waiting(session: Session, clock: Clock) -> set[str]:
    """The accounts that may not make a call yet, as far as is known without counting."""
    if not session.scalar(select(AccountRow.name).limit(1)):
        return set()
    life, seconds = clock(session)
    wait = or_(AccountRow.told_until > seconds, AccountRow.full_until > seconds)
    return set(session.scalars(select(AccountRow.name).where(AccountRow.life == life, wait)))


def told_to_wait(session: Session, clock: Clock) -> set[str]:
    """The accounts whose network itself has asked for a pause that is not over."""
    if not session.scalar(select(AccountRow.name).limit(1)):
        return set()
    life, seconds = clock(session)
    still = AccountRow.life == life, AccountRow.told_until > seconds
    return set(session.scalars(select(AccountRow.name).where(*still)))


def last_wait(session: Session, pace: Pace) -> AccountRow | None:
    """The wait of a channel's accounts that ended, or ends, last."""
    return session.scalar(
        select(AccountRow)
        .where(AccountRow.name.in_(pace.accounts), AccountRow.until.is_not(None))
        .order_by(AccountRow.until.desc())
        .limit(1)
    )


def dollars(amount: Decimal) -> str:
    """ "0.015", "25.00": with as many digits as it has, and at least two."""
    text = f"{amount.normalize():f}"
    return text if len(text.partition(".")[2]) >= 2 else f"{amount:.2f}"


def _span(seconds: float) -> str:
    """ "a second", "15 minutes", "a day"."""
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            article = "an" if word == "hour" else "a"
            return f"{article} {word}" if count == 1 else f"{count} {word}s"
    return f"{seconds:g} seconds"
