"""What becomes of a report: a paragraph in a note, and mails to those who receive it.

    asked       on the day of the month, officers are mailed what is missing, and a draft is written
    sent        a person says so: the report is frozen, and goes to each address once
    in doubt    what may have gone is not sent again by itself; a person looks, and may say so

Whoever receives it gets what was frozen. A mail is claimed, in a row of its own for each report
and address, before it leaves; so two workers, or one that dies, never send it twice.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from outreach import notices, people
from outreach.clearance import MAY_WRITE, PROGRAM, Person, record
from outreach.config import Configuration, is_loopback
from outreach.errors import NotAllowed, NotFound, NotNow, OutreachError, Refused, Uncertain
from outreach.measure import months
from outreach.measure.metrics import Reason, load_metrics
from outreach.platforms import Channel
from outreach.report import frozen
from outreach.report.documents import FORMATS
from outreach.report.documents.tracked import Inserted, Note, Place
from outreach.report.paragraph import Number, Paragraph, compose
from outreach.report.records import promoted, records
from outreach.report.value import Report
from outreach.report.words import listing
from outreach.reports import Reports
from outreach.store import Store
from outreach.store.tables import Mail, ReportMail, ReportRow

log = logging.getLogger(__name__)

STALE = timedelta(minutes=10)  # no server takes so long: whoever began it has died


@dataclass(frozen=True)
class Traced:
    """The paragraph, of which report it is, and what each number was read from."""

    paragraph: Paragraph
    period: str
    version: int
    sources: tuple[tuple[Number, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Sending:
    """One report to one address. `outcome`: "" while it waits, sent, refused, in doubt."""

    period: str
    version: int
    to: str
    outcome: str
    at: datetime  # when it ended, or was asked for
    trouble: str = ""

    def __str__(self) -> str:
        what = {"": "waits", "sent": "sent"}.get(self.outcome, self.outcome)
        return f"{self.to}: {what}" + (f" ({self.trouble})" if self.trouble else "")


class Reporting:
    """The office's reports, on their way out."""

    def __init__(
        self,
        *,
        store: Store,
        configuration: Configuration,
        channels: Mapping[str, Channel],
        now: Callable[[], datetime],
        reports: Reports,
        titles: Callable[[], Mapping[str, str]],
    ) -> None:
        """`titles` are the campaigns', by their names."""
        self.store, self.configuration, self.now = store, configuration, now
        self.channels = channels
        self.reports, self.titles = reports, titles
        self._settings = configuration.settings

    # --- in a note -----------------------------------------------------------------------------

    def paragraph(self, period: str = "", *, promoting: Sequence[str] = ()) -> Traced:
        """The paragraph of the newest frozen report, of this period or any.

        `promoting` are titles; of the campaigns that published in it, unless said. Raises NotFound
        where nothing is frozen.
        """
        metrics = load_metrics(self.configuration.home / "config" / "metrics.toml")
        with self.store.reading() as session:
            found, report = frozen.newest(session, period)
            if not promoting:
                known = self.titles()
                named = promoted(session, report)
                promoting = [known[one] for one in sorted(named) if one in known]
            made = compose(report, promoting)
            sources = tuple(
                (
                    one,
                    records(session, report, one, channels=self.channels, metrics=metrics),
                )
                for one in made.numbers
            )
        return Traced(made, found.period, found.version, sources)

    def into(
        self, note: Note, place: Place, given: Traced, *, by: Person, number: int | None = None
    ) -> Inserted:
        """The note with the paragraph as a tracked change of this person's."""
        by.must_be(MAY_WRITE)
        made = note.into(place, given.paragraph, author=by.name, at=self.now(), number=number)
        with self.store.writing() as session:
            what = f"paragraph on {given.period}, version {given.version}, put into {note.name}"
            record(session, self.now(), by.id, what)
        return made

    # --- asked ---------------------------------------------------------------------------------

    def ask(self) -> int:
        """On its day and later: mail the officers what the last month's report is without.

        Once a month, and not after it was sent; returns how many mails were written. The draft is
        written beside, where the office's folder is.
        """
        settings = self._settings.report
        here = self.now().astimezone(ZoneInfo(self.configuration.report_zone))
        hour, minute = map(int, settings.send_time.split(":"))
        due = here.replace(day=settings.send_day, hour=hour, minute=minute, second=0, microsecond=0)
        month = months.before(f"{here:%Y-%m}")
        if not settings.send_to or here < due:
            return 0
        about = f"report {month} is due"
        with self.store.reading() as session:
            if self._asked(session, about) or self._was_sent(session, month):
                return 0
        report = self.reports.draft(month)
        draft = self._write_draft(report)
        subject = f"The report on {months.named(month)} waits for you to look at it and send it"
        body = self._letter_to_officers(report, draft)
        with self.store.writing() as session:
            if self._asked(session, about):
                return 0
            staff = [one for one in people.in_force(session).values() if MAY_WRITE in one.roles]
            for one in staff:
                mail = Mail(
                    to=one.id, about=f"{about} {one.id}", subject=subject, body=body, at=self.now()
                )
                session.add(mail)
            record(session, self.now(), PROGRAM, about)
        return len(staff)

    def _asked(self, session: Session, about: str) -> bool:
        found = select(Mail.id).where(Mail.about.like(f"{about} %")).limit(1)
        return session.scalar(found) is not None

    def _was_sent(self, session: Session, month: str) -> bool:
        found = select(ReportMail.id).join(ReportRow, ReportRow.id == ReportMail.report)
        return session.scalar(found.where(ReportRow.period == month).limit(1)) is not None

    def _write_draft(self, report: Report) -> Path | None:
        """The draft as a Word document in reports/; None where it cannot be written here."""
        home = self.configuration.home
        file = home / "reports" / f"{report.file_name}.docx"
        try:
            data = FORMATS["docx"].write(report, template_folder=home / "templates" / "reports")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        except (OutreachError, OSError) as error:
            log.warning("the draft of %s was not written: %s", report.period, error)
            return None
        return file

    def _letter_to_officers(self, report: Report, draft: Path | None) -> str:
        lacking = self._lacking(report) or ["nothing: every channel is complete"]
        lines = [
            f"The report on {report.about} is due. Nobody has it yet: it goes out when an officer",
            f"has looked at it and says so, to {listing(self._settings.report.send_to)}.",
            "",
            "What is missing:",
            *(f"- {one}" for one in lacking),
            "",
            "To enter figures:  outreach import FILE.csv",
        ]
        if draft:
            lines += [f"Its draft is in:   {draft}"]
        lines += [
            f"To look at it anew: outreach report {report.period} --draft",
            f"To send it:        outreach report send {report.period}",
        ]
        return "\n".join(lines)

    def _lacking(self, report: Report) -> list[str]:
        """The channels that are not complete and why, and what only a person can read."""
        head = "Not complete: "
        lacking = [one.removeprefix(head) for one in report.completeness if one.startswith(head)]
        pending: dict[str, list[str]] = {}
        for one in report.traced:
            hand = one.reason == Reason.MANUAL_PENDING and one.subject in self.channels
            if hand and one.period == report.period:
                pending.setdefault(self.channels[one.subject].title, []).append(one.metric)
        told = (f"{title} ({', '.join(names)})" for title, names in pending.items())
        return [*lacking, *(f"A person has to read it: {one}" for one in told)]

    # --- sent ----------------------------------------------------------------------------------

    def would_send(self, month: str) -> tuple[list[str], list[str]]:
        """To whom a month's report would go, and what it is without. Keeps nothing.

        Raises NotAllowed where it cannot be sent, with what to do.
        """
        month = months.parse_month(month)
        self._must_reach_somebody()
        report = self.reports.draft(month)
        if self.now() < report.ends:
            raise NotAllowed(
                f"{months.named(month)} is not over: its report would change",
                f"send it from {months.day(report.ends, report.zone)} on",
            )
        return list(self._settings.report.send_to), self._lacking(report)

    def send(self, month: str, *, by: Person, again: Sequence[str] = ()) -> list[Sending]:
        """Freeze a month's report, unless it was after its cut-off, and send it, once an address.

        What was sent stays sent: asked for again, only new addresses get it, and those of `again`
        whose mail was refused or is in doubt. A newer version goes to everybody, as a revision.
        """
        by.must_be(MAY_WRITE)
        month = months.parse_month(month)
        self.would_send(month)
        found = self._to_send(month, by)
        with self.store.writing() as session:
            rows = {
                row.to: row
                for row in session.scalars(
                    select(ReportMail).where(ReportMail.report == found.number)
                )
            }
            for address in again:
                if address not in rows:
                    raise NotFound(f"nothing of {month} went to {address}", "outreach report send")
                row = rows[address]
                if row.outcome not in ("refused", "in doubt"):
                    now = "sent" if row.outcome == "sent" else "on its way"
                    raise NotAllowed(f"the mail to {address} is {now}", "it is not sent twice")
                row.begun_at, row.outcome, row.trouble, row.next_try = None, "", "", None
                row.ended_at = None
            new = [one for one in self._settings.report.send_to if one not in rows]
            for address in dict.fromkeys(new):
                session.add(ReportMail(report=found.number, to=address, at=self.now(), by=by.id))
            if new or again:
                whom = listing([*dict.fromkeys(new), *again])
                what = f"report {month}, version {found.version}, sent"
                record(session, self.now(), by.id, what, why=f"to {whom}")
        self.deliver()
        return self.sendings(month)

    def _to_send(self, month: str, by: Person) -> frozen.Kept:
        """The kept report, where it was made after its cut-off; else one that is made now."""
        with self.store.reading() as session:
            report = frozen.last(session, month)[1]
            found = frozen.newest(session, month)[0] if report else None
        if found and report:
            days = timedelta(days=self._settings.report.cut_off_days)
            if found.made_at >= report.ends + days or self._was_mailed(found.number):
                return found
        self.reports.make(month, by=by)
        with self.store.reading() as session:
            return frozen.newest(session, month)[0]

    def _was_mailed(self, report: int) -> bool:
        with self.store.reading() as session:
            found = select(ReportMail.id).where(ReportMail.report == report).limit(1)
            return session.scalar(found) is not None

    def sendings(self, month: str) -> list[Sending]:
        """What became of each mail of a month's report, newest version first."""
        with self.store.reading() as session:
            rows = session.execute(
                select(ReportMail, ReportRow)
                .join(ReportRow, ReportRow.id == ReportMail.report)
                .where(ReportRow.period == month)
                .order_by(ReportRow.version.desc(), ReportMail.id)
            )
            return [
                Sending(
                    of.period, of.version, row.to, row.outcome, row.ended_at or row.at, row.trouble
                )
                for row, of in rows
            ]

    def deliver(self) -> int:
        """Send the mails that wait, oldest first; returns how many went. Never raises for a server.

        One that cannot be reached is left alone until the next time.
        """
        if not self._settings.mail.host:
            return 0
        sent = 0
        for number in self._waiting():
            outcome = self._run(number)
            sent += outcome == "sent"
            if outcome == "away":
                break
        return sent

    def _waiting(self) -> Sequence[int]:
        """Those whose turn it is. What began long ago has lost whoever began it: it is in doubt."""
        now, open_ = self.now(), ReportMail.outcome == ""
        lost = (open_, ReportMail.begun_at <= now - STALE)
        with self.store.reading() as session:
            any_lost = session.scalar(select(ReportMail.id).where(*lost).limit(1)) is not None
            found = session.scalars(
                select(ReportMail.id)
                .where(open_, ReportMail.begun_at.is_(None))
                .where(or_(ReportMail.next_try.is_(None), ReportMail.next_try <= now))
                .order_by(ReportMail.id)
            ).all()
        if any_lost:
            why = "the process that was sending it ended before it knew"
            with self.store.writing() as session:
                gone = session.scalars(select(ReportMail).where(*lost)).all()
                for row in gone:
                    self._end(session, row, "in doubt", why)
        return found

    def _run(self, number: int) -> str:
        """Claim one mail and send it: what became of it, or "away" where the server is."""
        with self.store.writing() as session:
            claimed = session.execute(
                update(ReportMail)
                .where(
                    ReportMail.id == number,
                    ReportMail.begun_at.is_(None),
                    ReportMail.outcome == "",
                )
                .values(begun_at=self.now(), tries=ReportMail.tries + 1)
                .execution_options(synchronize_session=False)
            )
            if claimed.rowcount != 1:  # type: ignore[attr-defined] # an UPDATE's result has one
                return ""  # another worker was faster
            row = session.get_one(ReportMail, number)
            of = session.get_one(ReportRow, row.report)
            to, report, version, tries = row.to, Report.of(of.data), of.version, row.tries
            earlier = (
                select(ReportMail.id)
                .join(ReportRow, ReportRow.id == ReportMail.report)
                .where(ReportRow.period == of.period, ReportRow.version < version)
                .where(ReportMail.to == to, ReportMail.outcome.in_(["sent", "in doubt"]))
            )
            revised = session.scalar(earlier.limit(1)) is not None
        try:
            message = self._message(report, version, to, revised=revised)
        except OutreachError as error:  # such as a template that cannot be filled in
            return self._put_off(number, tries, f"{error}; {error.hint}")
        try:
            password = self.configuration.secret("mail_password")
            if not self._settings.desk.demo or is_loopback(self._settings.mail.host):
                notices.hand_over(self._settings.mail, password, message)
        except Refused as error:
            return self._ended(number, "refused", str(error))
        except NotNow as error:
            self._put_off(number, tries, str(error))
            return "away" if error.everything else ""
        except Uncertain as error:
            return self._ended(number, "in doubt", str(error))
        except Exception as error:  # whatever it is, it may have gone
            return self._ended(number, "in doubt", f"no clear answer: {error}")
        return self._ended(number, "sent")

    def _put_off(self, number: int, tries: int, why: str) -> str:
        """It surely did not go: later, for a while."""
        with self.store.writing() as session:
            row = session.get_one(ReportMail, number)
            row.begun_at, row.trouble = None, why
            row.next_try = self.now() + timedelta(minutes=min(2**tries, 240))
            if tries >= notices.TRIES:
                self._end(session, row, "refused", why)
        log.warning("report mail %d: %s", number, why)
        return ""

    def _ended(self, number: int, outcome: str, why: str = "") -> str:
        """Write down what became of it; where that fails, it stays begun, and ends in doubt."""
        try:
            with self.store.writing() as session:
                self._end(session, session.get_one(ReportMail, number), outcome, why)
        except OutreachError:
            log.exception("report mail %d is %s; it cannot be recorded", number, outcome)
        return outcome

    def _end(self, session: Session, row: ReportMail, outcome: str, why: str) -> None:
        row.outcome, row.trouble, row.ended_at = outcome, why, self.now()
        of = session.get_one(ReportRow, row.report)
        what = {"sent": "mailed", "refused": "not mailed"}.get(outcome, "mailed, perhaps")
        reason = f"to {row.to}" + (f": {why}" if why else "")
        record(session, self.now(), PROGRAM, f"report {of.period} {what}", why=reason)

    def _message(self, report: Report, version: int, to: str, *, revised: bool) -> EmailMessage:
        """The mail with its documents."""
        message = EmailMessage()
        sender = self._settings.mail.from_
        message["From"], message["To"] = sender, to
        head = f"Revised (version {version}): " if revised else ""
        message["Subject"] = " ".join(f"{head}{report.title}".split())
        message["Date"] = formatdate()
        about = f"report {report.period} {version} {to}"
        message["Message-ID"] = notices.message_id(about, sender)
        message["Auto-Submitted"] = "auto-generated"
        lines = [report.title, f"{report.office}. {report.distribution}.", ""]
        lines += [report.sample, ""] if report.sample else []
        lines += [*report.summary, "", *report.completeness, ""]
        if revised:
            lines += [f"This is version {version}. It replaces what you were sent before.", ""]
        lines += ["The report is attached."]
        message.set_content("\n".join(lines))
        folder = self.configuration.home / "templates" / "reports"
        for name in dict.fromkeys(self._settings.report.send_formats):
            kind = FORMATS[name]
            main, _, sub = kind.media_type.partition(";")[0].partition("/")
            file = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{report.file_name}-v{version}")
            message.add_attachment(
                kind.write(report, template_folder=folder),
                main,
                sub,
                filename=f"{file}{kind.suffix}",
            )
        return message

    def _must_reach_somebody(self) -> None:
        if not self._settings.report.send_to:
            raise NotAllowed(
                "nobody is named who receives the report",
                'write under [report] in config/outreach.toml: send-to = ["name@example.org"]',
            )
        if not self._settings.mail.host:
            raise NotAllowed(
                "this office has no mail server, so the report cannot be sent",
                "write host and from under [mail] in config/outreach.toml; outreach doctor asks it",
            )
