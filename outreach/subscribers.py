"""
Who receives a newsletter, and how far each mailing is.

    asked --link in a mail, and a button--> confirmed --one click, or a page--> gone
      '--seven days: deleted                    '--their mailbox does not exist: gone

Whoever goes is deleted; a keyed hash of the address stays, so that no import writes to them again.
Without the address the hash tells nobody who it was. Asking anew and confirming lifts it.

A mailing has one row for each of its readers, made when it begins: *waiting*, then claimed, then a
fate. The claim is committed before the mail server hears of them, so a process that dies leaves
*in doubt* whom it was writing to, and nobody twice.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from sqlalchemy import Index, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from outreach import courtesy
from outreach.bounces import Bounce
from outreach.clearance import record
from outreach.courtesy import OPEN, REVIEWER, Words
from outreach.delivery import Delivery, PartToken
from outreach.errors import NotFound, NotNow, PlatformError, Refused, Uncertain
from outreach.holds import held, placed
from outreach.platforms import Done, Fate, Invites, Progress, Reader
from outreach.store import Store
from outreach.store.base import Base
from outreach.store.tables import SEED, Meta

EXPIRES: Final = timedelta(days=7)  # that somebody has to confirm
ANEW: Final = timedelta(hours=1)  # between two such mails to one address
ASKS: Final = 3  # such mails that one address gets in all, unless it confirms
HOURLY: Final = 200  # such mails that all strangers together can have us write in an hour
WINDOW: Final = timedelta(hours=24)  # that a mailing may take, where its post sets no end
PAUSE: Final = timedelta(minutes=10)  # after a "not now" for one reader; then twice that, and so on
CONFIRMED: Final = "confirmed"
ASKED: Final = "asked"

_LOCAL = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f-\x9f]{1,64}")
_DOMAIN = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)


class Subscriber(Base):
    """Somebody who asked for a newsletter. Gone, address and all, when they leave."""

    __tablename__ = "subscriber"
    __table_args__ = (Index("ix_subscriber_hash", "channel", "hash", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    hash: Mapped[str]  # keyed; what stays when they leave
    address: Mapped[str]
    language: Mapped[str]
    ref: Mapped[str] = mapped_column(unique=True)  # whoever has it may unsubscribe them
    state: Mapped[str] = mapped_column(index=True)
    consent: Mapped[str]  # the version of the words that they agreed to
    source: Mapped[str]  # "web", or where somebody collected their consent
    agreed_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    # A confirmation that is under way: of the subscription, or of another language.
    token: Mapped[str | None] = mapped_column(unique=True)
    wanted: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime | None]
    asks: Mapped[int] = mapped_column(default=0)
    invite_at: Mapped[datetime | None]  # the mail that asks is due; None once it was tried


class ConsentText(Base):
    """Words that people agreed to: never changed."""

    __tablename__ = "consent_text"

    version: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]


class Suppressed(Base):
    """An address that is not written to, by its keyed hash; `channel` is "" for every one."""

    __tablename__ = "suppressed"

    hash: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    why: Mapped[str]  # "unsubscribed", "forgotten", "bounced"
    at: Mapped[datetime]


class Mailing(Base):
    """One post on its way to its readers, by its part's token."""

    __tablename__ = "mailing"

    token: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    channel: Mapped[str]
    language: Mapped[str]
    begun_at: Mapped[datetime]
    until: Mapped[datetime]  # nobody is tried again after it
    over_at: Mapped[datetime | None]


class MailingReader(Base):
    """What became of one mailing for one reader. Of the address it knows nothing."""

    __tablename__ = "mailing_reader"
    __table_args__ = (
        Index("ix_mailing_reader_turn", "token", "fate", "next_try"),
        Index("ix_mailing_reader_digest", "token", "digest", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]
    subscriber: Mapped[int | None] = mapped_column(index=True)  # None once they are gone
    digest: Mapped[str]  # in the mail's Message-ID
    fate: Mapped[str]
    claim: Mapped[str] = mapped_column(default="")
    tries: Mapped[int] = mapped_column(default=0)
    next_try: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(default="")
    hard: Mapped[bool] = mapped_column(default=False)
    bounced_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]


Clock = Callable[[], datetime]
Rolls = Callable[[str], "Roll"]


# --- addresses ----------------------------------------------------------------------------


def address_of(text: str) -> str:
    """The address that was typed, its domain as mail servers know it; "" for what is none."""
    local, at, domain = text.strip().rpartition("@")
    try:
        domain = domain.rstrip(".").encode("idna").decode("ascii").lower() if domain else ""
    except UnicodeError:
        return ""
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    if not at or dots or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        return ""
    return f"{local}@{domain}"


def _keyed(session: Session, *about: str) -> str:
    seed = session.get_one(Meta, SEED).value
    return hmac.new(seed.encode(), "\n".join(about).encode(), hashlib.sha256).hexdigest()


def _hash(session: Session, address: str) -> str:
    return _keyed(session, "subscriber", address.casefold())


def _suppress(session: Session, channel: str, of: str, why: str, now: datetime) -> None:
    session.merge(Suppressed(hash=of, channel=channel, why=why, at=now))


def _delete(session: Session, row: Subscriber) -> None:
    """Of what they were sent, only the counts stay."""
    mine = MailingReader.subscriber == row.id
    session.execute(update(MailingReader).where(mine).values(subscriber=None))
    session.delete(row)


# --- a mailing ----------------------------------------------------------------------------


class Roll:
    """The readers of one channel, and its mailings: what an adapter is handed."""

    def __init__(
        self,
        store: Store,
        channel: str,
        now: Clock,
        *,
        home: Path,
        languages: tuple[str, ...],
        title: str,
        office: str,
    ) -> None:
        self._store, self._channel, self._now = store, channel, now
        self._languages = languages
        self._home, self._title, self._office = home, title, office

    @cached_property
    def _words(self) -> Mapping[str, Words]:
        known = courtesy.load_words(self._home)
        return {
            language: courtesy.filled(words, title=self._title, office=self._office)
            for language, words in known.items()
        }

    def words(self, language: str) -> Words:
        """What stands around a mail in this language. Raises NotFound, WrongFiles."""
        if language not in self._words:
            raise NotFound(
                f"{courtesy.FILE} has no words for {language}",
                f"write a table [{language}] there, as [en] is",
            )
        return self._words[language]

    def unwritten(self) -> str:
        """A language of the channel without words, or ""."""
        return next((one for one in self._languages if one not in self._words), "")

    def unread(self) -> str:
        """A language of the channel whose words nobody has read yet, or ""."""
        words = {one: self._words.get(one, {}) for one in self._languages}
        return next((one for one in words if words[one].get(REVIEWER) == OPEN), "")

    def stamp(self) -> str:
        """Changes with the words below every mail."""
        below = [
            f"{one} {self._words[one]['footer']} {self._words[one]['leave']}"
            for one in self._languages
            if one in self._words
        ]
        return courtesy.version("\n".join(below))[:6]

    def count(self) -> int:
        """How many have confirmed."""
        mine = Subscriber.channel == self._channel, Subscriber.state == CONFIRMED
        with self._store.reading() as session:
            return session.scalar(select(func.count()).select_from(Subscriber).where(*mine)) or 0

    def begin(self, token: str, language: str) -> Progress:
        """Make the rows of everybody who reads this language now, the first time."""
        now = self._now()
        with self._store.writing(shared=True) as session:
            if session.get(Mailing, token) is None:
                self._open(session, token, language, now)
            lost = "the process that was writing to them ended before it knew"
            session.execute(
                update(MailingReader)
                .where(MailingReader.token == token, MailingReader.fate == Fate.SENDING)
                .values(fate=Fate.DOUBT, why=lost)
            )
            _close(session, token, now)
            return _progress(session, token, now)

    def _open(self, session: Session, token: str, language: str, now: datetime) -> None:
        gone = select(Suppressed.hash).where(Suppressed.channel.in_(["", self._channel]))
        found = session.execute(
            select(Subscriber.id, Subscriber.ref)
            .where(
                Subscriber.channel == self._channel,
                Subscriber.language == language,
                Subscriber.state == CONFIRMED,
                Subscriber.hash.not_in(gone),
            )
            .order_by(Subscriber.id)
        ).all()
        if not found:
            return
        row = _delivery(session, token)
        ends = [now + WINDOW, *([row.not_after] if row and row.not_after else [])]
        session.add(
            Mailing(
                token=token,
                key=row.key if row else "",
                channel=self._channel,
                language=language,
                begun_at=now,
                until=min(ends),
                over_at=None,
            )
        )
        if row:
            # It has begun: however long it takes, it is not late any more.
            session.execute(
                update(Delivery).where(Delivery.key == row.key).values(lateness_settled=True)
            )
        readers = [
            {
                "token": token,
                "subscriber": number,
                "digest": _keyed(session, "reader", token, ref)[:16],
                "fate": Fate.WAITING,
                "claim": "",
                "tries": 0,
                "why": "",
                "hard": False,
            }
            for number, ref in found
        ]
        session.flush()
        session.execute(insert(MailingReader), readers)

    def next(self, token: str, language: str, before: Done | None = None) -> Reader | None:
        """Claim whoever is next, in one transaction with what became of the one `before`.

        Raises NotNow while its post is on hold.
        """
        now, claim = self._now(), secrets.token_hex(8)
        with self._store.writing(shared=True) as session:
            if before:
                _over(session, before, now)
            row = _delivery(session, token)
            why = held(row, placed(session)) if row else ""
            if not why:
                if claimed := self._claimed(session, token, language, claim, now):
                    return claimed
                _close(session, token, now)
        if why:  # outside: what became of the one before is kept
            raise NotNow(f"it is {why}")
        return None

    @staticmethod
    def _claimed(
        session: Session, token: str, language: str, claim: str, now: datetime
    ) -> Reader | None:
        waits = MailingReader.token == token, MailingReader.fate == Fate.WAITING
        ready = or_(MailingReader.next_try.is_(None), MailingReader.next_try <= now)
        of = Suppressed.hash == Subscriber.hash, Suppressed.channel.in_(["", Subscriber.channel])
        who = Subscriber.address, Subscriber.ref, Subscriber.language, exists().where(*of)
        turn = (
            select(MailingReader.id, MailingReader.digest, MailingReader.tries, *who)
            .outerjoin(Subscriber, Subscriber.id == MailingReader.subscriber)
            .where(*waits, ready)
            .order_by(MailingReader.id)
            .limit(1)
            .with_for_update(of=MailingReader, skip_locked=True)
        )
        while found := session.execute(turn).first():
            number, digest, tries, address, ref, speaks, suppressed = found
            theirs = update(MailingReader).where(MailingReader.id == number)
            if address and speaks == language and not suppressed:
                taken = {"fate": Fate.SENDING, "claim": claim, "tried_at": now, "tries": tries + 1}
                session.execute(theirs.values(taken))
                return Reader(number, address, ref, digest, claim)
            why = "no reader of it any more when their turn came"
            session.execute(theirs.values(fate=Fate.LEFT, why=why))
        return None

    def over(self, done: Done) -> None:
        """Say what became of a claim; one that was lost meanwhile may still be said to be sent."""
        now = self._now()
        with self._store.writing(shared=True) as session:
            if token := _over(session, done, now):
                _close(session, token, now)

    def again(self, token: str) -> None:
        """Those who were refused wait anew."""
        with self._store.writing(shared=True) as session:
            session.execute(
                update(MailingReader)
                .where(MailingReader.token == token, MailingReader.fate == Fate.REFUSED)
                .values(fate=Fate.WAITING, hard=False, next_try=None)
            )
            session.execute(update(Mailing).where(Mailing.token == token).values(over_at=None))

    def progress(self, token: str) -> Progress | None:
        """How far it is; None where it was never begun."""
        with self._store.reading() as session:
            if session.get(Mailing, token) is None:
                return None
            return _progress(session, token, self._now())

    def told_since(self, token: str) -> Mapping[str, int]:
        """`bounced`: refused while we wrote, or come back later. `unsubscribed`: by this mail."""
        of = MailingReader.token == token
        came_back = or_(MailingReader.bounced_at.is_not(None), MailingReader.fate == Fate.REFUSED)
        counted = select(func.count()).select_from(MailingReader)
        with self._store.reading() as session:
            return {
                "bounced": session.scalar(counted.where(of, came_back)) or 0,
                "unsubscribed": session.scalar(
                    counted.where(of, MailingReader.left_at.is_not(None))
                )
                or 0,
            }


def reached(session: Session, key: str) -> tuple[int, int]:
    """How many readers have a post's mailing, or may have it; and how many it is for."""
    of = MailingReader.token == Mailing.token
    counted = select(func.count()).select_from(MailingReader).join(Mailing, of)
    had = MailingReader.fate.in_([Fate.SENT, Fate.SENDING, Fate.DOUBT])
    mine = Mailing.key == key
    every = session.scalar(counted.where(mine)) or 0
    return (session.scalar(counted.where(mine, had)) or 0) if every else 0, every


def getting_on(session: Session, now: datetime, within: timedelta) -> set[str]:
    """The posts whose mailing is under way: somebody was tried lately, or nobody can be now."""
    mine = MailingReader.token == Mailing.token
    lately = exists().where(mine, MailingReader.tried_at >= now - within)
    ready = or_(MailingReader.next_try.is_(None), MailingReader.next_try <= now)
    waits = exists().where(mine, MailingReader.fate == Fate.WAITING, ready)
    under_way = select(Mailing.key).where(Mailing.over_at.is_(None), or_(lately, ~waits))
    return set(session.scalars(under_way))


def _delivery(session: Session, token: str) -> Delivery | None:
    key = session.scalar(select(PartToken.key).where(PartToken.token == token))
    return session.get(Delivery, key) if key else None


def _over(session: Session, done: Done, now: datetime) -> str:
    """Write down what became of a claim; the mailing's token, "" where it is nobody's any more."""
    ours = MailingReader.id == done.reader.number, MailingReader.claim == done.reader.claim
    if done.fate not in (Fate.SENDING, Fate.WAITING):
        last = {"fate": done.fate, "why": done.why, "hard": done.hard}
        kept = update(MailingReader).where(*ours).values(last).returning(MailingReader.token)
        return session.scalar(kept) or ""
    row = session.scalar(select(MailingReader).where(*ours).with_for_update())
    if row is None:
        return ""
    row.fate, row.why, row.hard = done.fate, done.why, done.hard
    if done.fate is Fate.SENDING:  # nothing was begun
        row.fate, row.tries = Fate.WAITING, row.tries - 1
    else:
        row.next_try = now + PAUSE * 2 ** (row.tries - 1)
        mailing = session.get_one(Mailing, row.token)
        if row.next_try >= mailing.until:
            row.fate = Fate.LATE
    session.flush()
    return row.token


def _progress(session: Session, token: str, now: datetime) -> Progress:
    of = MailingReader.token == token
    counts = session.execute(
        select(MailingReader.fate, func.count()).where(of).group_by(MailingReader.fate)
    )
    again = session.scalar(
        select(func.min(func.coalesce(MailingReader.next_try, now))).where(
            of, MailingReader.fate == Fate.WAITING
        )
    )
    mailing = session.get(Mailing, token)
    return Progress(
        {Fate(fate): count for fate, count in counts},
        again if again and again > now else None,
        mailing.over_at if mailing else None,
    )


def _close(session: Session, token: str, now: datetime) -> None:
    """When everybody has a fate, the mailing is over, and addresses that do not exist are gone.

    Not sooner: a server that refuses everybody is no reason to delete anybody.
    """
    mailing = session.get(Mailing, token)
    if mailing is None or mailing.over_at:
        return
    open_ = [Fate.WAITING, Fate.SENDING]
    of = MailingReader.token == token
    if session.scalar(select(MailingReader.id).where(of, MailingReader.fate.in_(open_)).limit(1)):
        return
    if not session.scalar(
        select(MailingReader.id).where(of, MailingReader.fate == Fate.SENT).limit(1)
    ):
        return
    mailing.over_at = now
    for who in session.scalars(
        select(Subscriber)
        .join(MailingReader, MailingReader.subscriber == Subscriber.id)
        .where(of, MailingReader.hard, MailingReader.fate == Fate.REFUSED)
    ).all():
        _suppress(session, "", who.hash, "bounced", now)
        _delete(session, who)


# --- the list -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Newsletter:
    """A newsletter as the public can subscribe to it. `languages` are those it is sent in."""

    channel: str
    title: str
    languages: tuple[str, ...]


@dataclass(frozen=True)
class Consent:
    """Somebody who agreed elsewhere: to what, as far as is known, when and where."""

    address: str
    language: str
    source: str
    agreed_at: datetime


@dataclass(frozen=True)
class Tally:
    """How many there are of a channel in a language."""

    channel: str
    language: str
    confirmed: int
    asked: int


@dataclass(frozen=True)
class Unclear:
    """A reader of a mailing who does not surely have it. `address` is "" once they have left."""

    address: str
    fate: Fate
    why: str
    number: str  # what the mail's Message-ID begins with


class Subscribers:
    """The lists of all newsletters of an office."""

    def __init__(
        self, store: Store, now: Clock, newsletters: Mapping[str, Newsletter], rolls: Rolls
    ) -> None:
        self._store, self._now = store, now
        self.newsletters, self._rolls = newsletters, rolls

    def words(self, channel: str, language: str = "") -> tuple[str, Words]:
        """A newsletter's words, and their language: the one asked for if it is sent in it.

        Raises NotFound for what is no newsletter.
        """
        newsletter = self._newsletter(channel)
        chosen = language if language in newsletter.languages else newsletter.languages[0]
        return chosen, self._rolls(channel).words(chosen)

    def _newsletter(self, channel: str) -> Newsletter:
        if channel not in self.newsletters:
            known = ", ".join(self.newsletters) or "none"
            raise NotFound(f"there is no newsletter {channel!r}", f"known are: {known}")
        return self.newsletters[channel]

    # --- the public ------------------------------------------------------------------------

    def subscribe(self, channel: str, address: str, language: str) -> str:
        """Somebody asks for it: "asked", "wrong-address" or "later", whoever is on the list.

        Raises NotFound for what is no newsletter, or not in this language.
        """
        if language not in self._newsletter(channel).languages:
            raise NotFound(f"{channel} is not sent in {language}")
        if not (address := address_of(address)):
            return "wrong-address"
        now, consent = self._now(), self._rolls(channel).words(language)["consent"]
        with self._store.writing() as session:
            # Those who never confirmed are forgotten first: their week may be over.
            over = Subscriber.state == ASKED, Subscriber.asked_at <= now - EXPIRES
            session.execute(delete(Subscriber).where(*over))
            lately = select(func.count()).where(Subscriber.asked_at > now - timedelta(hours=1))
            if (session.scalar(lately) or 0) >= HOURLY:
                return "later"
            row = self._row(session, channel, address)
            if row is None:
                row = Subscriber(
                    channel=channel,
                    hash=_hash(session, address),
                    address=address,
                    language=language,
                    ref=secrets.token_urlsafe(16),
                    state=ASKED,
                    consent="",
                    source="web",
                    agreed_at=now,
                    asks=0,
                )
                session.add(row)
            self._ask(session, row, language, consent, now)
        return "asked"

    def _ask(
        self, session: Session, row: Subscriber, language: str, consent: str, now: datetime
    ) -> None:
        """Have them asked by mail whether it is they; not too often."""
        if row.state == CONFIRMED and row.language == language:
            return
        if row.asked_at and now - row.asked_at >= EXPIRES:
            row.asks = 0
        if row.asks >= ASKS or (row.asked_at and now - row.asked_at < ANEW):
            return
        if session.get(ConsentText, courtesy.version(consent)) is None:
            version = courtesy.version(consent)
            session.add(ConsentText(version=version, language=language, text=consent, at=now))
        if row.state == ASKED:
            row.consent, row.agreed_at = courtesy.version(consent), now
        row.wanted, row.token = language, secrets.token_urlsafe(16)
        row.asked_at = row.invite_at = now
        row.asks += 1

    def asks(self, token: str) -> tuple[str, str]:
        """The channel and the language that a link asks to confirm. NotFound once it is over."""
        with self._store.reading() as session:
            row = self._asking(session, token)
            return row.channel, row.wanted

    def confirm(self, token: str) -> tuple[str, str]:
        """It was they who asked; their channel and language. NotFound for a link that is over."""
        now = self._now()
        with self._store.writing() as session:
            row = self._asking(session, token)
            row.state, row.language = CONFIRMED, row.wanted
            row.confirmed_at = row.confirmed_at or now
            row.token, row.invite_at, row.asks = None, None, 0
            # They want it again, and their mailbox takes mails: the link came in one.
            mine = Suppressed.hash == row.hash, Suppressed.channel.in_(["", row.channel])
            session.execute(delete(Suppressed).where(*mine))
            return row.channel, row.language

    def _asking(self, session: Session, token: str) -> Subscriber:
        row = session.scalar(select(Subscriber).where(Subscriber.token == token[:64]))
        if row is None or row.asked_at is None or self._now() - row.asked_at >= EXPIRES:
            raise NotFound("there is nothing to confirm")
        return row

    def whose(self, ref: str) -> tuple[str, str] | None:
        """The channel and language of whoever has this reference; None once they have left."""
        with self._store.reading() as session:
            row = session.scalar(select(Subscriber).where(Subscriber.ref == ref[:64]))
            return (row.channel, row.language) if row else None

    def leave(self, ref: str) -> None:
        """They unsubscribe. Does nothing where nobody has this reference, or nobody any more."""
        now = self._now()
        with self._store.writing() as session:
            row = session.scalar(select(Subscriber).where(Subscriber.ref == ref[:64]))
            if row is None:
                return
            last = session.scalar(
                select(MailingReader)
                .where(
                    MailingReader.subscriber == row.id,
                    MailingReader.fate.in_([Fate.SENT, Fate.DOUBT]),
                )
                .order_by(MailingReader.id.desc())
                .limit(1)
            )
            if last:
                last.left_at = now
            _suppress(session, row.channel, row.hash, "unsubscribed", now)
            _delete(session, row)

    def invite(self, platforms: Mapping[str, object], public: str) -> int:
        """Send the mails that ask to confirm, as far as they are due; how many went out."""
        now = self._now()
        due = Subscriber.invite_at.is_not(None), Subscriber.invite_at <= now
        with self._store.reading() as session:
            rows = session.scalars(select(Subscriber).where(*due).order_by(Subscriber.id)).all()
        went = 0
        for row in rows:
            platform = platforms.get(row.channel)
            if not public or not isinstance(platform, Invites) or not self._mine(row):
                continue
            again: datetime | None = None
            try:
                platform.invite(row.address, row.wanted, f"{public}/confirm/{row.token}")
                went += 1
            except NotNow as error:
                again = now + max(error.wait, timedelta(minutes=1))
            except Refused:
                again = now + timedelta(hours=1)  # until the week is over
            except (Uncertain, PlatformError):
                pass  # perhaps they have it: they can ask again
            if again:
                with self._store.writing(shared=True) as session:
                    waits = Subscriber.id == row.id, Subscriber.token == row.token
                    session.execute(update(Subscriber).where(*waits).values(invite_at=again))
        return went

    def _mine(self, row: Subscriber) -> bool:
        """Take the turn to write to them, if nobody else has."""
        with self._store.writing(shared=True) as session:
            due = Subscriber.id == row.id, Subscriber.invite_at == row.invite_at
            taken = session.execute(update(Subscriber).where(*due).values(invite_at=None))
            return bool(taken.rowcount == 1)  # type: ignore[attr-defined] # an UPDATE's result

    # --- officers --------------------------------------------------------------------------

    def tally(self) -> list[Tally]:
        """How many there are, by channel and language."""
        with self._store.reading() as session:
            rows = session.execute(
                select(
                    Subscriber.channel, Subscriber.language, Subscriber.state, func.count()
                ).group_by(Subscriber.channel, Subscriber.language, Subscriber.state)
            ).all()
        counts = {(channel, language, state): n for channel, language, state, n in rows}
        sent = {
            (n.channel, language) for n in self.newsletters.values() for language in n.languages
        }
        return [
            Tally(*one, counts.get((*one, CONFIRMED), 0), counts.get((*one, ASKED), 0))
            for one in sorted(sent | {key[:2] for key in counts})
        ]

    def suppressed(self) -> Mapping[str, int]:
        """How many addresses are not written to, by why."""
        with self._store.reading() as session:
            counted = select(Suppressed.why, func.count()).group_by(Suppressed.why)
            return {why: count for why, count in session.execute(counted)}  # noqa: C416 - rows, to mypy

    def take(
        self, channel: str, people: Sequence[Consent], *, file: str, by: str
    ) -> tuple[int, int]:
        """Add people who agreed elsewhere; how many came on the list, and how many were left out
        since they are on it, or have left."""
        self._newsletter(channel)
        now, added = self._now(), 0
        with self._store.writing() as session:
            for one in people:
                hashed = _hash(session, one.address)
                gone = session.get(Suppressed, (hashed, "")) or session.get(
                    Suppressed, (hashed, channel)
                )
                if gone or self._row(session, channel, one.address):
                    continue
                session.add(
                    Subscriber(
                        channel=channel,
                        hash=hashed,
                        address=one.address,
                        language=one.language,
                        ref=secrets.token_urlsafe(16),
                        state=CONFIRMED,
                        consent="elsewhere",
                        source=one.source,
                        agreed_at=one.agreed_at,
                        confirmed_at=now,
                        asks=0,
                    )
                )
                session.flush()
                added += 1
            what = f"subscribers of {channel} imported from {file}: {added}"
            record(session, now, by, what)
        return added, len(people) - added

    def everybody(self, channel: str, *, by: str) -> list[tuple[str, ...]]:
        """The list of a channel: address, language, since when, where and to what they agreed."""
        self._newsletter(channel)
        with self._store.writing() as session:
            record(session, self._now(), by, f"subscribers of {channel} exported")
            rows = session.scalars(
                select(Subscriber)
                .where(Subscriber.channel == channel, Subscriber.state == CONFIRMED)
                .order_by(Subscriber.id)
            )
            return [
                (r.address, r.language, r.source, f"{r.agreed_at:%Y-%m-%d}", r.consent)
                for r in rows
            ]

    def forget(self, address: str, *, by: str) -> int:
        """Delete an address from every list, and write to it no more; how many lists it was on."""
        if not (known := address_of(address)):
            raise NotFound(f"{address!r} is no address", "write it like name@example.org")
        now = self._now()
        with self._store.writing() as session:
            of = _hash(session, known)
            rows = session.scalars(select(Subscriber).where(Subscriber.hash == of)).all()
            for row in rows:
                _delete(session, row)
            _suppress(session, "", of, "forgotten", now)
            record(session, now, by, "an address was forgotten")  # without it
        return len(rows)

    def bounced(self, bounces: Iterable[Bounce]) -> tuple[int, int]:
        """Keep what came back; how many were ours, and how many of them are written to no more.

        Only what names a mail of ours, which nobody can guess, counts: anybody may write to a
        mailbox.
        """
        ours = gone = 0
        now = self._now()
        for bounce in bounces:
            with self._store.writing() as session:
                row = session.scalar(
                    select(MailingReader).where(
                        MailingReader.token == bounce.token, MailingReader.digest == bounce.digest
                    )
                )
                if row is None or row.bounced_at:
                    continue
                ours += 1
                row.bounced_at, row.why = now, bounce.why[:300]
                if row.fate == Fate.DOUBT:
                    row.fate = Fate.SENT  # it came back: so the server had taken it
                    session.flush()
                    _close(session, row.token, now)
                who = session.get(Subscriber, row.subscriber) if row.subscriber else None
                if who and bounce.hard:
                    _suppress(session, "", who.hash, "bounced", now)
                    _delete(session, who)
                    gone += 1
        return ours, gone

    def unclear(self, key: str) -> tuple[Progress, list[Unclear]]:
        """How far the mailing of a post is, and everybody who does not surely have it.

        Raises NotFound where none has begun.
        """
        with self._store.reading() as session:
            mailing = session.scalar(
                select(Mailing).where(Mailing.key == key).order_by(Mailing.begun_at.desc()).limit(1)
            )
            if mailing is None:
                raise NotFound(f"no mailing of {key} has begun", "outreach status lists the posts")
            rows = session.execute(
                select(MailingReader, Subscriber.address)
                .outerjoin(Subscriber, Subscriber.id == MailingReader.subscriber)
                .where(MailingReader.token == mailing.token, MailingReader.fate != Fate.SENT)
                .order_by(MailingReader.fate, MailingReader.id)
            ).all()
            progress = _progress(session, mailing.token, self._now())
        return progress, [
            Unclear(address or "", Fate(row.fate), row.why, f"{row.token}.{row.digest}")
            for row, address in rows
        ]

    def _row(self, session: Session, channel: str, address: str) -> Subscriber | None:
        mine = Subscriber.channel == channel, Subscriber.hash == _hash(session, address)
        return session.scalar(select(Subscriber).where(*mine))
