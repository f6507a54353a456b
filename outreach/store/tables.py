"""The tables of no single module: trail, holds, incidents, figures, links, people, mail, alarms.

Deliveries and their attempts stand in `outreach/delivery.py`, clearances in
`outreach/clearance.py`. Every instant is aware UTC. Rows of the trail, of evidence and of
snapshots are only ever added: triggers in the database refuse to change or delete them. The one
exception are daily readings of an account that no report cites: see `outreach/measure/latest.py`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from outreach.store.base import Base, Claimable


class TrailEntry(Base):
    """Who did what, to which post, when and why. Append-only."""

    __tablename__ = "trail"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str]  # a person's id, or "outreach" for the program itself
    what: Mapped[str]  # "cleared", "voided", "published"...
    key: Mapped[str] = mapped_column(default="", index=True)  # a post's key, or ""
    why: Mapped[str] = mapped_column(default="")
    fingerprint: Mapped[str] = mapped_column(default="")


SEED = "seed"  # in Meta: what tokens and keyed hashes are made from


class Meta(Base):
    """A few facts about the database itself: its seed, what was applied, its last backup."""

    __tablename__ = "meta"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Heartbeat(Base):
    """When the desk was last alive: real time, and what it took for now.

    `ticked` is False in a desk's first hours, when a plan was applied and no clock has run yet.
    `pulse` is the mark of `outreach/store/pulse.py`: by it an older copy is noticed at once.
    """

    __tablename__ = "heartbeat"

    id: Mapped[int] = mapped_column(primary_key=True)
    real: Mapped[datetime]
    now: Mapped[datetime]
    ticked: Mapped[bool] = mapped_column(default=True)
    pulse: Mapped[str] = mapped_column(default="", server_default="")


class Process(Base):
    """A process that sends: the desk, or a worker beside it. Gone when it ended in order.

    `seen_at` is real time; a row that is not seen any more is a process that died.
    """

    __tablename__ = "process"

    name: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class ClockJob(Base):
    """A clock's job that has been taken: whoever inserts the row does it."""

    __tablename__ = "clock_job"

    job: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Hold(Base):
    """Nothing within `scope` is sent until it is released."""

    __tablename__ = "hold"

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str]  # "all", "campaign:forum-2025", "channel:x", "message:forum-2025/recap"
    reason: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]


class Incident(Base):
    """Something wrong went out: who ordered it to be taken down, and why."""

    __tablename__ = "incident"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    name: Mapped[str]  # what was named: a message, a post's key or its address
    why: Mapped[str]


class TakeDown(Claimable, Base):
    """One post that is to be taken down: open until nothing of it is live, or a person has to.

    Committed before any call.
    """

    __tablename__ = "take_down"
    __table_args__ = (
        Index(
            "ix_take_down_open",
            "channel",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    incident: Mapped[int] = mapped_column(index=True)
    channel: Mapped[str]
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open")  # see outreach/takedown.py
    reason: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]


class Evidence(Base):
    """What was live, as it was, before it was taken down. Append-only."""

    __tablename__ = "evidence"

    id: Mapped[int] = mapped_column(primary_key=True)
    incident: Mapped[int]
    key: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    data: Mapped[dict[str, Any]]  # text, pictures' hashes, ids, addresses, figures


class Asset(Base):
    """A picture's bytes, by their hash: what was cleared is what is sent."""

    __tablename__ = "asset"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ShelfItem(Base):
    """What an adapter keeps: the feed its entries, a manual channel its tasks."""

    __tablename__ = "shelf"

    channel: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    value: Mapped[dict[str, Any]]


PARTNER = "toolkit:"
"""How the keys of partners' short links begin, "toolkit:iclei/…": they are no post's."""

OF_A_KIT = text("substr(key, 1, 8) = 'toolkit:'")
"""The same as a condition, in the words of the index that finds them."""


class ShortLink(Base):
    """One of our own short links; registered when the post that prints it is applied."""

    __tablename__ = "short_link"
    __table_args__ = (
        Index("ix_short_link_kit", "key", sqlite_where=OF_A_KIT, postgresql_where=OF_A_KIT),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    target: Mapped[str]
    at: Mapped[datetime]


def partner_of(key: str) -> str:
    """The partner whose short link has this key, or ""."""
    return key.removeprefix(PARTNER).partition("/")[0] if key.startswith(PARTNER) else ""


PRINTED = "print:"
"""How the keys of short links on paper begin, "print:forum-2025/poster": they are no post's."""


class LinkCheck(Base):
    """What the last look at an address found: `ok` is None where it could not be told."""

    __tablename__ = "link_check"

    url: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    ok: Mapped[bool | None]
    what: Mapped[str]
    hint: Mapped[str]


class Click(Base):
    """One visit by a person through a short link. Who it was is not kept."""

    __tablename__ = "click"
    __table_args__ = (
        Index("ix_click_key_at", "key", "at"),
        Index("ix_click_at", "at", "key"),  # a month's, of whatever link
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    key: Mapped[str]
    at: Mapped[datetime]


class Collection(Claimable, Base):
    """One rung of the ladder of one published post: its figures are due at `at`.

    Claimed before a network is asked, like a delivery: see `outreach/measure/collect.py`.
    """

    __tablename__ = "collection"
    __table_args__ = (
        # What is due, and what was missed, without reading what was done.
        Index(
            "ix_collection_due",
            "channel",
            "at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index(
            "ix_collection_lost",
            "done_at",
            sqlite_where=text("outcome = 'expired_window'"),
            postgresql_where=text("outcome = 'expired_window'"),
        ),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    rung: Mapped[str] = mapped_column(primary_key=True)  # "1 h", "1 d", "2025-08"
    channel: Mapped[str]
    at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")


class Snapshot(Base):
    """One figure at one moment: a value, or none with the reason. Append-only.

    `subject` is a post's key, or a channel; `period` is a month ("2025-08") where the figure is
    that month's total, typed or imported, and empty where it is the state at `taken_at`. `called`
    is what its network calls it, where it was asked for by that name.
    """

    __tablename__ = "snapshot"
    __table_args__ = (
        Index("ix_snapshot_subject", "subject", "metric", "taken_at"),
        Index(
            "ix_snapshot_month",
            "period",
            sqlite_where=text("period <> ''"),
            postgresql_where=text("period <> ''"),
        ),
        Index(
            "ix_snapshot_batch",
            "batch",
            sqlite_where=text("batch IS NOT NULL"),
            postgresql_where=text("batch IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str]
    channel: Mapped[str]
    metric: Mapped[str]
    value: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    reason: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    taken_at: Mapped[datetime]
    source: Mapped[str]  # "network", "link", "import"
    called: Mapped[str] = mapped_column(default="")
    rung: Mapped[str] = mapped_column(default="")
    period: Mapped[str] = mapped_column(default="")
    by: Mapped[str] = mapped_column(default="")
    batch: Mapped[int | None]
    sample: Mapped[bool] = mapped_column(default=False)


class Latest(Base):
    """The newest snapshot of one figure of one post or channel, with what a report reads of it.

    Written with its snapshot, in the same transaction: a report reads no history.
    """

    __tablename__ = "latest"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - one tree instead of two

    subject: Mapped[str] = mapped_column(primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    snapshot: Mapped[int]
    value: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    reason: Mapped[str]
    note: Mapped[str]
    taken_at: Mapped[datetime]
    source: Mapped[str]
    called: Mapped[str]
    by: Mapped[str]


class Cited(Base):
    """A snapshot of an account that a frozen report was made from: it is never thinned."""

    __tablename__ = "cited"

    snapshot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class ImportBatch(Base):
    """One file of figures that a person imported, and whether it was taken back."""

    __tablename__ = "import_batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    file: Mapped[str]
    sha256: Mapped[str]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]


class ReportRow(Base):
    """A frozen report; a later version supersedes it and never replaces it.

    `period` is what it is about, by its name: see `outreach/report/periods.py`.
    """

    __tablename__ = "report"
    __table_args__ = (UniqueConstraint("month", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column("month")  # the first periods were months
    version: Mapped[int]
    made_at: Mapped[datetime]
    by: Mapped[str]
    cut_off: Mapped[datetime]
    data: Mapped[dict[str, Any]]


class ReportMail(Base):
    """A frozen report on its way to one address; the pair is unique, so that it goes once.

    Begun is committed before it is sent; what began and never ended is in doubt, and is not sent
    again by itself.
    """

    __tablename__ = "report_mail"
    __table_args__ = (
        UniqueConstraint("report", "to"),
        Index("ix_report_mail_ended", "ended_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    report: Mapped[int]  # the id of the frozen report
    to: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str]
    begun_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")  # "", sent, refused, in doubt
    ended_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    next_try: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(default="")


class Lesson(Base):
    """What an officer learnt of a period, as its reports print it; ended when it was replaced."""

    __tablename__ = "lesson"

    id: Mapped[int] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(index=True)
    text: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str]
    ended_at: Mapped[datetime | None]


class ToolkitRow(Base):
    """One version of what a partner was given in one language; copies of it cannot be deleted.

    `texts` by post's key: what a later version must know, to say what is to be recalled.
    """

    __tablename__ = "toolkit"
    __table_args__ = (UniqueConstraint("campaign", "partner", "language", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign: Mapped[str]
    partner: Mapped[str]
    language: Mapped[str]
    version: Mapped[int]
    made_at: Mapped[datetime]
    by: Mapped[str]
    sha256: Mapped[str]
    texts: Mapped[dict[str, Any]]


class Roster(Base):
    """One state of config/people.toml; in effect once a second person has confirmed it."""

    __tablename__ = "roster"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    sha256: Mapped[str]
    people: Mapped[dict[str, Any]]
    confirmed_by: Mapped[list[str]]
    confirmed_at: Mapped[datetime | None]


class Token(Base):
    """A personal token, by its hash. The token itself is shown once and never kept."""

    __tablename__ = "token"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str]
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Mail(Base):
    """A notice on its way; `about` keeps the same notice from being written twice."""

    __tablename__ = "mail"
    # What waits is found without reading what was sent, however much that is.
    __table_args__ = (
        Index(
            "ix_mail_waiting",
            "id",
            sqlite_where=text("sent_at IS NULL"),
            postgresql_where=text("sent_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    to: Mapped[str]  # a person's id
    about: Mapped[str] = mapped_column(unique=True)
    subject: Mapped[str]
    body: Mapped[str]
    at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    next_try: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(default="")


class Errand(Base):
    """Something that is told at most once: a task, a reminder, a recall.

    Begun is committed before it is sent; what began and never ended is in doubt, and is not sent
    again by itself.
    """

    __tablename__ = "errand"
    # What waits is found without reading what was sent.
    __table_args__ = (
        Index(
            "ix_errand_open",
            "id",
            sqlite_where=text("outcome = ''"),
            postgresql_where=text("outcome = ''"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    about: Mapped[str] = mapped_column(unique=True)
    key: Mapped[str] = mapped_column(index=True)
    fingerprint: Mapped[str]
    kind: Mapped[str]  # "task", "reminder", "hold", "go on", "recall", "stale", "delete"
    to: Mapped[str]  # a person's id, an address, or "" for the staff chat
    step: Mapped[str] = mapped_column(default="")  # in a chat: "", "text" or "pictures"
    subject: Mapped[str]
    words: Mapped[str]  # what is said before the task itself
    at: Mapped[datetime] = mapped_column(index=True)
    begun_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")  # "", sent, dropped, in doubt
    tries: Mapped[int] = mapped_column(default=0)
    next_try: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(default="")


class TaskLink(Base):
    """A link that opens one task, by the hash of its secret part. Whoever has it may complete it.

    `who` is the person it was given to, the other office's address, or "" for the staff chat.
    """

    __tablename__ = "task_link"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    fingerprint: Mapped[str]
    who: Mapped[str]
    ends_at: Mapped[datetime]


class Adopted(Base):
    """A post that others made about what we do: counted and reported apart from ours."""

    __tablename__ = "adopted"

    url: Mapped[str] = mapped_column(primary_key=True)
    campaign: Mapped[str]
    channel: Mapped[str]
    whose: Mapped[str] = mapped_column(default="")  # who made it
    published_on: Mapped[datetime]
    by: Mapped[str]
    at: Mapped[datetime]


class OutcomeEntry(Base):
    """What a person entered of what came of it: a file's counts, or a number typed by hand.

    `source` is the file's name, or where the number stands. `first` and `last` are its days, ISO.
    Undone, it counts no more, and stays. Of people it has nothing; see `outreach/measure/exports`.
    """

    __tablename__ = "outcome_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    campaign: Mapped[str] = mapped_column(index=True)
    measure: Mapped[str]
    event: Mapped[str]
    source: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)  # of a file; "" where it was typed
    first: Mapped[str]
    last: Mapped[str]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(default="")


class OutcomeCount(Base):
    """How many of one group, of one entry: a value, or none with the reason."""

    __tablename__ = "outcome_count"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry: Mapped[int] = mapped_column(index=True)
    day: Mapped[str]
    session: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")  # ISO 3166
    sex: Mapped[str] = mapped_column(default="")
    youth: Mapped[str] = mapped_column(default="")
    organisation: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    document: Mapped[str] = mapped_column(default="")
    value: Mapped[int | None]
    reason: Mapped[str] = mapped_column(default="")


class CostRow(Base):
    """What a campaign cost, as somebody typed it: money, or days of staff."""

    __tablename__ = "cost"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    campaign: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]  # see outreach/measure/outcomes.py
    amount: Mapped[str]  # a decimal number
    unit: Mapped[str]  # a currency, or "days"
    day: Mapped[str]
    source: Mapped[str]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(default="")


class AccountCheck(Base):
    """What an account said when it was last asked who we are: `ok` is None where it never told.

    `expires` is when its token ends, where its network knows that.
    """

    __tablename__ = "account_check"

    channel: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    ok: Mapped[bool | None]
    since: Mapped[datetime]  # it has been so
    what: Mapped[str]
    expires: Mapped[datetime | None]


class Permit(Base):
    """What a network permits a channel for a time: see `outreach/permits.py`.

    `sealed` is a token and its refresh token, encrypted. `serial` counts what was written there.
    `claim` is whoever renews it now, or "".
    """

    __tablename__ = "permit"

    channel: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[str]
    serial: Mapped[int]
    made_at: Mapped[datetime]  # when a person connected it
    by: Mapped[str]
    renewed_at: Mapped[datetime]
    renews: Mapped[bool]  # whether there is a refresh token
    expires: Mapped[datetime | None]  # the token ends
    ends: Mapped[datetime | None]  # renewing ends, where the network says so
    claim: Mapped[str]
    claimed_at: Mapped[datetime | None]
    tries: Mapped[int]  # in vain, since it was last renewed
    next_try: Mapped[datetime | None]
    trouble: Mapped[str]  # why the last one was in vain, or ""
    over: Mapped[bool]  # the network has ended it: a person connects anew


class AlarmRow(Base):
    """An alarm that lasts, or is over and not told yet. Gone once that has been told."""

    __tablename__ = "alarm"

    about: Mapped[str] = mapped_column(primary_key=True)  # kind, where and host in one
    kind: Mapped[str]
    where: Mapped[str]
    host: Mapped[str]  # the machine that alone can see it, or ""
    what: Mapped[str]
    todo: Mapped[str]
    since: Mapped[datetime]
    seen_at: Mapped[datetime]  # when it was last found
    told_at: Mapped[datetime | None]  # when somebody was last told
    next_at: Mapped[datetime]  # when somebody is told, or told again
    over_at: Mapped[datetime | None]
