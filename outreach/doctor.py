"""What will fail, and why, before the day: each check is a function that yields what it finds.

Nothing is published, and nothing is changed but the notes of when this was done and of what the
accounts said. A check that cannot tell says so; one that breaks over something unforeseen fails by
itself and never hides the others.
"""

import shutil
import smtplib
import socket
import ssl
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from sqlalchemy import select

from outreach import notices, smtp
from outreach.app import Outreach
from outreach.backup import LAST
from outreach.clearance import MAY_ADMINISTER, MAY_CLEAR, MAY_WRITE
from outreach.config import is_loopback
from outreach.credentials import Standing, standings
from outreach.delivery import Delivery, State
from outreach.errors import OutreachError, WrongFiles
from outreach.extras import EXTRAS
from outreach.platforms import plugins
from outreach.presence import GAP
from outreach.store import HEAD
from outreach.store.tables import Meta
from outreach.words import counted

TIMEOUT = 10.0  # seconds for a mail server, or for our own public address, to answer
SOON = timedelta(days=14)
STALE = timedelta(days=7)  # a backup that is older is no longer one to rely on


@dataclass(frozen=True)
class Finding:
    """One check's outcome. `ok` is None where it cannot be told, or is a person's choice."""

    name: str
    ok: bool | None
    sentence: str
    hint: str = ""


def examine(desk: Outreach) -> Iterator[Finding]:
    """Every check in turn, each yielded as soon as it is made; some ask the network."""
    for check in CHECKS:
        name = check.__name__.strip("_").replace("_", " ")
        try:
            yield from check(desk)
        except OutreachError as error:
            yield Finding(name, False, str(error), error.hint)
        except Exception as error:
            yield Finding(name, None, f"this could not be examined: {type(error).__name__}")


def _configuration(desk: Outreach) -> Iterator[Finding]:
    count = len(desk.channels)
    if count:
        yield Finding("configuration", True, f"read, {count} channels")
    else:
        yield Finding(
            "configuration", False, "there is no channel", "describe one in config/channels.toml"
        )
    env = desk.home / ".env"
    if env.exists() and stat.S_IMODE(env.stat().st_mode) & 0o077:
        yield Finding("secrets", False, "others on this machine may read .env", f"chmod 600 {env}")
    if desk.configuration.settings.desk.demo:
        yield Finding(
            "demo",
            None,
            "this office is a demo: anybody may act as anybody",
            "take demo = true out of config/outreach.toml before real work",
        )


def _database(desk: Outreach) -> Iterator[Finding]:
    revision = desk.store.revision()
    if revision != HEAD:
        yield Finding(
            "database", False, f"its tables are of revision {revision or 'none'}", "outreach init"
        )
        return
    with desk.store.writing() as session:  # a lock alone is had on a read-only disk, too
        session.merge(Meta(name="doctor", value=f"{desk.real():%Y-%m-%d %H:%M}"))
    yield Finding("database", True, f"revision {revision}, can be written")
    if desk.store.file:
        free = shutil.disk_usage(desk.store.file.parent).free
        yield Finding(
            "disk",
            free >= desk.configuration.settings.alarms.least_free,
            f"{free / 1e9:,.1f} GB are free",
            "make room before the disk is full: then nothing can be sent",
        )


def _backups(desk: Outreach) -> Iterator[Finding]:
    """Whether a machine that is lost tonight would take the office with it."""
    with desk.store.reading() as session:
        last = session.get(Meta, LAST)
        nothing_to_lose = session.scalar(select(Delivery.key).limit(1)) is None
    if nothing_to_lose or desk.configuration.settings.desk.demo:
        return
    todo = "outreach backup DIR, best each night by a timer: operations.md, Backups"
    if last is None:
        yield Finding("backup", None, "outreach has made none of this office", todo)
        return
    age = desk.real() - datetime.fromisoformat(last.value)
    days = f"{counted(age.days, 'day')} ago" if age.days > 0 else "within the last day"
    told = f"the last one was made {days}"
    yield Finding("backup", True if age <= STALE else None, told, "" if age <= STALE else todo)


def _people(desk: Outreach) -> Iterator[Finding]:
    known = desk.people()
    if not known:
        yield Finding("people", False, "nobody is confirmed yet", "outreach init")
        return
    writers = sorted(p.id for p in known.values() if MAY_WRITE in p.roles)
    clearers = sorted(p.id for p in known.values() if MAY_CLEAR in p.roles)
    if alone := [name for name in writers if not set(clearers) - {name}]:
        yield Finding(
            "people",
            None if set(writers) - set(alone) else False,
            f"nobody can clear what {' and '.join(alone)} writes",
            "give the role clearer to a second person in config/people.toml",
        )
    elif not writers:
        yield Finding("people", False, "nobody is an officer", "see config/people.toml")
    else:
        yield Finding(
            "people", True, f"{' and '.join(writers)} write, {' and '.join(clearers)} clear"
        )
    if not any(MAY_ADMINISTER in p.roles for p in known.values()):
        yield Finding("people", None, "nobody may make tokens for others", "see config/people.toml")
    if pending := desk.status().roster:
        yield Finding("people", False, pending, "outreach people confirm")


def _channels(desk: Outreach) -> Iterator[Finding]:
    for name in desk.channels:
        yield _channel(desk, name)
    for name, package in plugins.shadowing():
        what = (
            f"the package {package} offers a platform {name!r}, and that name is the program's own"
        )
        yield Finding("packages", None, what, f"nothing of it is used; pip uninstall {package}")


def _channel(desk: Outreach, name: str) -> Finding:
    label = f"channel {name}"
    if name in desk.unready:
        return Finding(label, False, desk.unready[name], desk.remedies[name])
    answer = desk.ask_account(name)
    with desk.store.reading() as session:
        standing = standings(session).get(name, Standing())
    if standing.refused or answer.ok is False:
        what = standing.refused or answer.what
        if standing.ends and standing.ends > desk.real():
            what += f"; posts go out until {standing.ends:%Y-%m-%d %H:%M} UTC"
        todo = f"until this is put right, nothing goes out on it: outreach connect {name}"
        return Finding(label, False, what, todo)
    if standing.trouble:
        what = f"{answer.what}; its token could not be renewed yet: {standing.trouble}"
        return Finding(label, None, what, "it is tried again, the desk's clock does that")
    return Finding(label, answer.ok, answer.what, "" if answer.ok else "try again later")


def _posts_in_danger(desk: Outreach) -> Iterator[Finding]:
    """What is due soon on a channel that cannot publish."""
    now = desk.now()
    with desk.store.reading() as session:
        rows = session.scalars(
            select(Delivery)
            .where(
                Delivery.state.in_([State.PROPOSED, State.CLEARED]),
                Delivery.channel.in_(list(desk.unready)),
                Delivery.at <= now + SOON,
            )
            .order_by(Delivery.at, Delivery.key)
        ).all()
    for row in rows:
        yield Finding(
            "next posts",
            False,
            f"{row.key} is due {row.due.written}, and {desk.unready[row.channel]}",
            f"set {row.channel} up, or take it out of the message's audience",
        )
    if not rows:
        days = SOON.days
        yield Finding("next posts", True, f"all that is due within {days} days has its channel")


def _mail_server(desk: Outreach) -> Iterator[Finding]:
    mail = desk.configuration.settings.mail
    if not mail.host:
        yield Finding(
            "mail",
            None,
            "no mail server is set: nobody is told what waits for them",
            "set host and from of [mail] in config/outreach.toml",
        )
        return
    password = desk.configuration.secret("mail_password")
    if mail.user and not password:
        yield Finding("mail", False, "its password is missing", "set OUTREACH_MAIL_PASSWORD")
        return
    if nameless := [p.id for p in desk.people().values() if not p.email]:
        yield Finding(
            "mail", False, f"without an address: {', '.join(nameless)}", "see config/people.toml"
        )
    server = notices.server_of(mail, password)
    try:
        with smtp.connected(server, TIMEOUT) as line:
            line.noop()
    except (OSError, smtplib.SMTPException) as error:
        # A server's answer to a login may repeat what it was sent.
        told = server.scrubbed(_why(error))
        yield Finding(
            "mail",
            False,
            f"{mail.host}:{mail.port} does not serve us: {told}",
            "put host, port and security right: [mail] in config/outreach.toml",
        )
    else:
        yield Finding("mail", True, f"{mail.host}:{mail.port} answers")


def _public_url(desk: Outreach) -> Iterator[Finding]:
    url = desk.public_url
    if not url:
        yield Finding(
            "public-url",
            None,
            "there is none: links are direct, and clicks are not counted",
            "set public-url of [web] once an https address leads to this desk",
        )
    elif is_loopback(url):
        yield Finding(
            "public-url", None, f"{url} leads to this machine only", "the public needs https"
        )
    else:
        yield _answers(url)


def _answers(url: str) -> Finding:
    try:
        request = Request(f"{url}/healthz", headers={"User-Agent": "outreach doctor"})  # noqa: S310 - https, as the configuration holds
        with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - as above
            if answer.read(10).strip() == b"ok":
                return Finding("public-url", True, f"{url} leads to this desk")
            told = "it answers, but is not this desk"
    except (URLError, OSError, ValueError) as error:
        told = f"it does not answer from here: {_why(error)}"
    return Finding(
        "public-url", False, f"{url}: {told}", "while it does not answer, no short link works"
    )


def _why(error: Exception) -> str:
    """Why a server did not do what we asked, for a person who never heard of errno."""
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        error = error.reason
    for kind, words in _WHY:
        if isinstance(error, kind):
            return words.format(error)
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"it says {said.decode(errors='replace') if isinstance(said, bytes) else said}"
    return getattr(error, "strerror", "") or str(error) or "the connection broke"


_WHY: tuple[tuple[type[Exception], str], ...] = (
    (HTTPError, "the page is not there ({0.code})"),
    (socket.gaierror, "there is no server of that name"),
    (ConnectionRefusedError, "nothing listens there"),
    (TimeoutError, f"it said nothing for {TIMEOUT:g} seconds"),
    (ssl.SSLCertVerificationError, "its certificate is not good: {0.verify_message}"),
    (ssl.SSLError, "it does not speak TLS there"),
    (smtplib.SMTPAuthenticationError, "it refuses the user and the password ({0.smtp_code})"),
)
"""A kind of trouble, and its words; the first that fits."""


def _house_style(desk: Outreach) -> Iterator[Finding]:
    house = desk.folder.house()
    if house is None:
        hint = "how rules read stands in house-style.md of the documentation"
        yield Finding("house style", None, "there are no rules in config/house-style", hint)
    elif house.problems:
        first = house.problems[0]
        yield Finding("house style", False, f"{first.where}: {first.what}", "outreach check")
    elif house.unsigned:
        yield Finding(
            "house style",
            None,
            f"nobody has signed off the rules for {', '.join(house.unsigned)} yet",
            "whoever has read them writes their name there: signed-off-by, or reviewer",
        )
    else:
        yield Finding("house style", True, f"signed off: {', '.join(house.sheets)}")


def _extras(desk: Outreach) -> Iterator[Finding]:
    for name, extra in EXTRAS.items():
        if extra.installed:
            yield Finding(f"extra {name}", True, f"it is here: {extra.does}")
        else:
            yield Finding(
                f"extra {name}",
                None,
                f"it is not installed; with it {extra.does}",
                f"if that is wanted: {sys.executable} -m pip install {' '.join(extra.packages)}",
            )


def _heartbeat(desk: Outreach) -> Iterator[Finding]:
    last = desk.status().last_tick
    if last is None:
        yield Finding("clock", None, "nothing has ticked yet", "outreach run publishes what is due")
        return
    age = desk.real() - last
    minutes = int(age / timedelta(minutes=1))
    told = "it ticks" if age <= GAP else f"the last tick was {minutes:,} minutes ago"
    yield Finding("clock", age <= GAP, told, "outreach run has to run, or nothing is published")


def _alarms(desk: Outreach) -> Iterator[Finding]:
    """What is an alarm at this moment, and who would be told."""
    examined = {"clock", "disk", "refused"}  # by the checks above
    found = [one for one in desk.watch.look() if one.kind not in examined]
    yield from (Finding("alarm", False, one.what, one.todo) for one in found)
    ways, missing = desk.watch.ways(), desk.watch.missing
    if missing:
        told = f"the bot of the staff chat has no token: {missing} is missing"
        yield Finding("alarms", False, told, "@BotFather gives one; configuration.md, at secrets")
    elif ways:
        yield Finding("alarms", True, f"they go to {' and '.join(ways)}")
    else:
        yield Finding(
            "alarms",
            None,
            "nobody is told of alarms: they stand in the log alone",
            "set mail or telegram-chat of [alarms] in config/outreach.toml; then: "
            "outreach alarms --test",
        )


CHECKS: tuple[Callable[[Outreach], Iterator[Finding]], ...] = (
    _configuration,
    _database,
    _backups,
    _people,
    _channels,
    _posts_in_danger,
    _mail_server,
    _public_url,
    _heartbeat,
    _house_style,
    _extras,
    _alarms,
)


def unopened(error: OutreachError) -> Finding:
    """What is said where the desk could not even be opened."""
    name = "configuration" if isinstance(error, WrongFiles) else "database"
    return Finding(name, False, str(error), error.hint)
