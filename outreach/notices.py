"""Notices by mail: what waits for somebody, was returned, voided, missed, failed, or is uncertain.

Notices are written from the trail: every line of it that concerns somebody becomes at most one
mail to each of them, so that a crash in between neither loses one nor writes it twice. Sending
comes after, outside any transaction, and is tried again; a mail that goes out twice after a
power cut says nothing new, a notice that is lost would.
"""

import hashlib
import logging
import smtplib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from outreach import smtp
from outreach.addresses import ALARM
from outreach.clearance import MAY_CLEAR, MAY_WRITE, Clearance, Person
from outreach.config import MailSettings
from outreach.delivery import Delivery, State
from outreach.errors import NotNow, PlatformError, Refused, Uncertain
from outreach.post import unfenced
from outreach.store import Store
from outreach.store.tables import Mail, Meta, TrailEntry

log = logging.getLogger(__name__)

TIMEOUT = 20.0  # seconds for one mail server to answer
MAILING = 90.0  # seconds for the mail itself, pictures and all, and the answer to it
TRIES = 20  # then the mail stays in the list with its trouble
WATERMARK = "trail noticed up to"
MANY = 200  # lines of the trail that are looked at again and again, because they concern nobody

_TELLS = {
    "returned": ("returned to you", "authors"),
    "clearance voided": ("your clearance no longer holds", "clearer"),
    "missed": ("was not sent: its time passed", "officers"),
    "failed": ("was refused by the network", "officers"),
    "uncertain": ("may or may not be live: somebody has to look", "officers"),
    "worded otherwise": ("was published in other words", "officers"),
    "declined": ("will not be published by the other office", "officers"),
    ALARM: ("prints an address that does not work", "officers"),
    "cleared in an emergency": ("was cleared in an emergency by its author", "clearers"),
}
"""What the trail says -> the subject, and who is told."""

_ASKS = frozenset({"applied", "clearance voided"})
"""What the trail says -> whoever clears may have something to read."""


def asked_for(session: Session) -> bool:
    """Whether anything new in the trail may concern somebody. As good as free where there is not.

    Lines that concern nobody stay new until one comes that does, or there are many.
    """
    mark = session.get(Meta, WATERMARK)
    new = session.scalars(
        select(TrailEntry.what).where(TrailEntry.id > int(mark.value if mark else 0))
    ).all()
    return len(new) > MANY or any(what in _TELLS or what in _ASKS for what in new)


def write(session: Session, people: Mapping[str, Person], now: datetime) -> int:
    """Turn new lines of the trail into mails; returns how many."""
    mark = session.get(Meta, WATERMARK) or Meta(name=WATERMARK, value="0")
    session.add(mark)
    lines = list(
        session.scalars(
            select(TrailEntry).where(TrailEntry.id > int(mark.value)).order_by(TrailEntry.id)
        )
    )
    if not lines:
        return 0
    count = sum(_about(session, line, people, now) for line in lines)
    if any(line.what in _ASKS for line in lines):
        count += _waiting(session, people, now, lines[-1].id)
    mark.value = str(lines[-1].id)
    return count


def _about(session: Session, line: TrailEntry, people: Mapping[str, Person], now: datetime) -> int:
    if line.what not in _TELLS:
        return 0
    subject, whom = _TELLS[line.what]
    row = session.get(Delivery, line.key)
    if row is None:
        return 0
    if whom == "authors":
        told: Iterable[str] = row.authors
    elif whom == "clearer":
        last = session.scalar(
            select(Clearance.by).where(Clearance.key == row.key).order_by(Clearance.id.desc())
        )
        told = [last] if last else []
    else:
        role = MAY_CLEAR if whom == "clearers" else MAY_WRITE
        told = [p.id for p in people.values() if role in p.roles]
    why = [f"why: {line.why}"] if line.why else []
    body = "\n".join(
        [
            row.key,
            f"slot: {row.due.written}",
            *why,
            f"by: {line.who}",
            "",
            _way_out(row, line.what),
        ]
    )
    return sum(
        _tell(session, people, who, f"{line.id} {who}", f"{row.key} {subject}", body, now)
        for who in sorted(set(told))
    )


def _way_out(row: Delivery, what: str) -> str:
    return {
        "uncertain": (
            "If it is live:     outreach settle {key} --live ADDRESS\n"
            "If it surely is not: outreach settle {key} --absent"
        ),
        "missed": (
            "To send it now:    outreach settle {key} --send-now\n"
            "To leave it:       outreach settle {key} --skip"
        ),
        "failed": (
            "To try again:      outreach settle {key} --retry\n"
            "To leave it:       outreach settle {key} --skip"
        ),
        ALARM: (
            "Put it right under links in its campaign file, then: outreach plan, outreach apply\n"
            "To stop the post until then: outreach hold message:{campaign}/{message} --why ..."
        ),
        "clearance voided": "Read it again:     outreach review",
        "returned": "Change its text, then: outreach plan, outreach apply",
    }.get(what, "See: outreach trail {key}").format(
        key=row.key, campaign=row.campaign, message=row.message
    )


def _waiting(session: Session, people: Mapping[str, Person], now: datetime, mark: int) -> int:
    """One mail to each clearer who has something to read."""
    rows = list(
        session.scalars(
            select(Delivery).where(
                Delivery.state == State.PROPOSED, Delivery.blocked == "", Delivery.returned == ""
            )
        )
    )
    count = 0
    for who in people.values():
        mine = [row for row in rows if who.id not in row.authors]
        if MAY_CLEAR not in who.roles or not mine:
            continue
        body = "\n".join(
            ["These posts wait for your clearance:", ""]
            + [f"  {row.due.written}  {row.key}" for row in sorted(mine, key=lambda r: r.at)]
            + ["", "Read and clear them: outreach review"]
        )
        count_of = "1 post waits" if len(mine) == 1 else f"{len(mine)} posts wait"
        subject = f"{count_of} for your clearance"
        count += _tell(session, people, who.id, f"waiting {mark} {who.id}", subject, body, now)
    return count


def _tell(
    session: Session,
    people: Mapping[str, Person],
    who: str,
    about: str,
    subject: str,
    body: str,
    now: datetime,
) -> int:
    if who not in people:
        return 0
    if session.scalar(select(Mail.id).where(Mail.about == about)):
        return 0
    session.add(Mail(to=who, about=about, subject=subject, body=body, at=now))
    return 1


def send(
    store: Store,
    settings: MailSettings,
    password: str,
    people: Mapping[str, Person],
    now: datetime,
) -> int:
    """Send what is waiting, oldest first; returns how many went out. Never raises for a server.

    A server that cannot be reached, or does not answer, is left alone until the next time.
    """
    if not settings.host:
        return 0
    with store.reading() as session:
        waiting = list(
            session.scalars(
                select(Mail)
                .where(
                    Mail.sent_at.is_(None),
                    Mail.tries < TRIES,
                    or_(Mail.next_try.is_(None), Mail.next_try <= now),
                )
                .order_by(Mail.id)
                .limit(50)
            )
        )
    sent = 0
    for mail in waiting:
        to = people[mail.to].email if mail.to in people else ""
        unreachable, trouble = False, f"{mail.to} has no address"
        if to:
            try:
                trouble = post(settings, password, mail, to)
            except OSError as error:
                unreachable, trouble = True, f"the mail server cannot be reached: {error}"
        with store.writing() as session:
            row = session.get_one(Mail, mail.id)
            row.tries, row.trouble = row.tries + 1, trouble
            if trouble:
                row.next_try = now + timedelta(minutes=min(2**row.tries, 240))
                log.warning("mail %d to %s: %s", row.id, row.to, trouble)
            else:
                row.sent_at = now
                sent += 1
        if unreachable:
            break
    return sent


def server_of(settings: MailSettings, password: str) -> smtp.Server:
    """The server of [mail]."""
    return smtp.Server(settings.host, settings.port, settings.security, settings.user, password)


def post(settings: MailSettings, password: str, mail: Mail, to: str) -> str:
    """Hand one mail to the server; what went wrong, or "". OSError where it cannot be reached."""
    try:
        hand_over(settings, password, _message(settings.from_, to, mail))
    except Refused as error:
        return str(error)
    except NotNow as error:
        if error.everything:
            raise ConnectionError(str(error)) from error
        return str(error)
    except Uncertain as error:
        raise ConnectionError(str(error)) from error
    except ValueError as error:  # an address that is none, such as one of two lines
        return f"this cannot be sent to {to!r}: {error}"
    return ""


def hand_over(
    settings: MailSettings,
    password: str,
    message: EmailMessage,
    fence: Callable[[float], None] = unfenced,
) -> None:
    """Give one mail to the server. Raises Refused or NotNow where it surely was not taken, and
    Uncertain where it may have been.

    `fence` is asked as the last thing before the mail itself leaves: see `Part.fence`.
    """
    server, line = server_of(settings, password), None
    try:
        with smtp.connected(server, TIMEOUT) as line:
            line.fence = lambda: fence(MAILING)
            line.send_message(message)
    except PlatformError:  # the fence's
        raise
    except smtplib.SMTPAuthenticationError as error:
        # Its words are left out: they may repeat what they were sent, in base64.
        told = f"the mail server refused the login of {settings.user} ({error.smtp_code})"
        raise NotNow(told) from None
    except smtplib.SMTPRecipientsRefused as error:
        told = server.scrubbed(str(error))
        codes = [code for code, _ in error.recipients.values()]
        raise (NotNow if all(400 <= code < 500 for code in codes) else Refused)(told) from None
    except smtplib.SMTPResponseException as error:
        told, begun = server.scrubbed(str(error)), line is not None and line.begun
        if begun and not 400 <= error.smtp_code < 600:
            raise Uncertain(f"the mail server answered what is no answer: {told}") from None
        raise (NotNow if 400 <= error.smtp_code < 500 else Refused)(told) from None
    except (OSError, smtplib.SMTPException) as error:
        told = server.scrubbed(str(error))
        if line is not None and line.begun:
            raise Uncertain(f"the mail server gave no answer to the mail: {told}") from None
        if isinstance(error, smtplib.SMTPException) and not isinstance(
            error, smtplib.SMTPServerDisconnected
        ):
            raise NotNow(told) from None
        raise NotNow(told, everything=True) from None
    except ValueError as error:  # such as an address with letters that no mail server takes
        raise Refused(f"this cannot be sent to {message['To']}: {error}") from None


def message_id(about: str, sender: str) -> str:
    """The Message-ID of what is sent about something: the same at every try."""
    digest = hashlib.sha256(about.encode()).hexdigest()[:32]
    return f"<{digest}@{parseaddr(sender)[1].rpartition('@')[2] or 'outreach'}>"


def _message(sender: str, to: str, mail: Mail) -> EmailMessage:
    message = EmailMessage()
    # A header is one line, whatever a key or a name holds.
    message["From"], message["To"] = sender, to
    message["Subject"] = " ".join(mail.subject.split())
    message["Message-ID"] = message_id(mail.about, sender)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    return message
