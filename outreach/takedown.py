"""
Taking down: a wrong post is removed from every channel, and nothing of it is lost or forgotten.

    order     one transaction: the incident, the evidence, a row for each post that is live or may
              be, holds on whatever has not gone out yet
    claim     one part, the last of its thread first; committed before the call
    call      the network, with no transaction open; its figures are read once more before that
    record    gone; or it stays, and a person is told where it is
    again     whatever was not answered: a network says yes to what is gone already

                  .- nothing left -> down          (its delivery: taken-down)
    open ---------+- it never was live -> never live
      ^           +- mails that were sent -> sent: the others are stopped
      ^           +- the network refused, or offers no way -> refused, by hand
      '- ordered again, or a person deleted it ---------------'

A post that is being sent, or is uncertain, keeps its order open: its receipt, whenever and by
whomever it is found, is one more part to take down. Here "uncertain" has no waiting time, for
deleting twice does no harm; a hold does not stop it, nor does an account's pace.
"""

import difflib
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from outreach import holds
from outreach.changes import Changes, again
from outreach.clearance import PROGRAM, record, void
from outreach.delivery import IN_FLIGHT, Delivery, ReceiptRow, State
from outreach.errors import NotAllowed, NotFound, NotNow, Refused
from outreach.measure import latest
from outreach.platforms import Asks, Lasts, Platform, Receipt, Told, Withdraws
from outreach.store.tables import Evidence, Incident, TakeDown
from outreach.subscribers import reached

log = logging.getLogger(__name__)

OPEN, DOWN, NEVER, REFUSED, BY_HAND = "open", "down", "never live", "refused", "by hand"
SENT = "sent"
PENDING = (State.PROPOSED, State.CLEARED)


# --- what a name names --------------------------------------------------------------------


@dataclass(frozen=True)
class Affected:
    """What an order would do, to be read before it is given. Keys, but for `held`.

    `live`: posts that are taken down, with their addresses. `flying`: those that may be live, and
    are taken down once that is known. `held`: messages of which nothing more is sent. `pending`:
    posts of those messages that wait. `by_hand`: channels where a person has to delete. `lasting`:
    those where nobody can, and why.
    """

    name: str
    live: Mapping[str, tuple[str, ...]]
    flying: Mapping[str, str]  # and how they stand
    held: tuple[str, ...]
    pending: tuple[str, ...]
    by_hand: tuple[str, ...]
    lasting: Mapping[str, str] = field(default_factory=dict)
    again: int = 0  # the incident that has ordered all of it before


def affected(
    session: Session, name: str, platforms: Mapping[str, Platform], *, every: bool = False
) -> Affected:
    """What taking `name` down means: a message, one language of it, a post's key or an address.

    Raises NotFound; NotAllowed where nothing of it is or may be live, or where a message has been
    out several times and none of its slots is named, unless `every` is meant.
    """
    rows = [row for row in named(session, name) if row.content is not None]
    receipts = _receipts(session, [row.key for row in rows])
    out = [
        row
        for row in rows
        if row.state is not State.TAKEN_DOWN
        and (
            row.state in IN_FLIGHT
            or any(not r.gone_at for r in receipts.get(row.key, ()))
            or reached(session, row.key)[0]
        )
    ]
    if not out:
        down = [row for row in rows if row.state is State.TAKEN_DOWN]
        message = f"{rows[0].campaign}/{rows[0].message}"
        raise NotAllowed(
            f"{name} was taken down already" if down else f"nothing of {name} is live",
            f'to stop what has not gone out yet: outreach hold message:{message} --why "..."',
        )
    slots = sorted({row.slot for row in out})
    if len(slots) > 1 and not every:
        times = "\n".join(f"  {out[0].campaign}/{out[0].message}~{slot}" for slot in slots)
        raise NotAllowed(
            f"{name} went out {len(slots)} times; say which of them:\n{times}",
            "or give the address of the wrong post; for all of them: --every",
        )
    live = {
        row.key: tuple(r.url for r in receipts.get(row.key, ()) if not r.gone_at)
        for row in out
        if row.state not in IN_FLIGHT or any(not r.gone_at for r in receipts.get(row.key, ()))
    }
    orders = [session.get(TakeDown, row.key) for row in out]
    incidents = {order.incident if order else 0 for order in orders}
    held, pending = _not_yet_sent(session, out)
    on = {row.channel: platforms.get(row.channel) for row in out}
    lasting = {name: why for name, one in on.items() if (why := _lasts(one))}
    return Affected(
        name,
        live,
        {row.key: str(row.state) for row in out if row.state in IN_FLIGHT},
        held,
        pending,
        tuple(sorted(n for n, one in on.items() if n not in lasting and not withdraws(one))),
        lasting,
        max(incidents) if 0 not in incidents else 0,
    )


def _lasts(platform: Platform | None) -> str:
    return platform.lasts if isinstance(platform, Lasts) else ""


def withdraws(platform: Platform | None) -> bool:
    """Whether it can take a post down; of one that is not ready here, another process may know."""
    return platform is None or isinstance(platform, Withdraws)


def named(session: Session, name: str) -> Sequence[Delivery]:
    if "://" in name or name.startswith("mid:"):
        return _at_address(session, name)
    if "@" in name:
        if row := session.get(Delivery, name):
            return [row]
        raise _no_such(session, name, Delivery.key)
    found = re.fullmatch(r"([^/]+)/([^/~]+)(?:~([^/]+))?(?:/([^/]+))?", name)
    if not found:
        raise _no_such(session, name, Delivery.campaign + "/" + Delivery.message)
    campaign, message, slot, language = found.groups()
    wanted = select(Delivery).where(Delivery.campaign == campaign, Delivery.message == message)
    if slot:
        wanted = wanted.where(Delivery.slot == slot)
    if language:
        wanted = wanted.where(Delivery.language == language)
    rows = session.scalars(wanted.order_by(Delivery.key)).all()
    if not rows:
        raise _no_such(session, name, Delivery.campaign + "/" + Delivery.message)
    return rows


def _at_address(session: Session, url: str) -> Sequence[Delivery]:
    """Every post of the message, and slot, that has a part at this address."""
    plain = url.partition("?")[0].partition("#")[0].rstrip("/")
    last = plain.rpartition("/")[2]
    same: list[ColumnElement[bool]] = [ReceiptRow.url.in_([url, plain, f"{plain}/"])]
    if last.isdigit() and len(last) > 8:  # the same post below another of its network's names
        same.append(ReceiptRow.remote_id == last)
    key = session.scalar(select(ReceiptRow.key).where(or_(*same)).limit(1))
    row = session.get(Delivery, key) if key else None
    if row is None:
        raise NotFound(
            f"no post of ours is known at {url}",
            "name its message: outreach take-down CAMPAIGN/MESSAGE; outreach status lists posts",
        )
    return session.scalars(
        select(Delivery)
        .where(
            Delivery.campaign == row.campaign,
            Delivery.message == row.message,
            Delivery.slot == row.slot,
        )
        .order_by(Delivery.key)
    ).all()


def _no_such(session: Session, name: str, among: Any) -> NotFound:
    near = difflib.get_close_matches(name, session.scalars(select(among).distinct()).all(), 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else "name it CAMPAIGN/MESSAGE, or give its address"
    return NotFound(f"there is no post or message {name!r}", hint)


def _not_yet_sent(
    session: Session, out: Sequence[Delivery]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The messages to hold: theirs, and those that wait with one of the same pictures; and which
    posts of them wait."""
    ours = {f"{row.campaign}/{row.message}" for row in out}
    shown = {sha256 for row in out for sha256 in _pictures(row)}
    waiting = session.scalars(
        select(Delivery).where(Delivery.state.in_(PENDING)).order_by(Delivery.key)
    ).all()
    pending = [
        row
        for row in waiting
        if f"{row.campaign}/{row.message}" in ours or not shown.isdisjoint(_pictures(row))
    ]
    others = {f"{row.campaign}/{row.message}" for row in pending} - ours
    return (*sorted(ours), *sorted(others)), tuple(row.key for row in pending)


def _pictures(row: Delivery) -> set[str]:
    return {p["sha256"] for part in (row.content or {}).get("parts", ()) for p in part["pictures"]}


def _receipts(session: Session, keys: Sequence[str]) -> dict[str, list[ReceiptRow]]:
    found: dict[str, list[ReceiptRow]] = {}
    wanted = select(ReceiptRow).where(ReceiptRow.key.in_(keys)).order_by(ReceiptRow.part)
    for row in session.scalars(wanted):
        found.setdefault(row.key, []).append(row)
    return found


# --- ordering it --------------------------------------------------------------------------


def order(session: Session, what: Affected, why: str, *, by: str, now: datetime) -> Incident:
    """Order it: from here on it will be taken down, whoever dies. Raises NotAllowed without a
    reason.

    What was ordered before, and a network has refused or a person has not done, is tried again.
    """
    if not why.strip():
        raise NotAllowed("a reason is needed", 'say what is wrong with it: --why "wrong map"')
    incident = session.get(Incident, what.again) if what.again else None
    if incident is None:
        incident = Incident(at=now, by=by, name=what.name, why=why.strip())
        session.add(incident)
        session.flush()
    told = f"incident {incident.id}: {why.strip()}"
    rows = [session.get_one(Delivery, key) for key in {**what.live, **what.flying}]
    receipts = _receipts(session, [row.key for row in rows])
    for row in rows:
        if session.get(TakeDown, row.key) is None:
            session.add(TakeDown(key=row.key, incident=incident.id, channel=row.channel, at=now))
            session.flush()
        for receipt in receipts.get(row.key, ()):
            receipt.stays = ""
        reopen(session, row.key)
        _keep_evidence(session, row, incident.id, now)
        record(session, now, by, "take-down ordered", row, why=told)
    placed = {hold.scope for hold in holds.placed(session)}
    for message in what.held:
        if f"message:{message}" not in placed:
            holds.place(session, f"message:{message}", told, channels=(), by=by, now=now)
    wrong = {(row.campaign, row.message) for row in rows}
    for key in what.pending:  # whoever ends the hold does not send the same text unread
        row = session.get_one(Delivery, key)
        if (row.campaign, row.message) in wrong:
            void(session, row, told, now=now, who=by)
    record(session, now, by, "incident", rows[0], why=told)
    return incident


def _keep_evidence(session: Session, row: Delivery, incident: int, now: datetime) -> None:
    """What is live of it, or in mailboxes, as it is, unless that is kept already."""
    live = [one for one in _receipts(session, [row.key]).get(row.key, ()) if not one.gone_at]
    rows = session.scalars(select(Evidence).where(Evidence.key == row.key)).all()
    known = {part["id"] for kept in rows for part in kept.data["live"]}
    mailed = not rows and reached(session, row.key)[0] > 0
    if {one.remote_id for one in live} <= known and not mailed:
        return
    read = latest.readings(session, [row.key], now, known=True).get(row.key, {})
    figures = {
        one.metric: {"value": one.value, "taken_at": one.taken_at.isoformat()}
        for one in read.values()
        if one.value is not None
    }
    data = {
        "post": row.content,
        "fingerprint": row.fingerprint,
        "state": str(row.state),
        "published_at": row.published_at.isoformat() if row.published_at else "",
        "authors": row.authors,
        "live": [
            {"part": r.part, "id": r.remote_id, "url": r.url, "at": r.at.isoformat()} for r in live
        ],
        "figures": figures,
    }
    session.add(Evidence(incident=incident, key=row.key, at=now, data=data))


def ordered(session: Session, key: str) -> bool:
    """Whether this post is to be taken down, or was."""
    placed = session.get(TakeDown, key)
    return placed is not None and placed.state != NEVER


def reopen(session: Session, key: str) -> None:
    """Something of this post was said to be live, or gone: see to it anew, if it was ordered."""
    if placed := session.get(TakeDown, key):
        placed.state, placed.retry_at, placed.ended_at = OPEN, None, None


def gone(session: Session, row: Delivery, *, now: datetime) -> None:
    """A person has deleted by hand what stayed. Raises NotAllowed where nothing did."""
    left = [one for one in _receipts(session, [row.key]).get(row.key, ()) if not one.gone_at]
    placed = session.get(TakeDown, row.key)
    if placed and placed.state == SENT:
        raise NotAllowed(placed.reason, "write another mail that says what was wrong with it")
    if placed is None or not left:
        raise NotAllowed(
            f"{row.key} waits for nobody to delete it",
            f'to take it down: outreach take-down {row.key} --why "..."',
        )
    for one in left:
        one.gone_at, one.stays = now, ""
    reopen(session, row.key)


# --- carrying it out ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Claim:
    key: str
    incident: int
    owner: str
    part: int
    receipt: Receipt
    first: bool  # nothing of the post has been tried


class TakeDowns(Changes[_Claim]):
    """Takes down what was ordered, whoever ordered it; in any process, one at a time for a post."""

    table = TakeDown

    def __init__(self, *, last_look: Callable[[str, str], None], **shared: Any) -> None:
        """`last_look` reads the figures of a channel's post, for the last time."""
        super().__init__(**shared)
        self._last_look = last_look

    def _due(self, session: Session) -> tuple[ColumnElement[bool], ...]:
        something = or_(_SOMETHING_LEFT, ~_FLYING)
        return (TakeDown.state == OPEN, *super()._due(session), something)

    def _claim(self, channel: str) -> _Claim | bool:
        """One part to take down; True where a post was finished instead, False where none is due.

        The intent is committed with it: a process that dies from here on leaves it open.
        """
        platform = self.platforms[channel]
        with self.store.writing(shared=True) as session:
            placed = session.scalar(
                select(TakeDown)
                .where(TakeDown.channel == channel, *self._due(session))
                .order_by(TakeDown.at, TakeDown.key)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if placed is None:
                return False
            row = session.get_one(Delivery, placed.key, with_for_update=True)
            receipts = _receipts(session, [row.key]).get(row.key, [])
            left = [one for one in receipts if not one.gone_at and not one.stays]
            if left and not isinstance(platform, Withdraws):
                for one in left:
                    one.stays = _stays(platform)
                left = []
            if not left:
                if row.state not in IN_FLIGHT:
                    self._end(session, placed, row, receipts)
                return True
            _keep_evidence(session, row, placed.incident, self.now())
            life, seconds = self.leases(session)
            part = left[-1]  # a thread from its end: nobody reads an answer to nothing
            owner = placed.take(life, seconds + platform.limits.deadline)
            return _Claim(
                row.key,
                placed.incident,
                owner,
                part.part,
                Receipt(part.remote_id, part.url, part.at),
                first=placed.tries == 1,
            )

    def _carry_out(self, channel: str, claim: _Claim) -> None:
        platform = self.platforms[channel]
        if claim.first:  # once it is gone, nobody is told its figures any more
            self._last_look(channel, claim.key)
        try:
            if isinstance(platform, Withdraws):
                platform.withdraw(claim.receipt)
        except Refused as error:
            self._answered(claim, stays=str(error))
        except NotNow as error:
            self._answered(claim, unanswered=str(error), wait=error.wait)
        except Exception as error:  # it may be gone: then the network says so next time
            self._answered(claim, unanswered=str(error) or type(error).__name__)
        else:
            self._answered(claim)

    def _answered(
        self, claim: _Claim, *, stays: str = "", unanswered: str = "", wait: timedelta | None = None
    ) -> None:
        """Write down what became of one part: gone, unless it stays, or was `unanswered`.

        An answer that cannot be written is lost: the lease runs out, and it is done once more.
        """
        now = self.now()
        with self.store.writing(shared=True) as session:
            placed = session.get_one(TakeDown, claim.key, with_for_update=True)
            if placed.owner != claim.owner:
                return
            placed.let_go()
            placed.reason = stays or unanswered
            row = session.get_one(Delivery, claim.key)
            if unanswered:
                placed.retry_at = again(now, placed.tries, wait)
                log.warning("%s cannot be taken down yet: %s", claim.key, unanswered)
                return
            placed.retry_at = None
            receipt = session.get_one(ReceiptRow, (claim.key, claim.part))
            what = "not taken down" if stays else "part taken down"
            record(session, now, PROGRAM, what, row, why=stays or receipt.url)
            if stays:
                receipt.stays = stays[:500]
            else:
                receipt.gone_at = now

    def _end(
        self, session: Session, placed: TakeDown, row: Delivery, receipts: Sequence[ReceiptRow]
    ) -> None:
        """Nothing is left to do for us: it is down, never was live, or a person has to."""
        now = self.now()
        placed.ended_at = now
        platform = self.platforms[row.channel]
        staying = [one for one in receipts if not one.gone_at]
        why = f"incident {placed.incident}"
        had, every = reached(session, row.key)
        if (staying or had) and isinstance(platform, Lasts):
            _keep_evidence(session, row, placed.incident, now)
            void(session, row, why, now=now, who=PROGRAM)  # the rest is not sent unread
            whom = f"{had:,} of its {every:,} readers have it, or may; it goes to nobody else"
            placed.state, placed.reason = SENT, f"{platform.lasts}: {whom}"
            record(session, now, PROGRAM, "not taken down", row, why=placed.reason)
            return
        if not receipts:
            unsaid = "nobody said that it was posted"
            placed.state = NEVER
            placed.reason = unsaid if row.state is State.MISSED else "it was not live"
            return
        if staying:
            by_hand = not isinstance(platform, Withdraws)
            placed.state = BY_HAND if by_hand else REFUSED
            placed.reason = staying[0].stays
            told = "; ".join(f"{one.url} ({one.stays})" for one in staying)
            record(session, now, PROGRAM, "to be deleted by hand", row, why=f"{why}: {told}")
            return
        placed.state, placed.reason = DOWN, ""
        placed.ended_at = max(one.gone_at for one in receipts if one.gone_at)
        row.move(State.TAKEN_DOWN, why)
        row.published_at = row.published_at or min(one.at for one in receipts)
        row.retry_at, row.look_since, row.lateness_settled = None, None, False
        record(session, now, PROGRAM, "taken down", row, why=why)


def _stays(platform: Platform) -> str:
    """Why what no program can delete there stays."""
    if isinstance(platform, Lasts):
        return platform.lasts
    if isinstance(platform, Asks):
        return "another office published it: it is asked to delete it"
    if isinstance(platform, Told):
        return "it was posted by hand: delete it there"
    return "its network offers no way: delete it there"


_SOMETHING_LEFT = exists().where(
    ReceiptRow.key == TakeDown.key, ReceiptRow.gone_at.is_(None), ReceiptRow.stays == ""
)
_FLYING = exists().where(Delivery.key == TakeDown.key, Delivery.state.in_(IN_FLIGHT))


# --- how it stands ------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """One post of an incident: "down", "by hand", "refused", "never live", or "open" still."""

    key: str
    channel: str
    state: str
    reason: str
    urls: tuple[str, ...]  # of what is live still
    ended_at: datetime | None = None

    @property
    def done(self) -> bool:
        return self.state in (DOWN, NEVER)


@dataclass(frozen=True)
class Standing:
    """An incident, and what has become of each of its posts."""

    number: int
    at: datetime
    by: str
    name: str
    why: str
    results: tuple[Result, ...]
    held: tuple[str, ...] = field(default=())  # messages of which nothing more is sent

    @property
    def done(self) -> bool:
        return all(one.done for one in self.results)

    @property
    def settled(self) -> bool:
        """Whether the program has done all that it can."""
        return all(one.state != OPEN for one in self.results)


def standing(session: Session, number: int, unready: Mapping[str, str]) -> Standing:
    """How an incident stands. Raises NotFound."""
    incident = session.get(Incident, number)
    if incident is None:
        hint = f"the last one is {last(session)}" if last(session) else "there was none"
        raise NotFound(f"there is no incident {number}", hint)
    placed = session.scalars(
        select(TakeDown).where(TakeDown.incident == number).order_by(TakeDown.key)
    ).all()
    receipts = _receipts(session, [one.key for one in placed])
    results = []
    for one in placed:
        row = session.get_one(Delivery, one.key)
        left = tuple(r.url for r in receipts.get(one.key, ()) if not r.gone_at)
        reason = one.reason
        if one.state == OPEN and row.state in IN_FLIGHT and not left:
            reason = _FLIES[row.state]
        elif one.state == OPEN and one.channel in unready:
            reason = unready[one.channel]
        results.append(Result(one.key, one.channel, one.state, reason, left, one.ended_at))
    told = f"incident {number}: "
    held = tuple(
        one.scope.removeprefix("message:")
        for one in holds.placed(session)
        if one.reason.startswith(told)
    )
    return Standing(
        number, incident.at, incident.by, incident.name, incident.why, tuple(results), held
    )


_FLIES = {
    State.SENDING: "it is being sent at this moment: it is taken down as soon as that is over",
    State.UNCERTAIN: "it may be live: it is looked for, and taken down if it is found",
    State.HANDED: "a person was asked to post it, and is told not to: say whether they had",
}


def last(session: Session) -> int:
    """The number of the last incident; 0 where there was none."""
    return session.scalar(select(func.max(Incident.id))) or 0


def unfinished(session: Session) -> Iterator[int]:
    """The incidents of which something is live still, or may be; the newest first."""
    yield from session.scalars(
        select(TakeDown.incident)
        .where(TakeDown.state.not_in([DOWN, NEVER, SENT]))
        .distinct()
        .order_by(TakeDown.incident.desc())
    )
