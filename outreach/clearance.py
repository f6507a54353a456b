"""Who may say yes to what: clearances, their windows, and the trail.

A clearance is one person's yes to one fingerprint for a window of time. The window is by
default the day of the slot, in the slot's own zone; a move inside it keeps the clearance, a
move outside it or any change of what the public sees voids it. Nobody clears a post of which
they are an author; an emergency override needs a reason, and stands in the trail and in the
month's report.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from outreach.compose.links import folded
from outreach.delivery import Correction, Delivery, State
from outreach.errors import Changed, NotAllowed
from outreach.post import Post, Slot
from outreach.store.base import Base
from outreach.store.tables import TrailEntry

PROGRAM = "outreach"
"""Who the trail names where the program itself did it."""

MAY_CLEAR = "clearer"
MAY_WRITE = "officer"
MAY_ADMINISTER = "administrator"


@dataclass(frozen=True)
class Person:
    """Somebody of the office, as config/people.toml names them once it is confirmed."""

    id: str
    name: str
    email: str
    roles: frozenset[str]

    def must_be(self, *roles: str) -> None:
        """Raises NotAllowed unless this person has one of these roles."""
        if not self.roles & set(roles):
            have = " and ".join(sorted(self.roles))
            raise NotAllowed(
                f"{self.name} may not do this: it needs the role {' or '.join(roles)}"
                + (f", and theirs are {have}" if have else ""),
                "ask somebody who has it; roles stand in config/people.toml",
            )


class Clearance(Base):
    """A yes: to which fingerprint, by whom, for which window, and how it ended."""

    __tablename__ = "clearance"
    __table_args__ = (
        Index(  # emergencies are few, and each month's report asks for them
            "ix_clearance_override",
            "at",
            sqlite_where=text("override <> ''"),
            postgresql_where=text("override <> ''"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    fingerprint: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    starts: Mapped[datetime]  # the slot may lie from here ...
    ends: Mapped[datetime]  # ... to before here
    expires: Mapped[datetime | None]  # by age, where the office has set a maximum
    override: Mapped[str] = mapped_column(default="")  # the reason of an emergency
    voided_at: Mapped[datetime | None]
    voided_why: Mapped[str] = mapped_column(default="")

    def covers(self, fingerprint: str, at: datetime) -> bool:
        """Whether this yes is to that text at that time."""
        return not self.voided_at and self.fingerprint == fingerprint and self.includes(at)

    def includes(self, at: datetime) -> bool:
        return self.starts <= at < self.ends


@dataclass(frozen=True)
class Window:
    """How far a cleared post may move: "this time", "that day", or "until" an instant."""

    kind: Literal["time", "day", "until"] = "day"
    until: datetime | None = None

    def around(self, slot: Slot) -> tuple[datetime, datetime]:
        """From and to (exclusive), aware UTC."""
        if self.kind == "time":
            return slot.at, slot.at + timedelta(microseconds=1)
        zone = ZoneInfo(slot.zone)
        day = slot.at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self.kind == "day":
            # The next local midnight, which is not always 24 hours away.
            return day, (day + timedelta(days=1)).replace(tzinfo=zone)
        if self.until is None or self.until <= slot.at:
            raise NotAllowed(
                "the window ends before the slot", "choose a date on or after the day of the slot"
            )
        return day, self.until


def clear(
    session: Session,
    delivery: Delivery,
    seen: str,
    *,
    by: Person,
    now: datetime,
    window: Window,
    max_age: timedelta | None = None,
    override: str = "",
    decided: str = "",
) -> Clearance:
    """Record a yes to exactly what was read.

    `seen` is the fingerprint on the reader's screen. Raises Changed where the post is no longer
    that; NotAllowed where it is blocked, not waiting, past its time, where `by` is an author
    or no clearer and gives no emergency reason (`override`), or where the house's style asks for
    a decision and `decided` does not give one.
    """
    delivery.must_be(State.PROPOSED)
    if why := delivery.blocked or delivery.returned:
        raise NotAllowed(f"{delivery.key} cannot be cleared: {why}")
    if seen != delivery.fingerprint:
        raise Changed(
            f"{delivery.key} has changed since you read it: it was {seen} and is now "
            f"{delivery.fingerprint}",
            "read it again with: outreach review",
        )
    if delivery.late_after <= now and not delivery.lateness_settled:
        raise NotAllowed(f"the time of {delivery.key} has passed", "move it in its campaign file")
    if override:
        # Even an emergency needs somebody of the office who may decide at all.
        by.must_be(MAY_CLEAR, MAY_WRITE, MAY_ADMINISTER)
    else:
        by.must_be(MAY_CLEAR)
        if by.id in delivery.authors:
            raise NotAllowed(
                f"{by.name} is an author of {delivery.key}; a second person clears it",
                'ask a colleague, or in an emergency: outreach clear ... --emergency "REASON"',
            )
    if delivery.questions and not decided.strip():
        raise NotAllowed(
            f"a person decides about {delivery.key}: {'; '.join(delivery.questions)}",
            'say what is decided, and why: outreach clear … --decided "…"',
        )
    starts, ends = window.around(delivery.due)
    clearance = Clearance(
        key=delivery.key,
        fingerprint=delivery.fingerprint,
        by=by.id,
        at=now,
        starts=starts,
        ends=ends,
        expires=now + max_age if max_age else None,
        override=override,
    )
    session.add(clearance)
    session.flush()
    delivery.clearance = clearance.id
    delivery.move(State.CLEARED)
    for question in delivery.questions:
        record(session, now, by.id, f"decided: {question}", delivery, why=decided)
    record(
        session,
        now,
        by.id,
        "cleared in an emergency" if override else "cleared",
        delivery,
        why=override,
    )
    return clearance


def in_force(session: Session, delivery: Delivery) -> Clearance | None:
    """The clearance that this delivery stands on, if it still has one."""
    if delivery.clearance is None:
        return None
    clearance = session.get(Clearance, delivery.clearance)
    return clearance if clearance and not clearance.voided_at else None


def void(session: Session, delivery: Delivery, why: str, *, now: datetime, who: str) -> str:
    """Take the clearance back; the delivery waits again. Returns whose yes it was, or ""."""
    clearance = in_force(session, delivery)
    delivery.clearance = None
    if delivery.state is State.CLEARED:
        delivery.move(State.PROPOSED)
    if clearance is None:
        return ""
    clearance.voided_at, clearance.voided_why = now, why
    record(session, now, who, "clearance voided", delivery, why=why)
    return clearance.by


def record(
    session: Session,
    now: datetime,
    who: str,
    what: str,
    about: Delivery | str = "",
    why: str = "",
) -> None:
    """Add a line to the trail."""
    key, fingerprint = (about, "") if isinstance(about, str) else (about.key, about.fingerprint)
    session.add(TrailEntry(at=now, who=who, what=what, key=key, why=why, fingerprint=fingerprint))


@dataclass(frozen=True)
class Rendering:
    """One channel's version of a message in one language, as the clearer sees it."""

    key: str
    channel: str
    fingerprint: str
    post: Post
    slot: Slot
    questions: tuple[str, ...] = ()  # what the clearer has to decide about it
    same_as: str = ""  # the key of the first one whose text is the same but for the addresses


@dataclass(frozen=True)
class Reading:
    """What one signature covers: a message in one language, on all its channels."""

    campaign: str
    message: str
    language: str
    renderings: tuple[Rendering, ...]
    blocked: tuple[tuple[str, str], ...] = ()  # (key, why): not part of the signature
    authors: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.campaign}/{self.message}/{self.language}"

    @property
    def questions(self) -> tuple[str, ...]:
        """What whoever clears it has to decide, each once."""
        return tuple(dict.fromkeys(q for r in self.renderings for q in r.questions))

    @property
    def fingerprint(self) -> str:
        """Eight characters over every text and time on the page: what `outreach clear` is given."""
        seen = "\n".join(
            f"{r.key} {r.fingerprint} {r.slot.at.isoformat()} {r.slot.wall} {r.slot.zone}"
            for r in self.renderings
        )
        return hashlib.sha256(seen.encode()).hexdigest()[:8]


def readings(deliveries: Iterable[Delivery | Correction]) -> list[Reading]:
    """Deliveries that wait, gathered as they are read: soonest first, one message and language
    at a time, with renderings that differ only in their addresses marked as the same."""
    groups: dict[tuple[str, str, str], list[Delivery | Correction]] = {}
    for delivery in sorted(deliveries, key=lambda d: (d.at, d.key)):
        groups.setdefault((delivery.campaign, delivery.message, delivery.language), []).append(
            delivery
        )
    return [_reading(*group, rows) for group, rows in groups.items()]


def _reading(
    campaign: str, message: str, language: str, rows: list[Delivery | Correction]
) -> Reading:
    renderings: list[Rendering] = []
    first: dict[tuple[str, ...], str] = {}
    for row in rows:
        if row.blocked or row.returned or row.content is None:
            continue
        post = row.post
        same_as = first.setdefault(tuple(folded(part.text) for part in post.parts), row.key)
        renderings.append(
            Rendering(
                row.key,
                row.channel,
                row.fingerprint,
                post,
                row.due,
                tuple(row.questions),
                same_as if same_as != row.key else "",
            )
        )
    return Reading(
        campaign,
        message,
        language,
        tuple(renderings),
        tuple(
            (row.key, row.blocked or row.returned) for row in rows if row.blocked or row.returned
        ),
        frozenset(author for row in rows for author in row.authors),
    )
