"""
Publishing once: claim, call, record; and look before anything is called again.

    claim     one conditional UPDATE; intent, token and lease are committed with it
    call      the network, with no transaction open; the fence checks the lease at the last moment
    record    WHERE owner = our claim; a receipt that cannot be recorded is not a reason to call
    sweep     a claim whose lease has run out: its process died, so the post may be live
    look      ask the network; "not there" is believed only after its waiting time

Two clocks: `now()` decides what is due and may run fast in a rehearsal; leases and waiting times
have a clock of their own, which no correction of ours can move: this machine's boot-time clock
beside an SQLite file, the database's on PostgreSQL, where workers of many machines meet. The fence
reads the boot-time clock everywhere: it needs to be right in this process alone, and at once.
"""

import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, tuple_, update
from sqlalchemy.orm import Session

from outreach.clearance import PROGRAM, in_force, record, void
from outreach.delivery import Attempt, Delivery, PartToken, ReceiptRow, State
from outreach.errors import CannotTell, Handed, NotNow, Refused, Unusable
from outreach.holds import held
from outreach.platforms import Platform, Receipt, Told
from outreach.post import Part
from outreach.store import Store
from outreach.store.tables import Asset, Meta

log = logging.getLogger(__name__)

T = TypeVar("T")

MARGIN = 30.0  # seconds that a lease outlasts the deadline of a whole publish
SKEW = timedelta(minutes=2)  # how far a network's clock may be behind ours
SOME = 20  # due deliveries that a claim looks at together
FIRST_LOOK = 10.0  # seconds; a network needs a moment to show what it has taken
GONE = 3.0  # seconds that a process is gone before its claims are swept
LOOKING = 60.0  # seconds that one look may take
LONGEST_PAUSE = 900.0  # seconds between two looks, at most
SEED = "seed"  # in Meta: what tokens are made from
PUT_BACK = "put back"  # in Meta: when this database was last an older copy, ISO 8601
PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds between attempts to write a receipt down


class Leases(Protocol):
    """The clock of claims and doubts."""

    def __call__(self, session: Session) -> tuple[str, float]:
        """In which life of the clock, and how many seconds into it: alike for all who share the
        database."""

    def here(self) -> float:
        """Seconds on this process's own clock, whenever that began."""


class LeaseClock:
    """Seconds since this machine started, suspended or not, and which start that was."""

    def __init__(self) -> None:
        self.life = Path("/proc/sys/kernel/random/boot_id").read_text().strip()

    def __call__(self, session: Session) -> tuple[str, float]:
        return self.life, self.here()

    def here(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


class DatabaseClock(LeaseClock):
    """The time of a PostgreSQL server, for workers on many machines."""

    def __call__(self, session: Session) -> tuple[str, float]:
        told = session.scalar(select(func.extract("epoch", func.clock_timestamp())))
        return "the database's", float(told or 0)


def lease_clock(store: Store) -> Leases:
    """The clock that all who share this database share."""
    return LeaseClock() if store.embedded else DatabaseClock()


Differing = Callable[[], Mapping[str, str]]
"""Deliveries whose file no longer says what was applied: why, by key.

Asked before a transaction, never in one: to answer may mean to compose every post.
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one claimed delivery, for the log and for notices."""

    key: str
    state: State
    reason: str = ""


@dataclass(frozen=True)
class _Claim:
    key: str
    channel: str
    owner: str
    attempt: int
    part: int
    parts: tuple[Part, ...]
    before: Receipt | None  # the receipt of the part before
    until: float  # this process's own clock


class Publisher:
    """Takes cleared and due deliveries to their networks."""

    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[str, Platform],
        now: Callable[[], datetime],
        leases: Leases,
        differs: Differing = dict,
        unready: Mapping[str, str] | None = None,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self.store, self.platforms, self.now = store, platforms, now
        self.leases, self.differs, self.unready = leases, differs, unready or {}
        self.pauses = pauses
        self._gone: dict[int, float] = {}  # lives that are on duty no more: since when, here

    # --- what is due ---------------------------------------------------------------------

    def channels(self) -> list[str]:
        """Channels that have something cleared and due."""
        with self.store.reading() as session:
            due = select(Delivery.channel).where(*self._due()).distinct()
            return [name for name in session.scalars(due) if name in self.platforms]

    def send(self, channel: str) -> Iterator[Outcome]:
        """Send this channel's due deliveries, most urgent first, until none is left.

        The next one is claimed in the transaction that records the one before; whoever stops
        asking gives it back.
        """
        claim = self._claim(channel)
        try:
            while claim:
                begun, claim = claim, None  # from here on it may be live, and is not given back
                outcome, claim = self._publish(begun)
                yield outcome
                claim = claim or self._claim(channel)
        finally:
            if claim:
                self._release(claim)

    def _due(self) -> list[ColumnElement[bool]]:
        now = self.now()
        return [
            Delivery.state == State.CLEARED,
            Delivery.at <= now,
            or_(Delivery.retry_at.is_(None), Delivery.retry_at <= now),
        ]

    # --- claim ---------------------------------------------------------------------------

    def _claim(self, channel: str) -> _Claim | None:
        """Take the most urgent delivery that may be sent; the intent is committed with it."""
        differing = self.differs()
        with self.store.writing(shared=True) as session:
            return self._next(session, channel, differing)

    def _next(self, session: Session, channel: str, differing: Mapping[str, str]) -> _Claim | None:
        """As `_claim`, in a transaction that is open."""
        here = self.leases.here()  # before the claim: the fence must never be later than the lease
        due = (
            select(Delivery)
            .where(*self._due(), Delivery.channel == channel)
            .order_by(Delivery.at, Delivery.key)
        )
        after: list[ColumnElement[bool]] = []
        while rows := session.scalars(due.where(*after).limit(SOME)).all():
            for row in rows:
                may_go = row.key not in differing and self._may_go(session, row)
                if may_go and (claim := self._take(session, row, here)):
                    return claim
            last = tuple_(literal(rows[-1].at, Delivery.at.type), literal(rows[-1].key))
            after = [tuple_(Delivery.at, Delivery.key) > last]
        return None

    def _release(self, claim: _Claim) -> None:
        """Give a claim back that no call was made for."""
        with suppress(Unusable), self.store.writing(shared=True) as session:
            if row := self._ours(session, claim):
                self._close(session, claim.attempt, "not begun", "it was stopped before")
                row.move(State.CLEARED)

    def _may_go(self, session: Session, row: Delivery) -> bool:
        """Whether this cleared and due delivery may be sent now.

        Puts it where it belongs if it may not: missed, proposed again, or to be looked for.
        """
        now = self.now()
        clearance = in_force(session, row)
        if clearance is None or not clearance.covers(row.fingerprint, row.at):
            void(session, row, "the clearance does not cover it", now=now, who=PROGRAM)
            return False
        if clearance.expires and clearance.expires <= now:
            void(session, row, "the clearance has expired", now=now, who=PROGRAM)
            return False
        if row.not_after and row.not_after <= now:
            return self._miss(session, row, "it may not be sent after this time")
        begun = session.scalar(select(func.count()).where(ReceiptRow.key == row.key)) or 0
        if row.late_after <= now and not row.lateness_settled and not begun:
            return self._miss(session, row, "nobody was there to send it in time")
        if held(session, row) or not _together(session, row):
            return False
        if row.look_since:
            # Looking takes its time, which is not the post's lateness: it was found in time.
            row.lateness_settled = True
            row.move(State.UNCERTAIN, "it fell due while nothing was running; looking first")
            self._doubt(session, row)
            return False
        return True

    def _miss(self, session: Session, row: Delivery, why: str) -> bool:
        row.move(State.MISSED, why)
        record(session, self.now(), PROGRAM, "missed", row, why=why)
        return False

    def _take(self, session: Session, row: Delivery, here: float) -> _Claim | None:
        """Claim it; None where another worker was faster."""
        post = row.post
        life, seconds = self.leases(session)
        receipts = _receipts(session, row.key)
        part = len(receipts)
        limits = self.platforms[row.channel].limits
        owner = f"{self.store.duty.life:x}.{secrets.token_hex(12)}"
        lease = limits.deadline * (len(post.parts) - part) + MARGIN
        until = here + lease
        claimed = session.execute(
            update(Delivery)
            .where(
                Delivery.key == row.key,
                Delivery.state == State.CLEARED,
                Delivery.version == row.version,
            )
            .values(
                state=State.SENDING,
                reason="",
                owner=owner,
                lease_life=life,
                lease_until=seconds + lease,
                version=Delivery.version + 1,
            )
            .execution_options(synchronize_session=False)
        )
        if claimed.rowcount != 1:  # type: ignore[attr-defined] # an UPDATE's result has one
            return None
        tokens = [_token(session, row.key, row.fingerprint, n) for n in range(len(post.parts))]
        attempt = self._attempt(session, row.key, part, tokens[part], row.fingerprint, owner)
        pictures = _pictures(session, post.parts)
        parts = tuple(
            replace(
                given,
                token=token,
                pictures=tuple(replace(p, data=pictures[p.sha256]) for p in given.pictures),
                fence=self._fence(until),
            )
            for given, token in zip(post.parts, tokens, strict=True)
        )
        return _Claim(
            row.key,
            row.channel,
            owner,
            attempt,
            part,
            parts,
            receipts[-1] if receipts else None,
            until,
        )

    def _attempt(
        self, session: Session, key: str, part: int, token: str, fingerprint: str, owner: str
    ) -> int:
        attempt = Attempt(
            key=key,
            part=part,
            token=token,
            fingerprint=fingerprint,
            owner=owner,
            started_at=self.now(),
        )
        session.add(attempt)
        session.flush()
        return attempt.id

    def _fence(self, until: float) -> Callable[[float], None]:
        """The check that stands between a claim and the wire.

        A process that was stopped after its claim and woken after its lease would otherwise send
        a second copy.
        """

        def fence(seconds: float) -> None:
            if self.leases.here() + seconds >= until:
                raise NotNow("our claim would not outlast this call", timedelta(0))

        return fence

    # --- call and record -----------------------------------------------------------------

    def _publish(self, claim: _Claim) -> tuple[Outcome, _Claim | None]:
        """Call, and record; returns what became of it, and what was claimed next with it."""
        platform = self.platforms[claim.channel]
        number, attempt, before = claim.part, claim.attempt, claim.before
        while True:
            try:
                receipt = platform.publish(claim.parts[number], before)
            except NotNow as error:
                wait = max(error.wait, timedelta(seconds=1))
                return self._end(claim, attempt, State.CLEARED, "not now", error, wait), None
            except Refused as error:
                return self._end(claim, attempt, State.FAILED, "refused", error), None
            except Handed as error:
                return self._end(claim, attempt, State.HANDED, "handed", error), None
            except Exception as error:  # a bug of ours can strike after the yes, too
                return self._end(claim, attempt, State.UNCERTAIN, "uncertain", error), None
            log.info("live: %s part %d as %s", claim.key, number + 1, receipt.id)
            number += 1
            if number < len(claim.parts):
                next_attempt = self._receive(claim, attempt, number, receipt)
                if next_attempt is not None:
                    attempt, before = next_attempt, receipt
                    continue
            else:
                written, following = self._finish(claim, attempt, receipt)
                if written:
                    return Outcome(claim.key, State.PUBLISHED), following
            # It is not ours any more, or it could not be written down: `sending`, for the sweep
            # to look for.
            return Outcome(claim.key, State.UNCERTAIN, "it is live, but was not recorded"), None

    def _receive(self, claim: _Claim, attempt: int, part: int, receipt: Receipt) -> int | None:
        """Write a receipt down, and with it the intent of the next `part`. None if that failed."""

        def write(session: Session) -> int | None:
            row = self._ours(session, claim)
            if row is None:
                return None
            keep_receipt(session, row, part - 1, receipt, self.now())
            self._close(session, attempt, "live", receipt.id)
            token = claim.parts[part].token
            return self._attempt(session, row.key, part, token, row.fingerprint, claim.owner)

        return self._insist(claim, receipt.id, write)

    def _finish(self, claim: _Claim, attempt: int, receipt: Receipt) -> tuple[bool, _Claim | None]:
        """Write the last receipt down; whether that was possible, and what was claimed next.

        What is claimed with it is a convenience: where that fails, the receipt is written alone.
        """

        def write(session: Session) -> bool:
            row = self._ours(session, claim)
            if row is None:
                return False
            keep_receipt(session, row, len(claim.parts) - 1, receipt, self.now())
            self._close(session, attempt, "live", receipt.id)
            finish(session, row, self.now())
            return True

        try:
            differing = self.differs()
            with self.store.writing(shared=True) as session:
                if write(session):
                    session.flush()
                    return True, self._next(session, claim.channel, differing)
        except Exception:
            log.exception("%s is live as %s; recording that alone", claim.key, receipt.id)
        return bool(self._insist(claim, receipt.id, write)), None

    def _insist(self, claim: _Claim, what: str, write: Callable[[Session], T]) -> T | None:
        """Write down what a network has answered, again and again for a while.

        Whatever fails here must never lead to a second call: the delivery stays `sending`.
        """
        for pause in (*self.pauses, None):
            try:
                with self.store.writing(shared=True) as session:
                    return write(session)
            except Exception:
                log.exception("%s: its answer (%s) cannot be recorded yet", claim.key, what)
            if pause is not None:
                time.sleep(pause)
        return None

    def _end(
        self,
        claim: _Claim,
        attempt: int,
        state: State,
        outcome: str,
        error: Exception,
        wait: timedelta | None = None,
    ) -> Outcome:
        reason = str(error) or type(error).__name__
        log.warning("%s: %s: %s", claim.key, outcome, reason)

        def write(session: Session) -> None:
            row = self._ours(session, claim)
            if row is None:
                return
            self._close(session, attempt, outcome, reason)
            row.move(state, reason)
            if wait is not None:
                row.retry_at = self.now() + wait
            if state is State.UNCERTAIN:
                self._doubt(session, row)
            if state in (State.FAILED, State.UNCERTAIN, State.HANDED):
                record(session, self.now(), PROGRAM, str(state), row, why=reason)

        self._insist(claim, outcome, write)
        return Outcome(claim.key, state, reason)

    def _ours(self, session: Session, claim: _Claim) -> Delivery | None:
        return session.scalar(
            select(Delivery)
            .where(
                Delivery.key == claim.key,
                Delivery.owner == claim.owner,
                Delivery.state == State.SENDING,
            )
            .with_for_update()
        )

    def _close(self, session: Session, attempt: int, outcome: str, detail: str) -> None:
        row = session.get_one(Attempt, attempt)
        row.outcome, row.detail, row.ended_at = outcome, detail[:500], self.now()

    # --- doubt ---------------------------------------------------------------------------

    def _doubt(self, session: Session, row: Delivery, until: float = 0.0) -> None:
        """Doubt it from now on; a call may still be under way `until` then."""
        life, seconds = self.leases(session)
        visible = self._visible(row.channel)
        platform = self.platforms.get(row.channel)
        if platform and platform.limits.repeats:
            until = 0.0  # a call that comes late makes no second copy
        # Here: since when we doubt. "Not there" is believed `visible` seconds after it.
        row.lease_life, row.lease_until = life, max(seconds, until - visible)
        row.looks, row.look_at = 0, seconds + min(FIRST_LOOK, visible)

    def _visible(self, channel: str) -> float:
        """Seconds that a new post may stay invisible on this channel."""
        platform = self.platforms.get(channel)
        return platform.limits.visible.total_seconds() if platform else FIRST_LOOK

    def sweep(self) -> list[Outcome]:
        """Claims whose lease has run out, or whose process has died, become *uncertain*.

        Their process may have sent them. Where it may only sleep, its call may still be coming:
        "not there" is believed no sooner than its lease would have run out.
        """
        swept = []
        with self.store.writing(shared=True) as session:
            life, seconds = self.leases(session)
            sending = session.scalars(
                select(Delivery)
                .where(Delivery.state == State.SENDING)
                .with_for_update(skip_locked=True)
            ).all()
            orphans = self._orphans(session, sending)
            for row in sending:
                until = row.lease_until if row.lease_life == life else seconds
                if until > seconds and row.key not in orphans:
                    continue
                if self.store.embedded:
                    until = seconds  # we have its lock: it is dead, and not asleep
                why = "the process that was sending it ended before it knew"
                row.move(State.UNCERTAIN, why)
                self._doubt(session, row, until)
                record(session, self.now(), PROGRAM, "uncertain", row, why=why)
                swept.append(Outcome(row.key, State.UNCERTAIN, why))
        return swept

    def _orphans(self, session: Session, sending: Sequence[Delivery]) -> set[str]:
        """The keys of what is claimed by processes that have been gone for a moment."""
        alive = self.store.duty.alive(session) if sending else None
        if alive is None:
            self._gone.clear()
            return set()
        here = self.leases.here()
        # After a restart of a server its clients take a moment to say that they live.
        grace = 0.0 if self.store.embedded else GONE
        of = {row.key: int(row.owner.partition(".")[0] or "0", 16) for row in sending}
        gone = set(of.values()) - alive - {0}
        self._gone = {life: self._gone.get(life, here) for life in gone}
        return {
            key for key, life in of.items() if life in gone and here - self._gone[life] >= grace
        }

    def look(self, *, at_once: bool = False) -> list[Outcome]:
        """Look for every delivery that may or may not be live, and for what people posted.

        `at_once` looks without waiting for the next look's time; it still believes "not found"
        only after the network's waiting time.
        """
        with self.store.writing(shared=True) as session:
            life, seconds = self.leases(session)
            rows = session.scalars(
                select(Delivery)
                .where(Delivery.state.in_([State.UNCERTAIN, State.HANDED]))
                .with_for_update(skip_locked=True)
            ).all()
            wanted = []
            for row in rows:
                if row.state is State.UNCERTAIN and row.lease_life != life:
                    self._doubt(session, row)  # the machine was started anew: wait anew
                if row.state is State.HANDED:
                    wanted.append(row.key)
                elif at_once or row.look_at <= seconds:
                    row.look_at = seconds + LOOKING  # other processes leave it to this one
                    wanted.append(row.key)
        return [outcome for key in wanted if (outcome := self.look_at(key))]

    def token(self, session: Session, row: Delivery) -> str:
        """The token of the part of this delivery that is next, or in doubt."""
        return _token(session, row.key, row.fingerprint, len(_receipts(session, row.key)))

    def look_at(self, key: str) -> Outcome | None:
        """Look for one delivery that may or may not be live; what became of it, if anything."""
        with self.store.writing(shared=True) as session:
            row = session.get(Delivery, key, with_for_update=True)
            if row is None or row.state not in (State.UNCERTAIN, State.HANDED):
                return None
            state, version, channel = row.state, row.version, row.channel
            platform = self.platforms.get(channel)
            if platform is None:
                return None
            if row.state is State.UNCERTAIN and row.lease_life != self.leases(session)[0]:
                self._doubt(
                    session, row
                )  # a person's word, or an earlier life of the machine: wait anew
                session.flush()
                version = row.version
            post, fingerprint = row.post, row.fingerprint
            number = len(_receipts(session, key))
            token = _token(session, key, fingerprint, number)
            first = session.scalar(
                select(func.min(Attempt.started_at)).where(
                    Attempt.key == key, Attempt.part == number, Attempt.fingerprint == fingerprint
                )
            )
            since = min(filter(None, (first, row.look_since)), default=row.at) - SKEW
            # What this database does not know of a post by hand, such a channel does not know.
            by_hand = isinstance(platform, Told) and _put_back_since(session, row)
            others = frozenset(
                session.scalars(
                    select(ReceiptRow.remote_id).where(
                        ReceiptRow.channel == channel, ReceiptRow.at >= since - timedelta(days=1)
                    )
                )
            )
        try:
            receipt = platform.find(replace(post.parts[number], token=token), since, others)
        except CannotTell as error:
            return self._looked(key, version, state, str(error))
        except Exception as error:  # we could not even look: it stays as it is
            return self._looked(key, version, state, f"could not look: {error}")
        if receipt is None and by_hand and state is State.UNCERTAIN:
            why = "somebody may have posted it by hand, and this copy of the database not know it"
            return self._looked(key, version, state, why)
        with self.store.writing(shared=True) as session:
            row = session.get_one(Delivery, key, with_for_update=True)
            if row.version != version:
                return None
            if receipt:
                keep_receipt(session, row, number, receipt, self.now())
                record(session, self.now(), PROGRAM, "found live", row, why=receipt.url)
                if number + 1 == len(post.parts):
                    # It has been live since then, which may be another month than now.
                    finish(session, row, self.now(), live_since=receipt.at)
                else:
                    row.move(State.CLEARED, "the rest of its thread is still to be sent")
                return Outcome(key, row.state, receipt.url)
            waited = self.leases(session)[1] - row.lease_until
            if state is State.UNCERTAIN and waited < self._visible(channel):
                self._pause(session, row)
                return None
            row.is_not_live("it is surely not live")
            record(session, self.now(), PROGRAM, "not live", row, why="we looked")
            return Outcome(key, row.state, row.reason)

    def _looked(self, key: str, version: int, state: State, why: str) -> Outcome | None:
        """Nothing was learnt: say why, and look again later."""
        with self.store.writing(shared=True) as session:
            row = session.get_one(Delivery, key, with_for_update=True)
            if row.version != version or state is State.HANDED:
                return None
            row.reason = why
            self._pause(session, row)
        return Outcome(key, State.UNCERTAIN, why)

    def _pause(self, session: Session, row: Delivery) -> None:
        row.looks += 1
        row.look_at = self.leases(session)[1] + min(FIRST_LOOK * 2**row.looks, LONGEST_PAUSE)

    # --- time passing --------------------------------------------------------------------

    def overdue(self) -> list[Outcome]:
        """What waited for a person until it was too late is *missed*, and never late-published."""
        now, differing = self.now(), self.differs()
        missed = []
        with self.store.writing(shared=True) as session:
            rows = session.scalars(
                select(Delivery)
                .where(
                    or_(
                        and_(Delivery.state == State.PROPOSED, Delivery.at <= now),
                        and_(Delivery.state == State.CLEARED, Delivery.at <= now),
                        and_(Delivery.state == State.HANDED, Delivery.not_after <= now),
                    )
                )
                .with_for_update(skip_locked=True)
            )
            for row in rows:
                stopped = row.not_after is not None and row.not_after <= now
                if not stopped and (row.late_after > now or row.lateness_settled):
                    continue
                if not stopped and row.state is State.CLEARED and _receipts(session, row.key):
                    continue  # half a thread is live: the rest is not late, it is missing
                why = {
                    State.PROPOSED: "it was not cleared in time",
                    State.CLEARED: _was_held(session, row)
                    or differing.get(row.key)
                    or self.unready.get(row.channel)
                    or "it was not sent in time",
                    State.HANDED: "nobody said that it was posted in time",
                }[row.state]
                self._miss(session, row, why)
                missed.append(Outcome(row.key, State.MISSED, why))
        return missed

    def fell_due(self, since: datetime | None, until: datetime, *, restored: bool = False) -> None:
        """Nothing ticked since then: see `fell_due` below."""
        with self.store.writing() as session:
            count = fell_due(session, since, until, restored=restored)
        if count:
            when = f"{since:%Y-%m-%d %H:%M} UTC" if since else "the beginning"
            log.warning("nothing ticked since %s: looking before sending %d posts", when, count)


def fell_due(
    session: Session, since: datetime | None, until: datetime, *, restored: bool = False
) -> int:
    """What was due by `until` is looked for before its next call, since nothing ticked meanwhile.

    This may be a restored copy of a database that has sent it since: whatever waited then,
    for its time, a clearance, a hold's end or a person, may be live. It stays marked when it
    is moved: only a look, or a person, takes the doubt away. Where it surely is `restored`, the
    look comes at once: also for what is too late by now, or was not cleared yet in this copy.
    Returns how many were marked.
    """
    over = [State.PUBLISHED, State.TAKEN_DOWN]
    marked = session.execute(
        update(Delivery)
        .where(
            Delivery.state.not_in(over),
            Delivery.at <= until,
            Delivery.look_since.is_(None),
        )
        .values(look_since=since or Delivery.applied_at, version=Delivery.version + 1)
    )
    if restored:
        session.merge(Meta(name=PUT_BACK, value=until.isoformat()))
        waited = session.scalars(
            select(Delivery).where(
                Delivery.state.in_([State.PROPOSED, State.CLEARED]), Delivery.at <= until
            )
        ).all()
        free = [row for row in waited if row.content is not None and not held(session, row)]
        in_time = [row for row in free if until < row.late_after and _together(session, row)]
        for row in in_time:
            # Looking takes its time, which is not the post's lateness.
            row.lateness_settled = row.lateness_settled or row.state is State.CLEARED
        for row in free:
            row.move(State.UNCERTAIN, "it may have gone out after this copy was made: looking")
    return int(marked.rowcount)  # type: ignore[attr-defined] # an UPDATE's result has one


def _put_back_since(session: Session, row: Delivery) -> bool:
    """Whether it is in doubt because an older copy of the database was put back."""
    last = session.get(Meta, PUT_BACK)
    return bool(last and row.look_since and row.look_since <= datetime.fromisoformat(last.value))


def keep_receipt(
    session: Session, row: Delivery, part: int, receipt: Receipt, now: datetime
) -> None:
    """Record that one part is live."""
    session.add(
        ReceiptRow(
            key=row.key,
            part=part,
            channel=row.channel,
            remote_id=receipt.id,
            url=receipt.url,
            at=receipt.at or now,
        )
    )


def finish(
    session: Session, row: Delivery, now: datetime, *, live_since: datetime | None = None
) -> None:
    """Every part is live: since now, or since when the network says, if that is earlier."""
    row.move(State.PUBLISHED)
    row.published_at = min(live_since or now, now)
    row.retry_at, row.lateness_settled, row.look_since = None, False, None
    record(session, now, PROGRAM, "published", row)


def _was_held(session: Session, row: Delivery) -> str:
    """The hold that kept it, in words that stay true when the hold is over; or ""."""
    on_hold = held(session, row)
    return f"it was {on_hold}, when its time passed" if on_hold else ""


def _receipts(session: Session, key: str) -> list[Receipt]:
    rows = session.scalars(
        select(ReceiptRow).where(ReceiptRow.key == key).order_by(ReceiptRow.part)
    )
    return [Receipt(row.remote_id, row.url, row.at) for row in rows]


def _token(session: Session, key: str, fingerprint: str, part: int) -> str:
    """This part's token: made once, before the first call, and kept.

    Made from the database's seed, so that an older copy of it makes the same one again: a network
    that takes a token once then answers with the post that it has.
    """
    row = session.get(PartToken, (key, fingerprint, part))
    if row is None:
        seed = session.get_one(Meta, SEED).value
        about = f"{key}\n{fingerprint}\n{part}"
        token = hmac.new(seed.encode(), about.encode(), hashlib.sha256).hexdigest()[:32]
        row = PartToken(key=key, fingerprint=fingerprint, part=part, token=token)
        session.add(row)
        session.flush()
    return row.token


def _pictures(session: Session, parts: Sequence[Part]) -> dict[str, bytes]:
    wanted = {picture.sha256 for part in parts for picture in part.pictures}
    rows = session.scalars(select(Asset).where(Asset.sha256.in_(wanted))) if wanted else ()
    return {row.sha256: row.data for row in rows}


def _together(session: Session, row: Delivery) -> bool:
    """`release: together` is a gate: every language of the message is cleared, and none of them
    on hold, or already out."""
    if not row.together:
        return True
    waits = State.PROPOSED, State.DROPPED, State.MISSED
    others = session.scalars(
        select(Delivery).where(
            Delivery.campaign == row.campaign,
            Delivery.message == row.message,
            Delivery.slot == row.slot,
            Delivery.language != row.language,
            Delivery.state.in_([*waits, State.CLEARED]),
        )
    )
    return not any(other.state in waits or held(session, other) for other in others)
