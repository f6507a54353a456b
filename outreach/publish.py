"""
Publishing once: claim, call, record; and look before anything is called again.

    pace      only when the network's limits leave room for one more call (`outreach/pace.py`)
    claim     intent, token and lease are committed before the call (`outreach/claims.py`)
    call      the network, with no transaction open; the fence checks the lease at the last moment
    record    WHERE owner = our claim; a receipt that cannot be recorded is not a reason to call
    doubt     what may be live is looked for before anything is called again (`outreach/doubt.py`)

Two clocks: `now()` decides what is due and may run fast in a rehearsal; leases and waiting times
have a clock of their own (`outreach/leases.py`). The fence reads the boot-time clock everywhere: it
needs to be right in this process alone, and at once.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from outreach import counters, pace
from outreach.about import about, note
from outreach.claims import Answer, Call, Claim, Claims, Following
from outreach.clearance import PROGRAM, record
from outreach.delivery import Delivery, State, latest, write_all
from outreach.doubt import Doubt, Outcome
from outreach.ending import Ending
from outreach.errors import Handed, NotNow, Refused
from outreach.holds import Holds, held, placed
from outreach.leases import Leases
from outreach.pace import Full, Pace
from outreach.platforms import Platform, Receipt
from outreach.receipts import finish, keep_receipt, receipts_of
from outreach.store import Store
from outreach.store.tables import TakeDown
from outreach.store.together import Together

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE = 5.0  # seconds that a channel's thread waits for its pace; longer waits are the tick's
PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds between attempts to write a receipt down


Differing = Callable[[], Mapping[str, str]]
"""Deliveries whose file no longer says what was applied: why, by key.

Asked before a transaction, never in one: to answer may mean to compose every post.
"""


@dataclass(frozen=True)
class _Live:
    """The last part of a post is live."""

    claim: Claim
    call: Call
    receipt: Receipt


@dataclass(frozen=True)
class _Wish:
    """What a channel's thread wants written: what it made live, if anything, and its next claim."""

    channel: str
    live: _Live | None = None


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
        paces: Mapping[str, Pace] | None = None,
        pauses: Sequence[float] = PAUSES,
        patience: float = PATIENCE,
        ending: Ending | None = None,
    ) -> None:
        self.store, self.platforms, self.now = store, platforms, now
        self.leases, self.differs, self.unready = leases, differs, unready or {}
        self.pauses, self.patience = pauses, patience
        self.ending = ending or Ending()
        self.doubt = Doubt(
            store=store, platforms=platforms, now=now, leases=leases, ending=self.ending
        )
        self.claims = Claims(
            store=store,
            platforms=platforms,
            now=now,
            leases=leases,
            ending=self.ending,
            doubt=self.doubt,
            paces=paces or {},
        )
        self._room: dict[str, threading.Lock] = {}  # who waits for room in an account
        self._together: Together[_Wish, tuple[bool, Following]] = Together(self._all_at_once)

    # --- what is due ---------------------------------------------------------------------

    def turn(self) -> list[str]:
        """What time does to deliveries; then the channels that have something to send or look for.

        One look where time does nothing, as nearly always.
        """
        with self.store.reading() as session:
            channels, dead = self._channels(session), self.doubt.dead(session)
            handed, late = self.doubt.handed(session), self._late(session)
            ahead = self.doubt.ahead(session)
        if dead:
            self.doubt.sweep()
        if handed:
            self.doubt.hear()
        if late:
            self.overdue()
        if ahead:
            self.doubt.look_ahead()
        return self.channels() if dead or handed or late or ahead else channels

    def channels(self) -> list[str]:
        """Channels that have something to send now, or to look for."""
        with self.store.reading() as session:
            return self._channels(session)

    def _channels(self, session: Session) -> list[str]:
        due, doubtful = self.claims.channels(session), self.doubt.channels(session)
        return sorted((due | doubtful) & self.platforms.keys())

    def send(self, channel: str) -> Iterator[Outcome]:
        """Send this channel's due deliveries, most urgent first, as its pace allows, until none is
        left, it has to wait for long, or we end.

        The next one is claimed in the transaction that records the one before; whoever stops
        asking gives it back.
        """
        following, ends = self._claim(channel), time.monotonic() + self.patience
        try:
            while following and not self.ending.asked:
                if isinstance(following, Full):
                    full, following = following, self._patiently(channel, following, ends)
                    if isinstance(following, Full) and following.account == full.account:
                        return
                    continue
                claim, following = following, None  # from here on it may be live
                with about(
                    delivery=claim.key,
                    channel=channel,
                    attempt=claim.call.attempt,
                    owner=claim.owner.rpartition(".")[2][:8],
                ):
                    outcome, following = self._publish(claim)
                yield outcome
                following, ends = (
                    following or self._claim(channel),
                    time.monotonic() + self.patience,
                )
        finally:
            if isinstance(following, Claim):
                self.claims.release(following)

    # --- claim ---------------------------------------------------------------------------

    def _patiently(self, channel: str, full: Full, ends: float) -> Claim | Full | None:
        """Wait until its account has room and claim, but not for longer than our patience.

        Channels that share the account stand in line: all of them awake at once would only be in
        each other's way.
        """
        line = self._room.setdefault(full.account, threading.Lock())
        following: Claim | Full | None = full
        if not line.acquire(blocking=False):
            if not line.acquire(timeout=max(ends - time.monotonic(), 0.0)):
                return full
            following = self._claim(channel)
        try:
            while isinstance(following, Full) and following.account == full.account:
                too_long = time.monotonic() + following.seconds > ends
                if too_long or self.ending.wait(following.seconds):
                    break
                following = self._claim(channel)
            return following
        finally:
            line.release()

    def _claim(self, channel: str) -> Following:
        """Take the most urgent delivery that may be sent; the intent is committed with it."""
        if self.ending.asked:
            return None
        return self._together.do(_Wish(channel))[1]

    def _all_at_once(self, wishes: Sequence[_Wish]) -> list[tuple[bool, Following]]:
        """In one transaction: write down what is live, and claim what follows.

        For each wish whether it was written down, and what its channel sends next.
        """
        differing = self.differs()
        with self.store.writing(shared=True) as session:
            self.claims.lock_accounts(session, [wish.channel for wish in wishes])
            lost = self._all_live(session, [wish.live for wish in wishes if wish.live])
            kept = [wish.live is None or wish.live.claim.owner not in lost for wish in wishes]
            asking = dict.fromkeys(w.channel for w, ok in zip(wishes, kept, strict=True) if ok)
            following = self.claims.next(session, list(asking), differing)
            # A channel that was asked for twice sends from one thread.
            return [
                (ok, following.pop(wish.channel, None) if ok else None)
                for wish, ok in zip(wishes, kept, strict=True)
            ]

    # --- call and record -----------------------------------------------------------------

    def _publish(self, claim: Claim) -> tuple[Outcome, Claim | Full | None]:
        """Call, and record; returns what became of it, and what was claimed next with it."""
        number, call, live = claim.part, claim.call, claim.live
        while True:
            try:
                receipt = self._ask(claim, number, live, call)
            except NotNow as error:
                wait = min(max(error.wait, timedelta(seconds=1)), pace.LONGEST)
                outcome = self._end(claim, call, State.CLEARED, "not now", error, wait)
                if not error.everything:
                    return outcome, None
                account = self.claims.pace_of(claim.channel).account
                return outcome, Full(account, wait.total_seconds(), str(error))
            except Refused as error:
                return self._end(claim, call, State.FAILED, "refused", error), None
            except Handed as error:
                return self._end(claim, call, State.HANDED, "handed", error), None
            except Exception as error:  # a bug of ours can strike after the yes, too
                return self._end(claim, call, State.UNCERTAIN, "uncertain", error), None
            log.info("live: %s part %d as %s", claim.key, number + 1, receipt.id)
            number += 1
            if number < len(claim.parts):
                going_on = self._receive(claim, call, number, receipt)
                if isinstance(going_on, Full):
                    return Outcome(claim.key, State.CLEARED, _rest(going_on)), going_on
                if going_on is not None:
                    call, live = going_on, (*live, receipt)
                    note(attempt=call.attempt)
                    continue
            else:
                written, following = self._finish(claim, call, receipt)
                if written:
                    return Outcome(claim.key, State.PUBLISHED), following
            # It is not ours any more, or it could not be written down: `sending`, for the sweep
            # to look for.
            return Outcome(claim.key, State.UNCERTAIN, "it is live, but was not recorded"), None

    def _ask(self, claim: Claim, number: int, live: tuple[Receipt, ...], call: Call) -> Receipt:
        part = claim.parts[number]
        after = live[0 if part.comment else -1] if live else None
        try:
            with counters.call(claim.channel):
                return self.platforms[claim.channel].publish(part, after)
        finally:
            call.answered = self.leases.here()

    def _receive(self, claim: Claim, call: Call, part: int, receipt: Receipt) -> Call | Full | None:
        """Write a receipt down, and with it the intent of the next `part`. None if that failed.

        Where its pace has no room for the next part yet, the rest of the thread is given back.
        """

        def write(session: Session) -> Call | Full | None:
            row = self.claims.ours(session, [claim]).get(claim.owner)
            if row is None:
                return None
            self._live(session, row, part - 1, receipt)
            self.claims.close(session, [Answer(claim, call, "live", receipt.id)])
            ordered = session.get(TakeDown, row.key)
            if ordered and ordered.state == "open":
                why = "it is being taken down"
                row.move(State.CLEARED, f"{why}: the rest of its thread is not sent")
                return Full(self.claims.pace_of(claim.channel).account, 0.0, why)
            counted = self.claims.counted(self.claims.pace_of(claim.channel))
            turn = self.claims.turn(session, claim.channel) if counted else None
            if turn and (full := turn.full(claim.parts[part])):
                row.move(State.CLEARED, _rest(full))
                return full
            token = claim.parts[part].token
            following = self.claims.attempt(
                session, row.key, part, token, row.fingerprint, claim.owner
            )
            session.flush()
            if turn:
                turn.begin(following.id, claim.parts[part], claim.until)
            return Call(following.id)

        return self._insist(claim, receipt.id, write)

    def _finish(self, claim: Claim, call: Call, receipt: Receipt) -> tuple[bool, Following]:
        """Write the last receipt down; whether that was possible, and what was claimed next.

        What is claimed with it is a convenience: where that fails, the receipt is written alone.
        """
        live = _Live(claim, call, receipt)
        try:
            return self._together.do(_Wish(claim.channel, live))
        except Exception:
            log.exception("%s is live as %s; recording that alone", claim.key, receipt.id)

        def write(session: Session) -> bool:
            return not self._all_live(session, [live])

        return bool(self._insist(claim, receipt.id, write)), None

    def _all_live(self, session: Session, lives: Sequence[_Live]) -> set[str]:
        """Write down that these posts are live; the owners of claims that are not ours any more."""
        if not lives:
            return set()
        rows = self.claims.ours(session, [live.claim for live in lives])
        ours = [live for live in lives if live.claim.owner in rows]
        for live in ours:
            row, receipt = rows[live.claim.owner], live.receipt
            self._live(session, row, len(live.claim.parts) - 1, receipt)
            finish(session, row, self.now())
        write_all(session, [rows[live.claim.owner] for live in ours])
        self.claims.close(
            session, [Answer(one.claim, one.call, "live", one.receipt.id) for one in ours]
        )
        return {live.claim.owner for live in lives} - rows.keys()

    def _live(self, session: Session, row: Delivery, part: int, receipt: Receipt) -> None:
        """Write down that a part of it is live."""
        keep_receipt(session, row, part, receipt, self.now())
        if receipt.pause:
            self.claims.told(
                session, row.channel, receipt.pause, "the network takes no more for now"
            )

    def _insist(self, claim: Claim, what: str, write: Callable[[Session], T]) -> T | None:
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
        claim: Claim,
        call: Call,
        state: State,
        outcome: str,
        error: Exception,
        wait: timedelta | None = None,
    ) -> Outcome:
        reason = str(error) or type(error).__name__
        log.warning("%s: %s: %s", claim.key, outcome, reason)

        def write(session: Session) -> None:
            row = self.claims.ours(session, [claim]).get(claim.owner)
            if row is None:
                return
            self.claims.close(session, [Answer(claim, call, outcome, reason)])
            row.move(state, reason)
            if wait is not None:
                row.retry_at = self.now() + wait
            if wait is not None and isinstance(error, NotNow) and error.everything:
                self.claims.told(session, claim.channel, wait, reason)
            if state is State.UNCERTAIN:
                self.doubt.begin(session, row)
            if state in (State.FAILED, State.UNCERTAIN, State.HANDED):
                record(session, self.now(), PROGRAM, str(state), row, why=reason)

        self._insist(claim, outcome, write)
        return Outcome(claim.key, state, reason)

    # --- time passing --------------------------------------------------------------------

    def overdue(self) -> list[Outcome]:
        """What waited for a person until it was too late is *missed*, and never late-published."""
        now, differing = self.now(), self.differs()
        with self.store.reading() as session:
            late = self._late(session)
        if not late:
            return []
        missed = []
        with self.store.writing(shared=True) as session:
            holds = placed(session)
            rows = session.scalars(_PASSED, {"now": now, "keys": late})
            for row in rows:
                stopped = row.not_after is not None and row.not_after <= now
                if not stopped and (row.late_after > now or row.lateness_settled):
                    continue
                if not stopped and row.state is State.CLEARED and receipts_of(session, row.key):
                    continue  # half a thread is live: the rest is not late, it is missing
                why = {
                    State.PROPOSED: "it was not cleared in time",
                    State.CLEARED: _was_held(row, holds)
                    or differing.get(row.key)
                    or self.unready.get(row.channel)
                    or self.claims.slowed(session, row)
                    or "it was not sent in time",
                    State.HANDED: "nobody said that it was posted in time",
                }[row.state]
                self.claims.miss(session, row, why)
                missed.append(Outcome(row.key, State.MISSED, why))
        return missed

    def _late(self, session: Session) -> list[str]:
        """What waits for a person, or to be sent, and is past its time; or was let off that."""
        now = self.now()
        due = session.execute(_TIME_PASSES, {"now": now})
        return [one.key for one in due if latest(one.at, one.late_seconds, one.not_after) <= now]


# Made once: every turn asks them.
_WAITS_IN_TIME = or_(
    and_(Delivery.state == State.PROPOSED, Delivery.at <= bindparam("now")),
    and_(Delivery.state == State.CLEARED, Delivery.at <= bindparam("now")),
    and_(Delivery.state == State.HANDED, Delivery.not_after <= bindparam("now")),
)
_TIME_PASSES = select(Delivery.key, Delivery.at, Delivery.late_seconds, Delivery.not_after).where(
    _WAITS_IN_TIME
)
_PASSED = (
    select(Delivery)
    .where(_WAITS_IN_TIME, Delivery.key.in_(bindparam("keys", expanding=True)))
    .with_for_update(skip_locked=True)
)


def _was_held(row: Delivery, holds: Holds) -> str:
    """The hold that kept it, in words that stay true when the hold is over; or ""."""
    on_hold = held(row, holds)
    return f"it was {on_hold}, when its time passed" if on_hold else ""


def _rest(full: Full) -> str:
    return f"the rest of its thread waits: {full.why}"
