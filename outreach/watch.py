"""Looking for alarms, and telling them: to the log always, by mail and to a staff chat as set up.

What was told is kept in the database. Where that cannot be written it is kept here, so that a full
disk is told as well, and not at every look.
"""

import logging
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from outreach import alarms, notices
from outreach.alarms import Alarm, News, Process, Sight, Turn
from outreach.config import Configuration, is_loopback, without_secrets
from outreach.errors import OutreachError, PlatformError, Unusable
from outreach.platforms import Account, Platform, load
from outreach.post import Part
from outreach.store import Store
from outreach.store.shelf import TableShelf
from outreach.store.tables import AlarmRow, Mail, Meta
from outreach.words import Zones

log = logging.getLogger(__name__)

Unkept = Literal["remember", "tell", "leave"]

LOOKED = "alarms looked for"
_SIGNS = {Turn.NEW: "ALARM: ", Turn.STILL: "Still: ", Turn.OVER: "Over: "}


class Watch:
    """One for a process. `look` changes nothing; `round` looks, keeps and tells."""

    def __init__(
        self,
        *,
        store: Store,
        configuration: Configuration,
        now: Callable[[], datetime],
        real: Callable[[], datetime],
        platforms: Callable[[], Mapping[str, Platform]],
        unready: Callable[[], Mapping[str, str]],
        differs: Callable[[], Mapping[str, str]],
        processes: Callable[[], Sequence[Process]] = tuple,
        host: str = "",
    ) -> None:
        self.store, self.configuration = store, configuration
        self.now, self.real, self.host = now, real, host or socket.gethostname()
        self._platforms, self._unready, self._differs = platforms, unready, differs
        self._processes = processes
        self._settings = configuration.settings.alarms
        self._known: dict[str, AlarmRow] = {}  # as the table last had it, or further
        self._astray = False  # whether it is further than the table

    def look(self) -> list[Alarm]:
        """Everything that is an alarm now, told before or not."""
        file = self.store.file
        folders = [*([file.parent] if file else []), self.configuration.home]
        found = list(alarms.disk(folders, self._settings.least_free, self.host))
        try:
            with self.store.reading() as session:
                sight = self._sight(session)
                for rule in alarms.RULES:
                    found += self._found(rule, sight)
        except (Unusable, SQLAlchemyError) as error:
            found.append(alarms.database(_in_words(error), self.host))
        return found

    def _sight(self, session: Session) -> Sight:
        return Sight(
            session=session,
            now=self.now(),
            real=self.real(),
            stuck=self._settings.stuck,
            platforms=self._platforms(),
            unready=self._unready(),
            differs=self._differs,
            processes=self._processes(),
            mails=bool(self.configuration.settings.mail.host),
        )

    def _found(self, rule: Callable[[Sight], Iterator[Alarm]], sight: Sight) -> list[Alarm]:
        """What one rule finds; a rule that breaks hides none of the others."""
        try:
            return list(rule(sight))
        except (Unusable, SQLAlchemyError):
            raise
        except Exception:
            log.exception("the alarms of %r cannot be looked for", rule.__name__)
            return []

    def round(self, unkept: Unkept = "remember") -> list[Alarm]:
        """Look, and tell what is new, lasts, or is over. Returns what is an alarm now.

        `unkept` says what is done where the database cannot be written. A process that ends after
        this look cannot remember: it may "tell" at once, or "leave" it to one that stands beside.
        """
        found = {one.about: one for one in self.look()}
        try:
            news = self._keep(found)
        except IntegrityError:  # another process saw it in the same moment, and tells it
            return list(found.values())
        except (Unusable, SQLAlchemyError) as error:
            trouble = alarms.database(_in_words(error), self.host)
            found[trouble.about] = trouble
            if not self._astray:
                self._known, self._astray = self._read(), True
            if unkept == "leave":
                return list(found.values())
            settle = alarms.SETTLE if unkept == "remember" else timedelta(0)
            news = alarms.decide(
                self._known, found, host=self.host, now=self.real(), settle=settle, ends=False
            )
        if news:
            lines = self._lines(news)
            for line in lines:
                log.error("%s", line.replace("\n", " "))
            failed = self._send(_subject(news), "\n".join([*lines, "", self._signed()]))
            if not failed or len(failed) < len(self.ways()):
                self._told(news)
        return list(found.values())

    def _keep(self, found: Mapping[str, Alarm]) -> list[News]:
        with self.store.writing() as session:
            # Written each time: on a full disk, to read and to lock would still work. On a server
            # it has the processes come one after the other.
            session.merge(Meta(name=LOOKED, value=f"{self.real():%Y-%m-%d %H:%M:%S}"))
            session.flush()
            rows = self._rows(session)
            news = alarms.decide(rows, found, host=self.host, now=self.real())
            self._write(session, rows)
        self._known, self._astray = rows, False
        return news

    def _told(self, news: Sequence[News]) -> None:
        now, repeat = self.real(), self._settings.repeat
        if not self._astray:
            try:
                with self.store.writing() as session:
                    rows = self._rows(session)
                    alarms.told(rows, news, now=now, repeat=repeat)
                    self._write(session, rows)
            except (Unusable, SQLAlchemyError):
                self._astray = True
            else:
                self._known = rows
                return
        alarms.told(self._known, news, now=now, repeat=repeat)

    def _read(self) -> dict[str, AlarmRow]:
        """What the table has, if it can still be read; what we know of it, if not."""
        try:
            with self.store.reading() as session:
                return {row.about: row for row in session.scalars(select(AlarmRow))}
        except (Unusable, SQLAlchemyError):
            return self._known

    def _rows(self, session: Session) -> dict[str, AlarmRow]:
        """What is known: the table, and what happened while it could not be written."""
        if self._astray:
            for row in self._known.values():
                session.merge(row)
            session.flush()
        return {row.about: row for row in session.scalars(select(AlarmRow))}

    def _write(self, session: Session, rows: Mapping[str, AlarmRow]) -> None:
        for row in session.scalars(select(AlarmRow)).all():
            if row.about not in rows:
                session.delete(row)
        session.add_all(rows.values())

    # --- telling -------------------------------------------------------------------------

    def ways(self) -> list[str]:
        """Whom alarms go to beside the log, as a person reads it."""
        chat = self._settings.telegram_chat
        return [*self._settings.mail, *([f"the Telegram chat {chat}"] if chat else [])]

    @property
    def missing(self) -> str:
        """The secret that the staff chat needs and that is not there, or ""."""
        if not self._settings.telegram_chat or self.configuration.secret(self._secret):
            return ""
        return f"OUTREACH_{self._secret.upper()}"

    @property
    def _secret(self) -> str:
        return f"{self._settings.secrets.replace('-', '_').lower()}_token"

    def try_(self) -> dict[str, str]:
        """Send a test every way that is set up; the ways that failed, and why."""
        text = f"This is a test: alarms of {self._signed()}, reach you. Nothing is wrong."
        return self._send("A test of alarms", text)

    def _send(self, subject: str, text: str) -> dict[str, str]:
        """Send it every way that is set up; the ways that failed, and why."""
        if self.configuration.settings.desk.demo and not is_loopback(self._settings.telegram_base):
            return {}  # nothing leaves a demo
        try:
            text = without_secrets(text, self.configuration.home)
        except OutreachError as error:  # then none of them can be left out
            text = f"{subject.partition(':')[0]}, and more cannot be said: {error}"
        said = {to: self._mailed(to, subject, text) for to in self._settings.mail}
        if self._settings.telegram_chat:
            said[self.ways()[-1]] = self._chatted(text)
        for way, trouble in said.items():
            if trouble:
                log.error("alarms do not reach %s: %s", way, trouble)
        return {way: trouble for way, trouble in said.items() if trouble}

    def _mailed(self, to: str, subject: str, text: str) -> str:
        """What went wrong, or ""."""
        mail = Mail(to=to, about=f"{self.real().timestamp()} {subject}", subject=subject, body=text)
        settings, password = self.configuration.settings.mail, self.configuration.secret
        try:
            return notices.post(settings, password("mail_password"), mail, to)
        except OSError as error:
            return f"the mail server cannot be reached: {error}"
        except OutreachError as error:
            return str(error)

    def say(self, part: Part) -> None:
        """Say something in the staff chat. Raises as a platform does where it did not arrive."""
        self._chat.publish(part, None)

    def _chatted(self, text: str) -> str:
        """What went wrong, or ""."""
        try:
            self.say(Part(text[: self._chat.limits.text]))
        except (PlatformError, OutreachError) as error:
            return str(error)
        return ""

    @cached_property
    def _chat(self) -> Platform:
        """The staff chat, as the channel of a bot that it is."""
        made: Platform = load("telegram")(
            Account(
                channel="alarms",
                options={"chat": self._settings.telegram_chat},
                secrets={"token": self.configuration.secret(self._secret)},
                shelf=TableShelf(self.store, "alarms", self.now),
                now=self.now,
                base=self._settings.telegram_base,
            )
        )
        return made

    def _lines(self, news: Sequence[News]) -> list[str]:
        office = self.configuration.settings.office
        zones = Zones(office.zone, office.also_zone)
        return [
            f"{_SIGNS[one.turn]}{one.alarm.what}"
            + (f" (since {zones.show(one.alarm.since)})" if one.alarm.since else "")
            + (f"\n→ {one.alarm.todo}" if one.turn is not Turn.OVER else "")
            for turn in Turn
            for one in news
            if one.turn is turn
        ]

    def _signed(self) -> str:
        return f"{self.configuration.settings.office.name}, on {self.host}"


def _subject(news: Sequence[News]) -> str:
    first = min(news, key=lambda one: list(Turn).index(one.turn))
    more = f" (and {len(news) - 1} more)" if len(news) > 1 else ""
    return f"{_SIGNS[first.turn]}{first.alarm.what.partition(':')[0]}{more}"


def _in_words(error: Exception) -> OutreachError:
    """A database's trouble; a server's own words may name its address and user."""
    if isinstance(error, OutreachError):
        return error
    return Unusable(
        f"the database does not answer ({type(error).__name__})",
        "see that its server runs, and database of [desk] in config/outreach.toml",
    )
