"""Who may say yes to what: clearances, their windows, and the trail.

A clearance is one person's yes to one fingerprint for a window of time. The window is by
default the day of the slot, in the slot's own zone; a move inside it keeps the clearance, a
move outside it or any change of what the public sees voids it. Nobody clears a post of which
they are an author; an emergency override needs a reason, and stands in the trail and in the
month's report.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Index, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from outreach.compose.links import folded
from outreach.delivery import Correction, Delivery, State
from outreach.errors import Changed, NotAllowed, NotFound
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
    may_say_yes(
        delivery.key,
        delivery.authors,
        delivery.questions,
        by=by,
        override=override,
        decided=decided,
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


def may_say_yes(
    name: str,
    authors: Collection[str],
    questions: Collection[str],
    *,
    by: Person,
    override: str,
    decided: str,
) -> None:
    """Raises NotAllowed for an author or who is no clearer, without an emergency; and where the
    house's style asks for a decision and none is given."""
    if override:
        # Even an emergency needs somebody of the office who may decide at all.
        by.must_be(MAY_CLEAR, MAY_WRITE, MAY_ADMINISTER)
    else:
        by.must_be(MAY_CLEAR)
        if by.id in authors:
            raise NotAllowed(
                f"{by.name} is an author of {name}; a second person clears it",
                'ask a colleague, or in an emergency: outreach clear ... --emergency "REASON"',
            )
    if questions and not decided.strip():
        raise NotAllowed(
            f"a person decides about {name}: {'; '.join(questions)}",
            'say what is decided, and why: outreach clear … --decided "…"',
        )


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


def to_clear(
    session: Session, name: str, known: Mapping[str, Person]
) -> tuple[Reading, dict[str, Delivery]]:
    """What a person reads of a message in one language, and its posts by key.

    Raises NotFound and NotAllowed as `named` does, and NotAllowed where none can be cleared yet.
    """
    rows = named(session, name, State.PROPOSED, known=known)
    reading = readings(rows)[0]
    if not reading.renderings:
        raise NotAllowed(
            f"nothing of {name} can be cleared yet: {reading.blocked[0][1]}",
            "its authors change it, then: outreach plan, outreach apply"
            if any(row.returned for row in rows)
            else "outreach check says where that is put right",
        )
    return reading, {row.key: row for row in rows}


def named(
    session: Session, name: str, *states: State, known: Mapping[str, Person]
) -> list[Delivery]:
    """The deliveries of a message in one language that are in one of these states.

    `known` are the people in force. Raises NotFound for what is no such name,
    NotAllowed where all of them are elsewhere.
    """
    parts = re.fullmatch(r"([^/@]+)/([^/@~]+)(?:~[^/@]*)?/([^/@]+)(@[^@]+)?", name)
    if not parts or parts[0] != "/".join(parts.group(1, 2, 3)):
        whole = "/".join(parts.group(1, 2, 3)) if parts else "CAMPAIGN/MESSAGE/LANGUAGE"
        raise NotFound(
            f"{name!r} is not a message in one language, on all its channels",
            f"name it as outreach review does: {whole}",
        )
    campaign, message, language = parts.group(1, 2, 3)
    every = session.scalars(
        select(Delivery).where(
            Delivery.campaign == campaign,
            Delivery.message == message,
            Delivery.language == language,
        )
    ).all()
    rows = [row for row in every if row.state in states]
    if rows:
        return rows
    listed = "what waits is listed by: outreach review"
    if not every:
        raise NotFound(f"nothing of {name} waits for clearance", listed)
    if cleared := [row for row in every if row.state is State.CLEARED]:
        given = [yes for row in cleared if (yes := in_force(session, row))]
        by = sorted({known[yes.by].name if yes.by in known else yes.by for yes in given})
        raise NotAllowed(
            f"{name} is cleared already, by {' and '.join(by)}",
            f'to take that back: outreach return {name} --why "..."',
        )
    are = " and ".join(sorted({str(row.state) for row in every}))
    raise NotAllowed(f"{name} does not wait for clearance: it is {are}", listed)
