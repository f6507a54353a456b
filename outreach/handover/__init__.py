"""
What people do for the desk: tasks on channels without a door for programs, and requests to offices
that own an account.

    handed      a task goes to whoever posts there: by mail, in the staff chat, on a page of its own
    reminded    at stated times, until its address is given or it is too late: then it is missed
    recalled    a package that another office has, and that is held, changed or withdrawn

What is told is an errand: a row that is written once, claimed before it is sent, and not sent
again by itself where nobody can know whether it went. A link opens one task, for one person; only
the hash of its secret part is kept, and it is made again, alike, for every reminder.
"""

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from outreach import links, notices, people
from outreach.clearance import MAY_WRITE, PROGRAM, Person, record
from outreach.config import ChannelSettings, Configuration, is_loopback, span
from outreach.delivery import Attempt, Delivery, PartToken, ReceiptRow, State
from outreach.errors import NotFound, NotNow, OutreachError, PlatformError, Refused, Uncertain
from outreach.handover import mails
from outreach.handover.mails import Sheet, picture_of
from outreach.holds import held, placed
from outreach.platforms import Asks, load
from outreach.post import Part, Picture, Slot
from outreach.store import Store
from outreach.store.tables import SEED, Asset, Errand, Meta, TaskLink
from outreach.words import Zones

log = logging.getLogger(__name__)

CHAT = ""  # to whom an errand goes that the staff chat is told
STALE = timedelta(minutes=10)  # no server takes so long: whoever began it has died
LINK_LASTS = timedelta(days=7)  # after it was too late: a post may have been made all the same
OVERTAKEN = timedelta(days=60)  # a package that old is nobody's plan any more
A_CHAT = 4000  # characters; a message of Telegram has 4096, counted in its own way
ALBUM = 10  # pictures in one message of Telegram

OPEN = frozenset({State.HANDED, State.MISSED, State.UNCERTAIN})
"""A task in one of these can still be given its address."""


@dataclass(frozen=True)
class Timing:
    """When people are reminded, and when it is too late."""

    reminders: tuple[timedelta, ...]
    gives_up: timedelta


BY_HAND = Timing(tuple(map(span, ("30 minutes", "2 hours", "8 hours"))), span("24 hours"))
"""Counted from the moment at which the task was handed over."""

BY_OTHERS = Timing((-span("1 day"), span("4 hours"), span("2 days")), span("7 days"))
"""Counted from the moment at which the post is wanted."""


def timing(settings: ChannelSettings, usual: Timing) -> Timing:
    """As the channel says, or as usual."""
    given = settings.reminders
    return Timing(
        usual.reminders if given is None else tuple(span(one, before=True) for one in given),
        span(settings.missed_after) if settings.missed_after else usual.gives_up,
    )


@dataclass(frozen=True)
class Task:
    """One task as its page shows it. `state` is "open", "done", "changed" or "over"."""

    sheet: Sheet
    state: str
    url: str = ""  # where it is, once that was given
    held: str = ""  # why it should wait, or ""
    who: str = ""  # whose link opened it


@dataclass(frozen=True)
class Waiting:
    """A task in a list: what, with whom, since when, and until when."""

    key: str
    account: str
    since: datetime
    gives_up: datetime
    told: tuple[str, ...]  # what was said to whom, and what became of that
    link: str = ""


@dataclass(frozen=True)
class _Errand:
    """One that may have to be written."""

    about: str
    kind: str
    to: str
    subject: str
    words: str
    step: str = ""


class Handover:
    """Tasks and requests of one desk."""

    def __init__(
        self,
        *,
        store: Store,
        configuration: Configuration,
        now: Callable[[], datetime],
        chat: Callable[[Part], None] | None = None,
    ) -> None:
        """`chat` says something in the staff chat, or raises as a platform does; None: no chat."""
        self.store, self.configuration, self.now = store, configuration, now
        self._say = chat
        self._channels = {
            name: settings
            for name, settings in configuration.channels.items()
            if hasattr(load(settings.platform), "done")
        }
        office = configuration.settings.office
        self._zones = Zones(office.zone, office.also_zone)

    # --- what is due -------------------------------------------------------------------------

    def round(self) -> int:
        """Write the errands that are due, and miss what nobody did; returns how many were written.

        Mostly nothing is: then nothing is written, and nobody is kept waiting.
        """
        if not self._channels:
            return 0
        with self.store.reading() as session:
            if not any(True for _ in self._due(session)):
                return 0
        with self.store.writing() as session:
            written = 0
            for row, due in list(self._due(session)):
                if isinstance(due, _Errand):
                    self._write(session, row, due)
                    written += 1
                else:
                    row.move(State.MISSED, due)
                    record(session, self.now(), PROGRAM, "missed", row, why=due)
        return written

    def _due(self, session: Session) -> Iterator[tuple[Delivery, "_Errand | str"]]:
        """Every errand to be written, or why a delivery is missed, each with its delivery."""
        rows = session.scalars(
            select(Delivery)
            .where(Delivery.state == State.HANDED, Delivery.channel.in_(self._channels))
            .order_by(Delivery.at, Delivery.key)
        ).all()
        staff = self._staff(session) if rows else {}
        for row in rows:
            turn, handed_at = _handed(session, row)
            if why := self._too_late(row, handed_at):
                yield row, why
                continue
            wanted = row.post.wanted
            found = self._asked(session, row, turn, staff) if wanted else ()
            for errand in (*found, *self._told(row, turn, handed_at, staff)):
                if not _written(session, errand.about):
                    yield row, errand
        yield from self._not_theirs_any_more(session)

    def _told(
        self, row: Delivery, turn: str, handed_at: datetime, staff: Mapping[str, Person]
    ) -> Iterator[_Errand]:
        """The task itself, and the last of its reminders that is due."""
        whom = self._whom(row, staff)
        name, wanted = self._account(row), row.post.wanted
        if not wanted:
            subject = f"{row.key} is to be posted by hand, now"
            for to in whom:
                yield from _told("task", turn, to, subject, f"Please post this on {name}, now.")
        when = self.timing(row.channel)
        since = Slot.read(wanted).at if wanted else handed_at
        due = [n for n, after in enumerate(when.reminders) if since + after <= self.now()]
        if not due:
            return
        # What a desk that was down has missed is not sent after the fact: the last one says it all.
        number = max(due, key=lambda n: when.reminders[n])
        until = self._zones.show(since + when.gives_up)
        if not wanted:
            words = f"Nobody has said yet that this is on {name}. At {until} it is given up."
            whom = [to for to in whom if to != CHAT] + ([CHAT] if CHAT in whom else [])
        elif when.reminders[number] < timedelta(0):
            at = self._zones.show(since)
            words = f"A reminder: {name} is to publish this on {at}."
            whom = [self._to(row), *whom]
        else:
            words = f"{name} was to publish this, and its address is awaited until {until}."
            whom = [self._to(row), *whom]
        for to in whom:
            subject = f"Reminder: {row.key}"
            about = f"reminder {number} {turn} {to}"
            yield _Errand(about, "reminder", to, subject, words)

    def _asked(
        self, session: Session, row: Delivery, turn: str, staff: Mapping[str, Person]
    ) -> Iterator[_Errand]:
        """A package that is held must not be published meanwhile; then it may again."""
        on_hold, to = held(row, placed(session)), self._to(row)
        last = session.scalar(
            select(Errand)
            .where(Errand.key == row.key, Errand.kind.in_(["hold", "go on"]))
            .where(Errand.fingerprint == row.fingerprint)
            .order_by(Errand.id.desc())
            .limit(1)
        )
        count = session.scalar(
            select(func.count()).select_from(Errand).where(Errand.key == row.key)
        )
        if on_hold and (last is None or last.kind == "go on"):
            words = (
                "Please do NOT publish this for the time being. We will write again when you can."
            )
            about = f"hold {turn} {count}"
            yield _Errand(about, "hold", to, f"Please wait: {row.key}", words)
        elif not on_hold and last and last.kind == "hold":
            words = "You can publish this now, as we had asked. Thank you for waiting."
            about = f"go on {turn} {count}"
            yield _Errand(about, "go on", to, f"You can go on: {row.key}", words)

    def _not_theirs_any_more(self, session: Session) -> Iterator[tuple[Delivery, "_Errand | str"]]:
        """Packages that are with another office, and are not what we want any more."""
        asks = [name for name in self._channels if self._asks(name)]
        if not asks:
            return
        over = (State.DROPPED, State.SKIPPED, State.PROPOSED, State.CLEARED, State.MISSED)
        # By the delivery's own index: calls are kept for ever.
        earlier = aliased(Attempt)
        last = (
            select(func.max(earlier.id))
            .where(earlier.key == Delivery.key, earlier.outcome == "handed")
            .correlate(Delivery)
            .scalar_subquery()
        )
        rows = session.execute(
            select(Delivery, Attempt)
            .join(Attempt, Attempt.id == last)
            .where(
                Delivery.state.in_(over),
                Delivery.channel.in_(asks),
                Delivery.at > self.now() - OVERTAKEN,
            )
            .order_by(Delivery.key)
        ).all()
        for row, attempt in rows:
            wanted = row.content and row.content.get("wanted")
            changed = row.fingerprint != attempt.fingerprint
            if row.state in (State.DROPPED, State.SKIPPED):
                subject, kind = f"Withdrawn, please do not publish: {row.key}", "recall"
                words = (
                    "We withdraw our request: please do NOT publish this, and discard the "
                    "package. If it is public already, please tell us where."
                )
            elif changed:
                subject, kind = f"Please do not publish yet: {row.key}", "stale"
                words = (
                    "The package that you have is out of date: please do NOT publish it. A new "
                    "one that replaces it follows."
                )
            else:
                continue
            errand = _Errand(f"{kind} {attempt.id}", kind, self._to(row), subject, words)
            if not _written(session, errand.about):
                yield row, errand
            late = wanted and Slot.read(wanted).at <= self.now()
            if row.state in (State.PROPOSED, State.CLEARED) and late:
                yield row, "its new package was not cleared before the time it was wanted for"

    def _too_late(self, row: Delivery, handed_at: datetime) -> str:
        """Why a task is given up, or ""."""
        wanted, when = row.post.wanted, self.timing(row.channel)
        since = Slot.read(wanted).at if wanted else handed_at
        if since + when.gives_up > self.now():
            return ""
        who = self._account(row) if wanted else "nobody"
        length = _length(when.gives_up)
        return (
            f"{who} gave no address within {length}"
            if wanted
            else (f"nobody said within {length} that it was posted")
        )

    def timing(self, channel: str) -> Timing:
        """When people are reminded of what is on this channel."""
        usual = BY_OTHERS if self._asks(channel) else BY_HAND
        return timing(self._channels[channel], usual)

    def _asks(self, channel: str) -> bool:
        settings = self._channels.get(channel)
        return settings is not None and isinstance(load(settings.platform), Asks)

    def _staff(self, session: Session) -> Mapping[str, Person]:
        return people.in_force(session)

    def _whom(self, row: Delivery, staff: Mapping[str, Person]) -> list[str]:
        """Whoever posts there, or every officer; and the staff chat."""
        named = self._channels[row.channel].posted_by
        found = [who for who in named if who in staff]
        found = found or [one.id for one in staff.values() if MAY_WRITE in one.roles]
        return [*found, *([CHAT] if self._say else [])]

    def _to(self, row: Delivery) -> str:
        """The other office's address."""
        return self._channels[row.channel].options.get("to", "")

    def _account(self, row: Delivery) -> str:
        """What people call the account."""
        return row.post.account.partition(" ")[2] or row.channel

    def _write(self, session: Session, row: Delivery, errand: _Errand) -> None:
        session.add(
            Errand(
                about=errand.about,
                key=row.key,
                fingerprint=row.fingerprint,
                kind=errand.kind,
                to=errand.to,
                step=errand.step,
                subject=errand.subject,
                words=errand.words,
                at=self.now(),
            )
        )
        session.flush()

    # --- links -------------------------------------------------------------------------------

    def link(self, session: Session, row: Delivery, who: str) -> str:
        """The page of this task, for this person; "" where nobody could open it.

        Made again, alike, whenever it is asked for; what is kept is the hash of its secret part.
        """
        base = self.configuration.settings.web.public_url.rstrip("/")
        if not base:
            return ""
        token = session.scalar(
            select(PartToken.token)
            .where(PartToken.key == row.key, PartToken.fingerprint == row.fingerprint)
            .order_by(PartToken.part)
            .limit(1)
        )
        seed = session.get_one(Meta, SEED).value.encode()
        made = hmac.new(seed, f"task link\n{token}\n{who}".encode(), hashlib.sha256).digest()
        secret = base64.urlsafe_b64encode(made).rstrip(b"=").decode()
        wanted = row.post.wanted
        since = Slot.read(wanted).at if wanted else max(self.now(), row.at)
        session.merge(
            TaskLink(
                sha256=_hash(secret),
                key=row.key,
                fingerprint=row.fingerprint,
                who=who,
                ends_at=since + self.timing(row.channel).gives_up + LINK_LASTS,
            )
        )
        return f"{base}/task/{secret}"

    def open(self, secret: str) -> Task:
        """The task that a link opens. NotFound for a link that never was, or has ended."""
        with self.store.reading() as session:
            link = session.get(TaskLink, _hash(secret))
            row = session.get(Delivery, link.key) if link and link.ends_at > self.now() else None
            if link is None or row is None or row.channel not in self._channels:
                raise NotFound("there is no such task")
            if row.fingerprint != link.fingerprint:
                return Task(Sheet(row.key, self._account_named(row)), "changed", who=link.who)
            url = session.scalar(select(ReceiptRow.url).where(ReceiptRow.key == row.key).limit(1))
            state = "open" if row.state in OPEN else "done" if url else "over"
            hold = held(row, placed(session))
            return Task(self._sheet(session, row), state, url or "", hold, link.who)

    def _account_named(self, row: Delivery) -> str:
        return self._account(row) if row.content else row.channel

    def waiting(self, who: str) -> list[Waiting]:
        """The tasks that wait for somebody, soonest given up first; with links for `who`, if it
        is anybody."""
        with self.store.writing() as session:  # a link that is shown is kept
            rows = session.scalars(
                select(Delivery).where(
                    Delivery.state == State.HANDED, Delivery.channel.in_(self._channels)
                )
            ).all()
            found = []
            for row in rows:
                handed_at = _handed(session, row)[1]
                wanted = row.post.wanted
                since = Slot.read(wanted).at if wanted else handed_at
                told = session.scalars(
                    select(Errand).where(Errand.key == row.key).order_by(Errand.id)
                )
                found.append(
                    Waiting(
                        row.key,
                        self._account(row),
                        since,
                        since + self.timing(row.channel).gives_up,
                        tuple(_became(one) for one in told),
                        self.link(session, row, who) if who else "",
                    )
                )
        return sorted(found, key=lambda one: (one.gives_up, one.key))

    def _sheet(self, session: Session, row: Delivery, link: str = "") -> Sheet:
        """Everything that a person needs to publish it."""
        post = row.post
        parts = tuple(
            replace(part, pictures=tuple(_with_data(session, p) for p in part.pictures))
            for part in post.parts
        )
        settings = self._channels[row.channel]
        limits = load(settings.platform).limits
        network = mails.network_of(settings.options.get("network", ""))
        wanted, embargo = (Slot.read(t) if t else None for t in (post.wanted, post.embargo))
        text = "\n".join(part.text for part in parts)
        return Sheet(
            key=row.key,
            account=self._account(row),
            title=settings.title or row.channel,
            language=post.language,
            parts=parts,
            due=self._zones.show(wanted.at if wanted else row.at),
            wanted=self._zones.show(wanted.at) if wanted else "",
            wanted_written=wanted.written if wanted else "",
            embargo=embargo.written if embargo else "",
            addresses=tuple(dict.fromkeys(url for _, url in links.addresses(text))),
            link_goes=network.instead if network else limits.link_goes,
            like=network.like if network else "https://…",
            page=link,
            office=self.configuration.settings.office.name,
        )

    # --- sending -----------------------------------------------------------------------------

    def send(self) -> int:
        """Send the errands that wait, oldest first; returns how many went.

        A server that cannot be reached is left alone until the next time.
        """
        settings = self.configuration.settings
        ways = [Errand.to != CHAT] if settings.mail.host else []
        ways += [Errand.to == CHAT] if self._say else []
        if not ways or not self._channels:
            return 0
        sent, away = 0, set[bool]()
        for number, in_chat in self._waiting_errands(or_(*ways)):
            if in_chat in away:
                continue
            outcome = self._run(number)
            sent += outcome == "sent"
            if outcome == "away":
                away.add(in_chat)
        return sent

    def _waiting_errands(self, ways: ColumnElement[bool]) -> list[tuple[int, bool]]:
        """Those whose turn it is. What began long ago has lost whoever began it: it is in doubt."""
        now = self.now()
        open_ = Errand.outcome == ""
        with self.store.reading() as session:
            lost = session.scalars(
                select(Errand.id).where(open_, Errand.begun_at <= now - STALE)
            ).all()
            found = session.execute(
                select(Errand.id, Errand.to)
                .where(open_, Errand.begun_at.is_(None), ways)
                .where(or_(Errand.next_try.is_(None), Errand.next_try <= now))
                .order_by(Errand.id)
                .limit(50)
            ).all()
        if lost:
            why = "the process that was sending it ended before it knew"
            with self.store.writing() as session:
                session.execute(
                    update(Errand)
                    .where(Errand.id.in_(lost), open_, Errand.begun_at <= now - STALE)
                    .values(outcome="in doubt", trouble=why)
                )
        return [(number, to == CHAT) for number, to in found]

    def _run(self, number: int) -> str:
        """Claim one errand and send it: "sent", "away" where its server is, or ""."""
        with self.store.writing() as session:
            claimed = session.execute(
                update(Errand)
                .where(Errand.id == number, Errand.begun_at.is_(None), Errand.outcome == "")
                .values(begun_at=self.now(), tries=Errand.tries + 1)
                .execution_options(synchronize_session=False)
            )
            if claimed.rowcount != 1:  # type: ignore[attr-defined] # an UPDATE's result has one
                return ""  # another worker was faster
            errand = session.get_one(Errand, number)
            if not self._still(session, errand):
                errand.outcome = "dropped"
                return ""
            row = session.get_one(Delivery, errand.key)
            given = row.content is not None and row.fingerprint == errand.fingerprint
            link = self.link(session, row, errand.to) if given and errand.kind in _LINKED else ""
            sheet = self._sheet(session, row, link) if given else Sheet(row.key, row.channel)
            to = self._address(session, errand)
            if not to and errand.to != CHAT:
                errand.begun_at, errand.outcome = None, "dropped"
                errand.trouble = f"{errand.to} has no address in config/people.toml"
                return ""
            before = self._before(session, row) if "@" in errand.to else ""
        try:
            if errand.to == CHAT:
                self._chatted(errand, sheet)
            else:
                sender = self.configuration.settings.mail.from_
                self._mailed(mails.letter(errand, sheet, sender=sender, to=to, before=before))
        except NotNow as error:
            self._put_off(number, str(error))
            return "away" if error.everything else ""
        except Refused as error:
            self._put_off(number, str(error))
            return ""
        except Exception as error:  # it may have gone
            self._ended(number, "in doubt", str(error) or type(error).__name__)
            return ""
        self._ended(number, "sent")
        return "sent"

    def _still(self, session: Session, errand: Errand) -> bool:
        """Whether what it says is still so."""
        row = session.get(Delivery, errand.key)
        if row is None:
            return False
        theirs = row.state is State.HANDED and row.fingerprint == errand.fingerprint
        if errand.kind == "go on":  # nobody has to be told who never heard that they should wait
            waited = select(Errand.outcome).where(
                Errand.key == row.key, Errand.kind == "hold", Errand.id < errand.id
            )
            last = session.scalar(waited.order_by(Errand.id.desc()).limit(1))
            return theirs and last in ("sent", "in doubt") and not held(row, placed(session))
        if errand.kind == "hold":
            return theirs and bool(held(row, placed(session)))
        if errand.kind == "stale":
            return row.state is not State.HANDED
        return theirs or errand.kind == "recall"

    def _address(self, session: Session, errand: Errand) -> str:
        if "@" in errand.to or errand.to == CHAT:
            return errand.to
        person = people.in_force(session).get(errand.to)
        return person.email if person else ""

    def _mailed(self, message: EmailMessage, part: Part | None = None) -> None:
        settings = self.configuration.settings.mail
        password = self.configuration.secret("mail_password")
        if part:
            notices.hand_over(settings, password, message, part.fence)
        else:
            notices.hand_over(settings, password, message)

    def _chatted(self, errand: Errand, sheet: Sheet) -> None:
        """Say it in the staff chat: first what, then the text alone to copy, then the pictures."""
        if self._say is None:
            raise Refused("there is no staff chat")
        desk = self.configuration.settings
        if desk.desk.demo and not is_loopback(desk.alarms.telegram_base):
            return  # nothing leaves a demo
        if errand.step == "text":
            text = "\n\n".join(part.text for part in sheet.parts)
            fits = len(text) <= A_CHAT
            self._say(Part(text if fits else "Its text is too long for this chat: see the page."))
        elif errand.step == "pictures":
            pictures = [p for p in sheet.pictures if p.type in ("image/jpeg", "image/png")]
            shown = (*pictures[: ALBUM - 1], *_code(sheet))
            told = "\n".join(f"{n}. {p.alt or p.file}" for n, p in enumerate(shown, 1))
            if shown:
                self._say(Part(told[:1000], pictures=tuple(shown)))
        else:
            self._say(Part(mails.in_chat(errand, sheet)[:A_CHAT]))

    def _put_off(self, number: int, why: str) -> None:
        """It surely did not go: later, for a while."""
        with self.store.writing() as session:
            errand = session.get_one(Errand, number)
            errand.begun_at, errand.trouble = None, why
            errand.next_try = self.now() + timedelta(minutes=min(2**errand.tries, 240))
            if errand.tries >= notices.TRIES:
                errand.outcome = "dropped"
        log.warning("errand %d: %s", number, why)

    def _ended(self, number: int, outcome: str, why: str = "") -> None:
        """Write down what became of it; where that fails, it stays begun, and ends in doubt."""
        try:
            with self.store.writing() as session:
                errand = session.get_one(Errand, number)
                errand.outcome, errand.trouble = outcome, why
        except OutreachError:
            log.exception("errand %d is %s; it cannot be recorded", number, outcome)

    # --- packages ----------------------------------------------------------------------------

    def package(self, channel: str, part: Part) -> None:
        """Mail another office what it is asked to publish: Word, pictures, link. Once for a token.

        Raises Refused or NotNow where it surely did not go, Uncertain where it may have.
        """
        settings = self.configuration.settings
        with self.store.writing() as session:
            key = session.scalar(select(PartToken.key).where(PartToken.token == part.token))
            row = session.get(Delivery, key or "")
            if row is None:
                raise Refused("nobody knows what this package is for")
            wanted = Slot.read(row.post.wanted)
            if wanted.at <= self.now():
                raise Refused(f"it was wanted for {wanted.written}, and that has passed")
            to = self._to(row)
            before, number = self._before(session, row), _sent(session, row.key)
            sheet = self._sheet(session, row, self.link(session, row, to))
        message = mails.package(
            sheet,
            sender=settings.mail.from_,
            to=to,
            message_id=notices.message_id(f"{part.token} {number}", settings.mail.from_),
            before=before,
            number=number + 1,
            today=self._zones.date(self.now()),
        )
        try:
            self._mailed(message, part)
        except (PlatformError, OutreachError):
            raise
        except Exception as error:
            raise Uncertain(f"no clear answer from the mail server: {error}") from error

    def _before(self, session: Session, row: Delivery) -> str:
        """The Message-ID of the last package of this post that went, or ""."""
        tokens = session.scalars(
            select(Attempt.token)
            .where(Attempt.key == row.key, Attempt.outcome == "handed")
            .order_by(Attempt.id)
        ).all()
        if not tokens:
            return ""
        sender = self.configuration.settings.mail.from_
        return notices.message_id(f"{tokens[-1]} {len(tokens) - 1}", sender)


_LINKED = frozenset({"task", "reminder", "go on"})


def _told(kind: str, turn: str, to: str, subject: str, words: str) -> Iterator[_Errand]:
    """One for a person; in the chat what, the text to copy, and the pictures, each by itself."""
    for step in ("", "text", "pictures") if to == CHAT else ("",):
        yield _Errand(f"{kind} {turn} {to} {step}".rstrip(), kind, to, subject, words, step)


def _handed(session: Session, row: Delivery) -> tuple[str, datetime]:
    """Which time it was handed over, and when."""
    last = session.execute(
        select(Attempt.id, Attempt.ended_at)
        .where(
            Attempt.key == row.key,
            Attempt.outcome == "handed",
            Attempt.fingerprint == row.fingerprint,
        )
        .order_by(Attempt.id.desc())
        .limit(1)
    ).first()
    return (f"{row.key} {last.id}", last.ended_at) if last else (row.key, row.at)


def _sent(session: Session, key: str) -> int:
    """How many packages of a post went to its office."""
    counted = select(func.count()).select_from(Attempt)
    return session.scalar(counted.where(and_(Attempt.key == key, Attempt.outcome == "handed"))) or 0


def _written(session: Session, about: str) -> bool:
    return session.scalar(select(Errand.id).where(Errand.about == about)) is not None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _with_data(session: Session, picture: Picture) -> Picture:
    asset = session.get(Asset, picture.sha256)
    return replace(picture, data=asset.data) if asset else picture


def _code(sheet: Sheet) -> list[Picture]:
    return [picture_of(sheet.addresses[0])] if sheet.addresses else []


def _became(errand: Errand) -> str:
    to = errand.to or "the staff chat"
    step = f" ({errand.step})" if errand.step else ""
    became = errand.outcome or ("on its way" if errand.begun_at else "waiting")
    trouble = f": {errand.trouble}" if errand.trouble else ""
    return f"{errand.kind}{step} to {to}, {became}{trouble}"


def _length(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    if hours >= 48 and hours % 24 == 0:
        return f"{int(hours / 24)} days"
    if hours >= 1:
        return f"{hours:g} hours" if hours != 1 else "an hour"
    return f"{hours * 60:g} minutes"


def untold(session: Session, waited: datetime, stale: datetime) -> list[tuple[str, str, datetime]]:
    """What may not have reached whoever it is for, by key, why, and since when.

    What waits for longer than since `waited` counts too; what is older than `stale` has been
    overtaken. Reminders are left out: the next one says it again.
    """
    rows = session.scalars(
        select(Errand)
        .join(Delivery, Delivery.key == Errand.key)
        .where(
            Errand.kind != "reminder",
            Errand.at > stale,
            or_(
                Errand.outcome == "in doubt",
                and_(Errand.outcome == "dropped", Errand.trouble != ""),
                and_(Errand.outcome == "", Errand.trouble != "", Errand.at <= waited),
            ),
            or_(Errand.kind != "task", Delivery.state == State.HANDED),
        )
        .order_by(Errand.at, Errand.id)
    )
    return [(row.key, _became(row), row.at) for row in rows]
