"""
What a channel sends next, claimed: by nobody else, and only while it may be sent.

    due      cleared, its time has come, and its account has room
    choose   threads that have begun first, then what is soonest too late
    claim    the row is locked, and due and cleared; intent, token and lease are committed with it
    fence    checks at the last moment before the wire that the lease outlasts the call
    close    the call is over; its account's pace counts it

All of it happens in transactions of `publish`, which are open already.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session, defer

from outreach import pace
from outreach.clearance import PROGRAM, Clearance, in_force, record, void
from outreach.delivery import Attempt, Delivery, ReceiptRow, State, latest, write_all
from outreach.doubt import Doubt
from outreach.ending import Ending
from outreach.errors import NotNow, Unusable
from outreach.holds import Holds, held, placed, together
from outreach.leases import Leases
from outreach.pace import Full, Pace, Turn
from outreach.platforms import Platform, Receipt
from outreach.post import Part
from outreach.receipts import pictures_of, receipts_of, tokens_of
from outreach.store import Store

MARGIN = 30.0  # seconds that a lease outlasts the deadline of a whole publish
SOME = 20  # due deliveries that a claim looks at together, where the first may not go
ORDER = 1.0  # seconds for which the order of what is due on a channel is remembered


@dataclass
class Call:
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
class Claim:
    key: str
    channel: str
    owner: str
    call: Call
    part: int
    parts: tuple[Part, ...]
    live: tuple[Receipt, ...]  # the receipts of the parts before
    until: float  # the clock of leases


class Answer(NamedTuple):
    """What a call led to, as its attempt keeps it."""

    claim: Claim
    call: Call
    outcome: str
    detail: str


Following = Claim | Full | None
"""What a channel sends next: a claim, nothing before its account has room, or nothing."""


class Claims:
    """Chooses what is sent next, and holds it until its call is over."""

    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[str, Platform],
        now: Callable[[], datetime],
        leases: Leases,
        ending: Ending,
        doubt: Doubt,
        paces: Mapping[str, Pace],
    ) -> None:
        self.store, self.platforms, self.now = store, platforms, now
        self.leases, self.ending, self.doubt, self.paces = leases, ending, doubt, paces
        self._waiting: set[str] = set()  # accounts that had to wait when we last looked
        self._lines: dict[str, _Line] = {}  # by channel; a hint: each claim reads its row anew

    def channels(self, session: Session) -> set[str]:
        """Channels that have something due, and whose accounts need not wait for it."""
        self._waiting = pace.waiting(session, self.leases)
        due = set(session.scalars(_DUE_ON, {"now": self.now()}))
        return {name for name in due if not self._waits(name)}

    def pace_of(self, channel: str) -> Pace:
        """What the channel has to keep to; also of one that this process cannot send on."""
        if found := self.paces.get(channel):
            return found
        platform = self.platforms.get(channel)
        return Pace(platform.account if platform else channel)

    def _waits(self, channel: str) -> bool:
        return not self._waiting.isdisjoint(self.pace_of(channel).accounts)

    def lock_accounts(self, session: Session, channels: Iterable[str]) -> None:
        """All that will be counted, in one order: two workers never wait for each other's."""
        paces = [self.pace_of(channel) for channel in channels]
        if names := {name for one in paces if self.counted(one) for name in one.accounts}:
            pace.lock(session, names)

    def next(
        self, session: Session, channels: Sequence[str], differing: Mapping[str, str]
    ) -> dict[str, Following]:
        """What each of these channels sends next, in a transaction that is open."""
        if self.ending.asked:
            return {}
        here = self.leases.here()  # before the claims: the fence must never be later than a lease
        holds, following = placed(session), dict[str, Following]()
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
    ) -> _Chosen | Following:
        """The most urgent delivery of a channel that may be sent.

        Where its calls are counted it is claimed as well, so that the next channel of the same
        account counts it too.
        """
        turn: Turn | None = None
        for row, _, begun in self._urgent(session, channel, firsts, here):
            receipts = receipts_of(session, row.key) if begun else []
            if row.key in differing or not self._may_go(session, row, receipts, holds):
                continue
            if turn is None and not self.counted(self.pace_of(channel)):
                return _Chosen(row, receipts)
            turn = turn or self.turn(session, channel)  # nobody is locked out for nothing
            parts, live = row.post.parts, len(receipts)
            if full := turn.full(parts[live]):
                self._lines.pop(channel)  # it waits there still
                return full
            if not live and (why := turn.too_dear(parts)):
                self.miss(session, row, why)
                continue
            [claim] = self._take(session, [_Chosen(row, receipts)], here)
            turn.begin(claim.call.attempt, parts[live], claim.until, () if live else parts)
            return claim
        return None

    def counted(self, keeps: Pace) -> bool:
        return keeps.counts or keeps.account in self._waiting

    def turn(self, session: Session, channel: str) -> Turn:
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

    def release(self, claim: Claim) -> None:
        """Give a claim back that no call was made for."""
        with suppress(Unusable), self.store.writing(shared=True) as session:
            if row := self.ours(session, [claim]).get(claim.owner):
                why = "it was stopped before"
                self.close(session, [Answer(claim, claim.call, "not begun", why)])
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
            return self.miss(session, row, "it may not be sent after this time")
        late = row.late_after <= now and not row.lateness_settled
        if late and not receipts:
            why = self.slowed(session, row) or "nobody was there to send it in time"
            return self.miss(session, row, why)
        if held(row, holds) or not together(session, row, holds):
            return False
        if row.look_since:
            # Looking takes its time, which is not the post's lateness: it was found in time.
            row.lateness_settled = True
            row.move(State.UNCERTAIN, "it fell due while nothing was running; looking first")
            self.doubt.begin(session, row)
            return False
        return True

    def slowed(self, session: Session, row: Delivery) -> str:
        """The wait for its account that made a post late, in words; or ""."""
        wait = pace.last_wait(session, self.pace_of(row.channel))
        slow = wait is not None and wait.until is not None and wait.until > row.at
        return f"it had to wait too long: {wait.why}" if wait and slow else ""

    def miss(self, session: Session, row: Delivery, why: str) -> bool:
        row.move(State.MISSED, why)
        record(session, self.now(), PROGRAM, "missed", row, why=why)
        return False

    def _take(self, session: Session, chosen: Sequence[_Chosen], here: float) -> list[Claim]:
        """Claim them; their rows are locked. Raises Changed if one was changed all the same."""
        if not chosen:
            return []
        life, seconds = self.leases(session)
        tokens = tokens_of(session, [row for row, _ in chosen])
        attempts, leases = [], []
        for row, receipts in chosen:
            part, deadline = len(receipts), self.platforms[row.channel].limits.deadline
            lease = deadline * (len(tokens[row.key]) - part) + MARGIN
            row.state, row.reason = State.SENDING, ""
            row.owner = f"{self.store.duty.life:x}.{secrets.token_hex(12)}"
            row.lease_life, row.lease_until = life, seconds + lease
            attempts.append(
                self.attempt(
                    session, row.key, part, tokens[row.key][part], row.fingerprint, row.owner
                )
            )
            leases.append(lease)
        write_all(session, [row for row, _ in chosen])
        session.flush()
        return [
            self._claimed(session, one, tokens[one.row.key], Call(attempt.id), here + lease)
            for one, attempt, lease in zip(chosen, attempts, leases, strict=True)
        ]

    def _claimed(
        self, session: Session, chosen: _Chosen, tokens: Sequence[str], call: Call, until: float
    ) -> Claim:
        """The claim that is in the database now; the fence lets calls begin `until` then."""
        row, receipts = chosen
        part, pictures = len(receipts), pictures_of(session, row.post.parts)
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
        return Claim(row.key, row.channel, row.owner, call, part, parts, live, row.lease_until)

    def attempt(
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

    def ours(self, session: Session, claims: Sequence[Claim]) -> dict[str, Delivery]:
        """The deliveries, by their owner, that these claims still hold; locked."""
        given = {"keys": [one.key for one in claims], "owners": [one.owner for one in claims]}
        return {row.owner: row for row in session.scalars(_OURS, given)}

    def close(self, session: Session, answers: Sequence[Answer]) -> None:
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

    def told(self, session: Session, channel: str, wait: timedelta, why: str) -> None:
        """The network has said that the channel's account has to wait."""
        keeps = self.pace_of(channel)
        Turn(session, keeps, self.leases, self.now()).told(wait, why)
        self._waiting = self._waiting | {keeps.account}


_DUE: tuple[ColumnElement[bool], ...] = (
    Delivery.state == State.CLEARED,
    Delivery.at <= bindparam("now"),
    or_(Delivery.retry_at.is_(None), Delivery.retry_at <= bindparam("now")),
)
# Made once: every claim and every answer asks them.
_DUE_ON = select(Delivery.channel).where(*_DUE).distinct()
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
