"""
What may or may not be live: looked for, and settled by what is found.

    sweep    a claim whose lease has run out: its process died, so the post may be live
    look     ask the network; "not there" is believed only after its waiting time
    hear     what people have said of the posts that they make by hand
    ahead    what may have gone out while nothing ticked is looked for before its slot

Nothing that is in doubt is sent again before one of these has told that it surely is not live, or
a person has.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from outreach.about import about
from outreach.clearance import PROGRAM, record
from outreach.delivery import Attempt, Delivery, ReceiptRow, State
from outreach.ending import Ending
from outreach.errors import CannotTell, NotNow
from outreach.holds import held, placed, together
from outreach.leases import Leases
from outreach.platforms import Invites, Platform, Told
from outreach.receipts import finish, keep_receipt, receipts_of, tokens_of
from outreach.store import Store
from outreach.store.tables import Meta

log = logging.getLogger(__name__)

SKEW = timedelta(minutes=2)  # how far a network's clock may be behind ours
FIRST_LOOK = 10.0  # seconds; a network needs a moment to show what it has taken
GONE = 3.0  # seconds that a process is gone before its claims are swept
LOOKING = 60.0  # seconds that one look may take
LONGEST_PAUSE = 900.0  # seconds between two looks, at most
AHEAD = 20  # posts of a channel that are looked for ahead of their slots at a time
PUT_BACK = "put back"  # in Meta: when this database was last an older copy, ISO 8601
KEPT_HERE = "it may have gone out, and this older copy of the database not know it"


@dataclass(frozen=True)
class Outcome:
    """What became of one claimed delivery, for the log and for notices."""

    key: str
    state: State
    reason: str = ""


class Doubt:
    """Begins to doubt a delivery, and finds out whether it is live."""

    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[str, Platform],
        now: Callable[[], datetime],
        leases: Leases,
        ending: Ending,
    ) -> None:
        self.store, self.platforms, self.now = store, platforms, now
        self.leases, self.ending = leases, ending
        self._gone: dict[int, float] = {}  # lives that are on duty no more: since when, here

    def channels(self, session: Session) -> set[str]:
        """Channels that have something to look for now."""
        life, seconds = self.leases(session)
        return set(session.scalars(_DOUBTFUL_ON, {"life": life, "seconds": seconds}))

    def begin(self, session: Session, row: Delivery, until: float = 0.0) -> None:
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
            dead = self.dead(session)
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
                self.begin(session, row, until)
                record(session, self.now(), PROGRAM, "uncertain", row, why=why)
                swept.append(Outcome(row.key, State.UNCERTAIN, why))
        return swept

    def dead(self, session: Session) -> dict[str, str]:
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
                    self.begin(session, row)  # the machine was started anew: wait anew
                if at_once or row.look_at <= seconds:
                    row.look_at = seconds + LOOKING  # other processes leave it to this one
                    wanted.append(row.key)
        return [
            outcome for key in wanted if not self.ending.asked if (outcome := self.look_at(key))
        ]

    def hear(self) -> list[Outcome]:
        """What people have said of the posts that they make by hand. Asks no network."""
        with self.store.reading() as session:
            keys = self.handed(session)
        return [outcome for key in keys if (outcome := self.look_at(key))]

    def handed(self, session: Session) -> Sequence[str]:
        by_hand = [name for name, one in self.platforms.items() if isinstance(one, Told)]
        return session.scalars(_HANDED, {"channels": by_hand}).all() if by_hand else ()

    def token(self, session: Session, row: Delivery) -> str:
        """The token of the part of this delivery that is next, or in doubt."""
        return tokens_of(session, [row])[row.key][len(receipts_of(session, row.key))]

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
                self.begin(
                    session, row
                )  # a person's word, or an earlier life of the machine: wait anew
                session.flush()
                version = row.version
            post, fingerprint = row.post, row.fingerprint
            number = len(receipts_of(session, key))
            token = tokens_of(session, [row])[key][number]
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

    def look_ahead(self) -> None:
        """What waits for its slot and may be live already is looked for before that comes.

        Looking takes as long as a network may hide a post, and would make each of them late. The
        soonest of a channel come first, and a few at a time: a look is a call, too.
        """
        with self.store.reading() as session:
            ahead = self.ahead(session)
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
                    self.begin(session, row)
                    row.look_at += self._visible(channel)  # one look is enough: nothing hurries

    def ahead(self, session: Session) -> list[str]:
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
