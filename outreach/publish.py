"""
Publishing once: claim, call, record; and look before anything is called again.

    pace      only when the network's limits leave room for one more call (`outreach/pace.py`)
    claim     the row is locked, and due and cleared; intent, token and lease are committed with it
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
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session, defer

from outreach import counters, pace
from outreach.about import about, note
from outreach.clearance import PROGRAM, Clearance, in_force, record, void
from outreach.delivery import Attempt, Delivery, PartToken, ReceiptRow, State, latest, write_all
from outreach.ending import Ending
from outreach.errors import CannotTell, Handed, NotNow, Refused, Unusable
from outreach.holds import Holds, held, placed
from outreach.pace import Full, Pace, Turn
from outreach.platforms import Invites, Platform, Receipt, Told
from outreach.post import Part
from outreach.store import Store
from outreach.store.tables import SEED, Asset, Meta, TakeDown
from outreach.store.together import Together

log = logging.getLogger(__name__)

T = TypeVar("T")

MARGIN = 30.0  # seconds that a lease outlasts the deadline of a whole publish
SKEW = timedelta(minutes=2)  # how far a network's clock may be behind ours
SOME = 20  # due deliveries that a claim looks at together, where the first may not go
ORDER = 1.0  # seconds for which the order of what is due on a channel is remembered
PATIENCE = 5.0  # seconds that a channel's thread waits for its pace; longer waits are the tick's
FIRST_LOOK = 10.0  # seconds; a network needs a moment to show what it has taken
GONE = 3.0  # seconds that a process is gone before its claims are swept
LOOKING = 60.0  # seconds that one look may take
LONGEST_PAUSE = 900.0  # seconds between two looks, at most
AHEAD = 20  # posts of a channel that are looked for ahead of their slots at a time
PUT_BACK = "put back"  # in Meta: when this database was last an older copy, ISO 8601
KEPT_HERE = "it may have gone out, and this older copy of the database not know it"
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


@dataclass
class _Call:
    """One attempt of ours; `answered` is this process's own clock."""

    attempt: int
    answered: float = 0.0


@dataclass
class _Line:
    """The keys of what was due on a channel, the most urgent last."""

    read: float  # when, on this process's own clock
    keys: list[str] = field(default_factory=list)

    def old(self, stale: float) -> bool:
        return not self.keys or self.read < stale


class _Due(NamedTuple):
    """A delivery that is due, and whether it is a thread that has begun.

    Its clearance is kept at hand, since a session forgets what nobody holds.
    """

    row: Delivery
    clearance: Clearance | None
    begun: bool


class _Chosen(NamedTuple):
    """A delivery that may be sent now, and the receipts of its parts that are live."""

    row: Delivery
    receipts: list[Receipt]


@dataclass(frozen=True)
class _Claim:
    key: str
    channel: str
    owner: str
    call: _Call
    part: int
    parts: tuple[Part, ...]
    live: tuple[Receipt, ...]  # the receipts of the parts before
    until: float  # the clock of leases


class _Answer(NamedTuple):
    """What a call led to, as its attempt keeps it."""

    claim: _Claim
    call: _Call
    outcome: str
    detail: str


@dataclass(frozen=True)
class _Live:
    """The last part of a post is live."""

    claim: _Claim
    call: _Call
    receipt: Receipt


@dataclass(frozen=True)
class _Wish:
    """What a channel's thread wants written: what it made live, if anything, and its next claim."""

    channel: str
    live: _Live | None = None


_Following = _Claim | Full | None
"""What a channel sends next: a claim, nothing before its account has room, or nothing."""


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
        self.paces, self.pauses, self.patience = paces or {}, pauses, patience
        self.ending = ending or Ending()
        self._gone: dict[int, float] = {}  # lives that are on duty no more: since when, here
        self._room: dict[str, threading.Lock] = {}  # who waits for room in an account
        self._waiting: set[str] = set()  # accounts that had to wait when we last looked
        self._lines: dict[str, _Line] = {}  # by channel; a hint: each claim reads its row anew
        self._together: Together[_Wish, tuple[bool, _Following]] = Together(self._all_at_once)

    # --- what is due ---------------------------------------------------------------------

    def turn(self) -> list[str]:
        """What time does to deliveries; then the channels that have something to send or look for.

        One look where time does nothing, as nearly always.
        """
        with self.store.reading() as session:
            channels, dead = self._channels(session), self._dead(session)
            handed, late = self._handed(session), self._late(session)
            ahead = self._ahead(session)
        if dead:
            self.sweep()
        if handed:
            self.hear()
        if late:
            self.overdue()
        if ahead:
            self.look_ahead()
        return self.channels() if dead or handed or late or ahead else channels

    def channels(self) -> list[str]:
        """Channels that have something to send now, or to look for."""
        with self.store.reading() as session:
            return self._channels(session)

    def _channels(self, session: Session) -> list[str]:
        self._waiting = pace.waiting(session, self.leases)
        due = set(session.scalars(_DUE_ON, {"now": self.now()}))
        due = {name for name in due if not self._waits(name)}
        life, seconds = self.leases(session)
        doubtful = set(session.scalars(_DOUBTFUL_ON, {"life": life, "seconds": seconds}))
        return sorted((due | doubtful) & self.platforms.keys())

    def pace_of(self, channel: str) -> Pace:
        """What the channel has to keep to; also of one that this process cannot send on."""
        if found := self.paces.get(channel):
            return found
        platform = self.platforms.get(channel)
        return Pace(platform.account if platform else channel)

    def _waits(self, channel: str) -> bool:
        return not self._waiting.isdisjoint(self.pace_of(channel).accounts)

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
            if isinstance(following, _Claim):
                self._release(following)

    # --- claim ---------------------------------------------------------------------------

    def _patiently(self, channel: str, full: Full, ends: float) -> _Claim | Full | None:
        """Wait until its account has room and claim, but not for longer than our patience.

        Channels that share the account stand in line: all of them awake at once would only be in
        each other's way.
        """
        line = self._room.setdefault(full.account, threading.Lock())
        following: _Claim | Full | None = full
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

    def _claim(self, channel: str) -> _Following:
        """Take the most urgent delivery that may be sent; the intent is committed with it."""
        if self.ending.asked:
            return None
        return self._together.do(_Wish(channel))[1]

    def _all_at_once(self, wishes: Sequence[_Wish]) -> list[tuple[bool, _Following]]:
        """In one transaction: write down what is live, and claim what follows.

        For each wish whether it was written down, and what its channel sends next.
        """
        differing = self.differs()
        with self.store.writing(shared=True) as session:
            self._lock_accounts(session, [wish.channel for wish in wishes])
            lost = self._all_live(session, [wish.live for wish in wishes if wish.live])
            kept = [wish.live is None or wish.live.claim.owner not in lost for wish in wishes]
            asking = dict.fromkeys(w.channel for w, ok in zip(wishes, kept, strict=True) if ok)
            following = self._next(session, list(asking), differing)
            # A channel that was asked for twice sends from one thread.
            return [
                (ok, following.pop(wish.channel, None) if ok else None)
                for wish, ok in zip(wishes, kept, strict=True)
            ]

    def _lock_accounts(self, session: Session, channels: Iterable[str]) -> None:
        """All that will be counted, in one order: two workers never wait for each other's."""
        paces = [self.pace_of(channel) for channel in channels]
        if names := {name for one in paces if self._counted(one) for name in one.accounts}:
            pace.lock(session, names)

    def _next(
        self, session: Session, channels: Sequence[str], differing: Mapping[str, str]
    ) -> dict[str, _Following]:
        """What each of these channels sends next, in a transaction that is open."""
        if self.ending.asked:
            return {}
        here = self.leases.here()  # before the claims: the fence must never be later than a lease
        holds, following = placed(session), dict[str, _Following]()
        chosen: dict[str, _Chosen] = {}
        firsts = self._firsts(session, channels)
        for channel in channels:
            found = self._choose(session, channel, firsts, differing, holds, here)
            if isinstance(found, _Chosen):
                chosen[channel] = found
            else:
                following[channel] = found
        claims = self._take(session, list(chosen.values()), here)
        return {**following, **dict(zip(chosen, claims, strict=True))}

    def _choose(
        self,
        session: Session,
        channel: str,
        firsts: Mapping[str, _Due],
        differing: Mapping[str, str],
        holds: Holds,
        here: float,
    ) -> _Chosen | _Following:
        """The most urgent delivery of a channel that may be sent.

        Where its calls are counted it is claimed as well, so that the next channel of the same
        account counts it too.
        """
        turn: Turn | None = None
        for row, _, begun in self._urgent(session, channel, firsts, here):
            receipts = _receipts(session, row.key) if begun else []
            if row.key in differing or not self._may_go(session, row, receipts, holds):
                continue
            if turn is None and not self._counted(self.pace_of(channel)):
                return _Chosen(row, receipts)
            turn = turn or self._turn(session, channel)  # nobody is locked out for nothing
            parts, live = row.post.parts, len(receipts)
            if full := turn.full(parts[live]):
                self._lines.pop(channel)  # it waits there still
                return full
            if not live and (why := turn.too_dear(parts)):
                self._miss(session, row, why)
                continue
            [claim] = self._take(session, [_Chosen(row, receipts)], here)
            turn.begin(claim.call.attempt, parts[live], claim.until, () if live else parts)
            return claim
        return None

    def _counted(self, keeps: Pace) -> bool:
        return keeps.counts or keeps.account in self._waiting

    def _turn(self, session: Session, channel: str) -> Turn:
        return Turn(session, self.pace_of(channel), self.leases, self.now())

    def _firsts(self, session: Session, channels: Sequence[str]) -> dict[str, _Due]:
        """The most urgent delivery of each channel, by its key, where it still is due."""
        stale = self.leases.here() - ORDER
        self._read_lines(
            session,
            [name for name in channels if name not in self._lines or self._lines[name].old(stale)],
        )
        return self._these(session, [self._lines[name].keys[-1:] for name in channels])

    def _read_lines(self, session: Session, channels: Sequence[str]) -> None:
        """What is due on these channels, threads that have begun first, then what is soonest too
        late."""
        if not channels:
            return
        read = self.leases.here()
        found = session.execute(_URGENCY, {"now": self.now(), "channels": channels}).all()
        by_urgency = sorted(
            found,
            key=lambda one: (not one.begun, latest(one.at, one.late_seconds, one.not_after)),
        )
        self._lines.update((name, _Line(read)) for name in channels)
        for one in reversed(by_urgency):
            self._lines[one.channel].keys.append(one.key)

    def _urgent(
        self, session: Session, channel: str, firsts: Mapping[str, _Due], here: float
    ) -> Iterator[_Due]:
        """What is due on a channel, the most urgent first; its line is read anew at its end."""
        line = self._lines[channel]
        page, asked = dict(firsts), set(line.keys[-1:])
        while True:
            while line.keys:
                if line.keys[-1] not in asked:
                    asked = set(line.keys[-SOME:])
                    page = self._these(session, [line.keys[-SOME:]])
                if due := page.get(line.keys.pop()):
                    yield due
            if line.read >= here:
                return
            self._read_lines(session, [channel])
            line = self._lines[channel]

    def _these(self, session: Session, keys: Iterable[Sequence[str]]) -> dict[str, _Due]:
        """Of these deliveries those that are due: locked, with their clearances, which `in_force`
        then finds in the session."""
        given = {"now": self.now(), "keys": [key for some in keys for key in some]}
        if not given["keys"]:
            return {}
        return {found[0].key: _Due(*found) for found in session.execute(_THESE, given)}

    def _release(self, claim: _Claim) -> None:
        """Give a claim back that no call was made for."""
        with suppress(Unusable), self.store.writing(shared=True) as session:
            if row := self._ours(session, [claim]).get(claim.owner):
                why = "it was stopped before"
                self._close(session, [_Answer(claim, claim.call, "not begun", why)])
                row.move(State.CLEARED)

    def _may_go(
        self, session: Session, row: Delivery, receipts: Sequence[Receipt], holds: Holds
    ) -> bool:
        """Whether this cleared and due delivery, of which these parts are live, may be sent now.

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
        late = row.late_after <= now and not row.lateness_settled
        if late and not receipts:
            why = self._slowed(session, row) or "nobody was there to send it in time"
            return self._miss(session, row, why)
        if held(row, holds) or not together(session, row, holds):
            return False
        if row.look_since:
            # Looking takes its time, which is not the post's lateness: it was found in time.
            row.lateness_settled = True
            row.move(State.UNCERTAIN, "it fell due while nothing was running; looking first")
            self._doubt(session, row)
            return False
        return True

    def _slowed(self, session: Session, row: Delivery) -> str:
        """The wait for its account that made a post late, in words; or ""."""
        wait = pace.last_wait(session, self.pace_of(row.channel))
        slow = wait is not None and wait.until is not None and wait.until > row.at
        return f"it had to wait too long: {wait.why}" if wait and slow else ""

    def _miss(self, session: Session, row: Delivery, why: str) -> bool:
        row.move(State.MISSED, why)
        record(session, self.now(), PROGRAM, "missed", row, why=why)
        return False

    def _take(self, session: Session, chosen: Sequence[_Chosen], here: float) -> list[_Claim]:
        """Claim them; their rows are locked. Raises Changed if one was changed all the same."""
        if not chosen:
            return []
        life, seconds = self.leases(session)
        tokens = _tokens(session, [row for row, _ in chosen])
        attempts, leases = [], []
        for row, receipts in chosen:
            part, deadline = len(receipts), self.platforms[row.channel].limits.deadline
            lease = deadline * (len(tokens[row.key]) - part) + MARGIN
            row.state, row.reason = State.SENDING, ""
            row.owner = f"{self.store.duty.life:x}.{secrets.token_hex(12)}"
            row.lease_life, row.lease_until = life, seconds + lease
            attempts.append(
                self._attempt(
                    session, row.key, part, tokens[row.key][part], row.fingerprint, row.owner
                )
            )
            leases.append(lease)
        write_all(session, [row for row, _ in chosen])
        session.flush()
        return [
            self._claimed(session, one, tokens[one.row.key], _Call(attempt.id), here + lease)
            for one, attempt, lease in zip(chosen, attempts, leases, strict=True)
        ]

    def _claimed(
        self, session: Session, chosen: _Chosen, tokens: Sequence[str], call: _Call, until: float
    ) -> _Claim:
        """The claim that is in the database now; the fence lets calls begin `until` then."""
        row, receipts = chosen
        part, pictures = len(receipts), _pictures(session, row.post.parts)
        parts = tuple(
            replace(
                given,
                token=token,
                pictures=tuple(p.with_data(pictures) for p in given.pictures),
                fence=self._fence(until, begins=number == part),
            )
            for number, (given, token) in enumerate(zip(row.post.parts, tokens, strict=True))
        )
        live = tuple(receipts)
        return _Claim(row.key, row.channel, row.owner, call, part, parts, live, row.lease_until)

    def _attempt(
        self, session: Session, key: str, part: int, token: str, fingerprint: str, owner: str
    ) -> Attempt:
        """The intent of one call, which has its number once the session is flushed."""
        attempt = Attempt(
            key=key,
            part=part,
            token=token,
            fingerprint=fingerprint,
            owner=owner,
            started_at=self.now(),
        )
        session.add(attempt)
        return attempt

    def _fence(self, until: float, *, begins: bool) -> Callable[[float], None]:
        """The check that stands between a claim and the wire.

        A process that was stopped after its claim and woken after its lease would otherwise send
        a second copy.
        """

        def fence(seconds: float) -> None:
            self.ending.fence(seconds, begins=begins)
            if self.leases.here() + seconds >= until:
                raise NotNow("our claim would not outlast this call", timedelta(0))

        return fence

    # --- call and record -----------------------------------------------------------------

    def _publish(self, claim: _Claim) -> tuple[Outcome, _Claim | Full | None]:
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
                account = self.pace_of(claim.channel).account
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

    def _ask(self, claim: _Claim, number: int, live: tuple[Receipt, ...], call: _Call) -> Receipt:
        part = claim.parts[number]
        after = live[0 if part.comment else -1] if live else None
        try:
            with counters.call(claim.channel):
                return self.platforms[claim.channel].publish(part, after)
        finally:
            call.answered = self.leases.here()

    def _receive(
        self, claim: _Claim, call: _Call, part: int, receipt: Receipt
    ) -> _Call | Full | None:
        """Write a receipt down, and with it the intent of the next `part`. None if that failed.

        Where its pace has no room for the next part yet, the rest of the thread is given back.
        """

        def write(session: Session) -> _Call | Full | None:
            row = self._ours(session, [claim]).get(claim.owner)
            if row is None:
                return None
            self._live(session, row, part - 1, receipt)
            self._close(session, [_Answer(claim, call, "live", receipt.id)])
            ordered = session.get(TakeDown, row.key)
            if ordered and ordered.state == "open":
                why = "it is being taken down"
                row.move(State.CLEARED, f"{why}: the rest of its thread is not sent")
                return Full(self.pace_of(claim.channel).account, 0.0, why)
            counted = self._counted(self.pace_of(claim.channel))
            turn = self._turn(session, claim.channel) if counted else None
            if turn and (full := turn.full(claim.parts[part])):
                row.move(State.CLEARED, _rest(full))
                return full
            token = claim.parts[part].token
            following = self._attempt(session, row.key, part, token, row.fingerprint, claim.owner)
            session.flush()
            if turn:
                turn.begin(following.id, claim.parts[part], claim.until)
            return _Call(following.id)

        return self._insist(claim, receipt.id, write)

    def _finish(self, claim: _Claim, call: _Call, receipt: Receipt) -> tuple[bool, _Following]:
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
        rows = self._ours(session, [live.claim for live in lives])
        ours = [live for live in lives if live.claim.owner in rows]
        for live in ours:
            row, receipt = rows[live.claim.owner], live.receipt
            self._live(session, row, len(live.claim.parts) - 1, receipt)
            finish(session, row, self.now())
        write_all(session, [rows[live.claim.owner] for live in ours])
        self._close(session, [_Answer(one.claim, one.call, "live", one.receipt.id) for one in ours])
        return {live.claim.owner for live in lives} - rows.keys()

    def _live(self, session: Session, row: Delivery, part: int, receipt: Receipt) -> None:
        """Write down that a part of it is live."""
        keep_receipt(session, row, part, receipt, self.now())
        if receipt.pause:
            self._told(session, row.channel, receipt.pause, "the network takes no more for now")

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
        call: _Call,
        state: State,
        outcome: str,
        error: Exception,
        wait: timedelta | None = None,
    ) -> Outcome:
        reason = str(error) or type(error).__name__
        log.warning("%s: %s: %s", claim.key, outcome, reason)

        def write(session: Session) -> None:
            row = self._ours(session, [claim]).get(claim.owner)
            if row is None:
                return
            self._close(session, [_Answer(claim, call, outcome, reason)])
            row.move(state, reason)
            if wait is not None:
                row.retry_at = self.now() + wait
            if wait is not None and isinstance(error, NotNow) and error.everything:
                self._told(session, claim.channel, wait, reason)
            if state is State.UNCERTAIN:
                self._doubt(session, row)
            if state in (State.FAILED, State.UNCERTAIN, State.HANDED):
                record(session, self.now(), PROGRAM, str(state), row, why=reason)

        self._insist(claim, outcome, write)
        return Outcome(claim.key, state, reason)

    def _ours(self, session: Session, claims: Sequence[_Claim]) -> dict[str, Delivery]:
        """The deliveries, by their owner, that these claims still hold; locked."""
        given = {"keys": [one.key for one in claims], "owners": [one.owner for one in claims]}
        return {row.owner: row for row in session.scalars(_OURS, given)}

    def _close(self, session: Session, answers: Sequence[_Answer]) -> None:
        """These calls are over."""
        if not answers:
            return
        now, here = self.now(), self.leases.here()  # here before the other clock: see below
        session.flush()
        session.connection().execute(
            _ANSWERED,
            [
                {"one": a.call.attempt, "outcome": a.outcome, "detail": a.detail[:500], "now": now}
                for a in answers
            ],
        )
        counting = [(a, keeps) for a in answers if (keeps := self.pace_of(a.claim.channel)).counts]
        seconds = self.leases(session)[1] if counting else 0.0
        for answer, keeps in counting:
            if answer.outcome == "not begun":
                pace.never_made(session, keeps, answer.call.attempt)
                continue
            ended = seconds - (here - answer.call.answered)  # it was over no later than we say
            free = answer.outcome in ("refused", "not now")
            pace.over(session, keeps, answer.call.attempt, seconds=ended, now=now, free=free)

    def _told(self, session: Session, channel: str, wait: timedelta, why: str) -> None:
        """The network has said that the channel's account has to wait."""
        keeps = self.pace_of(channel)
        Turn(session, keeps, self.leases, self.now()).told(wait, why)
        self._waiting = self._waiting | {keeps.account}

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
        with self.store.reading() as session:
            dead = self._dead(session)
        if not dead:
            return []
        swept = []
        with self.store.writing(shared=True) as session:
            life, seconds = self.leases(session)
            for row in session.scalars(_CLAIMED, {"keys": list(dead)}):
                if row.owner != dead[row.key]:
                    continue  # somebody else was faster
                until = row.lease_until if row.lease_life == life else seconds
                if self.store.embedded:
                    until = seconds  # we have its lock: it is dead, and not asleep
                why = "the process that was sending it ended before it knew"
                row.move(State.UNCERTAIN, why)
                self._doubt(session, row, until)
                record(session, self.now(), PROGRAM, "uncertain", row, why=why)
                swept.append(Outcome(row.key, State.UNCERTAIN, why))
        return swept

    def _dead(self, session: Session) -> dict[str, str]:
        """The owners, by key, of claims whose lease has run out, or whose process has died."""
        sending = session.execute(_SENDING).all()
        if not sending:
            self._gone.clear()
            return {}
        life, seconds = self.leases(session)
        orphans = self._orphans(session, {one.key: one.owner for one in sending})
        return {
            one.key: one.owner
            for one in sending
            if one.lease_life != life or one.lease_until <= seconds or one.key in orphans
        }

    def _orphans(self, session: Session, owners: Mapping[str, str]) -> set[str]:
        """The keys of what is claimed by processes that have been gone for a moment."""
        alive = self.store.duty.alive(session)
        if alive is None:
            self._gone.clear()
            return set()
        here = self.leases.here()
        # After a restart of a server its clients take a moment to say that they live.
        grace = 0.0 if self.store.embedded else GONE
        of = {key: int(owner.partition(".")[0] or "0", 16) for key, owner in owners.items()}
        gone = set(of.values()) - alive - {0}
        self._gone = {life: self._gone.get(life, here) for life in gone}
        return {
            key for key, life in of.items() if life in gone and here - self._gone[life] >= grace
        }

    def look(self, channel: str = "", *, at_once: bool = False) -> list[Outcome]:
        """Look for the deliveries of a channel, or of all, that may or may not be live.

        `at_once` looks without waiting for the next look's time; it still believes "not found"
        only after the network's waiting time.
        """
        doubtful = select(Delivery).where(Delivery.state == State.UNCERTAIN)
        if channel:
            doubtful = doubtful.where(Delivery.channel == channel)
        with self.store.reading() as session:  # mostly there is none, and nothing to write
            if not session.scalar(doubtful.with_only_columns(Delivery.key).limit(1)):
                return []
        with self.store.writing(shared=True) as session:
            life, seconds = self.leases(session)
            wanted = []
            for row in session.scalars(doubtful.with_for_update(skip_locked=True)).all():
                if row.lease_life != life:
                    self._doubt(session, row)  # the machine was started anew: wait anew
                if at_once or row.look_at <= seconds:
                    row.look_at = seconds + LOOKING  # other processes leave it to this one
                    wanted.append(row.key)
        return [
            outcome for key in wanted if not self.ending.asked if (outcome := self.look_at(key))
        ]

    def hear(self) -> list[Outcome]:
        """What people have said of the posts that they make by hand. Asks no network."""
        with self.store.reading() as session:
            keys = self._handed(session)
        return [outcome for key in keys if (outcome := self.look_at(key))]

    def _handed(self, session: Session) -> Sequence[str]:
        by_hand = [name for name, one in self.platforms.items() if isinstance(one, Told)]
        return session.scalars(_HANDED, {"channels": by_hand}).all() if by_hand else ()

    def token(self, session: Session, row: Delivery) -> str:
        """The token of the part of this delivery that is next, or in doubt."""
        return _tokens(session, [row])[row.key][len(_receipts(session, row.key))]

    def look_at(self, key: str) -> Outcome | None:
        """Look for one delivery that may or may not be live; what became of it, if anything."""
        with about(delivery=key, channel=key.rpartition("@")[2]):
            return self._look_at(key)

    def _look_at(self, key: str) -> Outcome | None:
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
            token = _tokens(session, [row])[key][number]
            first = session.scalar(
                select(func.min(Attempt.started_at)).where(
                    Attempt.key == key, Attempt.part == number, Attempt.fingerprint == fingerprint
                )
            )
            since = min(filter(None, (first, row.look_since)), default=row.at) - SKEW
            # Of a post by hand, and of a mailing, nobody knows more than this database.
            kept_here = isinstance(platform, Told | Invites) and _put_back_since(session, row)
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
        except NotNow as error:  # a part of it is out
            look = self._looked if kept_here else self._goes_on
            return look(key, version, state, KEPT_HERE if kept_here else str(error))
        except Exception as error:  # we could not even look: it stays as it is
            return self._looked(key, version, state, f"could not look: {error}")
        if receipt is None and kept_here and state is State.UNCERTAIN:
            return self._looked(key, version, state, KEPT_HERE)
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

    def _goes_on(self, key: str, version: int, _state: State, why: str) -> Outcome | None:
        """A part of it is out, and the rest surely is not: it waits for its turn again."""
        with self.store.writing(shared=True) as session:
            row = session.get_one(Delivery, key, with_for_update=True)
            if row.version != version:
                return None
            row.look_since = None
            row.move(State.CLEARED, why)
            record(session, self.now(), PROGRAM, "goes on", row, why=why)
            return Outcome(key, row.state, why)

    def _pause(self, session: Session, row: Delivery) -> None:
        row.looks += 1
        row.look_at = self.leases(session)[1] + min(FIRST_LOOK * 2**row.looks, LONGEST_PAUSE)

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
                if not stopped and row.state is State.CLEARED and _receipts(session, row.key):
                    continue  # half a thread is live: the rest is not late, it is missing
                why = {
                    State.PROPOSED: "it was not cleared in time",
                    State.CLEARED: _was_held(row, holds)
                    or differing.get(row.key)
                    or self.unready.get(row.channel)
                    or self._slowed(session, row)
                    or "it was not sent in time",
                    State.HANDED: "nobody said that it was posted in time",
                }[row.state]
                self._miss(session, row, why)
                missed.append(Outcome(row.key, State.MISSED, why))
        return missed

    def _late(self, session: Session) -> list[str]:
        """What waits for a person, or to be sent, and is past its time; or was let off that."""
        now = self.now()
        due = session.execute(_TIME_PASSES, {"now": now})
        return [one.key for one in due if latest(one.at, one.late_seconds, one.not_after) <= now]

    def look_ahead(self) -> None:
        """What waits for its slot and may be live already is looked for before that comes.

        Looking takes as long as a network may hide a post, and would make each of them late. The
        soonest of a channel come first, and a few at a time: a look is a call, too.
        """
        with self.store.reading() as session:
            ahead = self._ahead(session)
        for channel in ahead:
            with self.store.writing(shared=True) as session:
                doubtful = Delivery.channel == channel, Delivery.state == State.UNCERTAIN
                room = AHEAD - (session.scalar(select(func.count()).where(*doubtful)) or 0)
                rows = session.scalars(
                    select(Delivery)
                    .where(*_AHEAD, Delivery.channel == channel)
                    .order_by(Delivery.at, Delivery.key)
                    .limit(max(room, 0))
                    .with_for_update(skip_locked=True),
                    {"now": self.now()},
                )
                for row in rows:
                    row.move(State.UNCERTAIN, "it may have gone out at another time: looking")
                    self._doubt(session, row)
                    row.look_at += self._visible(channel)  # one look is enough: nothing hurries

    def _ahead(self, session: Session) -> list[str]:
        """Channels where what waits for its slot may be live already, and can be looked for."""
        on = set(session.scalars(_AHEAD_ON, {"now": self.now()})) & self.platforms.keys()
        return sorted(name for name in on if self.platforms[name].limits.shows)

    def fell_due(
        self,
        since: datetime | None,
        until: datetime,
        *,
        restored: bool = False,
        blind: Collection[str] = (),
    ) -> None:
        """Nothing ticked since then: see `fell_due` below."""
        with self.store.writing() as session:
            count = fell_due(session, since, until, restored=restored, blind=blind)
        if count:
            when = f"{since:%Y-%m-%d %H:%M} UTC" if since else "the beginning"
            log.warning("nothing ticked since %s: looking before sending %d posts", when, count)


_DUE: tuple[ColumnElement[bool], ...] = (
    Delivery.state == State.CLEARED,
    Delivery.at <= bindparam("now"),
    or_(Delivery.retry_at.is_(None), Delivery.retry_at <= bindparam("now")),
)
# Made once: every claim and every answer asks them.
_DUE_ON = select(Delivery.channel).where(*_DUE).distinct()
_DOUBTFUL_ON = (
    select(Delivery.channel)
    .where(
        Delivery.state == State.UNCERTAIN,
        or_(Delivery.look_at <= bindparam("seconds"), Delivery.lease_life != bindparam("life")),
    )
    .distinct()
)
_AHEAD: tuple[ColumnElement[bool], ...] = (
    Delivery.state == State.CLEARED,
    Delivery.look_since.is_not(None),
    Delivery.at > bindparam("now"),
)
_AHEAD_ON = select(Delivery.channel).where(*_AHEAD).distinct()
_HANDED = select(Delivery.key).where(
    Delivery.state == State.HANDED, Delivery.channel.in_(bindparam("channels", expanding=True))
)
_SENDING = select(Delivery.key, Delivery.owner, Delivery.lease_life, Delivery.lease_until).where(
    Delivery.state == State.SENDING
)
_CLAIMED = (
    select(Delivery)
    .where(Delivery.state == State.SENDING, Delivery.key.in_(bindparam("keys", expanding=True)))
    .with_for_update(skip_locked=True)
)
_BEGUN = exists().where(ReceiptRow.key == Delivery.key).label("begun")
_URGENCY = (
    select(
        Delivery.channel,
        Delivery.key,
        Delivery.at,
        Delivery.late_seconds,
        Delivery.not_after,
        _BEGUN,
    )
    .where(*_DUE, Delivery.channel.in_(bindparam("channels", expanding=True)))
    .order_by(Delivery.at, Delivery.key)
)
_THESE = (
    select(Delivery, Clearance, _BEGUN)
    .outerjoin(Clearance, Clearance.id == Delivery.clearance)
    .where(*_DUE, Delivery.key.in_(bindparam("keys", expanding=True)))
    .with_for_update(of=Delivery, skip_locked=True)  # another worker that has it will send it
)
_OURS = (
    select(Delivery)
    .options(defer(Delivery.content))
    .where(
        Delivery.key.in_(bindparam("keys", expanding=True)),
        Delivery.owner.in_(bindparam("owners", expanding=True)),
        Delivery.state == State.SENDING,
    )
    .with_for_update()
)
_ANSWERED = (
    update(Attempt)
    .where(Attempt.id == bindparam("one"))
    .values(outcome=bindparam("outcome"), detail=bindparam("detail"), ended_at=bindparam("now"))
)


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


def fell_due(
    session: Session,
    since: datetime | None,
    until: datetime,
    *,
    restored: bool = False,
    blind: Collection[str] = (),
) -> int:
    """What was due by `until` is looked for before its next call, since nothing ticked meanwhile.

    This may be a restored copy of a database that has sent it since: whatever waited then,
    for its time, a clearance, a hold's end or a person, may be live. It stays marked when it
    is moved: only a look, or a person, takes the doubt away. Where it surely is `restored`, the
    look comes at once: also for what is too late by now, or was not cleared yet in this copy. And
    what is due later may have been moved forward since, and sent: it is marked too, but for
    `blind` channels, where each of them would have to wait for a person.
    Returns how many were marked.
    """
    over = [State.PUBLISHED, State.TAKEN_DOWN]
    due: ColumnElement[bool] = Delivery.at <= until
    if restored:
        due = or_(due, Delivery.channel.not_in(sorted(blind)))
    marked = session.execute(
        update(Delivery)
        .where(Delivery.state.not_in(over), due, Delivery.look_since.is_(None))
        .values(look_since=since or Delivery.applied_at, version=Delivery.version + 1)
    )
    if restored:
        session.merge(Meta(name=PUT_BACK, value=until.isoformat()))
        waited = session.scalars(
            select(Delivery).where(
                Delivery.state.in_([State.PROPOSED, State.CLEARED]), Delivery.at <= until
            )
        ).all()
        holds = placed(session)
        free = [row for row in waited if row.content is not None and not held(row, holds)]
        in_time = [row for row in free if until < row.late_after and together(session, row, holds)]
        for row in in_time:
            # Looking takes its time, which is not the post's lateness.
            row.lateness_settled = row.lateness_settled or row.state is State.CLEARED
        for row in free:
            row.move(State.UNCERTAIN, "it may have gone out after this copy was made: looking")
    return int(marked.rowcount)  # type: ignore[attr-defined] # an UPDATE's result has one


def unseen(session: Session, now: datetime, blind: Collection[str]) -> list[Delivery]:
    """What is cleared for later on channels that show no history, soonest first: after a restore
    nobody looks whether it went out already, at another time than this copy has."""
    later = Delivery.state == State.CLEARED, Delivery.at > now
    rows = select(Delivery).where(*later, Delivery.channel.in_(sorted(blind)))
    return list(session.scalars(rows.order_by(Delivery.at, Delivery.key)))


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
    late = max(timedelta(0), row.published_at - row.at)
    counters.LATENESS.labels(row.channel).observe(late.total_seconds())
    record(session, now, PROGRAM, "published", row)


def _was_held(row: Delivery, holds: Holds) -> str:
    """The hold that kept it, in words that stay true when the hold is over; or ""."""
    on_hold = held(row, holds)
    return f"it was {on_hold}, when its time passed" if on_hold else ""


def _rest(full: Full) -> str:
    return f"the rest of its thread waits: {full.why}"


def _receipts(session: Session, key: str) -> list[Receipt]:
    rows = session.scalars(
        select(ReceiptRow).where(ReceiptRow.key == key).order_by(ReceiptRow.part)
    )
    return [Receipt(row.remote_id, row.url, row.at) for row in rows]


def _tokens(session: Session, rows: Sequence[Delivery]) -> dict[str, list[str]]:
    """The parts' tokens, by the delivery's key: each made once, before its first call, and kept.

    Made from the database's seed, so that an older copy of it makes the same ones again: a network
    that takes a token once then answers with the post that it has.
    """
    found = session.scalars(_TOKENS, {"keys": [row.key for row in rows]})
    made = {(one.key, one.fingerprint, one.part): one.token for one in found}
    wanted = {
        row.key: [(row.key, row.fingerprint, part) for part in range(len(row.post.parts))]
        for row in rows
    }
    missing = [one for parts in wanted.values() for one in parts if one not in made]
    seed = session.get_one(Meta, SEED).value.encode() if missing else b""
    for key, fingerprint, part in missing:
        about = f"{key}\n{fingerprint}\n{part}".encode()
        token = hmac.new(seed, about, hashlib.sha256).hexdigest()[:32]
        made[key, fingerprint, part] = token
        session.add(PartToken(key=key, fingerprint=fingerprint, part=part, token=token))
    return {key: [made[one] for one in parts] for key, parts in wanted.items()}


_TOKENS = select(PartToken).where(PartToken.key.in_(bindparam("keys", expanding=True)))


def _pictures(session: Session, parts: Sequence[Part]) -> dict[str, bytes]:
    wanted = {sha for part in parts for picture in part.pictures for sha, *_ in picture.files}
    rows = session.scalars(select(Asset).where(Asset.sha256.in_(wanted))) if wanted else ()
    return {row.sha256: row.data for row in rows}


def together(session: Session, row: Delivery, holds: Holds) -> bool:
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
    return not any(other.state in waits or held(other, holds) for other in others)
