"""
Publishing once: claim, call, record; and look before anything is called again.

    claim     one conditional UPDATE; intent, token and lease are committed with it
    call      the network, with no transaction open; the fence checks the lease at the last moment
    record    WHERE owner = our claim; a receipt that cannot be recorded is not a reason to call
    sweep     a claim whose lease has run out: its process died, so the post may be live
    look      ask the network; "not there" is believed only after its waiting time

Two clocks: `now()` decides what is due and may run fast in a rehearsal; leases and waiting times
use the boot-time clock, which no correction of the wall clock can move.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from outreach import counters
from outreach.about import about, note
from outreach.clearance import PROGRAM, in_force, record, void
from outreach.delivery import Attempt, Delivery, PartToken, ReceiptRow, State
from outreach.ending import Ending
from outreach.errors import CannotTell, Handed, NotNow, Refused, Unusable
from outreach.holds import held
from outreach.platforms import Platform, Receipt
from outreach.post import Part
from outreach.store import Store
from outreach.store.tables import Asset

log = logging.getLogger(__name__)

MARGIN = 30.0  # seconds that a lease outlasts the deadline of a whole publish
SKEW = timedelta(minutes=2)  # how far a network's clock may be behind ours
FIRST_LOOK = 10.0  # seconds; a network needs a moment to show what it has taken
LONGEST_PAUSE = 900.0  # seconds between two looks, at most
PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds between attempts to write a receipt down


class LeaseClock:
    """Seconds since this machine started, suspended or not, and which start that was."""

    def __init__(self) -> None:
        self.life = Path("/proc/sys/kernel/random/boot_id").read_text().strip()

    def __call__(self) -> tuple[str, float]:
        return self.life, time.clock_gettime(time.CLOCK_BOOTTIME)


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
    until: float  # boot-time clock


class Publisher:
    """Takes cleared and due deliveries to their networks."""

    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[str, Platform],
        now: Callable[[], datetime],
        leases: Callable[[], tuple[str, float]],
        differs: Differing = dict,
        unready: Mapping[str, str] | None = None,
        pauses: Sequence[float] = PAUSES,
        ending: Ending | None = None,
    ) -> None:
        self.store, self.platforms, self.now = store, platforms, now
        self.leases, self.differs, self.unready = leases, differs, unready or {}
        self.pauses, self.ending = pauses, ending or Ending()

    # --- what is due ---------------------------------------------------------------------

    def channels(self) -> list[str]:
        """Channels that have something cleared and due."""
        with self.store.reading() as session:
            due = select(Delivery.channel).where(*self._due()).distinct()
            return [name for name in session.scalars(due) if name in self.platforms]

    def send(self, channel: str) -> Iterator[Outcome]:
        """Send this channel's due deliveries, most urgent first, until none is left, or we end."""
        while not self.ending.asked and (claim := self._claim(channel)):
            with about(
                delivery=claim.key, channel=channel, attempt=claim.attempt, owner=claim.owner[:8]
            ):
                outcome = self._publish(claim)
            yield outcome

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
        with self.store.writing() as session:
            keys = session.scalars(
                select(Delivery.key)
                .where(*self._due(), Delivery.channel == channel)
                .order_by(Delivery.at, Delivery.key)
            ).all()
            for key in keys:
                if key in differing:
                    continue
                row = session.scalar(
                    select(Delivery)
                    .where(Delivery.key == key, Delivery.state == State.CLEARED)
                    .with_for_update(skip_locked=True)
                )
                if row and self._may_go(session, row):
                    return self._take(session, row)
        return None

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
        if held(session, row) or not together(session, row):
            return False
        if row.look_since:
            # Looking takes its time, which is not the post's lateness: it was found in time.
            row.lateness_settled = True
            row.move(State.UNCERTAIN, "it fell due while nothing was running; looking first")
            self._doubt(row)
            return False
        return True

    def _miss(self, session: Session, row: Delivery, why: str) -> bool:
        row.move(State.MISSED, why)
        record(session, self.now(), PROGRAM, "missed", row, why=why)
        return False

    def _take(self, session: Session, row: Delivery) -> _Claim:
        post = row.post
        life, seconds = self.leases()
        receipts = _receipts(session, row.key)
        part = len(receipts)
        limits = self.platforms[row.channel].limits
        owner = secrets.token_hex(16)
        until = seconds + limits.deadline * (len(post.parts) - part) + MARGIN
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
                lease_until=until,
                version=Delivery.version + 1,
            )
            .execution_options(synchronize_session=False)
        )
        if claimed.rowcount != 1:  # type: ignore[attr-defined] # an UPDATE's result has one
            raise Unusable(f"{row.key} was claimed by someone else", "nothing to do")
        tokens = [_token(session, row.key, row.fingerprint, n) for n in range(len(post.parts))]
        attempt = self._attempt(session, row.key, part, tokens[part], row.fingerprint, owner)
        pictures = _pictures(session, post.parts)
        parts = tuple(
            replace(
                given,
                token=token,
                pictures=tuple(replace(p, data=pictures[p.sha256]) for p in given.pictures),
                fence=self._fence(until, begins=number == part),
            )
            for number, (given, token) in enumerate(zip(post.parts, tokens, strict=True))
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

    def _fence(self, until: float, *, begins: bool) -> Callable[[float], None]:
        """The check that stands between a claim and the wire.

        A process that was stopped after its claim and woken after its lease would otherwise send
        a second copy.
        """

        def fence(seconds: float) -> None:
            self.ending.fence(seconds, begins=begins)
            if self.leases()[1] + seconds >= until:
                raise NotNow("our claim would not outlast this call", timedelta(0))

        return fence

    # --- call and record -----------------------------------------------------------------

    def _publish(self, claim: _Claim) -> Outcome:
        platform = self.platforms[claim.channel]
        number, attempt, before = claim.part, claim.attempt, claim.before
        while True:
            try:
                with counters.call(claim.channel):
                    receipt = platform.publish(claim.parts[number], before)
            except NotNow as error:
                wait = max(error.wait, timedelta(seconds=1))
                return self._end(claim, attempt, State.CLEARED, "not now", error, wait)
            except Refused as error:
                return self._end(claim, attempt, State.FAILED, "refused", error)
            except Handed as error:
                return self._end(claim, attempt, State.HANDED, "handed", error)
            except Exception as error:  # a bug of ours can strike after the yes, too
                return self._end(claim, attempt, State.UNCERTAIN, "uncertain", error)
            log.info("live: %s part %d as %s", claim.key, number + 1, receipt.id)
            number += 1
            done = number == len(claim.parts)
            next_attempt = self._receive(claim, attempt, number - 1, receipt, done=done)
            if next_attempt is None:  # not ours any more, or it could not be written down
                return Outcome(claim.key, State.UNCERTAIN, "it is live, but was not recorded")
            if done:
                return Outcome(claim.key, State.PUBLISHED)
            attempt, before = next_attempt, receipt
            note(attempt=attempt)

    def _receive(
        self, claim: _Claim, attempt: int, part: int, receipt: Receipt, *, done: bool
    ) -> int | None:
        """Write a receipt down, and with it the intent of the next part. None if that failed.

        The network has said yes: whatever fails here leaves the delivery `sending`, for the
        sweep to look for, once it has been tried a few times.
        """
        for pause in (*self.pauses, None):
            try:
                with self.store.writing() as session:
                    row = self._ours(session, claim)
                    if row is None:
                        return None
                    keep_receipt(session, row, part, receipt, self.now())
                    self._close(session, attempt, "live", receipt.id)
                    if not done:
                        token = claim.parts[part + 1].token
                        return self._attempt(
                            session, row.key, part + 1, token, row.fingerprint, claim.owner
                        )
                    finish(session, row, self.now())
                    return attempt
            except Exception:
                log.exception("%s is live as %s but cannot be recorded yet", claim.key, receipt.id)
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
        with suppress(Unusable), self.store.writing() as session:
            row = self._ours(session, claim)
            if row is None:
                return Outcome(claim.key, state, reason)
            self._close(session, attempt, outcome, reason)
            row.move(state, reason)
            if wait is not None:
                row.retry_at = self.now() + wait
            if state is State.UNCERTAIN:
                self._doubt(row)
            if state in (State.FAILED, State.UNCERTAIN, State.HANDED):
                record(session, self.now(), PROGRAM, str(state), row, why=reason)
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

    def _doubt(self, row: Delivery) -> None:
        life, seconds = self.leases()
        row.lease_life, row.lease_until = life, seconds  # here: since when we doubt
        row.looks, row.look_at = 0, seconds + FIRST_LOOK

    def sweep(self) -> list[Outcome]:
        """Claims whose lease has run out become *uncertain*: their process may have sent them."""
        life, seconds = self.leases()
        swept = []
        with self.store.writing() as session:
            over = session.scalars(
                select(Delivery)
                .where(
                    Delivery.state == State.SENDING,
                    or_(Delivery.lease_life != life, Delivery.lease_until <= seconds),
                )
                .with_for_update(skip_locked=True)
            )
            for row in over:
                why = "the process that was sending it ended before it knew"
                row.move(State.UNCERTAIN, why)
                self._doubt(row)
                record(session, self.now(), PROGRAM, "uncertain", row, why=why)
                swept.append(Outcome(row.key, State.UNCERTAIN, why))
        return swept

    def look(self, *, at_once: bool = False) -> list[Outcome]:
        """Look for every delivery that may or may not be live, and for what people posted.

        `at_once` looks without waiting for the next look's time; it still believes "not found"
        only after the network's waiting time.
        """
        life, seconds = self.leases()
        with self.store.writing() as session:
            rows = list(
                session.scalars(
                    select(Delivery).where(Delivery.state.in_([State.UNCERTAIN, State.HANDED]))
                )
            )
            for row in rows:
                if row.state is State.UNCERTAIN and row.lease_life != life:
                    self._doubt(row)  # the machine was started anew: wait anew
        return [
            outcome
            for row in rows
            if not self.ending.asked
            if at_once or row.state is State.HANDED or row.look_at <= seconds
            if (outcome := self.look_at(row.key))
        ]

    def token(self, session: Session, row: Delivery) -> str:
        """The token of the part of this delivery that is next, or in doubt."""
        return _token(session, row.key, row.fingerprint, len(_receipts(session, row.key)))

    def look_at(self, key: str) -> Outcome | None:
        """Look for one delivery that may or may not be live; what became of it, if anything."""
        with about(delivery=key, channel=key.rpartition("@")[2]):
            return self._look_at(key)

    def _look_at(self, key: str) -> Outcome | None:
        with self.store.writing() as session:
            row = session.get(Delivery, key)
            if row is None or row.state not in (State.UNCERTAIN, State.HANDED):
                return None
            state, version, channel = row.state, row.version, row.channel
            platform = self.platforms.get(channel)
            if platform is None:
                return None
            if row.state is State.UNCERTAIN and row.lease_life != self.leases()[0]:
                self._doubt(row)  # a person's word, or an earlier life of the machine: wait anew
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
        with self.store.writing() as session:
            row = session.get_one(Delivery, key)
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
            waited = self.leases()[1] - row.lease_until
            if state is State.UNCERTAIN and waited < platform.limits.visible.total_seconds():
                self._pause(row)
                return None
            row.look_since = None
            row.move(State.CLEARED, "it is surely not live")
            record(session, self.now(), PROGRAM, "not live", row, why="we looked")
            return Outcome(key, State.CLEARED, "it is surely not live")

    def _looked(self, key: str, version: int, state: State, why: str) -> Outcome | None:
        """Nothing was learnt: say why, and look again later."""
        with self.store.writing() as session:
            row = session.get_one(Delivery, key)
            if row.version != version or state is State.HANDED:
                return None
            row.reason = why
            self._pause(row)
        return Outcome(key, State.UNCERTAIN, why)

    def _pause(self, row: Delivery) -> None:
        row.looks += 1
        row.look_at = self.leases()[1] + min(FIRST_LOOK * 2**row.looks, LONGEST_PAUSE)

    # --- time passing --------------------------------------------------------------------

    def overdue(self) -> list[Outcome]:
        """What waited for a person until it was too late is *missed*, and never late-published."""
        now, differing = self.now(), self.differs()
        missed = []
        with self.store.writing() as session:
            rows = session.scalars(
                select(Delivery).where(
                    or_(
                        and_(Delivery.state == State.PROPOSED, Delivery.at <= now),
                        and_(Delivery.state == State.CLEARED, Delivery.at <= now),
                        and_(Delivery.state == State.HANDED, Delivery.not_after <= now),
                    )
                )
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

    def fell_due(self, since: datetime | None, until: datetime) -> None:
        """Nothing ticked since then: what was due by `until` is looked for before its next call.

        This may be a restored copy of a database that has sent it since: whatever waited then,
        for its time, a clearance, a hold's end or a person, may be live. It stays marked when it
        is moved: only a look, or a person, takes the doubt away.
        """
        over = [State.PUBLISHED, State.TAKEN_DOWN]
        with self.store.writing() as session:
            marked = session.execute(
                update(Delivery)
                .where(
                    Delivery.state.not_in(over),
                    Delivery.at <= until,
                    Delivery.look_since.is_(None),
                )
                .values(look_since=since or Delivery.applied_at, version=Delivery.version + 1)
            )
        if count := marked.rowcount:  # type: ignore[attr-defined] # an UPDATE's result has one
            when = f"{since:%Y-%m-%d %H:%M} UTC" if since else "the beginning"
            log.warning("nothing ticked since %s: looking before sending %d posts", when, count)


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
    late = max(timedelta(0), row.published_at - row.at)
    counters.LATENESS.labels(row.channel).observe(late.total_seconds())
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
    """This part's token: made once, before the first call, and kept."""
    row = session.get(PartToken, (key, fingerprint, part))
    if row is None:
        row = PartToken(key=key, fingerprint=fingerprint, part=part, token=secrets.token_hex(16))
        session.add(row)
        session.flush()
    return row.token


def _pictures(session: Session, parts: Sequence[Part]) -> dict[str, bytes]:
    wanted = {picture.sha256 for part in parts for picture in part.pictures}
    rows = session.scalars(select(Asset).where(Asset.sha256.in_(wanted))) if wanted else ()
    return {row.sha256: row.data for row in rows}


def together(session: Session, row: Delivery) -> bool:
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
