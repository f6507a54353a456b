"""
A delivery: the life of one post on one channel, from proposal to proof.

    proposed --clear--> cleared --claim--> sending --receipt(s)--> published --> taken down
       ^ ^                 | |                |--refused--> failed
       | '--text changed---' |                |--not now--> cleared (not before T)
       |                     |                |--handed over--> handed --address--> published
       |                     '- too late -> missed         '--anything else--> uncertain
       '-- plan drops it: dropped          '-- surely not live -- uncertain -- found --> published

`sending` and its attempt are committed before the call, so a process that dies mid-call leaves
a trace, and the sweep turns it into *uncertain*, never into *cleared*. Nothing leaves
*uncertain* but by looking, or by a person who has looked. A slot that was past when its message
was first applied is *past*: never proposed, cleared or sent.

This module holds the states and the rules of a single row; `outreach/publish.py` moves rows
through them while networks fail.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Enum, Index, bindparam, inspect, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.exc import StaleDataError

from outreach.errors import NotAllowed, NotFound
from outreach.post import Post, Slot
from outreach.store.base import Base, Claimable


class State(StrEnum):
    """Where a delivery stands."""

    PROPOSED = "proposed"  #: applied, and waiting to be cleared
    CLEARED = "cleared"  #: a second person said yes to exactly this
    SENDING = "sending"  #: claimed; the call may be under way
    HANDED = "handed"  #: with a person, who posts it by hand
    UNCERTAIN = "uncertain"  #: it may be live; we look, or a person does
    PUBLISHED = "published"  #: live, with receipts
    FAILED = "failed"  #: the network refused it; a person decides
    MISSED = "missed"  #: its time passed; a person decides
    SKIPPED = "skipped"  #: a person decided not to send it
    PAST = "past"  #: its slot was past when it was first applied
    DROPPED = "dropped"  #: no longer in the campaign file
    TAKEN_DOWN = "taken-down"  #: it was live and was withdrawn


IN_FLIGHT = frozenset({State.SENDING, State.HANDED, State.UNCERTAIN})
"""It may be live: nobody changes it until that is known."""


def latest(at: datetime, late_seconds: int, not_after: datetime | None) -> datetime:
    """When it is too late to send a post without asking."""
    late = at + timedelta(seconds=late_seconds)
    return min(late, not_after) if not_after else late


class Delivery(Base):
    """One post on its way to one channel."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_due", "state", "channel", "at"),
        Index("ix_delivery_when", "state", "at"),  # what a tick asks, whatever the channel
        Index("ix_delivery_message", "campaign", "message"),
        Index("ix_delivery_published", "published_at"),  # a month's, and what is new on the ladder
        # What may be live before its slot, after a restore: mostly none, and each tick asks for it.
        Index(
            "ix_delivery_marked",
            "state",
            "at",  # without it, SQLite takes ix_delivery_when
            sqlite_where=text("look_since IS NOT NULL"),
            postgresql_where=text("look_since IS NOT NULL"),
        ),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    campaign: Mapped[str]
    message: Mapped[str]
    slot: Mapped[str]
    language: Mapped[str]
    channel: Mapped[str]

    content: Mapped[dict[str, Any] | None]  # Post.as_data(); None while it cannot be made
    fingerprint: Mapped[str] = mapped_column(default="")
    blocked: Mapped[str] = mapped_column(default="")  # why it cannot be cleared, or ""
    authors: Mapped[list[str]]
    questions: Mapped[list[str]]  # what whoever clears it decides, and the decision is recorded

    at: Mapped[datetime]  # not before
    wall: Mapped[str]
    zone: Mapped[str]
    late_seconds: Mapped[int]  # found later than this after `at`: a person is asked
    not_after: Mapped[datetime | None]  # never sent after this
    together: Mapped[bool] = mapped_column(default=False)  # waits for all its languages

    state: Mapped[State] = mapped_column(
        Enum(
            State,
            native_enum=False,
            length=12,
            values_callable=lambda kind: [state.value for state in kind],
        )
    )
    reason: Mapped[str] = mapped_column(default="")  # why it is where it is
    returned: Mapped[str] = mapped_column(default="")  # why a clearer sent it back, or ""
    clearance: Mapped[int | None]  # the clearance in force
    retry_at: Mapped[datetime | None]  # a network said: not before this
    look_since: Mapped[datetime | None]  # it may be live since then, unknown to this database
    lateness_settled: Mapped[bool] = mapped_column(
        default=False
    )  # found in time, or sent late on purpose
    published_at: Mapped[datetime | None]

    # A claim, and later a doubt: whose, in which life of the machine, and until or since when.
    # Measured on the boot-time clock, so that no jump of the wall clock can expire it.
    owner: Mapped[str] = mapped_column(default="")
    lease_life: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[float] = mapped_column(default=0.0)
    looks: Mapped[int] = mapped_column(default=0)
    look_at: Mapped[float] = mapped_column(default=0.0)

    applied_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it here

    @property
    def post(self) -> Post:
        """What would be, or was, sent. NotAllowed while the post cannot be made."""
        if self.content is None:
            raise NotAllowed(f"{self.key} has no text yet: {self.blocked}")
        return Post.of(self.content)

    @property
    def due(self) -> Slot:
        return Slot(self.at, self.wall, self.zone)

    @property
    def late_after(self) -> datetime:
        """From here on it is too late to send it without asking."""
        return latest(self.at, self.late_seconds, self.not_after)

    def must_be(self, *states: State) -> None:
        """Raises NotAllowed unless the delivery is in one of these states."""
        if self.state not in states:
            wanted = " or ".join(states)
            raise NotAllowed(
                f"{self.key} is {self.state}", f"this is possible while it is {wanted}"
            )

    def move(self, state: State, reason: str = "") -> None:
        """Go on to `state`; the claim ends, the reason is kept."""
        self.state, self.reason = state, reason
        self.owner, self.lease_life, self.lease_until = "", "", 0.0

    def is_not_live(self, why: str) -> None:
        """Somebody has looked: it waits again for its turn, or for the clearance that it lacks."""
        self.look_since = None
        self.move(State.PROPOSED if self.clearance is None else State.CLEARED, why)


def find(session: Session, key: str) -> Delivery:
    """The delivery of this key. Raises NotFound, with the nearest there is."""
    row = session.get(Delivery, key)
    if row is None:
        import difflib

        near = difflib.get_close_matches(key, session.scalars(select(Delivery.key)), 1)
        raise NotFound(
            f"there is no post {key!r}",
            f"did you mean {near[0]}?" if near else "posts are listed by: outreach status",
        )
    return row


def write_all(session: Session, rows: Sequence[Delivery]) -> None:
    """Write what was changed in these rows in one statement; a flush takes one for each.

    Raises StaleDataError where somebody else has changed one, as a flush does.
    """
    columns = set(Delivery.__mapper__.column_attrs.keys())
    changed = set().union(*(columns - inspect(row).unmodified for row in rows))
    if not changed:
        return
    statement = (
        update(Delivery.__table__)  # type: ignore[arg-type] # a table, as every class here has one
        .where(Delivery.key == bindparam("its_key"), Delivery.version == bindparam("its_version"))
        .values({name: bindparam(f"new_{name}") for name in sorted(changed)})
        .values(version=Delivery.version + 1)
    )
    values = [
        {
            "its_key": row.key,
            "its_version": row.version,
            **{f"new_{name}": getattr(row, name) for name in changed},
        }
        for row in rows
    ]
    if session.connection().execute(statement, values).rowcount != len(rows):
        raise StaleDataError("a delivery was changed by somebody else")
    for row in rows:
        for name in changed:
            set_committed_value(row, name, getattr(row, name))
        set_committed_value(row, "version", row.version + 1)


class Attempt(Base):
    """One call to a network: committed before the call, completed after it."""

    __tablename__ = "attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    part: Mapped[int]
    token: Mapped[str]
    fingerprint: Mapped[str]
    owner: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(
        default=""
    )  # "", live, refused, not now, uncertain, handed
    detail: Mapped[str] = mapped_column(default="")


class PartToken(Base):
    """Random bits for one part of one text: the same for every attempt, new for a new text."""

    __tablename__ = "part_token"

    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)


class ReceiptRow(Base):
    """Proof that one part is live; or was, until `gone_at`."""

    __tablename__ = "receipt"
    __table_args__ = (Index("ix_receipt_remote", "channel", "remote_id", unique=True),)

    key: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    remote_id: Mapped[str]
    url: Mapped[str]
    at: Mapped[datetime]
    gone_at: Mapped[datetime | None]  # it was taken down
    stays: Mapped[str] = mapped_column(default="", server_default="")  # why a person has to do it


class Correction(Claimable, Base):
    """Another text for a post that is live: proposed, then cleared by a second person, then
    corrected in place; or refused by its network, or not wanted any more (`dropped`).

    It is read and cleared as a delivery is, under its message's name and `CORRECTION`.
    """

    __tablename__ = "correction"
    __table_args__ = (
        Index(
            "ix_correction_open",
            "channel",
            sqlite_where=text("state = 'cleared'"),
            postgresql_where=text("state = 'cleared'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    campaign: Mapped[str]
    message: Mapped[str]  # with CORRECTION at its end
    language: Mapped[str]
    channel: Mapped[str]
    was: Mapped[dict[str, Any]]  # what is live when it is proposed
    content: Mapped[dict[str, Any]]
    fingerprint: Mapped[str]
    authors: Mapped[list[str]]
    questions: Mapped[list[str]]
    at: Mapped[datetime]  # the slot of its post
    wall: Mapped[str]
    zone: Mapped[str]

    why: Mapped[str]
    by: Mapped[str]
    made_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="proposed")
    reason: Mapped[str] = mapped_column(default="")
    cleared_by: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]

    blocked = returned = ""  # what cannot be cleared is not proposed

    @property
    def post(self) -> Post:
        return Post.of(self.content)

    @property
    def due(self) -> Slot:
        return Slot(self.at, self.wall, self.zone)


CORRECTION = "~correction"
